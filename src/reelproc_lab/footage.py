"""What experiments work on: the footage that was given, or the stand-in for the original's, drawn once."""

from __future__ import annotations

import functools
from pathlib import Path

from reelproc import MediaInfo, SpecError, probe
from reelproc.folders import cache_folder
from reelproc_lab.bench import Bench
from reelproc_lab.dataset import match_clip

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts", ".mpg")


def game(bench: Bench, seconds: float, width: int = 1920, height: int = 1080) -> Path:
    """Return a video of at least ``seconds``; a drawn one has the given size.

    Raises:
        SpecError: the footage that was given is a folder, or too short.
    """
    given = bench.settings.footage
    if given is None:
        return match_clip(footage_folder(), seconds, width, height)
    path = Path(given)
    if path.is_dir():
        raise SpecError(f"this experiment works on one video, got the folder {given!r}; name a file with --footage")
    length = float(_probed(path).duration)
    if length < seconds:
        raise SpecError(f"this experiment needs {seconds:g} s of footage, {given!r} has {length:.2f} s")
    return path


def footage_folder() -> Path:
    """Where drawn footage is kept, for all experiments."""
    return cache_folder() / "experiments"


def footage_files(footage: str) -> list[Path]:
    """Return the videos that ``footage`` names: a file, or all in a folder, by name.

    Raises:
        SpecError: there is none.
    """
    path = Path(footage)
    files = [path] if path.is_file() else sorted(p for p in path.glob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
    if not files:
        raise SpecError(f"there is no video at {footage!r}; name a file, or a folder with some")
    return files


@functools.cache
def _probed(path: Path) -> MediaInfo:
    return probe(path)
