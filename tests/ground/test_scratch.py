"""Folders for temporary files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from reelproc.errors import StorageError
from reelproc.scratch import scratch_folder


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
