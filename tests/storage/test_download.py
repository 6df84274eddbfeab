"""Downloads of pinned files and what they share with other transfers; test_weights.py has the rest."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from clock import Clock
from faulty_s3 import Fault
from file_server import FileServer
from reelproc.errors import StorageError
from reelproc.storage.download import ATTEMPTS, download

CONTENT = bytes(range(256)) * 4000


def fetch(server: FileServer, target: Path) -> None:
    download(server.url("w.pth"), target, size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def served(tmp_path: Path) -> Path:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "w.pth").write_bytes(CONTENT)
    return tmp_path / "served"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("asked", "pause"), [("7", 7), ("Fri, 31 Dec 2999 23:59:59 GMT", 20), ("soon", 0)])
def test_a_server_is_left_alone_as_long_as_it_asks(
    status: int, asked: str, pause: float, served: Path, tmp_path: Path, clock: Clock
) -> None:
    with FileServer(served) as server:
        server.proxy.faults = [Fault("error", status=status, retry_after=asked)]
        begin = clock.now
        fetch(server, tmp_path / "w.pth")
        assert server.proxy.count("GET") == 2
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert pause <= clock.now - begin < pause + 1


def test_a_server_that_always_asks_for_time_is_given_up(served: Path, tmp_path: Path, clock: Clock) -> None:
    with FileServer(served) as server:
        server.proxy.faults = [Fault("error", status=503, retry_after="5", times=10)]
        with pytest.raises(
            StorageError, match="the server answers 503; it asks not to be asked again for 5 s"
        ) as raised:
            fetch(server, tmp_path / "w.pth")
        assert server.proxy.count("GET") == ATTEMPTS
    assert raised.value.transient
    assert not (tmp_path / "w.pth").exists()


def test_a_damaged_transfer_never_appears(served: Path, tmp_path: Path) -> None:
    with FileServer(served) as server:
        server.proxy.faults = [Fault("flip")]
        with pytest.raises(StorageError, match="is not the expected file"):
            fetch(server, tmp_path / "w.pth")
        assert list(tmp_path.glob("w.pth*")) == []
        fetch(server, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_reset_connection_goes_on_where_it_stopped(served: Path, tmp_path: Path, clock: Clock) -> None:
    with FileServer(served) as server:
        server.proxy.faults = [Fault("reset", after=300_000)]
        fetch(server, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_pause_ends_when_the_caller_stops(served: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def progress(done: int, total: int) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    with FileServer(served) as server:
        server.proxy.faults = [Fault("error", status=503, retry_after="600", times=10)]
        with pytest.raises(KeyboardInterrupt):
            download(server.url("w.pth"), tmp_path / "w.pth", size=1, sha256="", progress=progress)


def test_a_place_that_cannot_be_written_is_a_storage_error(served: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with FileServer(served) as server, pytest.raises(StorageError, match="cannot be written"):
        fetch(server, tmp_path / "file" / "w.pth")
