"""The application: ``uvicorn --app-dir examples --factory backend.app:create_app``, or ``python -m backend``."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import reelproc as rp
from backend import api_exports, api_sources, refused
from backend.board import Board
from backend.runner import Runner
from backend.settings import Settings
from backend.state import Backend, Running
from backend.store import Store
from backend.uploads import add_samples, remove_unknown
from backend.users import COOKIE, COOKIE_SECONDS, Users

__all__ = ["create_app"]

LOG = logging.getLogger("backend")

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application, with the given settings or the environment's."""
    chosen = settings or Settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        lock = _lock(chosen.folder(".") / "server.lock")
        store = Store(chosen.folder(".") / "backend.sqlite3")
        board = Board()
        executor = _executor(chosen)
        runner = Runner(chosen, store, board, executor)
        app.state.backend = Backend(chosen, store, Users(chosen.folder(".") / "secret"), board, runner)
        try:
            remove_unknown(store, chosen)
            await add_samples(store, chosen)
            await runner.start()
            yield
        finally:
            await runner.stop()
            store.close()
            lock.close()

    app = FastAPI(title="reelproc example backend", lifespan=lifespan, docs_url=None, redoc_url=None)
    refused.install(app)
    app.add_middleware(_Headers)
    app.include_router(api_sources.router)
    app.include_router(api_exports.router)
    app.add_api_route("/api/session", session, methods=["POST"])
    app.add_api_route("/healthz", health)
    app.mount("/", StaticFiles(directory=Path(__file__).parent / "page", html=True))
    return app


def session(connection: HTTPConnection, response: Response, backend: Running) -> dict[str, str]:
    """Who you are: the user of the cookie, or a new one. The token is also good for ``Authorization: Bearer``."""
    token = connection.cookies.get(COOKIE)
    user = backend.users.user(token)
    if token is None or user is None:
        token = backend.users.new_token()
        user = str(backend.users.user(token))
    response.set_cookie(
        COOKIE,
        token,
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=backend.settings.secure_cookie,
    )
    return {"user": user, "token": token}


def health(response: Response, backend: Running) -> dict[str, Any]:
    """Whether the server does its work: for whatever restarts it where it does not."""
    if not backend.runner.healthy:
        response.status_code = 503
    return {"ok": backend.runner.healthy, "executor": backend.settings.executor, "version": rp.__version__}


def _executor(settings: Settings) -> rp.Executor:
    if settings.executor == "local":
        return rp.executor("local", workers=settings.workers, folder=settings.folder("jobs"))
    return rp.executor(settings.executor, **({"staging": settings.staging} if settings.staging else {}))


def _lock(path: Path) -> IO[bytes]:
    """Keep a second server off the same folder: the two would run every export twice.

    Raises:
        RuntimeError: there is one.
    """
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise RuntimeError(f"a server uses {path.parent} already; stop it, or name another folder") from None
    return file


class _Headers:
    """Adds headers that keep a page from doing what ours never does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if not scope["path"].startswith("/api/"):
                    headers["Cache-Control"] = "no-cache"  # the page: looked at again whether it has changed
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
