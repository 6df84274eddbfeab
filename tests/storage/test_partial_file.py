"""A file that is filled as it is read: always the content, never zeros, and no more of it than was asked for."""

from __future__ import annotations

import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelproc import retries
from reelproc.errors import StorageError
from reelproc.storage.partial_file import BLOCK_BYTES, LONGEST_AHEAD_BYTES, PartialFile
from reelproc.storage.ranged_source import RangedSource
from reelproc.storage.remote_object import RemoteObject

CONTENT = os.urandom(40 * BLOCK_BYTES + 777)


@dataclass(frozen=True)
class Memory(RemoteObject):
    """An object in memory, which notes what is asked of it and fails as often as it is told."""

    asked: list[tuple[int, int]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        self.asked.append((start, end))
        if self.failures:
            yield CONTENT[start : start + self.failures.pop()]
            raise StorageError("broken off", transient=True)
        for at in range(start, end, 100_000):
            yield CONTENT[at : min(at + 100_000, end)]


@pytest.fixture
def remote() -> Memory:
    return Memory("s3://bucket/game.mp4", len(CONTENT), "identity")


@pytest.fixture
def file(remote: Memory, tmp_path: Path) -> Iterator[PartialFile]:
    made = PartialFile(remote, tmp_path / "game.mp4")
    yield made
    made.close()
    assert not (tmp_path / "game.mp4").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(st.integers(0, len(CONTENT) + 10), st.integers(0, 3 * BLOCK_BYTES)), max_size=8))
def test_whatever_is_read_is_the_content(file: PartialFile, reads: list[tuple[int, int]]) -> None:
    for start, length in reads:
        assert file.read(start, length) == CONTENT[start : start + length]


def test_nothing_is_fetched_twice(file: PartialFile, remote: Memory) -> None:
    for start in (0, 5 * BLOCK_BYTES, 0, BLOCK_BYTES // 2, 5 * BLOCK_BYTES + 1):
        file.read(start, BLOCK_BYTES)
    file.complete()
    fetched = sorted(remote.asked)
    assert fetched[0][0] == 0
    assert all(a[1] == b[0] for a, b in zip(fetched, fetched[1:], strict=False))
    assert file.fetched_bytes == len(CONTENT)


def test_straight_reading_fetches_ahead_and_jumping_does_not(file: PartialFile, remote: Memory) -> None:
    file.read(20 * BLOCK_BYTES, 10)
    assert remote.asked == [(20 * BLOCK_BYTES, 21 * BLOCK_BYTES)]
    for at in range(0, len(CONTENT), BLOCK_BYTES):
        file.read(at, BLOCK_BYTES)
    sizes = [end - start for start, end in remote.asked]
    assert max(sizes) <= LONGEST_AHEAD_BYTES
    assert len(sizes) < 12


def test_a_read_goes_on_where_it_broke_off(file: PartialFile, remote: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.01)
    remote.failures[:] = [1000, 500]
    assert file.read(0, BLOCK_BYTES, ahead=False) == CONTENT[:BLOCK_BYTES]
    assert [start for start, _ in remote.asked] == [0, 500, 1500]


def test_threads_may_share_it(file: PartialFile) -> None:
    wrong: list[int] = []

    def read(first: int) -> None:
        places = range(first, len(CONTENT) - 50_000, 200_000)
        wrong.extend(at for at in places if file.read(at, 50_000) != CONTENT[at : at + 50_000])

    threads = [threading.Thread(target=read, args=(n * 50_000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_both_doors_show_the_content(file: PartialFile) -> None:
    source = RangedSource(file, name="s3://bucket/game.mp4")
    assert (source.identity, source.size, source.path) == ("identity", len(CONTENT), None)
    with source.open() as binary:
        binary.seek(-777, os.SEEK_END)
        assert binary.read() == CONTENT[-777:]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    *_, address = source.input()
    asked = urllib.request.Request(address, headers={"Range": "bytes=1000-299999"})
    with opener.open(asked, timeout=10) as answer:
        assert answer.status == 206
        assert answer.read() == CONTENT[1000:300_000]
    guessed = address.rpartition("/")[0] + "/guessed"
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(guessed, timeout=10)
    caught.value.close()
    assert caught.value.code == 404
    source.close()
    assert not file.path.exists()
    with pytest.raises(urllib.error.URLError):
        opener.open(address, timeout=10)


def test_what_is_downloaded_whole_is_a_local_file_with_the_remote_name(file: PartialFile, remote: Memory) -> None:
    source = RangedSource(file, name="s3://bucket/game.mp4")
    assert source.input()[:3] == ["-protocol_whitelist", "http,tcp", "-i"]
    path = source.fetch()
    assert path.read_bytes() == CONTENT
    assert (source.path, source.name, source.identity) == (path, "s3://bucket/game.mp4", "identity")
    assert source.input() == ["-protocol_whitelist", "file,pipe,fd", "-i", f"file:{path}"]
    asked = len(remote.asked)
    with source.open() as binary:
        assert binary.read() == CONTENT
    assert len(remote.asked) == asked
    source.close()
    assert not path.exists()


def test_a_read_that_failed_is_the_sources_to_tell(
    file: PartialFile, remote: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "DEADLINE_SECONDS", 0.1)
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.01)
    source = RangedSource(file, name="s3://bucket/game.mp4")
    source.check()
    remote.failures[:] = [0] * 100
    with source.open() as binary, pytest.raises(StorageError):
        binary.read(10)
    with pytest.raises(StorageError, match="broken off"):
        source.check()


def test_a_source_that_others_read_stays_when_one_is_closed(file: PartialFile) -> None:
    one, two = (RangedSource(file, name="s3://bucket/game.mp4", keep=True) for _ in range(2))
    one.close()
    with two.open() as binary:
        assert binary.read(10) == CONTENT[:10]


def test_a_closed_file_cannot_be_read(file: PartialFile) -> None:
    file.close()
    with pytest.raises(StorageError, match="was closed"):
        file.read(0, 10)
