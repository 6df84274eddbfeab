"""What experiments work on: the footage that was given, or a match that is drawn once per folder."""

from __future__ import annotations

import functools
from pathlib import Path

from reelproc.errors import SpecError
from reelproc.experiments.bench import Bench
from reelproc.media.info import MediaInfo
from reelproc.media.probe import probe

__all__ = ["VIDEO_SUFFIXES", "drawn_match", "footage_files", "game"]

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts", ".mpg")


def game(bench: Bench, seconds: float) -> Path:
    """A video of at least so many seconds.

    Raises:
        SpecError: the footage that was given is a folder, or too short.
    """
    given = bench.settings.footage
    if given is None:
        return drawn_match(bench.folder, seconds)
    path = Path(given)
    if path.is_dir():
        raise SpecError(f"this experiment works on one video, got the folder {given!r}; name a file with --footage")
    length = float(_probed(path).duration)
    if length < seconds:
        raise SpecError(f"this experiment needs {seconds:g} s of footage, {given!r} has {length:.2f} s")
    return path


def footage_files(footage: str) -> list[Path]:
    """The videos that ``footage`` names: a file, or all in a folder, by name.

    Raises:
        SpecError: there is none.
    """
    path = Path(footage)
    files = [path] if path.is_file() else sorted(p for p in path.glob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
    if not files:
        raise SpecError(f"there is no video at {footage!r}; name a file, or a folder with some")
    return files


def drawn_match(folder: Path, seconds: float) -> Path:
    """A drawn match of so many seconds, 1080p30 with sound, kept in ``folder`` for the next run."""
    from reelproc.demo.match import Match, film
    from reelproc.jobs import RenderJob, run_job
    from reelproc.reel import Clip, Output, Reel

    path = folder / f"match-{seconds:g}s.mp4"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    short = folder / "match.mp4"
    if not short.exists():
        film(Match(), short)
    whole, rest = divmod(seconds, 10)
    clips = [Clip(source=short)] * int(whole) + ([Clip(source=short, end=rest)] if rest else [])
    run_job(RenderJob(reel=Reel(clips=clips, output=Output(width=1920, height=1080, fps=30)), output=path))
    return path


@functools.cache
def _probed(path: Path) -> MediaInfo:
    return probe(path)
