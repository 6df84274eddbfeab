"""Keys become addresses below their user's prefix, and below nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelproc as rp
from reelproc.compat import Keys, upload_to_r2_sync


def test_keys_lie_below_their_user_and_games_below_nobody() -> None:
    keys = Keys("s3://media/app/")
    assert keys.source("u1", "clips/one.mp4") == "s3://media/app/u1/clips/one.mp4"
    assert keys.source("u1", "games/g.mp4") == "s3://media/app/games/g.mp4"
    assert keys.key("s3://media/app/u1/clips/one.mp4") == "clips/one.mp4"
    assert keys.key("s3://media/app/games/g.mp4") == "games/g.mp4"


BAD = [
    "", "/", "/etc/passwd", "../u2/a.mp4", "a/../../u2/b.mp4", "a//b", "a/", ".", "a/./b", "s3://b/k", "a\0b",
    "a\\..\\b", "..", "a\nb", " a", "x" * 2000, "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("key", BAD)
@pytest.mark.parametrize("root", ["s3://media", "/srv/media"])
def test_a_key_that_leads_elsewhere_is_refused(key: str, root: str) -> None:
    with pytest.raises(rp.SpecError, match=r"^input_key: got .*expected a key") as caught:
        Keys(root).source("u1", key)
    assert caught.value.path == ("input_key",)


@pytest.mark.parametrize("user", ["", "..", ".", "a/b", "games", "u1/../u2", "/", "a\0", "a\\b"])
def test_a_user_that_is_no_name_is_refused(user: str) -> None:
    with pytest.raises(rp.SpecError, match=r"^user_id: got "):
        Keys("s3://media").source(user, "a.mp4")


@given(st.text(max_size=20), st.text(max_size=30))
def test_whatever_is_accepted_lies_below_the_users_prefix(user: str, key: str) -> None:
    keys = Keys("/srv/media")
    try:
        address = keys.source(user, key)
    except rp.SpecError:
        return
    assert address.startswith(("/srv/media/games/" if key.startswith("games/") else f"/srv/media/{user}/",))
    assert Path(address).resolve() == Path(address)
    assert keys.key(address) == key


def test_a_link_that_leads_to_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "u2").mkdir()
    (tmp_path / "u1").mkdir()
    (tmp_path / "u1" / "link").symlink_to(tmp_path / "u2")
    with pytest.raises(rp.SpecError, match="a link on its way that leads out"):
        Keys(tmp_path).source("u1", "link/a.mp4")
    (tmp_path / "far").mkdir()
    (tmp_path / "games").symlink_to(
        tmp_path / "far"
    )  # the whole folder may be anywhere: nobody but its owner put it there
    assert Keys(tmp_path).source("u1", "games/a.mp4") == f"{tmp_path}/games/a.mp4"


def test_the_root_comes_from_the_argument_the_variable_or_the_bucket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("REELPROC_STORAGE_ROOT", raising=False)
    monkeypatch.delenv("R2_BUCKET_NAME", raising=False)
    with pytest.raises(rp.SpecError, match="set REELPROC_STORAGE_ROOT"):
        Keys()
    monkeypatch.setenv("R2_BUCKET_NAME", "reels")
    assert Keys().root == "s3://reels"
    monkeypatch.setenv("REELPROC_STORAGE_ROOT", str(tmp_path))
    assert Keys().root == str(tmp_path)
    assert Keys(f"file://{tmp_path}").root == str(tmp_path)
    assert Keys(f"file://{tmp_path}").source("u", "%2e%2e") == f"{tmp_path}/u/%2e%2e", "no escapes"
    with pytest.raises(rp.SpecError, match=r"^root: got 'https://x'"):
        Keys("https://x")


def test_an_upload_puts_a_file_under_its_key_and_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "game.mp4"
    file.write_bytes(b"video")
    address = upload_to_r2_sync("u1", "raw/game.mp4", file, root=tmp_path / "root")
    assert address == f"{tmp_path}/root/u1/raw/game.mp4"
    assert Path(address).read_bytes() == file.read_bytes() == b"video"
    with pytest.raises(rp.SpecError, match=r"^key: got "):
        upload_to_r2_sync("u1", "../x", file, root=tmp_path)
