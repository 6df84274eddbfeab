"""Which changes of a file are changes of a source."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reelproc.errors import DecodeError
from reelproc.render.source_state import END_BYTES, SourceState
from reelproc.storage.source import LocalSource

SIZE = 8 << 20
LATER = 10**9


def flipped(path: Path, place: int) -> None:
    """Change one byte in place."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))


def later(path: Path) -> None:
    """A clock of the file system that is coarser than the test would hide the change."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + LATER))


def another(path: Path) -> None:
    """A recording of the same size, put in the place of the first."""
    (path.parent / "other").write_bytes(os.urandom(path.stat().st_size))
    (path.parent / "other").replace(path)


def its_copy(path: Path) -> None:
    shutil.copyfile(path, path.parent / "copy")
    (path.parent / "copy").replace(path)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


@pytest.fixture(params=[1000, SIZE])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "game.mp4"
    path.write_bytes(os.urandom(request.param))
    return path


@pytest.mark.parametrize("change", [later, its_copy])
def test_the_same_bytes_are_the_same_source_and_it_is_said(source: Path, change: Callable[[Path], None]) -> None:
    opened = LocalSource(source)
    (state,) = SourceState.all_of([opened, opened])
    change(source)
    assert state.touched() == f"{source} was touched or replaced while it was read; samples of it are what they were"


@pytest.mark.parametrize("change", [lambda path: path.read_bytes(), grown, Path.unlink])
def test_what_is_read_recorded_or_gone_is_nothing_to_speak_of(source: Path, change: Callable[[Path], None]) -> None:
    (state,) = SourceState.all_of([LocalSource(source)])
    change(source)
    assert state.touched() is None


@pytest.mark.parametrize(
    "change",
    [
        another,
        lambda path: os.truncate(path, path.stat().st_size - 1),
        lambda path: path.write_bytes(os.urandom(path.stat().st_size)),
        lambda path: flipped(path, 0),
        lambda path: flipped(path, path.stat().st_size - 1),
        lambda path: flipped(path, min(END_BYTES, path.stat().st_size) - 1),
    ],
)
def test_other_bytes_are_another_source(source: Path, change: Callable[[Path], None]) -> None:
    (state,) = SourceState.all_of([LocalSource(source)])
    change(source)
    later(source)
    with pytest.raises(DecodeError, match="was replaced or changed while it was read; try again") as caught:
        state.touched()
    assert caught.value.transient


def test_what_is_not_there_has_no_state(tmp_path: Path) -> None:
    assert SourceState.all_of([LocalSource(tmp_path / "none.mp4")]) == []


def test_a_download_is_nobodys_to_change(source: Path) -> None:
    assert SourceState.all_of([LocalSource(source, identity="s3://bucket/game.mp4:5:etag")]) == []
