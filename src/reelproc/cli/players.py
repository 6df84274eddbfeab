"""``reelproc detect`` and ``reelproc follow``: who is there, and a reel that follows one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reelproc.cli.common import TIME, common_options, executor_option, on_damage_option, run, say
from reelproc.cli.completion import detectors, upscalers
from reelproc.cli.overwrite import force_option, job_of, writing
from reelproc.cli.progress import progress_bar
from reelproc.cli.stdin_source import source_from_pipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelproc.job_context import OnDamage
    from reelproc.players.result import FollowResult

CommandT = TypeVar("CommandT", bound="Callable[..., Any]")


def _model_options(image_size: int) -> Callable[[CommandT], CommandT]:
    """Add what both commands ask of the model."""

    def decorate(command: CommandT) -> CommandT:
        options = (
            click.option(
                "--model",
                default="yolov8x",
                show_default=True,
                metavar="NAME|FILE.pt",
                help="Checkpoint of the network.",
            ),
            click.option(
                "--class", "classes", multiple=True, metavar="NAME", help="What to look for; repeatable.  [person]"
            ),
            click.option(
                "--image-size",
                default=image_size,
                show_default=True,
                help="Size of the picture that the model gets, pixels.",
            ),
            click.option(
                "--trust", is_flag=True, help="Load a checkpoint that reelproc does not know: it can run code."
            ),
            click.option(
                "--backend",
                default="ultralytics",
                show_default=True,
                metavar="NAME",
                shell_complete=detectors,
                help="Detection library.",
            ),
        )
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _pair(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """Return the callback of options that take numbers with commas between."""
    if value is None:
        return None
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of numbers with commas between, e.g. 640,360") from None


@click.command()
@click.argument("src", metavar="SRC")
@click.option("--time", "times", type=TIME, multiple=True, required=True, help="Seconds of SRC, or M:SS; repeatable.")
@click.option("--confidence", type=float, default=0.5, show_default=True, help="The least to count, 0 to 1.")
@_model_options(640)
@click.option("--out", metavar="PICTURE", help="Draw the boxes on the first frame, into this .png or .jpg.")
@executor_option
@on_damage_option
@force_option
@common_options
@source_from_pipe
def detect(
    src: str,
    times: tuple[float, ...],
    confidence: float,
    model: str,
    classes: tuple[str, ...],
    image_size: int,
    trust: bool,
    backend: str,
    out: str | None,
    executor: str,
    on_damage: OnDamage,
    force: bool,
    as_json: bool,
) -> None:
    """Find the players in SRC at a time: their boxes, and how sure the model is.

    Needs the extra "detect" (pip install 'reelproc[detect]', under AGPL-3.0) and a checkpoint. SRC may be "-" for
    standard input.
    """
    import reelproc as rp

    job = rp.DetectJob(
        source=src,
        times=times,
        confidence=confidence,
        classes=classes or ("person",),
        model=model,
        backend=backend,
        trust=trust,
        image_size=image_size,
        on_damage=on_damage,
    )
    with writing(*(() if out is None else (out,)), job=job.identity, force=force):
        result = run(job, executor=executor, as_json=as_json)
        text = result.summary()
        if out is not None:
            from reelproc.players.picture import draw_detections

            draw_detections(src, result.frames[0], out)
            text += f"\ndrawn: {out}"
    say(result, as_json=as_json, text=text, warnings=result.warnings)


@click.command()
@click.argument("src", metavar="SRC")
@click.option("--at", type=TIME, required=True, help="When the player is there, seconds of SRC, or M:SS.")
@click.option("--point", callback=_pair, metavar="X,Y", help="Where, pixels of SRC.")
@click.option("--box", callback=_pair, metavar="L,T,R,B", help="Or the box around them: left, top, right, bottom.")
@click.option("--start", type=TIME, help="Seconds of SRC, or M:SS.  [3 s before --at]")
@click.option("--end", type=TIME, help="Seconds of SRC, or M:SS.  [3 s after --at]")
@click.option("--aspect", default="9:16", show_default=True, metavar="W:H", help="Shape of the reel.")
@click.option("--player-height", type=float, default=0.35, show_default=True, help="The player's share of the height.")
@click.option("--rate", type=float, default=10.0, show_default=True, help="Frames to look at per second.")
@_model_options(1280)
@click.option(
    "--upscaler",
    default="lanczos",
    show_default=True,
    metavar="MODEL",
    shell_complete=upscalers,
    help="Upscaler for the crop.",
)
@click.option(
    "--opacity",
    type=float,
    default=0.15,
    show_default=True,
    help="Strength of the dark around the player, 0 to 1; 0: none.",
)
@click.option("--out", default="reel.json", show_default=True, metavar="REEL.json", help="Where to put the reel.")
@executor_option
@on_damage_option
@force_option
@common_options
def follow(
    src: str,
    at: float,
    point: tuple[float, ...] | None,
    box: tuple[float, ...] | None,
    start: float | None,
    end: float | None,
    aspect: str,
    player_height: float,
    rate: float,
    model: str,
    classes: tuple[str, ...],
    image_size: int,
    trust: bool,
    backend: str,
    upscaler: str,
    opacity: float,
    out: str,
    executor: str,
    on_damage: OnDamage,
    force: bool,
    as_json: bool,
) -> None:
    """Follow the player at a point of SRC, and write a reel with a crop and a spotlight for "reelproc render".

    Where the player is lost, hidden or perhaps mistaken for somebody else, it says so. Needs the extra "detect".
    """
    import reelproc as rp
    from reelproc.players.camera import Framing
    from reelproc.reel_file import beside, write_reel

    if src == "-":
        raise click.UsageError("the reel names its source, so it cannot be standard input; name a file")
    if point is not None and len(point) != 2:
        raise click.BadParameter(f"a point is X,Y, got {len(point)} numbers", param_hint="--point")
    if box is not None and len(box) != 4:
        raise click.BadParameter(f"a box is L,T,R,B, got {len(box)} numbers", param_hint="--box")
    how: dict[str, Any] = {
        "at": at,
        "point": None if point is None else (point[0], point[1]),
        "box": None if box is None else (box[0], box[1], box[2], box[3]),
        "start": start,
        "end": end,
        "framing": Framing(aspect=_ratio(aspect), player_height=player_height),
        "rate": rate,
        "classes": classes or ("person",),
        "model": model,
        "backend": backend,
        "trust": trust,
        "image_size": image_size,
        "on_damage": on_damage,
    }
    job = job_of("follow", src, upscaler=upscaler, opacity=opacity, **how)
    with writing(out, job=job, force=force):
        with rp.executor(executor) as ex, progress_bar(as_json=as_json) as show:
            result = rp.follow_player(src, **how, executor=ex, progress=show)
        reel = result.reel(upscaler=upscaler, opacity=opacity or None)
        write_reel(beside(reel, Path(out).absolute().parent), out)
    say(result, as_json=as_json, text=_summary(result, out), warnings=result.warnings)


def _ratio(text: str) -> float:
    width, _, height = text.partition(":")
    try:
        value = float(width) / float(height or 1)
    except (ValueError, ZeroDivisionError):
        value = 0.0
    if not 0 < value < 100:
        raise click.BadParameter(f"{text!r} is not a shape; write width:height, e.g. 9:16", param_hint="--aspect")
    return value


def _summary(result: FollowResult, out: str) -> str:
    window = result.crop[0]
    looks = len({frame.pts for frame in result.detections.frames})
    return (
        f"{out}: {result.start:.2f} to {result.end:.2f} s of {result.source}, the player seen in "
        f"{len(result.sightings)} of {looks} looks\n"
        f"  the crop is {window.width:.0f}x{window.height:.0f} pixels; render it: reelproc render {out} reel.mp4"
    )
