"""Run the server: ``cd examples && python -m backend --demo``, then open http://127.0.0.1:8000/."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import socket
import sys
from pathlib import Path

import uvicorn

from backend.app import create_app
from backend.settings import Settings
from reelproc.demo.match import MATCH_CLIP

SHUTDOWN_SECONDS = 5


def taken(host: str, port: int) -> socket.socket:
    """Take the port; it answers once the server listens on it.

    Raises:
        SystemExit: it cannot be had; the message says why.
    """
    try:
        (family, kind, _, _, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        place = socket.socket(family, kind)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
    except OSError as error:
        sys.exit(
            f"cannot serve on {host}, port {port}: {error.strerror}. "
            f"Stop what uses it, or choose another port: python -m backend --port {port + 1 if port < 65535 else 8000}"
        )
    return place


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m backend", description="An app's backend around reelproc.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data", type=Path, help="folder for everything that is kept (default: backend-data)")
    parser.add_argument("--demo", action="store_true", help="offer the demo's match as a sample")
    options = parser.parse_args()
    place = taken(options.host, options.port)
    settings = Settings.from_environment()
    if options.data is not None:
        settings = settings.model_copy(update={"data": options.data})
    if options.demo:
        settings = settings.model_copy(update={"samples": settings.folder("samples")})
        sample = settings.folder("samples") / "drawn-match.mp4"
        shutil.copyfile(MATCH_CLIP, sample)
    config = uvicorn.Config(
        create_app(settings),
        host=options.host,
        port=options.port,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws="websockets-sansio",
    )
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[place])
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    main()
