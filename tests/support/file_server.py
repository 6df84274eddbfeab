"""A web server on the loopback that gives out the files of a folder, by ranges or whole."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from faulty_s3 import Proxy

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class FileServer:
    """A context manager.

    Args:
        folder: its files are given out.
        ranges: whether parts are.
        etag: whether answers tell one content from the next.
        secret: what the query must be, as in a presigned URL; empty: anything.
    """

    def __init__(self, folder: Path, *, ranges: bool = True, etag: bool = True, secret: str = "") -> None:
        self.folder = folder
        self.ranges = ranges
        self.etag = etag
        self.secret = secret

    def __enter__(self) -> Self:
        served = self

        class Handler(_Handler):
            files = served

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.proxy = Proxy(("127.0.0.1", self._server.server_address[1]))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.proxy.close()
        self._server.shutdown()
        self._server.server_close()

    def url(self, name: str) -> str:
        """The address of a file, through a proxy that counts and may fail."""
        return f"{self.proxy.url}/{name}" + (f"?{self.secret}" if self.secret else "")


class _Handler(BaseHTTPRequestHandler):
    files: FileServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = self.files.folder / unquote(parts.path).lstrip("/")
        if self.files.secret and parts.query != self.files.secret:
            self.send_error(403)
            return
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        asked = _RANGE.fullmatch(self.headers.get("Range", "")) if self.files.ranges else None
        start = int(asked[1]) if asked else 0
        end = min(int(asked[2]) + 1 if asked and asked[2] else size, size)
        if start >= end and size:
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        if self.files.etag:
            self.send_header("ETag", f'"{size}-{path.stat().st_mtime_ns}"')
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        with path.open("rb") as file:
            file.seek(start)
            self.wfile.write(file.read(end - start))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
