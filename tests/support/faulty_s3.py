"""An S3 server on the loopback (moto) behind a proxy that can be told to fail.

Everything crosses real sockets: client, proxy, server. The proxy counts what it moves and misbehaves as its ``faults``
say, first come first served: each fault is used up by the requests that it fits.
"""

from __future__ import annotations

import http.client
import itertools
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

KEY, SECRET = "AKIATESTTESTTESTTEST", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
_serial = itertools.count()


@dataclass
class Fault:
    """What goes wrong.

    Attributes:
        kind: ``error`` (answer with ``status``, ``code`` and ``retry_after``, ``after`` bytes of it), ``reset`` (of the
            connection after ``after`` bytes of the answer's body), ``truncate`` (the body, its length said anew),
            ``etag`` (another one), ``flip`` (a bit of the body), ``lost`` (the request is carried out and the answer
            never sent), ``swallow`` (reset while the request's body comes), ``slow`` (``seconds`` before the answer).
        method, query: which requests: the HTTP method, and a pattern to be found in path and query.
        times: how many of them.
    """

    kind: str
    method: str = "GET"
    query: str = ""
    times: int = 1
    status: int = 500
    code: str = "InternalError"
    after: int = 100_000
    seconds: float = 0.0
    retry_after: str = ""

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and method == self.method and re.search(self.query, path) is not None


@dataclass
class Seen:
    """A request that came by."""

    method: str
    path: str
    range: str | None
    sent: int = 0
    received: int = 0


@dataclass
class Proxy:
    """Passes HTTP on to ``target`` (host, port), with faults."""

    target: tuple[str, int]
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        proxy = self
        self.lock = threading.Lock()

        class Handler(_ProxyHandler):
            state = proxy

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # clients and faults cut connections

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def moved_bytes(self) -> int:
        """Bytes of bodies that were sent to clients."""
        return sum(s.sent for s in self.seen)

    def count(self, method: str, query: str = "") -> int:
        return sum(s.method == method and re.search(query, s.path) is not None for s in self.seen)

    def take(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.fits(method, path):
                    fault.times -= 1
                    return fault
        return None

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _ProxyHandler(BaseHTTPRequestHandler):
    state: Proxy
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        seen = Seen(self.command, self.path, self.headers.get("Range"))
        self.state.seen.append(seen)
        fault = self.state.take(self.command, self.path)
        length = int(self.headers.get("Content-Length", 0))
        if self.headers.get("Expect", "").lower() == "100-continue":
            pass  # the base class has answered
        if fault and fault.kind == "swallow":
            self.rfile.read(min(length, fault.after))
            self._reset()
            return
        body = self.rfile.read(length)
        seen.received = len(body)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault and fault.kind == "error":
            text = f"<Error><Code>{fault.code}</Code><Message>{KEY} {SECRET}</Message></Error>".encode()
            self.send_response(fault.status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(text)))
            if fault.retry_after:
                self.send_header("Retry-After", fault.retry_after)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text[: fault.after])
            if fault.after < len(text):
                self.wfile.flush()
                self._reset()
            return
        upstream = http.client.HTTPConnection(*self.state.target, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("expect", "connection")}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            self._answer(answer, fault, seen)
        finally:
            upstream.close()

    def _answer(self, answer: http.client.HTTPResponse, fault: Fault | None, seen: Seen) -> None:
        kind = fault.kind if fault else ""
        if kind == "lost":
            answer.read()
            self._reset()
            return
        data = b"" if self.command == "HEAD" else answer.read()
        if kind == "truncate":
            data = data[: len(data) // 2]
        if kind == "flip":
            data = bytes([data[0] ^ 1]) + data[1:]
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in ("connection", "transfer-encoding", "server", "date"):
                continue
            if name.lower() == "content-length" and self.command != "HEAD":
                continue
            if name.lower() == "etag" and kind == "etag":
                value = '"00000000000000000000000000000000"'  # noqa: PLW2901
            self.send_header(name, value)
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if kind == "reset" and fault:
            data = data[: fault.after]
        self.wfile.write(data)
        seen.sent = len(data)
        if kind == "reset":
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class S3Service:
    """A moto server in this process; a context manager. ``fresh`` gives a bucket and a proxy of one's own."""

    bucket: str
    proxy: Proxy

    def __enter__(self) -> Self:
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.target = (str(host), int(port))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()

    @contextmanager
    def fresh(self) -> Iterator[Self]:
        """An empty bucket behind a new proxy."""
        self.bucket = f"bucket-{next(_serial)}"
        self.client.create_bucket(Bucket=self.bucket)
        self.proxy = Proxy(self.target)
        try:
            yield self
        finally:
            self.proxy.close()

    @property
    def environment(self) -> dict[str, str]:
        """What points reelproc at the proxy, as the app sets it for R2."""
        return {
            "R2_ENDPOINT_URL": self.proxy.url,
            "R2_ACCESS_KEY_ID": KEY,
            "R2_SECRET_ACCESS_KEY": SECRET,
            "R2_BUCKET_NAME": self.bucket,
        }

    @property
    def client(self) -> Any:
        """A client of the server itself, past the proxy."""
        import boto3

        if not hasattr(self, "_client"):
            self._client = boto3.client(
                "s3",
                endpoint_url=f"http://{self.target[0]}:{self.target[1]}",
                region_name="us-east-1",
                aws_access_key_id="a",
                aws_secret_access_key="b",
            )
        return self._client

    def put(self, key: str, content: bytes) -> str:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def keys(self) -> list[str]:
        return [o["Key"] for o in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def open_uploads(self) -> list[str]:
        return [u["Key"] for u in self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])]
