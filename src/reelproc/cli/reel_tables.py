"""``reelproc reel from-tsv``: reels out of other people's tables."""

from __future__ import annotations

from pathlib import Path

import click

from reelproc.cli.common import common_options, say, size
from reelproc.cli.groups import Group
from reelproc.cli.overwrite import force_option, job_of, writing
from reelproc.cli.verbosity import verbose_option


@click.group(cls=Group)
@verbose_option
def reel() -> None:
    """Make reels out of tables."""


@reel.command("from-tsv")
@click.argument("game", metavar="GAME.mp4")
@click.argument("table", metavar="ANNOTATIONS.tsv")
@click.option("--out", metavar="REEL.json", help="Where to write it; otherwise it is printed.")
@click.option("--no-banner", is_flag=True, help="Leave out the banners with rating, name and notes.")
@click.option("--size", "size_", metavar="WxH", callback=size, help="Size of the reel; otherwise the game's own.")
@click.option("--fps", metavar="RATE", default="30", show_default=True, help="Frames per second of the reel.")
@force_option
@common_options
def from_tsv(
    game: str,
    table: str,
    out: str | None,
    no_banner: bool,
    size_: tuple[int, int] | None,
    fps: str,
    force: bool,
    as_json: bool,
) -> None:
    """Turn the annotated moments of GAME.mp4 into a reel, one clip for each line of ANNOTATIONS.tsv.

    The table has a header and these columns, separated by tabs: start_time (M:SS), rating (1 to 5), tags (separated by
    commas), clip_name, clip_duration (seconds) and, where there are some, notes. GAME.mp4 is written as it is given,
    or seen from the folder of REEL.json; nothing is read from it. Render the reel with "reelproc render REEL.json OUT".
    """
    from reelproc.annotations import annotated_reel, read_annotations
    from reelproc.reel import Output
    from reelproc.reel_file import beside, reel_text, write_reel

    width, height = size_ or (None, None)
    found = read_annotations(table)
    output = Output(width=width, height=height, fps=fps)
    made = annotated_reel(game, found, banners=not no_banner, output=output)
    if out is None:
        say(made, as_json=as_json, text=reel_text(made).rstrip())
        return
    made = beside(made, Path(out).absolute().parent)
    job = job_of("reel from-tsv", table, game=game, banners=not no_banner, size=size_, fps=fps)
    with writing(out, job=job, force=force):
        write_reel(made, out)
    total = sum(each.clip_duration for each in found)
    text = f"{out}: {len(found)} clips, {total:g} s; make the video with: reelproc render {out} OUT.mp4"
    say(made, as_json=as_json, text=text)
