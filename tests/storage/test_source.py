"""A source says its name, and gives its content to this process and to ffmpeg."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reelproc.storage.source import LocalSource, as_source, file_argument


def test_a_plain_path_is_a_source_under_the_name_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "-x.mp4").write_bytes(b"frames")
    monkeypatch.chdir(tmp_path)
    source = as_source("-x.mp4")
    assert (source.name, source.size, source.path, source.is_pinned) == ("-x.mp4", 6, Path("-x.mp4"), False)
    assert source.input() == ["-protocol_whitelist", "file,pipe,fd", "-i", f"file:{tmp_path}/-x.mp4"]
    with source.open() as file:
        file.seek(3)
        assert file.read() == b"mes"
    assert as_source(source) is source


def test_a_local_files_identity_changes_with_its_time_and_a_downloads_does_not(tmp_path: Path) -> None:
    path = tmp_path / "game.mp4"
    path.write_bytes(b"frames")
    own, download = LocalSource(path), LocalSource(path, name="s3://bucket/game.mp4", identity="address:6:etag")
    before = own.identity
    os.utime(path, ns=(1, 1))
    assert own.identity != before
    assert (download.identity, download.name, download.is_pinned) == ("address:6:etag", "s3://bucket/game.mp4", True)


def test_closing_a_local_source_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "game.mp4"
    path.write_bytes(b"frames")
    source = LocalSource(path)
    source.check()
    source.close()
    assert source.fetch() == path
    assert path.exists()


@pytest.mark.parametrize("name", ["http://example.com/a.mp4", "concat:a|b", "-i"])
def test_a_file_name_is_never_more_than_that(name: str) -> None:
    assert file_argument(name) == f"file:{Path.cwd()}/{Path(name)}"
