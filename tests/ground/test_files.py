"""Files that appear whole or not at all, and temporary folders."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from reelproc.errors import EncodeError, StorageError
from reelproc.files import scratch_folder, whole_file


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    path = tmp_path / "reel.json"
    path.write_text("former")
    return path


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_appears_whole_at_the_end_of_the_block(destination: Path, durable: bool) -> None:
    with whole_file(destination, durable=durable) as partial:
        assert partial.parent == destination.parent
        assert partial.suffix == ".json"
        partial.write_text("new")
        assert destination.read_text() == "former"
    assert destination.read_text() == "new"
    assert list(destination.parent.iterdir()) == [destination]


@pytest.mark.parametrize("error", [KeyError, OSError, KeyboardInterrupt])
def test_a_block_that_raises_leaves_what_was_there(destination: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), whole_file(destination) as partial:
        partial.write_text("half")
        raise error
    assert destination.read_text() == "former"
    assert list(destination.parent.iterdir()) == [destination]


def test_a_block_that_writes_nothing_is_an_error(destination: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(destination):
        pass
    assert destination.read_text() == "former"


def test_a_file_that_cannot_be_put_in_place_raises_the_wanted_type(tmp_path: Path) -> None:
    (tmp_path / "reel.json").mkdir()
    with pytest.raises(EncodeError, match="cannot be moved to"):
        with whole_file(tmp_path / "reel.json", error=EncodeError) as partial:
            partial.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["reel.json"]


def test_what_dead_processes_left_is_swept_up(tmp_path: Path) -> None:
    living, other = f".reel.{os.getpid()}-999999.part.json", ".other.999999999-0.part.json"
    for name in (".reel.999999999-0.part.json", living, other):
        (tmp_path / name).write_text("half")
    (tmp_path / ".reel.999999999-1.part").mkdir()
    with whole_file(tmp_path / "reel.json") as partial:
        partial.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"reel.json", living, other}


def test_a_folder_beside_a_file_is_on_its_disk_and_swept_up_like_one(tmp_path: Path) -> None:
    with scratch_folder(beside=tmp_path / "reel.mp4") as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith(".reel.")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError, match="no folder for temporary files"):
        with scratch_folder(beside=tmp_path / "nowhere" / "reel.mp4"):
            pass


def test_it_is_gone_with_all_that_is_in_it() -> None:
    with pytest.raises(KeyError), scratch_folder() as folder:
        (folder / "a").write_text("b")
        raise KeyError
    assert not folder.exists()


def test_no_place_for_it_is_a_typed_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(StorageError, match="TMPDIR"), scratch_folder():
        pass


def test_an_error_of_the_block_is_its_own() -> None:
    with pytest.raises(FileNotFoundError), scratch_folder() as folder:
        (folder / "missing").read_text()
