"""``reelproc put``, ``get`` and ``probe`` as programs, against an S3 server on the loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from faulty_s3 import SECRET, Fault, S3Service
from media_factory import numbered_video
from waiting import LONG

COMMAND = [sys.executable, "-c", "from reelproc.cli import main; main()"]


@pytest.fixture
def game(tmp_path: Path) -> Path:
    return numbered_video(tmp_path / "game.mp4", frame_count=60, fps=30).path


def program(*arguments: str | Path, cwd: Path) -> tuple[int, Any]:
    """Exit code and JSON."""
    ran = subprocess.run(
        [*COMMAND, *map(str, arguments), "--json"], cwd=cwd, capture_output=True, text=True, timeout=LONG, check=False
    )
    assert "Traceback" not in ran.stderr
    assert SECRET not in ran.stdout + ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_put_probe_and_get(s3: S3Service, game: Path, tmp_path: Path) -> None:
    address = f"s3://{s3.bucket}/games/game.mp4"
    code, moved = program("put", game, address, cwd=tmp_path)
    assert (code, moved["destination"], moved["size_bytes"]) == (0, address, game.stat().st_size)
    assert game.exists()
    assert s3.get("games/game.mp4") == game.read_bytes()
    code, info = program("probe", address, "--exact", cwd=tmp_path)
    assert (code, info["path"], info["frame_count"]) == (0, address, 60)
    code, moved = program("get", address, "again.mp4", cwd=tmp_path)
    assert (code, moved["source"]) == (0, address)
    assert (tmp_path / "again.mp4").read_bytes() == game.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.mp4", "game.mp4", "home"]


def test_folders_give_the_name(s3: S3Service, game: Path, tmp_path: Path) -> None:
    assert program("put", game, "s3:///", cwd=tmp_path)[0] == 0
    assert program("put", game, f"s3://{s3.bucket}/deep/", cwd=tmp_path)[0] == 0
    assert s3.keys() == ["deep/game.mp4", "game.mp4"]
    (tmp_path / "here").mkdir()
    code, moved = program("get", "s3:///deep/game.mp4", "here", cwd=tmp_path)
    assert (code, Path(moved["destination"]).name) == (0, "game.mp4")
    assert (tmp_path / "here" / "game.mp4").read_bytes() == game.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["get", "s3:///nothing.mp4", "a.mp4"], 2, "ObjectNotFoundError"),
        (["get", "game.mp4", "a.mp4"], 2, "SpecError"),
        (["get", "s3:///../x.mp4", "a.mp4"], 2, "SpecError"),
        (["get", "s3:///nothing.mp4", "no-folder/a.mp4"], 2, "StorageError"),
        (["put", "nothing.mp4", "s3:///a.mp4"], 2, "ObjectNotFoundError"),
        (["put", "game.mp4", "a.mp4"], 2, "SpecError"),
        (["put", "game.mp4", "https://example.com/a.mp4"], 2, "SpecError"),
        (["put", "game.mp4", "s3://no-such-bucket/a.mp4"], 2, "ObjectNotFoundError"),
        (["probe", "s3:///nothing.mp4"], 2, "ObjectNotFoundError"),
    ],
)
def test_what_cannot_be_is_said_by_type_and_code(
    arguments: list[str], code: int, kind: str, s3: S3Service, game: Path, tmp_path: Path
) -> None:
    got, answer = program(*arguments, cwd=tmp_path)
    assert (got, answer["error"]["type"]) == (code, kind)
    assert [p.name for p in tmp_path.iterdir()] == ["game.mp4"]


def test_a_failed_download_leaves_what_was_there(s3: S3Service, game: Path, tmp_path: Path) -> None:
    address = s3.put("games/game.mp4", game.read_bytes())
    (tmp_path / "old.mp4").write_bytes(b"old")
    s3.proxy.faults = [Fault("error", status=403, code="AccessDenied", times=10**6)]
    code, answer = program("get", address, "old.mp4", "--force", cwd=tmp_path)
    assert (code, answer["error"]["type"]) == (1, "StorageError")
    assert (tmp_path / "old.mp4").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["game.mp4", "old.mp4"]


def test_an_object_is_replaced_by_the_same_upload_alone(s3: S3Service, game: Path, tmp_path: Path) -> None:
    address = f"s3://{s3.bucket}/games/game.mp4"
    assert [program("put", game, address, cwd=tmp_path)[0] for _ in range(2)] == [0, 0]
    other = tmp_path / "other.mp4"
    other.write_bytes(b"other")
    code, answer = program("put", other, address, cwd=tmp_path)
    assert (code, answer["error"]["type"]) == (2, "OutputExistsError")
    assert s3.get("games/game.mp4") == game.read_bytes()
    assert program("put", other, address, "--force", cwd=tmp_path)[0] == 0
    s3.put("games/game.mp4", b"by somebody else")
    code, answer = program("put", other, address, cwd=tmp_path)
    assert (code, "changed since" in answer["error"]["message"]) == (2, True)


def test_a_download_into_a_folder_replaces_nothing_of_the_users(s3: S3Service, game: Path, tmp_path: Path) -> None:
    address = s3.put("games/goal.mp4", game.read_bytes())
    (tmp_path / "goal.mp4").write_bytes(b"mine")
    code, answer = program("get", address, tmp_path, cwd=tmp_path)
    assert (code, answer["error"]["type"]) == (2, "OutputExistsError")
    assert (tmp_path / "goal.mp4").read_bytes() == b"mine"
