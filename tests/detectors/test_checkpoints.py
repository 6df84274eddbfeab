"""Which checkpoints are found, and which may be loaded."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest

from reelproc.detectors import checkpoints
from reelproc.detectors.checkpoints import KNOWN, KnownCheckpoint, find_checkpoint, trusted_checkpoint
from reelproc.errors import BackendError, ObjectNotFoundError
from reelproc.folders import weights_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights folder, empty; the current one is elsewhere."""
    monkeypatch.setenv("REELPROC_WEIGHTS", str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "weights"


def test_weights_are_in_reelprocs_folder_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("REELPROC_WEIGHTS", raising=False)
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path))
    assert weights_folder() == tmp_path / "weights"


@pytest.mark.parametrize("name", ["mine", "mine.pt"])
def test_a_name_is_a_file_in_the_weights_folder(folder: Path, name: str) -> None:
    (folder / "mine.pt").write_bytes(b"weights")
    assert find_checkpoint(name) == folder / "mine.pt"


def test_a_path_is_itself(folder: Path) -> None:
    Path("mine.pt").write_bytes(b"weights")
    assert find_checkpoint("mine.pt") == Path("mine.pt").absolute()
    assert find_checkpoint("./mine.pt") == Path("mine.pt").absolute()
    with pytest.raises(ObjectNotFoundError, match=r"no checkpoint '\./other\.pt'"):
        find_checkpoint("./other.pt")


def test_a_known_model_that_is_not_there_is_described(folder: Path) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        find_checkpoint("yolov8x")
    for words in ("136,867,539 bytes", "c4d5a3f0", "github.com/ultralytics/assets", str(folder / "yolov8x.pt")):
        assert words in str(caught.value)
    with pytest.raises(ObjectNotFoundError, match="put it there, or give the path"):
        find_checkpoint("nobody")


def test_an_unknown_checkpoint_is_not_loaded_unless_trusted(folder: Path) -> None:
    path = folder / "evil.pt"
    path.write_bytes(pickle.dumps({"anything": 1}))
    with pytest.raises(BackendError, match="can run any code") as caught:
        trusted_checkpoint(path, trust=False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest in str(caught.value)
    trusted = trusted_checkpoint(path, trust=True)
    assert (trusted.path, trusted.sha256, dict(trusted.labels)) == (path, digest, {})


def test_a_known_checkpoint_is_known_by_its_content(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "renamed.pt"
    path.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    known = KnownCheckpoint("soccer.pt", 7, "nowhere", "MIT", {"Player": "person"})
    monkeypatch.setattr(checkpoints, "KNOWN", {digest: known})
    assert trusted_checkpoint(path, trust=False).labels == {"Player": "person"}
    path.write_bytes(b"Weights")
    with pytest.raises(BackendError):
        trusted_checkpoint(path, trust=False)


def test_what_is_known_is_written_properly() -> None:
    for digest, known in KNOWN.items():
        assert len(digest) == 64
        assert digest == digest.lower()
        assert known.size_bytes > 1_000_000
        assert known.origin.startswith("https://")
