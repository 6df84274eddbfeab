"""``reelproc estimate``, ``calibrate`` and ``prices``: seconds and dollars before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelproc.cli.common import common_options, count, executor_option, making_executor, read_json, say, staging_option
from reelproc.cli.completion import encoders, executors, networks
from reelproc.cli.pricing import price_table, pricing_options
from reelproc.cli.progress import aside

if TYPE_CHECKING:
    from reelproc.cost.estimate import Estimate
    from reelproc.jobs import Job
    from reelproc.reel import Reel


@click.command()
@click.argument("reel_json", metavar="REEL.json")
@click.option(
    "--executor",
    "hardware",
    multiple=True,
    metavar="NAME",
    shell_complete=executors,
    help="Where: local, modal-t4, ...; may be repeated.",
)
@click.option("--chunks", default="1,2,4,8", show_default=True, metavar="N,N", help="Numbers of parts to compare.")
@pricing_options
@common_options
def estimate(
    reel_json: str,
    hardware: tuple[str, ...],
    chunks: str,
    calibration_file: str | None,
    price_file: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Say what rendering REEL.json takes, in seconds and dollars, on each kind of hardware.

    Its sources are probed; nothing is decoded, uploaded or rented. REEL.json may be "-" for standard input, and may be
    a job's JSON as well.
    """
    import reelproc as rp

    counts = _counts(chunks)
    made = rp.estimate(
        _job(reel_json),
        hardware or None,
        chunks=counts,
        calibration=rp.Calibration.load(calibration_file),
        prices=price_table(price_file),
        region=region,
    )
    say(made, as_json=as_json, text="\n".join(_lines(made)), warnings=made.warnings)


def _counts(chunks: str) -> tuple[int, ...]:
    counts = tuple(count(part.strip()) or 0 for part in chunks.split(","))
    if not all(counts):
        raise click.BadParameter(f"--chunks takes numbers from 1 up, e.g. 1,2,4, got {chunks[:80]!r}")
    return counts


def _job(argument: str) -> Job | Reel:
    import json

    import reelproc as rp
    from reelproc.jobs import job_from_json
    from reelproc.reel_file import read_reel

    data = read_json(argument)
    if isinstance(data, dict) and "job" in data:
        return job_from_json(json.dumps(data))
    return rp.Reel.model_validate(data) if argument == "-" else read_reel(argument)


def _lines(made: Estimate) -> list[str]:
    copied = f", {made.copied_frames} of them copied" if made.copied_frames else ""
    upscaled = f", {made.upscaled_frames} through a network" if made.upscaled_frames else ""
    lines = [
        f"{made.frames} frames{copied}{upscaled}, {made.duration_seconds:.2f} s; prices: {made.prices}",
        f"{'where':10} {'chunks':>6} {'start':>5} {'seconds':>9} {'(from, to)':>17} {'USD':>9} {'idle':>8}  basis",
    ]
    for option in made.options:
        span = f"({option.wall_low:.1f}, {option.wall_high:.1f})"
        lines.append(
            f"{option.executor:10} {option.chunks:6} {option.start:>5} {option.wall_seconds:9.1f} {span:>17} "
            f"{option.usd:9.5f} {option.idle_usd:8.5f}  {option.basis}"
        )
    lines.append("seconds by phase, whole and cold (decode, stages, network and encode overlap within render):")
    for option in made.options:
        if (option.chunks, option.start) == (1, "cold"):
            spent = ", ".join(f"{name} {seconds:.2f}" for name, seconds in option.phases.items() if seconds >= 0.005)
            lines.append(f"  {option.executor:10} {spent}")
    lines.append(f"recommended: {made.reason}")
    rented = made.recommended_rented
    if rented is not None and rented != made.recommended:
        lines.append(
            f"  on rented hardware: {rented.executor}, {rented.chunks} chunk{'s' if rented.chunks > 1 else ''}, "
            f"${rented.usd:.5f} in {rented.wall_seconds:.1f} s"
        )
    even = made.break_even
    lines.append(f"{even.dearer} pays where it is more than {even.ratio:.2f} times as fast as {even.cheaper}")
    return lines


@click.command()
@click.option("--source", metavar="FILE", help="Footage like yours, 6 s or more; without it the demo's match.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="How often each is measured.")
@click.option(
    "--encoder",
    "encoders",
    multiple=True,
    metavar="NAME[:PRESET]",
    shell_complete=encoders,
    help="Measure this encoder too.",
)
@click.option("--upscaler", metavar="MODEL", shell_complete=networks, help="Measure this network too.")
@click.option("--out", "calibration_file", metavar="FILE", help="Instead of this user's calibration file.")
@click.option("--anyway", is_flag=True, help="Measure a busy machine too; its figures then count as predicted.")
@executor_option
@staging_option
@common_options
def calibrate(
    executor: str,
    staging: str | None,
    source: str | None,
    rounds: int,
    encoders: tuple[str, ...],
    upscaler: str | None,
    calibration_file: str | None,
    anyway: bool,
    as_json: bool,
) -> None:
    """Measure this machine, so that estimates for it are measured and not predicted.

    It takes about a minute a round on two cores. Let nothing else run meanwhile: a busy machine is refused. With
    --executor, whole reels are rendered there instead; that is billed.
    """
    from reelproc.cost.busy_machine import Watch
    from reelproc.cost.calibration import Calibration
    from reelproc.cost.measure_runs import calibrate as measure
    from reelproc.cost.measure_runs import calibrate_by as measure_by
    from reelproc.cost.measured_rates import this_host
    from reelproc.demo.match import MATCH_CLIP
    from reelproc.errors import StorageError

    def say_what(what: str) -> None:
        aside(f"measuring: {what}", as_json=as_json)

    try:
        known = Calibration.load(calibration_file)
    except StorageError:
        if calibration_file is None or Path(calibration_file).exists():
            raise
        known = Calibration()
    watch = Watch(anyway=anyway)
    if executor == "local":
        watch.begin()
    footage = MATCH_CLIP if source is None else Path(source)
    if executor == "local":
        made = measure(footage, known, rounds=rounds, encoders=encoders, upscaler=upscaler, say=say_what, watch=watch)
    else:
        with making_executor(executor, staging=staging) as there:
            made = measure_by(there, footage, known, rounds=rounds, upscaler=upscaler, say=say_what)
    file = made.save(calibration_file)
    busy = watch.busy is not None
    entry = made.entry(executor, this_host() if executor == "local" else None, busy=busy)
    if entry is None:
        raise click.ClickException("nothing was measured")
    machine = entry.machine
    lines = [f"{file}: {executor}, {machine.gpu or machine.cpu}, {machine.threads:g} threads; seconds a unit of work"]
    for kind in sorted(entry.rates):
        spread = entry.spread(kind)
        if spread is not None:
            lines.append(
                f"  {kind:28} {spread.median:.3g} ({spread.low:.3g} to {spread.high:.3g}), {spread.count} samples"
            )
    told = f"this machine is busy: {watch.busy}; these figures count as predicted, not as measured"
    say(entry, as_json=as_json, text="\n".join(lines), warnings=(told,) if busy else ())


@click.command()
@click.option("--account", is_flag=True, help="Ask Modal for the prices of your account (extra modal).")
@click.option("--prices", "price_file", metavar="FILE", help="A JSON file of prices to put over the list's.")
@common_options
def prices(account: bool, price_file: str | None, as_json: bool) -> None:
    """Show the prices that estimates count with, and where each was read.

    With --json it prints a file that --prices and REELPROC_PRICES take.
    """
    table = price_table(price_file)
    if account:
        from reelproc.executors.modal.account_prices import account_prices

        table = account_prices(table)
    rows = [*table.gpus.items(), ("core", table.core), ("GiB", table.gib), ("own machine", table.own_machine)]
    lines = [f"{table.provider}, USD per second (per hour)"]
    lines += [
        f"  {name:12} {price.usd_per_second:.8f} ({price.usd_per_second * 3600:.4f})  {price.source}, {price.read}"
        for name, price in rows
    ]
    lines += [
        f"  region {name}: x {region.multiplier:g}  {region.source}, {region.read}"
        for name, region in table.regions.items()
    ]
    say(table, as_json=as_json, text="\n".join(lines))
