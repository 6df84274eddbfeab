"""Standard input as a source: a file for as long as the command runs; and no result on standard output."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from reelproc.cli import app
from reelproc.cli.stdin_source import is_piped, shown_source, source_file
from reelproc.errors import DecodeError, SpecError, StorageError


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input_is_a_file_and_gone_afterwards(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"film")
    with source_file("-") as path:
        assert Path(path).read_bytes() == b"film"
        assert Path(path).is_relative_to(scratch)
        assert (is_piped(path), shown_source(path)) == (True, "-")
    assert not is_piped(path)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DecodeError("no")])
def test_it_is_gone_after_a_failure_too(scratch: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    piped(monkeypatch, b"film")
    with pytest.raises(type(error)), source_file("-"):
        raise error
    assert list(scratch.iterdir()) == []


def test_any_other_source_is_itself() -> None:
    with source_file("./-") as path:
        assert (path, is_piped(path), shown_source(path)) == ("./-", False, "./-")


def test_an_error_speaks_of_standard_input(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"film")
    with (
        pytest.raises(DecodeError, match=r"^standard input ends early; standard input is damaged$"),
        source_file("-") as path,
    ):
        raise DecodeError(f"{path!r} ends early; {path} is damaged")


def test_a_full_disk_is_said(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"film")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(StorageError, match="TMPDIR"), source_file("-"):
        pass
    assert list(scratch.iterdir()) == []


def test_nothing_is_no_film(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"")
    with pytest.raises(SpecError, match="standard input is empty"), source_file("-"):
        pass


def test_standard_input_is_one_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"film")
    with pytest.raises(click.UsageError, match="two things"), source_file("-", None, "-"):
        pass


def test_nobody_types_a_film(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(click.UsageError, match="terminal"), source_file("-"):
        pass


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("extract", "a.mp4", "-", "--start", "0", "--end", "1"), "nothing is written to standard output"),
        (("frame", "a.mp4", "-", "--size", "90x160"), "nothing is written to standard output"),
        (("follow", "-", "--at", "1", "--point", "3,4"), "cannot be standard input"),
        (("put", "-", "s3://bucket/key"), "cannot be standard input"),
        (("concat", "-", "-", "o.mp4"), "two things at once"),
    ],
)
def test_what_cannot_be_piped_is_said(arguments: tuple[str, ...], says: str) -> None:
    ran = CliRunner().invoke(app, arguments, input="x")
    assert ran.exit_code == 2
    assert says in ran.stderr
