"""Run the server: ``cd examples && python -m backend --demo``, then open http://127.0.0.1:8000/."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from backend.app import create_app
from backend.settings import Settings
from reelproc.demo.match import Match, film

SHUTDOWN_SECONDS = 5


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m backend", description="An app's backend around reelproc.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data", type=Path, help="folder for everything that is kept (default: backend-data)")
    parser.add_argument("--demo", action="store_true", help="draw a match, and offer it as a sample")
    options = parser.parse_args()
    settings = Settings.from_environment()
    if options.data is not None:
        settings = settings.model_copy(update={"data": options.data})
    if options.demo:
        settings = settings.model_copy(update={"samples": settings.folder("samples")})
        sample = settings.folder("samples") / "drawn-match.mp4"
        if not sample.exists():
            print("drawing a match, once ...", flush=True)
            film(Match(), sample)
    uvicorn.run(
        create_app(settings),
        host=options.host,
        port=options.port,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws="websockets-sansio",
    )


if __name__ == "__main__":
    main()
