"""Weights: fetched, resumed, verified, added. The server is a real one, on this machine."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from reelproc.errors import BackendError, ObjectNotFoundError, SpecError, StorageError
from reelproc.storage import download as downloading
from reelproc.storage.download import download
from reelproc.upscalers import weights
from reelproc.upscalers.weights import OFFICIAL, OfficialFile
from waiting import LONG, eventually

CONTENT = np.random.default_rng(0).integers(0, 256, 3_000_000, dtype=np.uint8).tobytes()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """What a server does, and what it was asked for.

    Attributes:
        break_after: bytes after which each of the next answers breaks off; empty: none does.
        ranges: whether it knows about ranges.
        status: other than 200, what it answers.
        hold_after: bytes after which an answer waits until ``go`` is set; None: none does.
    """

    content: bytes = CONTENT
    break_after: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 200
    hold_after: int | None = None
    go: threading.Event = field(default_factory=threading.Event)
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append(asked)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/file")
                self.end_headers()
                return
            if state.status != 200:
                self.send_error(state.status)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(state.content) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
            self.end_headers()
            body = state.content[start:]
            if state.break_after:
                body = body[: state.break_after.pop(0)]
            if state.hold_after is not None:
                self.wfile.write(body[: state.hold_after])
                state.go.wait(LONG)
                body = body[state.hold_after :]
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_port}/file"
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REELPROC_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("REELPROC_OFFLINE", raising=False)
    return tmp_path / "weights"


def fetch(server: Server, target: Path, seen: list[tuple[int, int]] | None = None) -> None:
    def progress(done: int, total: int) -> None:
        if seen is not None:
            seen.append((done, total))

    download(server.url, target, size=len(CONTENT), sha256=DIGEST, progress=progress)


def test_a_file_arrives_whole_with_progress_and_nothing_beside_it(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch(server, tmp_path / "new" / "w.pth", seen)
    assert (tmp_path / "new" / "w.pth").read_bytes() == CONTENT
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["w.pth"]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    fetch(server, tmp_path / "new" / "w.pth")
    assert server.asked == [None], "what is there and right is not fetched again"


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    server.url = server.url.replace("/file", "/moved")
    fetch(server, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_broken_connection_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.break_after = [1_000_000, 500_000]
    fetch(server, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000000-", "bytes=1500000-"]


def test_a_server_without_ranges_starts_again(server: Server, tmp_path: Path) -> None:
    server.break_after, server.ranges = [1_000_000], False
    fetch(server, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_what_keeps_breaking_off_is_kept_for_the_next_time(server: Server, tmp_path: Path) -> None:
    server.break_after = [100_000] * downloading.ATTEMPTS
    with pytest.raises(StorageError, match="ended after 300,000 of 3,000,000 bytes; what has") as raised:
        fetch(server, tmp_path / "w.pth")
    assert raised.value.transient
    assert not (tmp_path / "w.pth").exists()
    fetch(server, tmp_path / "w.pth")
    assert server.asked[-1] == "bytes=300000-"


def test_another_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT[:-1] + b"!" if CONTENT[-1:] != b"!" else CONTENT[:-1] + b"?"
    with pytest.raises(StorageError, match="is not the expected file: its sha256 is") as raised:
        fetch(server, tmp_path / "w.pth")
    assert not raised.value.transient
    assert list(tmp_path.glob("w.pth*")) == []


def test_a_longer_file_is_not_taken(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT + b"more"
    with pytest.raises(StorageError, match="more than the 3,000,000 bytes"):
        fetch(server, tmp_path / "w.pth")
    assert not (tmp_path / "w.pth").exists()


@pytest.mark.parametrize(("status", "transient", "times"), [(404, False, 1), (403, False, 1), (503, True, 3)])
def test_what_the_server_answers_is_said(
    server: Server, tmp_path: Path, status: int, transient: bool, times: int
) -> None:
    server.status = status
    with pytest.raises(StorageError, match=f"the server answers {status}") as raised:
        fetch(server, tmp_path / "w.pth")
    assert raised.value.transient is transient
    assert len(server.asked) == times


def test_a_killed_download_is_resumed_by_the_next_process(server: Server, tmp_path: Path) -> None:
    server.hold_after = 2_000_000
    code = (
        "import sys; from pathlib import Path; from reelproc.storage.download import download;"
        f"download({server.url!r}, Path({str(tmp_path / 'w.pth')!r}), size={len(CONTENT)}, sha256={DIGEST!r})"
    )
    child = subprocess.Popen([sys.executable, "-c", code])
    part = tmp_path / "w.pth.part"
    assert eventually(lambda: part.exists() and part.stat().st_size > 500_000)
    child.kill()
    child.wait()
    there = part.stat().st_size
    assert there < len(CONTENT)
    server.hold_after = None
    server.go.set()
    fetch(server, tmp_path / "w.pth")
    assert server.asked[-1] == f"bytes={there}-"
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_two_at_once_fetch_once(server: Server, tmp_path: Path) -> None:
    server.hold_after = 2_000_000
    threads = [threading.Thread(target=fetch, args=(server, tmp_path / "w.pth")) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: server.asked)
    server.go.set()
    for thread in threads:
        thread.join(LONG)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert server.asked == [None]


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="https:// addresses, got file:///etc/passwd"):
        download("file:///etc/passwd", tmp_path / "w.pth", size=1, sha256="")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> str:
    """An official file that the server has."""
    monkeypatch.setitem(OFFICIAL, "small.pth", OfficialFile("small.pth", "v9", len(CONTENT), DIGEST))
    return "small.pth"


def test_official_files_are_named_as_the_releases_have_them() -> None:
    assert sorted(OFFICIAL) == sorted(file.name for file in OFFICIAL.values())
    for file in OFFICIAL.values():
        assert file.url.startswith("https://github.com/xinntao/Real-ESRGAN/releases/download/v0.")
        assert file.url.endswith(file.name)
        assert len(bytes.fromhex(file.sha256)) == 32


def test_a_fetched_file_is_official_and_checked_before_use(server: Server, folder: Path, small: str) -> None:
    assert weights.weights_sha256(small) == DIGEST
    assert weights.kept_file(small) is None
    kept = weights.fetch(small, url=server.url)
    assert kept.official
    assert weights.checked_weights(small) == folder / small
    damaged = bytearray(CONTENT)
    damaged[5] ^= 1
    (folder / small).write_bytes(damaged)
    with pytest.raises(BackendError, match=r"small.pth is damaged.*delete it; then: reelproc models fetch small.pth"):
        weights.checked_weights(small)


def test_an_added_file_takes_an_official_ones_place_and_says_so(
    server: Server, tmp_path: Path, folder: Path, small: str
) -> None:
    (tmp_path / "mine.pth").write_bytes(b"other weights")
    kept = weights.add(tmp_path / "mine.pth", small)
    assert not kept.official
    assert kept.sha256 == hashlib.sha256(b"other weights").hexdigest()
    index = json.loads((folder / "index.json").read_text())
    assert index[small] == {"sha256": kept.sha256, "origin": f"added from {tmp_path / 'mine.pth'}"}
    assert weights.checked_weights(small).read_bytes() == b"other weights"
    weights.fetch(small, url=server.url)
    assert weights.kept_file(small) == weights.KeptFile(folder / small, DIGEST, True, OFFICIAL[small].url)


def test_adding_the_official_file_itself_is_no_replacement(tmp_path: Path, small: str) -> None:
    (tmp_path / small).write_bytes(CONTENT)
    assert weights.add(tmp_path / small).official
    assert weights.added_names() == ()


def test_an_added_file_that_changes_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "own.pth").write_bytes(b"one")
    weights.add(tmp_path / "own.pth")
    (folder / "own.pth").write_bytes(b"two!")
    with pytest.raises(BackendError, match=r"own.pth is damaged.*add it again"):
        weights.checked_weights("own.pth")


@pytest.mark.parametrize(
    ("file", "name", "error"),
    [("none.pth", None, ObjectNotFoundError), ("a.pth", "../b.pth", SpecError), ("a.pth", "b.onnx", SpecError)],
)
def test_what_cannot_be_added(tmp_path: Path, file: str, name: str | None, error: type[Exception]) -> None:
    (tmp_path / "a.pth").write_bytes(b"a")
    with pytest.raises(error):
        weights.add(tmp_path / file, name)


def test_offline_names_the_file_the_address_and_the_place(
    monkeypatch: pytest.MonkeyPatch, folder: Path, small: str
) -> None:
    monkeypatch.setenv("REELPROC_OFFLINE", "1")
    with pytest.raises(BackendError) as raised:
        weights.checked_weights(small)
    for part in (small, OFFICIAL[small].url, str(folder), "REELPROC_WEIGHTS", "models add FILE --name small.pth"):
        assert part in str(raised.value)


def test_a_file_in_the_wrong_place_is_no_weights(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"there are no weights 'nowhere.pth'"):
        weights.checked_weights("nowhere.pth")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SpecError, match=r"weights are .pth, .pt, .ckpt, .safetensors, .onnx files"):
        weights.checked_weights(str(tmp_path / "notes.txt"))
    with pytest.raises(SpecError, match=r"no official weights are called 'x.pth'"):
        weights.fetch("x.pth")
