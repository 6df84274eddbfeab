"""``reelproc demo`` and ``reelproc render``: whole reels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from reelproc.cli.common import (
    common_options,
    count,
    executor_option,
    on_damage_option,
    read_json,
    run,
    say,
    say_result,
    staging_option,
    strict_option,
)
from reelproc.cli.overwrite import force_option, job_of, writing
from reelproc.cli.progress import progress_bar

if TYPE_CHECKING:
    from reelproc.job_context import OnDamage

MAX_CHUNKS = 100


def _chunks(_: click.Context, __: click.Parameter, value: str) -> int | Literal["auto"]:
    if value == "auto":
        return "auto"
    number = count(value)
    if number is None or not 1 <= number <= MAX_CHUNKS:
        raise click.BadParameter(f"{value[:80]!r} is neither a number from 1 to {MAX_CHUNKS} nor 'auto'")
    return number


@click.command()
@click.argument("reel_json", metavar="REEL.json")
@click.argument("out", metavar="OUT")
@executor_option
@staging_option
@click.option("--chunks", metavar="N", callback=_chunks, default="1", help="Divide it among N workers, or 'auto'.")
@click.option("--id", "job_id", metavar="ID", help="A name for the job; one that is complete is not done again.")
@on_damage_option
@strict_option
@force_option
@common_options
def render(
    reel_json: str,
    out: str,
    executor: str,
    staging: str | None,
    chunks: int | Literal["auto"],
    job_id: str | None,
    on_damage: OnDamage,
    strict: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Render REEL.json into the video OUT.

    Relative sources in REEL.json are taken from the folder that it is in. REEL.json may be "-" for standard input;
    relative sources are then taken from the current folder.
    """
    import reelproc as rp
    from reelproc.reel_file import read_reel

    reel = rp.Reel.model_validate(read_json("-")) if reel_json == "-" else read_reel(reel_json)
    job = rp.RenderJob(reel=reel, output=out, on_damage=on_damage, strict=strict, chunks=chunks)
    result = run(job, executor=executor, as_json=as_json, force=force, staging=staging, id=job_id)
    say_result(result, as_json=as_json)


@click.command()
@click.option("--out", default="reelproc-demo", show_default=True, metavar="DIR", help="Folder for what it makes.")
@click.option("--source", metavar="FILE", help="Use this footage instead of the drawn match.")
@force_option
@common_options
def demo(out: str, source: str | None, force: bool, as_json: bool) -> None:
    """Make a vertical reel of a drawn match, and show the reel on a contact sheet.

    It takes some seconds. The reel's JSON lies beside it, to be edited and rendered again; a folder whose files were
    edited is left alone. A reel of your own footage has no spotlight, since nothing is known of its players: "reelproc
    follow" puts one on a player.
    """
    from reelproc.demo.run import make_demo

    names = ("reel.json", "reel.mp4", "contact-sheet.png", *(("match.mp4",) if source is None else ()))
    made = [Path(out) / name for name in names]
    job = job_of("demo", source)
    with writing(*made, job=job, force=force) as wrote, progress_bar(as_json=as_json) as show:
        result = make_demo(out, source=source, progress=show, wrote=wrote)
    drawn = [f"  {result.match}  the match, ten seconds that were drawn"] if result.match else []
    lines = [
        f"The demo is ready, in {sum(result.seconds.values()):.0f} s:",
        *drawn,
        f"  {result.reel}  the reel: {result.render.frame_count} frames, {result.render.duration_seconds:.1f} s",
        f"  {result.sheet}  what is in it, at a glance",
        f"  {result.reel_json}  the reel as data",
        f"Change {result.reel_json} and run: reelproc render {result.reel_json} my-reel.mp4",
    ]
    say(result, as_json=as_json, text="\n".join(lines), warnings=result.render.warnings)
