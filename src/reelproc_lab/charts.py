"""Charts of runs, as SVG; the one file that imports matplotlib (extra ``report``)."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reelproc import MissingDependencyError
from reelproc_lab.record import Record
from reelproc_lab.summary import ArmSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reelproc_lab.simulation.fleet import Day
    from reelproc_lab.simulation.replay import Replayed

# Okabe and Ito's, told apart with every kind of colour vision
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8a8a", "#000000")
INK, FAINT = "#1f2933", "#d9dee4"
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "reelproc",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
}


def case_chart(arms: Sequence[ArmSummary], records: Sequence[Record]) -> str:
    """Draw one case's measurements: every run, medians with their intervals, cost, and phases inside the jobs.

    Raises:
        MissingDependencyError: the extra ``report`` is not installed.
    """
    with _style():
        phases = _told(arms)
        priced = [arm for arm in arms if arm.usd_billed]
        rows = 0.42 * len(arms) + 0.9
        lower = (0.1 + 0.1 * len(arms)) * len(phases) + 0.8 if phases else 0.0
        figure = _figure(8.6, rows + lower)
        grid = figure.add_gridspec(2 if phases else 1, 2, height_ratios=[rows, lower] if phases else None)
        _runs(figure.add_subplot(grid[0, 0 if priced else slice(None)]), arms, records)
        if priced:
            _costs(figure.add_subplot(grid[0, 1]), arms)
        if phases:
            _phases(figure.add_subplot(grid[1, :]), arms, phases)
        return _svg(figure)


def overview_chart(arms: Sequence[ArmSummary]) -> str:
    """Many cases at once: each arm's time beside the baseline's.

    Raises:
        MissingDependencyError: the extra ``report`` is not installed.
    """
    with _style():
        cases, names = list(dict.fromkeys(a.case for a in arms)), list(dict.fromkeys(a.arm for a in arms))
        figure = _figure(8.6, 0.3 * len(cases) + 1.3)
        axes = figure.add_subplot()
        for number, name in enumerate(names):
            found = [a for a in arms if a.arm == name and a.time_ratio]
            places = [len(cases) - 1 - cases.index(a.case) for a in found]
            values = [a.time_ratio.median for a in found if a.time_ratio]
            if values:
                axes.plot(values, places, "o", color=COLOURS[number % len(COLOURS)], label=name, alpha=0.9)
        axes.axvline(1.0, color=INK, linewidth=1)
        axes.set_xscale("log")
        axes.set_yticks(range(len(cases)), cases[::-1])
        axes.set_xlabel("time over the baseline's (left of 1: faster)")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
        return _svg(figure)


def _runs(axes: Axes, arms: Sequence[ArmSummary], records: Sequence[Record]) -> None:
    for place, arm in enumerate(reversed(arms)):
        colour = _colour(arms, arm)
        mine = [r.measurement for r in records if r.arm == arm.arm and r.status == "complete" and not r.warm_up]
        kept = [m.client_seconds for m in mine if m and _same(m.cold, arm.temperature)]
        axes.plot(kept, [place] * len(kept), "o", color=colour, alpha=0.45, markersize=5)
        if arm.client_seconds:
            s = arm.client_seconds
            axes.plot([s.low, s.high], [place, place], color=colour, linewidth=2)
            axes.plot([s.median], [place], ">" if arm.floor else "|", color=colour, markersize=16, markeredgewidth=3)
            text = f"{'at least ' if arm.floor else ''}{s.median:.3g} s"
            axes.annotate(text, (s.median, place), (0, 11), textcoords="offset points", ha="center", fontsize=9)
    axes.set_yticks(range(len(arms)), [arm.arm for arm in reversed(arms)])
    axes.set_ylim(-0.6, len(arms) - 0.2)
    axes.set_xlim(left=0)
    axes.margins(x=0.12)
    axes.set_title("wall, seconds")


def _costs(axes: Axes, arms: Sequence[ArmSummary]) -> None:
    for place, arm in enumerate(reversed(arms)):
        for shift, found, alpha in ((0.18, arm.usd_billed, 0.95), (-0.18, arm.usd_original, 0.4)):
            if found:
                label = ("billed" if shift > 0 else "original's prices") if place == len(arms) - 1 else None
                colour = _colour(arms, arm)
                axes.barh(place + shift, found.median * 1000, 0.32, color=colour, alpha=alpha, label=label)
    axes.set_yticks(range(len(arms)), [""] * len(arms))
    axes.set_ylim(-0.6, len(arms) - 0.2)
    axes.margins(x=0.12)
    axes.set_title("cost, thousandths of a dollar")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _phases(axes: Axes, arms: Sequence[ArmSummary], phases: Sequence[str]) -> None:
    height = 0.8 / len(arms)
    for number, arm in enumerate(arms):
        places = [len(phases) - 1 - n + 0.4 - height * (number + 0.5) for n in range(len(phases))]
        values = [arm.phases.get(name, 0.0) for name in phases]
        axes.barh(places, values, height * 0.9, color=_colour(arms, arm), label=arm.arm)
    axes.set_yticks(range(len(phases)), list(phases)[::-1])
    axes.margins(x=0.05, y=0.01)
    axes.set_title("seconds inside the jobs, by phase (they overlap)")
    if len(arms) > 1:
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _told(arms: Sequence[ArmSummary]) -> list[str]:
    """Return the phases that take a hundredth of the longest or more, without sums of others."""
    longest = {name: max(a.phases.get(name, 0.0) for a in arms) for arm in arms for name in arm.phases}
    kept = {name: seconds for name, seconds in longest.items() if name not in ("wall", "parts")}
    return [name for name, seconds in kept.items() if seconds >= 0.01 * max(kept.values())]


def _same(cold: bool | None, temperature: str) -> bool:
    return temperature == "any" or cold is None or cold == (temperature == "cold")


def _colour(arms: Sequence[ArmSummary], arm: ArmSummary) -> str:
    return COLOURS[list(arms).index(arm) % len(COLOURS)]


def _style() -> Any:
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingDependencyError(
            f"charts need matplotlib, which is not installed ({error}); pip install 'reelproc[report]'"
        ) from error
    return mpl.rc_context(_STYLE)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # no pyplot: it keeps figures, and looks for a screen

    return Figure(figsize=(width, height), layout="constrained")


def _svg(figure: Figure) -> str:
    for axes in figure.axes:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(length=0)
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace("\n", " ")  # without the XML declaration, which HTML does not want
    return re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg, count=1)


def replay_chart(runs: Sequence[Replayed]) -> str:
    """Draw the original's recorded runs beside their simulated times.

    Raises:
        MissingDependencyError: the extra ``report`` is not installed.
    """
    with _style():
        figure = _figure(8.6, 0.3 * len(runs) + 1.2)
        axes = figure.add_subplot()
        colours = {"fitted": COLOURS[6], "explained": COLOURS[2], "not explained": COLOURS[5]}
        labelled: set[str] = set()
        for place, run in enumerate(reversed(runs)):
            colour = colours[run.verdict]
            label = None if run.verdict in labelled else f"simulated, middle 90 %: {run.verdict}"
            labelled.add(run.verdict)
            axes.plot([run.low, run.high], [place, place], color=colour, linewidth=7, alpha=0.45, label=label)
            axes.plot([run.simulated_seconds], [place], "|", color=colour, markersize=11, markeredgewidth=2)
            marker = ">" if run.timed_out else "o"
            name = "recorded (> at its time limit)" if place == 0 else None
            axes.plot([run.recorded_seconds], [place], marker, color=INK, markersize=5, label=name)
        axes.set_yticks(range(len(runs)), [run.name for run in reversed(runs)])
        axes.set_xscale("log")
        ticks = (3, 5, 10, 20, 50, 100, 200, 500)
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(-0.7, len(runs) - 0.3)
        axes.set_title("SIMULATION: the original's runs, seconds")
        axes.legend(frameon=False, fontsize=8, loc="upper left")
        return _svg(figure)


def knee_chart(days: Sequence[Day], knee: Day) -> str:
    """Cost against waiting for simulated days: a line for each number of chunks, a point for each warm pool.

    Raises:
        MissingDependencyError: the extra ``report`` is not installed.
    """
    with _style():
        figure = _figure(8.6, 4.6)
        axes = figure.add_subplot()
        for number, chunks in enumerate(sorted({day.chunks for day in days})):
            line = sorted((day for day in days if day.chunks == chunks), key=lambda day: day.warm_pool)
            x, y = [day.usd_per_job * 100 for day in line], [day.wall_p95 for day in line]
            name = f"{chunks} chunk{'s' * (chunks > 1)}"
            axes.plot(x, y, "o-", color=COLOURS[number % len(COLOURS)], markersize=5, label=name)
            for end, day in zip((0, -1), (line[0], line[-1]), strict=True):
                text = f"{day.warm_pool} warm"
                axes.annotate(text, (x[end], y[end]), (0, 7), textcoords="offset points", fontsize=8, ha="center")
        axes.plot(
            [knee.usd_per_job * 100], [knee.wall_p95], "o", color=INK, markersize=15, fillstyle="none", label="knee"
        )
        axes.set_xlabel("cost of a job, cents")
        axes.set_ylabel("95 % are done within, seconds")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.set_title("SIMULATION: a day of jobs, by chunks and warm containers")
        axes.legend(frameon=False, fontsize=9)
        return _svg(figure)
