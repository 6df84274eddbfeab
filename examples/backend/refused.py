"""The one form in which a request is refused: a status, and ``{"error": {"type", "message", "path"}}``."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

import reelproc as rp

__all__ = ["Refused", "check_disk", "install", "no_room"]


class Refused(Exception):
    """A request that is not done, and why.

    Attributes:
        status: the HTTP status.
        type: the error's name, for programs.
        path: the field of the request that is wrong, where it is one.
        retry_after: seconds after which it is worth trying again; None: it is not, or nobody knows.
    """

    def __init__(
        self,
        status: int,
        type: str,
        message: str,
        *,
        path: Sequence[str | int] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.path = tuple(path)
        self.retry_after = retry_after

    def answer(self) -> JSONResponse:
        """Return the client's answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        error = {"type": self.type, "message": str(self), "path": list(self.path)}
        return JSONResponse({"error": error}, self.status, headers=headers)


def check_disk(folder: Path, keep_free: int, wanted: int = 0) -> None:
    """Refuse where ``wanted`` bytes more would leave less than ``keep_free`` on the disk of ``folder``.

    Raises:
        Refused: 507.
    """
    if shutil.disk_usage(folder).free - wanted < keep_free:
        raise no_room()


def no_room() -> Refused:
    """507."""
    return Refused(507, "DiskFull", "the server has no room left; delete something, or try again later")


def _refused(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Refused):
        return error.answer()
    if isinstance(error, RequestValidationError):  # a body, a query or a header that is not what the route takes
        first = error.errors()[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        return Refused(422, "SpecError", message, path=first["loc"][1:]).answer()
    if isinstance(error, rp.SpecError):
        return Refused(422, "SpecError", str(error), path=error.path).answer()
    if isinstance(error, sqlite3.OperationalError):
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return no_room().answer()
        return Refused(503, "DatabaseUnavailable", "the database cannot be reached; try again", retry_after=5).answer()
    if isinstance(error, HTTPException):
        return Refused(error.status_code, "HTTPError", str(error.detail)).answer()
    raise error


def install(app: FastAPI) -> None:
    """Have every refusal of ``app`` answered in that form."""
    for kind in (Refused, RequestValidationError, rp.SpecError, HTTPException, sqlite3.OperationalError):
        app.add_exception_handler(kind, _refused)
