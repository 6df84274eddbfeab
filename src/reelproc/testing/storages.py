"""The promises of every storage: inherit :class:`StorageSuite`."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelproc import storage
from reelproc.errors import ObjectNotFoundError, StorageError

__all__ = ["StorageSuite"]

NAMES = ["game.mp4", "with space.mp4", "ünïcödé ⚽.mp4", "100%.mp4", "a#b?c=d&e.mp4", "-x.mp4", "%20.mp4"]


class StorageSuite:
    """Check that a storage keeps the promises of :class:`~reelproc.storage.base.Storage`.

    Override :meth:`address`, :meth:`read` and :meth:`write`. The last two do not go through the storage, but by a
    client of their own.
    """

    def address(self, name: str) -> str:
        """Return the address of the object of this name in an empty place of the test's own."""
        raise NotImplementedError

    def read(self, address: str) -> bytes:
        """Return the content of an object."""
        raise NotImplementedError

    def write(self, address: str, content: bytes) -> None:
        """Make or replace an object."""
        raise NotImplementedError

    @pytest.fixture
    def work(self, tmp_path: Path) -> Path:
        """Return an empty folder on this machine."""
        folder = tmp_path / "work"
        folder.mkdir()
        return folder

    @pytest.mark.parametrize("name", NAMES)
    def test_what_is_published_is_resolved(self, name: str, work: Path) -> None:
        address = self.address(name)
        path = storage.local_output(address, folder=work)
        path.write_bytes(b"frames")
        storage.publish(path, address)
        assert self.read(address) == b"frames"
        assert storage.resolve(address, folder=work).read_bytes() == b"frames"

    def test_publishing_replaces_what_was_there(self, work: Path) -> None:
        address = self.address("reel.mp4")
        self.write(address, b"old")
        made = work / "made.mp4"
        made.write_bytes(b"new")
        storage.publish(made, address)
        assert self.read(address) == b"new"

    def test_publishing_what_is_not_there_leaves_the_old(self, work: Path) -> None:
        address = self.address("reel.mp4")
        self.write(address, b"old")
        with pytest.raises(StorageError, match="not there"):
            storage.publish(work / "nothing.mp4", address)
        assert self.read(address) == b"old"

    def test_the_identity_changes_with_the_content(self) -> None:
        address = self.address("game.mp4")
        self.write(address, b"first half")
        before = storage.identity(address)
        assert storage.identity(address) == before
        self.write(address, b"first half and second half")
        assert storage.identity(address) != before

    def test_what_is_removed_is_gone_and_may_be_removed_again(self) -> None:
        address = self.address("old.mp4")
        self.write(address, b"x")
        storage.remove(address)
        with pytest.raises(ObjectNotFoundError):
            storage.resolve(address)
        storage.remove(address)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_copy_is_a_second_whole_and_the_first_stays(self, name: str) -> None:
        self.write(self.address(name), b"reel")
        self.write(self.address("copy.mp4"), b"old")
        storage.copy(self.address(name), self.address("copy.mp4"))
        assert self.read(self.address("copy.mp4")) == self.read(self.address(name)) == b"reel"

    def test_what_cannot_be_copied_leaves_the_old(self) -> None:
        self.write(self.address("copy.mp4"), b"old")
        with pytest.raises(ObjectNotFoundError):
            storage.copy(self.address("nowhere.mp4"), self.address("copy.mp4"))
        assert self.read(self.address("copy.mp4")) == b"old"

    def test_a_copy_may_go_to_another_store(self, tmp_path: Path) -> None:
        self.write(self.address("reel.mp4"), b"reel")
        storage.copy(self.address("reel.mp4"), tmp_path / "here.mp4")
        assert (tmp_path / "here.mp4").read_bytes() == b"reel"

    def test_what_is_missing_is_not_found(self) -> None:
        for ask in (storage.resolve, storage.identity):
            with pytest.raises(ObjectNotFoundError, match=r"nowhere\.mp4") as caught:
                ask(self.address("nowhere.mp4"))
            assert isinstance(caught.value, FileNotFoundError)
            assert not caught.value.transient
