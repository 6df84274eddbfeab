"""Partly fetched files for ffmpeg children: HTTP with ranges on the loopback, under names that cannot be guessed.

A child can open neither a Python object nor, by our rules, the network. What it reads here is what
:class:`~reelproc.storage.partial_file.PartialFile` gives: bytes that are there, or were fetched for it, or an end of
the connection, never zeros. The server lives while there is something to serve.
"""

from __future__ import annotations

import re
import secrets
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from reelproc.errors import ReelprocError

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_PIECE_BYTES = 64 << 10
_IDLE_SECONDS = 120


class Served(Protocol):
    """A file whose parts are fetched when they are read; see :class:`~reelproc.storage.partial_file.PartialFile`."""

    size: int
    failure: ReelprocError | None

    def read(self, start: int, length: int, *, ahead: bool = True, check: Callable[[], None] = ...) -> bytes:
        """Return ``length`` bytes from ``start``."""


_lock = threading.Lock()
_files: dict[str, Served] = {}
_server: ThreadingHTTPServer | None = None


def serve(file: Served) -> str:
    """Offer ``file``; returns its address."""
    global _server  # noqa: PLW0603 - one per process
    token = secrets.token_urlsafe(24)
    with _lock:
        _files[token] = file
        if _server is None:
            _server = _Server(("127.0.0.1", 0), _Handler)
            threading.Thread(target=_server.serve_forever, name="reelproc-ranges", daemon=True).start()
        return f"http://127.0.0.1:{_server.server_address[1]}/{token}"


def withdraw(address: str) -> None:
    """Offer it no longer."""
    global _server
    with _lock:
        _files.pop(address.rpartition("/")[2], None)
        server = None
        if not _files:
            server, _server = _server, None
    if server is not None:
        server.shutdown()
        server.server_close()


class _ChildGoneError(Exception):
    """Nobody waits for what is being fetched."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a child that goes away in the middle is usual, and failures are kept by the file."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_SECONDS

    def setup(self) -> None:
        # the less waits in the socket, the less is fetched for a child that has had enough
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIECE_BYTES)
        super().setup()

    def do_GET(self) -> None:
        file = _files.get(self.path.removeprefix("/"))
        if file is None:
            self.send_error(404)
            return
        asked = _RANGE.fullmatch(self.headers.get("Range", "bytes=0-"))
        start = int(asked[1]) if asked else 0
        end = min(int(asked[2]) + 1 if asked and asked[2] else file.size, file.size)
        if start >= end:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{file.size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{file.size}")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        try:
            for at in range(start, end, _PIECE_BYTES):
                # the plan has fetched what the child is here for; what it reads beyond is thrown away in the end
                data = file.read(at, min(_PIECE_BYTES, end - at), ahead=False, check=self._check_child)
                self.wfile.write(data)
        except ReelprocError as error:
            file.failure = error  # the child only sees its input break off
        except _ChildGoneError:
            pass

    def _check_child(self) -> None:
        """Raise _ChildGoneError if nobody waits for the answer any more."""
        self.request.setblocking(False)
        try:
            gone = not self.request.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            gone = False
        except OSError:
            gone = True
        finally:
            self.request.settimeout(_IDLE_SECONDS)
        if gone:
            raise _ChildGoneError

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Nothing: the addresses are secrets."""
