"""The suite of all storages, run on each of ours; and what is particular to local files and addresses."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faulty_s3 import S3Service
from reelproc import storage
from reelproc.errors import SpecError, StorageError
from reelproc.storage.local import local_path
from reelproc.testing import StorageSuite


class TestLocalFiles(StorageSuite):
    """Plain paths."""

    @pytest.fixture(autouse=True)
    def _root(self, tmp_path: Path) -> None:
        self.root = tmp_path / "files"
        self.root.mkdir()

    def address(self, name: str) -> str:
        return str(self.root / name)

    def path(self, address: str) -> Path:
        return Path(address)

    def read(self, address: str) -> bytes:
        return self.path(address).read_bytes()

    def write(self, address: str, content: bytes) -> None:
        self.path(address).write_bytes(content)

    def test_a_source_is_read_where_it_lies(self) -> None:
        address = self.address("game.mp4")
        self.write(address, b"x")
        assert storage.resolve(address) == self.path(address)
        assert storage.local_output(address) == self.path(address)

    def test_the_identity_changes_with_the_modification_time(self) -> None:
        address = self.address("game.mp4")
        self.write(address, b"x")
        before = storage.identity(address)
        os.utime(self.path(address), ns=(1, 1))
        assert storage.identity(address) != before

    def test_two_files_alike_are_two(self) -> None:
        for name in ("a.mp4", "b.mp4"):
            self.write(self.address(name), b"x")
            os.utime(self.path(self.address(name)), ns=(1, 1))
        assert storage.identity(self.address("a.mp4")) != storage.identity(self.address("b.mp4"))

    def test_a_folder_is_neither_source_nor_destination(self) -> None:
        with pytest.raises(StorageError, match="is a folder"):
            storage.resolve(str(self.root))
        with pytest.raises(StorageError, match="is a folder"):
            storage.local_output(str(self.root))

    def test_a_pipe_is_no_source(self) -> None:
        os.mkfifo(self.root / "pipe")
        with pytest.raises(StorageError, match="not a regular file"):
            storage.resolve(self.address("pipe"))

    def test_no_folder_is_made_for_a_destination(self) -> None:
        with pytest.raises(StorageError, match="create it first"):
            storage.local_output(self.address("missing/reel.mp4"))
        assert not (self.root / "missing").exists()

    def test_what_cannot_be_written_is_a_storage_error(self, work: Path) -> None:
        made = work / "made.mp4"
        made.write_bytes(b"x")
        with pytest.raises(StorageError, match=r"/proc"):  # read-only for root, too
            storage.publish(made, "/proc/reel.mp4")
        assert made.exists()

    def test_a_folder_that_is_read_only_is_noticed_before_the_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may write everywhere
        with pytest.raises(StorageError, match="read-only"):
            storage.local_output(self.address("reel.mp4"))
        self.write(self.address("game.mp4"), b"x")
        with pytest.raises(StorageError, match="permission denied"):
            storage.resolve(self.address("game.mp4"))

    def test_publishing_to_another_file_system_is_whole_or_not_at_all(self, work: Path) -> None:
        shm = Path("/dev/shm")
        if not shm.is_dir() or shm.stat().st_dev == work.stat().st_dev:
            pytest.skip("needs a second file system at /dev/shm")
        with tempfile.TemporaryDirectory(dir=shm) as elsewhere:
            made = Path(elsewhere, "made.mp4")
            made.write_bytes(b"frames")
            address = self.address("reel.mp4")
            storage.publish(made, address)
            assert self.read(address) == b"frames"
            assert not made.exists()
            assert [p.name for p in self.root.iterdir()] == ["reel.mp4"]


class TestFileAddresses(TestLocalFiles):
    """``file://`` addresses of the same files."""

    def address(self, name: str) -> str:
        return (self.root / name).as_uri()

    def path(self, address: str) -> Path:
        return local_path(address)


class TestS3(StorageSuite):
    """Objects on a moto server, over real HTTP."""

    @pytest.fixture(autouse=True)
    def _bucket(self, s3: S3Service) -> None:
        self.s3 = s3

    def address(self, name: str) -> str:
        return f"s3://{self.s3.bucket}/games/{name}"

    def key(self, address: str) -> str:
        return address.removeprefix(f"s3://{self.s3.bucket}/")

    def read(self, address: str) -> bytes:
        return self.s3.get(self.key(address))

    def write(self, address: str, content: bytes) -> None:
        self.s3.put(self.key(address), content)

    def test_two_objects_alike_are_two(self) -> None:
        for name in ("a.mp4", "b.mp4"):
            self.write(self.address(name), b"x")
        assert storage.identity(self.address("a.mp4")) != storage.identity(self.address("b.mp4"))


@pytest.mark.parametrize("name", ["http:x.mp4", "concat:a|b.mp4", "pipe:0", "C:game.mp4", "file:x.mp4", "a:b://c.mp4"])
def test_a_colon_makes_no_url(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(b"x")
    assert storage.resolve(name) == tmp_path / name


@pytest.mark.parametrize("address", ["gopher://x", "ftp://host/a.mp4"])
def test_an_unknown_scheme_names_those_there_are(address: str) -> None:
    for ask in (storage.resolve, storage.identity, storage.local_output):
        with pytest.raises(SpecError, match=r"there are: file://.*s3://.* and plain paths"):
            ask(address)


def test_a_scheme_without_storage_shows_no_secret() -> None:
    with pytest.raises(SpecError) as caught:
        storage.resolve("gopher://me:secret@host/a.mp4?signature=secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["file://host/a.mp4", "file://a.mp4", "file:///a%00b.mp4", "", "a\0b"])
def test_a_malformed_address_is_a_spec_error(address: str) -> None:
    with pytest.raises(SpecError):
        storage.resolve(address)


def test_a_file_address_may_name_this_host_and_be_in_capitals() -> None:
    assert local_path("FILE://localhost/tmp/a.mp4") == Path("/tmp/a.mp4")


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1).filter(lambda n: n not in (".", ".."))
)
def test_every_file_name_survives_the_way_through_a_file_address(name: str) -> None:
    path = Path("/games") / name
    assert local_path(path.as_uri()) == path


def test_paths_may_be_path_objects(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    assert storage.resolve(tmp_path / "a.mp4") == tmp_path / "a.mp4"
    assert storage.scheme_of(tmp_path) == "file"


def test_a_renewed_session_token_makes_another_client(monkeypatch: pytest.MonkeyPatch) -> None:
    from reelproc.storage.s3_client import client

    for name in ("ENDPOINT_URL", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"R2_{name}", "https://example.org")
    monkeypatch.setenv("R2_SESSION_TOKEN", "one")
    first = client()
    assert client() is first
    monkeypatch.setenv("R2_SESSION_TOKEN", "two")
    assert client() is not first
