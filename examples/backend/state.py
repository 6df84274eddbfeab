"""The parts of the running server, and how a route gets at them and at its user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from backend.board import Board
from backend.refused import Refused
from backend.runner import Runner
from backend.settings import Settings
from backend.store import Store
from backend.users import COOKIE, Users

__all__ = ["Backend", "CurrentUser", "Running"]


@dataclass(frozen=True)
class Backend:
    """What a server consists of."""

    settings: Settings
    store: Store
    users: Users
    board: Board
    runner: Runner


def running(connection: HTTPConnection) -> Backend:
    """Return the server's parts."""
    return cast("Backend", connection.app.state.backend)


def current_user(connection: HTTPConnection) -> str:
    """Return the user of a request or a web socket, by cookie or ``Authorization: Bearer`` header.

    Raises:
        Refused: 401, there is no token, or none that was made here.
    """
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    token = bearer if scheme.lower() == "bearer" else connection.cookies.get(COOKIE)
    user = running(connection).users.user(token)
    if user is None:
        raise Refused(401, "NotSignedIn", "open the page first, or POST /api/session for a token")
    return user


Running = Annotated[Backend, Depends(running)]
CurrentUser = Annotated[str, Depends(current_user)]
