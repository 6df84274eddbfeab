"""Where things are kept, by the environment and the platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelproc.folders import cache_folder, data_folder, weights_folder


def test_the_cache_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("REELPROC_HOME")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert cache_folder() == Path("/var/cache/me/reelproc")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "reelproc"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "reelproc"


def test_data_and_weights_follow_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REELPROC_HOME", raising=False)
    monkeypatch.delenv("REELPROC_WEIGHTS", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/var/data/me")
    assert data_folder() == Path("/var/data/me/reelproc")
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path))
    assert data_folder() == cache_folder() == tmp_path
    assert weights_folder() == tmp_path / "weights"
    monkeypatch.setenv("REELPROC_WEIGHTS", str(tmp_path / "mine"))
    assert weights_folder() == tmp_path / "mine"
