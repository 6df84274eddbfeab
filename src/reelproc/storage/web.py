"""``https://`` sources, presigned URLs among them: read by range where the server allows it, never written to.

``http://`` is accepted for this machine's own loopback alone.
"""

from __future__ import annotations

import email.message
import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.parse import quote, urlsplit

from reelproc.errors import ObjectNotFoundError, SpecError, StorageError, redact, shown_address
from reelproc.retries import asked_pause, retried
from reelproc.storage.base import TransferCallback, no_progress
from reelproc.storage.remote import RemoteStorage, check_key
from reelproc.storage.remote_object import RemoteObject

STALL_SECONDS = 20
"""Without a byte, after which a connection is given up."""

PIECE_BYTES = 256 << 10
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_TRANSIENT = frozenset({408, 425, 429})

Refusal = Callable[[int, str, email.message.Message], StorageError]
"""Makes an error of an HTTP status, the address for people, and the answer's headers."""


@dataclass(frozen=True)
class _WebObject(RemoteObject):
    url: str = field(default="", repr=False)
    version: str = ""

    def read(self, start: int, end: int) -> Iterator[bytes]:
        if start >= end:
            return
        asked = f"bytes={start}-{end - 1}" if self.has_ranges else None
        with _get(self.url, self.address, asked) as answer:
            if self.has_ranges:
                got = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
                if answer.status != 206 or got is None or tuple(map(int, got.groups())) != (start, end - 1, self.size):
                    raise StorageError(f"{self.address} answered with another range than was asked for", transient=True)
            if _version(answer.headers) != self.version:
                raise StorageError(f"{self.address} was replaced by something else while it was read; try again")
            left = end - start
            while left > 0 and (piece := _piece(answer, min(left, PIECE_BYTES), self.address)):
                left -= len(piece)
                yield piece


def read_to_end(url: str, start: int, *, refusal: Refusal) -> Iterator[tuple[int, bytes]]:
    """Yield what is at ``url`` from ``start`` on, in one attempt: pieces with their places.

    Args:
        url: of any host, by https or http.
        start: the first byte wanted; a server that knows no ranges sends all, from place 0.
        refusal: makes the error of an answer that is none.

    Raises:
        StorageError: not to be had, transient where another attempt can help.
    """
    shown = shown_address(url)
    with _get(url, shown, f"bytes={start}-" if start else None, refusal) as answer:
        begins = (answer.headers.get("Content-Range") or "").removeprefix("bytes ").split("-")[0]
        at = start if answer.status == http.HTTPStatus.PARTIAL_CONTENT and begins == str(start) else 0
        while piece := _piece(answer, PIECE_BYTES, shown):
            yield at, piece
            at += len(piece)


class WebStorage(RemoteStorage):
    """Files on web servers."""

    def open(self, address: str) -> RemoteObject:
        """Return the file, by asking for its first byte: presigned URLs allow nothing but GET."""
        url = _checked(address)
        shown = shown_address(url)

        def ask() -> _WebObject:
            with _get(url, shown, "bytes=0-0") as answer:
                version = _version(answer.headers)
                got = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
                if answer.status == 206 and got is not None:
                    size, has_ranges = int(got[3]), True
                else:
                    size, has_ranges = _length(answer.headers, shown), False
            return _WebObject(shown, size, f"{shown}:{size}:{version}", has_ranges, url=url, version=version)

        return retried(ask)

    def local_output(self, address: str, *, folder: Path | None = None) -> NoReturn:
        """Refuse: nothing is written to the web."""
        raise _no_output(address)

    def publish(
        self, path: Path, address: str, *, keep: bool = False, progress: TransferCallback = no_progress
    ) -> NoReturn:
        """Refuse: nothing is written to the web."""
        raise _no_output(address)

    def remove(self, address: str) -> NoReturn:
        """Refuse: nothing is removed from the web."""
        raise _no_output(address)


def _no_output(address: str) -> SpecError:
    return SpecError(f"{address} can be a source only; write to a path or to s3://bucket/key")


def _checked(address: str) -> str:
    """Return ``address`` as a URL fit for a request line.

    Raises:
        SpecError: it has no host, holds a password, or is plain http to another machine.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise SpecError(f"{address} is not a web address: {error}") from None
    if not host:
        raise SpecError(f"{address} has no host; expected https://host/path")
    if parts.username is not None or parts.password is not None:
        raise SpecError(f"{address}: a user and password in a web address are not used; take a presigned URL")
    if parts.scheme.lower() == "http" and host not in _LOOPBACK:
        raise SpecError(f"{address} would be read unprotected; use https:// (http:// is for this machine alone)")
    check_key(parts.path.lstrip("/"), address)
    return quote(parts._replace(fragment="").geturl(), safe="%/:=&?~#+!$,;'@()*[]")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no way from https to http, nor by http from this machine's own servers to others."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        here, there = urlsplit(req.full_url), urlsplit(newurl)
        as_open = here.scheme == there.scheme == "http" and (
            there.hostname in _LOOPBACK or here.hostname not in _LOOPBACK
        )
        if there.scheme != "https" and not as_open:
            fp.close()
            raise StorageError(f"{shown_address(req.full_url)} redirects to an unprotected address; it is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def can_pass(status: int) -> bool:
    """Return whether a later request may get another answer than this HTTP status."""
    return status >= 500 or status in _TRANSIENT


def _get(url: str, shown: str, asked: str | None, refusal: Refusal | None = None) -> Any:
    """Return the answer to a GET request for a range, or for all."""
    headers = {"User-Agent": "reelproc", "Accept-Encoding": "identity"} | ({"Range": asked} if asked else {})
    handlers: list[urllib.request.BaseHandler] = [_SafeRedirects()]
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        handlers.append(urllib.request.ProxyHandler({}))  # the loopback is reached directly
    opener = urllib.request.build_opener(*handlers)
    try:
        return opener.open(urllib.request.Request(url, headers=headers), timeout=STALL_SECONDS)  # noqa: S310 - see _checked
    except urllib.error.HTTPError as error:
        with error:
            raise (refusal or _status_error)(error.code, shown, error.headers) from None
    except urllib.error.URLError as error:
        reason = error.reason
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise StorageError(f"{shown}: its certificate is not valid ({reason.verify_message})") from None
        raise StorageError(f"{shown} cannot be reached ({redact(str(reason))})", transient=True) from None
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{shown} cannot be read: {type(error).__name__}", transient=True) from None


def _piece(answer: Any, count: int, shown: str) -> bytes:
    try:
        piece: bytes = answer.read(count)
    except (OSError, http.client.HTTPException) as error:
        raise StorageError(f"{shown} broke off: {type(error).__name__}", transient=True) from None
    return piece


def _status_error(status: int, shown: str, headers: email.message.Message) -> StorageError:
    if status in (404, 410):
        return ObjectNotFoundError(f"there is nothing at {shown} (status {status}); check the address")
    if can_pass(status):
        asked = asked_pause(headers.get("Retry-After"), headers.get("Date"))
        return StorageError(
            f"{shown} cannot be read for now (status {status})", transient=True, retry_after_seconds=asked
        )
    if status in (400, 401, 403):
        return StorageError(f"{shown} may not be read (status {status}); a presigned address may have expired")
    if status == 416:
        return StorageError(f"{shown} is empty, or has no such range (status 416)")
    return StorageError(f"{shown} cannot be read (status {status})")


def _length(headers: http.client.HTTPMessage, shown: str) -> int:
    length = headers.get("Content-Length", "")
    if not length.isdecimal():
        raise StorageError(f"{shown} does not say how long it is; download it yourself and name the file")
    return int(length)


def _version(headers: http.client.HTTPMessage) -> str:
    """Return what tells one content at an address from the next; empty where the server says nothing."""
    return headers.get("ETag") or headers.get("Last-Modified") or ""
