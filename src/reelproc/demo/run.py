"""Make the demo: a reel of a drawn match as data and as a video, and its contact sheet."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from reelproc.demo.match import MATCH_CLIP, match_tracks
from reelproc.demo.reel import footage_reel, match_reel
from reelproc.errors import StorageError
from reelproc.executors import executor
from reelproc.files import whole_file
from reelproc.jobs import RenderJob
from reelproc.media.probe.probe import probe
from reelproc.reel_file import anchored, write_reel
from reelproc.render.contact_sheet import contact_sheet
from reelproc.results import Progress, ProgressCallback, RenderResult
from reelproc.schema import Schema
from reelproc.storage import resolve


class DemoResult(Schema):
    """What the demo made.

    Attributes:
        folder: everything is in it.
        match: the clip of the drawn match; None where footage was given.
        reel_json: the reel as data; edit it and render it again.
        reel: the rendered reel.
        sheet: a picture of the reel at a dozen moments.
        render: the report of the render.
        seconds: wall time of each step: ``render``, ``sheet``.
    """

    folder: str
    match: str | None
    reel_json: str
    reel: str
    sheet: str
    render: RenderResult
    seconds: dict[str, float]


def make_demo(
    folder: str | os.PathLike[str],
    *,
    source: str | os.PathLike[str] | None = None,
    progress: ProgressCallback = lambda _: None,
    check: Callable[[], None] = lambda: None,
    wrote: Callable[[Path], None] = lambda _: None,
) -> DemoResult:
    """Make a reel of a drawn match, and show it on a contact sheet.

    Args:
        folder: gets ``match.mp4``, ``reel.json``, ``reel.mp4`` and ``contact-sheet.png``; made if it is not there.
        source: footage to use instead of the drawn match, which is then left out.
        progress: told how far it is: phases ``probe``, ``render``, ``audio``, ``assemble``, ``sheet``.
        check: called often while the contact sheet is drawn; raises to stop.
        wrote: told of each file when it is whole.

    Raises:
        ReelprocError: typed; nothing half-written is left in the folder.
    """
    place = Path(folder)
    footage = None if source is None else resolve(source)
    reel = None if footage is None else footage_reel(probe(footage), os.path.relpath(footage, place.absolute()))
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the folder {os.fspath(folder)!r} cannot be made: {error}; name another with --out", bad_input=True
        ) from error
    begin = time.perf_counter()
    seconds: dict[str, float] = {}

    def lap(step: str) -> None:
        seconds[step] = round(time.perf_counter() - begin - sum(seconds.values()), 3)

    match_path: Path | None = None
    if reel is None:
        match_path = place / "match.mp4"
        with whole_file(match_path, error=StorageError) as partial:
            shutil.copyfile(MATCH_CLIP, partial)
        wrote(match_path)
        reel = match_reel(match_tracks(), match_path.name)
    reel_json, output, sheet = (place / name for name in ("reel.json", "reel.mp4", "contact-sheet.png"))
    write_reel(reel, reel_json)
    wrote(reel_json)
    with executor("local") as ex:
        handle = ex.submit(RenderJob(reel=anchored(reel, place), output=str(output)))
        for event in handle.events():
            if event.phase != "done":
                progress(event)
        rendered = handle.result()
    wrote(output)
    lap("render")
    progress(Progress(phase="sheet", message="drawing the contact sheet"))
    contact_sheet(anchored(reel, place), sheet, title=output.name, check=check)
    lap("sheet")
    progress(Progress(phase="done", message=str(output)))
    return DemoResult(
        folder=str(place),
        match=None if match_path is None else str(match_path),
        reel_json=str(reel_json),
        reel=str(output),
        sheet=str(sheet),
        render=rendered,
        seconds=seconds,
    )
