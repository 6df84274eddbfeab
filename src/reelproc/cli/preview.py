"""``reelproc still``, ``sheet`` and ``plan``: what a result will be, before it is rendered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelproc.cli.common import TIME, common_options, on_damage_option, read_json, say, strict_option
from reelproc.cli.interruption import end_if_requested
from reelproc.cli.overwrite import force_option, job_of, writing
from reelproc.schema import Schema

if TYPE_CHECKING:
    from reelproc import Reel
    from reelproc.job_context import OnDamage


class StillFile(Schema):
    """A picture that was written.

    Attributes:
        path: of the file.
        index: the number of the frame in the result.
        time_seconds: when that frame begins to be shown.
        width, height: of the frame, pixels.
    """

    path: str
    index: int
    time_seconds: float
    width: int
    height: int


class StillFiles(Schema):
    """The pictures that were written.

    Attributes:
        stills: in the order of ``--at``.
        warnings: what is not quite as the reel asks for, and what was concealed.
    """

    stills: tuple[StillFile, ...]
    warnings: tuple[str, ...] = ()


class SheetFile(Schema):
    """A contact sheet that was written.

    Attributes:
        path: of the file.
        times_seconds: of the frames on it.
        warnings: what is not quite as the reel asks for.
    """

    path: str
    times_seconds: tuple[float, ...]
    warnings: tuple[str, ...] = ()


def _subject(argument: str) -> Reel | str:
    """Return the reel that a JSON file holds, or the name of a video."""
    import reelproc as rp
    from reelproc.reel_file import read_reel

    if argument == "-":
        return rp.Reel.model_validate(read_json("-"))
    return read_reel(argument) if _is_json(argument) else argument


def _job(command: str, subject: Reel | str, **settings: object) -> str:
    """Return the name of what ``command`` does with ``subject``, see :func:`~reelproc.cli.overwrite.job_of`."""
    if isinstance(subject, str):
        return job_of(command, subject, **settings)
    sources = [clip.source for clip in subject.clips]
    return job_of(command, *sources, reel=subject.model_dump_json(), **settings)


def _is_json(path: str) -> bool:
    if path.lower().endswith(".json"):
        return True
    try:
        with Path(path).open("rb") as file:
            return file.read(256).lstrip().startswith(b"{")
    except (OSError, ValueError):
        return False


@click.command()
@click.argument("what", metavar="REEL.json|VIDEO")
@click.argument("out", metavar="OUT.png")
@click.option("--at", "times", type=TIME, multiple=True, help="Seconds, or M:SS; may be repeated.  [the middle]")
@click.option("--width", type=click.IntRange(1, 16384), help="Width of the picture, in pixels.  [the result's]")
@on_damage_option
@force_option
@common_options
def still(
    what: str,
    out: str,
    times: tuple[float, ...],
    width: int | None,
    on_damage: OnDamage,
    force: bool,
    as_json: bool,
) -> None:
    """Write the picture that REEL.json shows at a time, without rendering it; or a frame of VIDEO, a thumbnail.

    OUT.png may be a .jpg or .webp as well. With several --at each picture has its time in its name: OUT-3.2.png.
    """
    from reelproc.render.preview import looking_at
    from reelproc.render.still import image_format, save_image
    from reelproc.timing import exact

    image_format(out)
    subject = _subject(what)
    with looking_at(subject, on_damage=on_damage, check=end_if_requested) as look:
        moments = [exact(time) for time in dict.fromkeys(times)] or [look.duration / 2]
        place = Path(out)
        many = len(moments) > 1
        paths = [place.with_stem(f"{place.stem}-{float(moment):.10g}") if many else place for moment in moments]
        job = _job("still", subject, times=times, width=width, on_damage=on_damage)
        with writing(*paths, job=job, force=force):
            stills = look.stills(moments)
            for path, made in zip(paths, stills, strict=True):
                save_image(made.to_image(width=width), path)
    files = StillFiles(
        stills=tuple(
            StillFile(path=str(path), index=s.index, time_seconds=s.time_seconds, width=s.width, height=s.height)
            for path, s in zip(paths, stills, strict=True)
        ),
        warnings=(*look.warnings, *dict.fromkeys(warning for s in stills for warning in s.warnings)),
    )
    lines = [f"{file.path}: frame {file.index}, shown from {file.time_seconds:.3f} s" for file in files.stills]
    say(files, as_json=as_json, text="\n".join(lines), warnings=files.warnings)


@click.command()
@click.argument("what", metavar="REEL.json|VIDEO")
@click.argument("out", metavar="OUT.png")
@click.option("--columns", type=click.IntRange(1, 100), default=6, show_default=True, help="Pictures in a row.")
@click.option("--rows", type=click.IntRange(1, 100), default=2, show_default=True, help="Rows of pictures.")
@click.option(
    "--tile-width",
    type=click.IntRange(16, 4096),
    default=240,
    show_default=True,
    help="Width of each picture, in pixels.",
)
@on_damage_option
@force_option
@common_options
def sheet(
    what: str,
    out: str,
    columns: int,
    rows: int,
    tile_width: int,
    on_damage: OnDamage,
    force: bool,
    as_json: bool,
) -> None:
    """Draw a contact sheet of REEL.json without rendering it, or of VIDEO: a dozen moments on one picture."""
    from reelproc.render.contact_sheet import draw_sheet
    from reelproc.render.preview import looking_at

    subject = _subject(what)
    title = Path(what).name if what != "-" else None
    job = _job("sheet", subject, columns=columns, rows=rows, tile_width=tile_width, on_damage=on_damage)
    with (
        writing(out, job=job, force=force),
        looking_at(subject, on_damage=on_damage, check=end_if_requested) as look,
    ):
        times = draw_sheet(look, out, title=title, columns=columns, rows=rows, tile_width=tile_width)
        warnings = look.warnings
    told = f"{out}: {len(times)} pictures, {times[0]:.2f} to {times[-1]:.2f} s"
    say(SheetFile(path=out, times_seconds=times, warnings=warnings), as_json=as_json, text=told, warnings=warnings)


@click.command()
@click.argument("reel_json", metavar="REEL.json")
@on_damage_option
@strict_option
@common_options
def plan(reel_json: str, on_damage: OnDamage, strict: bool, as_json: bool) -> None:
    """Say what rendering REEL.json will make: frames, length, every clip's place and stages, and the warnings.

    Its sources are probed; nothing is decoded.
    """
    import reelproc as rp
    from reelproc.reel_file import read_reel
    from reelproc.render.plan_reel import plan_from
    from reelproc.storage.sources import temporary_sources

    reel = rp.Reel.model_validate(read_json("-")) if reel_json == "-" else read_reel(reel_json)
    with temporary_sources() as sources:
        made = plan_from(reel, sources, hold=on_damage == "conceal", strict=strict)
    summary = made.summary().named([clip.source for clip in reel.clips])
    say(summary, as_json=as_json, text="\n".join(summary.lines()), warnings=summary.warnings)
