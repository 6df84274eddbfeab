"""``reelproc frame``, ``overlay``, ``extract`` and ``concat``: one step of a reel at a time."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelproc.cli.common import (
    TIME,
    common_options,
    executor_option,
    on_damage_option,
    read_json,
    run,
    say,
    say_result,
    strict_option,
)
from reelproc.cli.common import size as size_of
from reelproc.cli.completion import effects, upscalers
from reelproc.cli.overwrite import force_option
from reelproc.cli.stdin_source import shown_source, source_file, source_from_pipe
from reelproc.errors import SpecError

if TYPE_CHECKING:
    from reelproc import Crop, Overlay, Speed
    from reelproc.job_context import OnDamage


def _video(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return the callback of OUT: a picture is refused before options are asked for that it does not need."""
    from reelproc.render.destination import PICTURES, check_container

    if Path(value).suffix.lower() in PICTURES:
        check_container(Path(value))
    return value


@click.command()
@click.argument("src", metavar="SRC")
@click.argument("out", metavar="OUT", callback=_video)
@click.option(
    "--size", callback=size_of, metavar="WxH", required=True, help="Size of the result, in pixels, e.g. 810x1440."
)
@click.option(
    "--keyframes", metavar="K.json", help='The crop\'s path; none: the largest centred crop. "-": standard input.'
)
@click.option(
    "--interpolation", type=click.Choice(["linear", "catmull-rom"]), help="Between keyframes.  [default: linear]"
)
@click.option(
    "--upscaler",
    default="lanczos",
    show_default=True,
    metavar="MODEL",
    shell_complete=upscalers,
    help="Upscaler for the crop.",
)
@click.option("--start", type=TIME, default=0.0, show_default=True, help="Seconds of SRC, or M:SS.")
@click.option("--end", type=TIME, help="Seconds of SRC, or M:SS; none: to its end.")
@click.option(
    "--speed",
    multiple=True,
    metavar="[S:E:]FACTOR",
    help="Speed from S to E seconds after --start, or of all of it; 0.5 is slow motion. May be repeated.",
)
@click.option(
    "--fps", default="30", show_default=True, metavar="RATE", help="Frames per second, e.g. 30 or 30000/1001."
)
@executor_option
@on_damage_option
@strict_option
@force_option
@common_options
@source_from_pipe
def frame(
    src: str,
    out: str,
    size: tuple[int, int],
    keyframes: str | None,
    interpolation: str | None,
    upscaler: str,
    start: float,
    end: float | None,
    speed: tuple[str, ...],
    fps: str,
    executor: str,
    on_damage: OnDamage,
    strict: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Follow a player: crop SRC along keyframes, change its speed, and scale it to a size, in that order.

    K.json is a list of {"time", "x", "y", "width", "height"}, or an object with such a list as "keyframes".
    SRC may be "-" for standard input.
    """
    import reelproc as rp

    stages: list[rp.Crop | rp.Speed | rp.Upscale] = [_crop(keyframes, interpolation)]
    if speed:
        stages.append(_speed(speed))
    stages.append(rp.Upscale(model=upscaler))
    reel = rp.Reel(
        clips=[rp.Clip(source=src, start=start, end=end, stages=stages)],
        output=rp.Output.model_validate({"width": size[0], "height": size[1], "fps": fps}),
    )
    job = rp.RenderJob(reel=reel, output=out, on_damage=on_damage, strict=strict)
    result = run(job, executor=executor, as_json=as_json, force=force)
    say_result(result, as_json=as_json)


@click.command()
@click.argument("src", metavar="SRC")
@click.argument("out", metavar="OUT", callback=_video)
@click.option(
    "--regions", required=True, metavar="R.json", help='Who is highlighted, when and where. "-": standard input.'
)
@click.option(
    "--effect",
    metavar="NAME",
    shell_complete=effects,
    help="dark_overlay, brightness_boost or original.  [default: dark_overlay]",
)
@executor_option
@on_damage_option
@strict_option
@force_option
@common_options
@source_from_pipe
def overlay(
    src: str,
    out: str,
    regions: str,
    effect: str | None,
    executor: str,
    on_damage: OnDamage,
    strict: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Put spotlights on SRC; its size, rate and timestamps stay as they are.

    R.json is a list of {"start_time", "end_time", "keyframes": [{"time", "x", "y", "radius_x", "radius_y", ...}]}, or
    an object with such a list as "regions" and any other field of the overlay stage. SRC may be
    "-" for standard input.
    """
    import reelproc as rp

    stage = _overlay(regions, effect)
    reel = rp.Reel(clips=[rp.Clip(source=src, stages=[stage])], output=rp.Output(width=None, height=None, fps=None))
    job = rp.RenderJob(reel=reel, output=out, on_damage=on_damage, strict=strict)
    result = run(job, executor=executor, as_json=as_json, force=force)
    say_result(result, as_json=as_json)


@click.command()
@click.argument("src", metavar="SRC")
@click.argument("out", metavar="OUT", callback=_video)
@click.option("--start", type=TIME, default=0.0, show_default=True, help="Seconds of SRC, or M:SS.")
@click.option(
    "--end", type=TIME, help="Seconds of SRC, or M:SS; that moment's frame is not included. None: to SRC's end."
)
@click.option("--copy", "copy_codec", is_flag=True, help="Copy without re-encoding, from the key frame before --start.")
@executor_option
@on_damage_option
@force_option
@common_options
@source_from_pipe
def extract(
    src: str,
    out: str,
    start: float,
    end: float | None,
    copy_codec: bool,
    executor: str,
    on_damage: OnDamage,
    force: bool,
    as_json: bool,
) -> None:
    """Cut a span out of SRC, exact to the frame; with --copy fast, from a key frame on, and it says what it cut.

    SRC may be "-" for standard input.
    """
    import reelproc as rp

    job = rp.ExtractJob(source=src, output=out, start=start, end=end, copy_codec=copy_codec, on_damage=on_damage)
    result = run(job, executor=executor, as_json=as_json, force=force)
    text = result.summary()
    how = "copied" if result.copied else "cut exactly"
    text += f"\n  {how}: {result.start_seconds:.3f} s to {result.end_seconds:.3f} s of {shown_source(src)}"
    say(result, as_json=as_json, text=text, warnings=result.warnings)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="A B ... OUT")
@click.option("--transition", type=click.Choice(["cut", "fade", "dissolve"]), default="cut", show_default=True)
@click.option("--duration", type=TIME, default=0.5, show_default=True, help="Length of the transition, seconds.")
@click.option("--size", callback=size_of, metavar="WxH", help="Size of the result, in pixels; none: that of A.")
@click.option("--fps", metavar="RATE", help="Frames per second; none: that of A.")
@executor_option
@on_damage_option
@force_option
@common_options
def concat(
    files: tuple[str, ...],
    transition: str,
    duration: float,
    size: tuple[int, int] | None,
    fps: str | None,
    executor: str,
    on_damage: OnDamage,
    force: bool,
    as_json: bool,
) -> None:
    """Join the videos A, B, ... into OUT, in the size and at the rate of A. One of them may be "-", standard input."""
    import reelproc as rp

    *sources, out = files
    if len(sources) < 2:
        raise click.UsageError(f"concat needs at least two videos and the output's name, got {len(files)} names")
    width, height = size or (None, None)
    with ExitStack() as stack:
        sources = [stack.enter_context(source_file(each, *sources[n + 1 :])) for n, each in enumerate(sources)]
        output = rp.Output.model_validate({"width": width, "height": height, "fps": fps or _usual_rate(sources[0])})
        reel = rp.Reel(
            clips=[rp.Clip(source=source) for source in sources],
            concat=rp.Concat.model_validate({"transition": transition, "duration": duration}),
            output=output,
        )
        job = rp.RenderJob(reel=reel, output=out, on_damage=on_damage)
        result = run(job, executor=executor, as_json=as_json, force=force)
    say_result(result, as_json=as_json)


def _crop(argument: str | None, interpolation: str | None) -> Crop:
    """Return the crop stage from ``--keyframes``: a list of keyframes, or the stage's fields."""
    import reelproc as rp

    fields = {} if argument is None else _fields(argument, "keyframes")
    if interpolation is not None:
        fields["interpolation"] = interpolation
    return rp.Crop.model_validate(fields)


def _overlay(argument: str, effect: str | None) -> Overlay:
    """Return the overlay stage from ``--regions``: a list of regions, or the stage's fields."""
    import reelproc as rp

    fields = _fields(argument, "regions")
    if effect is not None:
        fields["effect"] = effect
    return rp.Overlay.model_validate(fields)


def _fields(argument: str, key: str) -> dict[str, Any]:
    data = read_json(argument)
    if isinstance(data, list):
        return {key: data}
    if isinstance(data, dict) and key in data:
        return data
    got = f"an object with {', '.join(map(repr, data)) or 'nothing'}" if isinstance(data, dict) else type(data).__name__
    raise SpecError(f"{argument}: expected a list of {key} or an object with {key!r}, got {got}")


def _speed(arguments: tuple[str, ...]) -> Speed:
    import reelproc as rp

    segments = []
    for text in arguments:
        try:
            numbers = [float(part) for part in text.split(":")]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 3):
            raise click.BadParameter(f"{text!r} is neither a factor like 0.5 nor start:end:factor like 1:2.5:0.5")
        start, end = numbers[:2] if len(numbers) == 3 else (0.0, 1e9)  # what lies after the clip's end is ignored
        segments.append({"start": start, "end": end, "speed": numbers[-1]})
    return rp.Speed.model_validate({"segments": segments})


_NTSC_RATES = (Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001))


def _usual_rate(source: str) -> Fraction:
    """Return the constant rate that comes nearest to what ``source`` has: an NTSC rate, or a whole number."""
    from reelproc.media.probe.anywhere import probe_address

    average = probe_address(source).require_video().average_rate
    if average is None:
        return Fraction(30)
    nearest = min(_NTSC_RATES, key=lambda rate: abs(rate - average))
    if abs(nearest - average) < Fraction(1, 200):
        return nearest
    return Fraction(max(1, round(average)))
