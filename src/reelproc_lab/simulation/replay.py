"""The original's recorded runs, worked out again from parameters: what the model explains, and what it does not.

A run's time is the sum of its parts, since the original did them one after the other::

    container start + model load + download + frames x (network + host) + upload

and of a divided run the greatest of the parts' times. The recorded figures are client wall times, one run each; three
runs of one job on a T4 took 123, 144 and 192 s, so that nothing closer than that can be asked of a model. Parameters
are drawn between their bounds some thousand times: a recorded time within the middle 90 % of the simulated ones is
called explained, one outside of it is not.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from reelproc.schema import Schema
from reelproc_lab.original_costs import RUNS
from reelproc_lab.simulation.parameters import Parameters

Values = Mapping[str, float]
Verdict = Literal["fitted", "explained", "not explained"]

DRAWS = 4000


@dataclass(frozen=True)
class Recorded:
    """A run that the original's document records.

    Attributes:
        name: what was run.
        seconds: as recorded; of a timeout, the limit.
        model: its time by the parameters.
        fitted: whether a parameter was fitted to it, so that its agreement says nothing.
        timed_out: it took longer than ``seconds``.
        remark: what must be known of it.
    """

    name: str
    seconds: float
    model: Callable[[Values], float]
    fitted: bool = False
    timed_out: bool = False
    remark: str = ""


class Replayed(Schema):
    """A recorded run beside its simulation.

    Attributes:
        name, recorded_seconds, timed_out, remark: the run's.
        simulated_seconds: with every parameter at its likely value.
        low, high: the middle 90 % of the simulated times.
        residual_seconds, residual_share: simulated less recorded; the share is of the recorded.
        verdict: ``"explained"``: ``low`` and ``high`` enclose the recorded time; a time limit is reached by ``high``.
    """

    name: str
    recorded_seconds: float
    timed_out: bool
    simulated_seconds: float
    low: float
    high: float
    residual_seconds: float
    residual_share: float
    verdict: Verdict
    remark: str = ""


def _around(p: Values, *, load: bool = False) -> float:
    """Start, load, download and upload: what every container does once."""
    moved = p["source_mb"] / p["transfer_mb_per_s"]
    return p["container_start_s"] + (p["model_load_s"] if load else 0.0) + moved


def _ai(frames: int, *, gpus: int = 1, l4: bool = False) -> Callable[[Values], float]:
    def seconds(p: Values) -> float:
        network = p["t4_network_s_per_frame"] / (p["l4_over_t4"] if l4 else 1.0)
        each = network + p["host_here_s_per_frame"] * p["host_slowness"]
        return _around(p, load=True) + math.ceil(frames / gpus) * each

    return seconds


def _overlay(frames: int, lit: int, *, chunks: int = 1, two_cores: bool = False) -> Callable[[Values], float]:
    def seconds(p: Values) -> float:
        each = p["two_core_pass_s_per_frame" if two_cores else "overlay_pass_s_per_frame"]
        return _around(p) + math.ceil(frames / chunks) * each + min(lit, frames) * p["overlay_draw_s_per_frame"]

    return seconds


def _framing(frames: int) -> Callable[[Values], float]:
    return lambda p: _around(p) + frames * p["framing_s_per_frame"]


def _copying(p: Values) -> float:
    return _around(p)


_L4 = "the card changes the network alone, which is a seventh of a frame's time"
_QUEUE = "containers that wait for a GPU are not modelled"
_SWITCH = "a switch of the network's alone: the model is that of the run without it"

RECORDED: tuple[Recorded, ...] = (
    Recorded("AI framing, 180 frames, T4, first run", 192.0, _ai(180), fitted=True),
    Recorded("AI framing, 180 frames, T4, second run", 122.7, _ai(180), fitted=True),
    Recorded("AI framing, 180 frames, T4, third run", RUNS["upscale"].seconds, _ai(180), fitted=True),
    Recorded("AI framing, 180 frames, L4, first run", 205.0, _ai(180, l4=True), remark=_L4),
    Recorded("AI framing, 180 frames, L4, second run", 167.1, _ai(180, l4=True), remark=_L4),
    Recorded("the same on a T4 with cudnn.benchmark", 159.0, _ai(180), remark=_SWITCH),
    Recorded("the same on a T4 with torch.compile", 167.0, _ai(180), remark=_SWITCH),
    Recorded("the same on an L4 with all switches", 193.4, _ai(180, l4=True), remark=_SWITCH),
    Recorded("AI framing, 449 frames, 1 T4", 310.0, _ai(449)),
    Recorded("AI framing, 449 frames, 2 T4", 161.0, _ai(449, gpus=2)),
    Recorded("AI framing, 449 frames, 4 T4", 87.0, _ai(449, gpus=4)),
    Recorded(
        "AI framing, 449 frames, 8 T4",
        103.0,
        _ai(449, gpus=8),
        remark=_QUEUE,
    ),
    Recorded("overlay, 3 of 90 s, T4", RUNS["overlay"].seconds, _overlay(2700, 90), fitted=True),
    Recorded("overlay, all 90 s, T4", RUNS["overlay-full"].seconds, _overlay(2700, 2700), fitted=True),
    Recorded(
        "overlay, all 90 s, 2 cores",
        600.0,
        _overlay(2700, 2700, two_cores=True),
        timed_out=True,
        remark="the model's cores are this machine's",
    ),
    Recorded("overlay, 3 of 90 s, 1 chunk", 45.6, _overlay(2700, 90)),
    Recorded("overlay, 3 of 90 s, 2 chunks", 45.4, _overlay(2700, 90, chunks=2), remark="see the text"),
    Recorded("overlay, 3 of 90 s, 4 chunks", 49.1, _overlay(2700, 90, chunks=4), remark="see the text"),
    Recorded("framing by ffmpeg, 180 frames, 2 cores", RUNS["frame"].seconds, _framing(180)),
    Recorded("framing by ffmpeg, 180 frames, T4", 16.6, _framing(180), remark="the card does nothing"),
    Recorded("extract, copied", RUNS["extract"].seconds, _copying, remark="about 4 s; perhaps in a warm container"),
)
"""All of them, but for the compilation, of which only the time is known."""


def replay(parameters: Parameters | None = None, *, seed: int = 0, draws: int = DRAWS) -> list[Replayed]:
    """Every recorded run beside its simulation.

    Args:
        parameters: None: :data:`~reelproc_lab.simulation.parameters.PARAMETERS`.
        seed: equal seeds give equal intervals.
        draws: of the parameters.
    """
    parameters = parameters or Parameters()
    rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    drawn = [parameters.drawn(rng) for _ in range(draws)]
    return [_replayed(run, parameters.likely(), drawn) for run in RECORDED]


def _replayed(run: Recorded, likely: Values, drawn: list[dict[str, float]]) -> Replayed:
    simulated = run.model(likely)
    cuts = statistics.quantiles([run.model(values) for values in drawn], n=20)
    low, high = cuts[0], cuts[-1]
    inside = high >= run.seconds if run.timed_out else low <= run.seconds <= high
    verdict: Verdict = "fitted" if run.fitted else "explained" if inside else "not explained"
    return Replayed(
        name=run.name,
        recorded_seconds=run.seconds,
        timed_out=run.timed_out,
        simulated_seconds=round(simulated, 1),
        low=round(low, 1),
        high=round(high, 1),
        residual_seconds=round(simulated - run.seconds, 1),
        residual_share=round(simulated / run.seconds - 1, 3),
        verdict=verdict,
        remark=run.remark,
    )


class Chance(Schema):
    """What one run on an L4 over one run on a T4 comes to, each with a host of its own luck.

    Attributes:
        median, low, high: of the ratio of their times; the middle 90 %.
        at_least_116, at_least_167: how often the ratio is at least 1.16 and 1.67, the original's two answers.
    """

    median: float
    low: float
    high: float
    at_least_116: float
    at_least_167: float


def one_against_one(parameters: Parameters | None = None, *, seed: int = 0, draws: int = DRAWS) -> Chance:
    """How far one run of each card can be from another, where the card is faster and the host decides.

    Args:
        parameters, seed, draws: as of :func:`replay`.
    """
    parameters = parameters or Parameters()
    rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    on_t4, on_l4 = _ai(180), _ai(180, l4=True)
    ratios = [on_l4(parameters.drawn(rng)) / on_t4(parameters.drawn(rng)) for _ in range(draws)]
    cuts = statistics.quantiles(ratios, n=20)
    return Chance(
        median=round(statistics.median(ratios), 3),
        low=round(cuts[0], 3),
        high=round(cuts[-1], 3),
        at_least_116=round(sum(r >= 167.1 / 143.8 for r in ratios) / draws, 4),
        at_least_167=round(sum(r >= 205.0 / 122.7 for r in ratios) / draws, 4),
    )
