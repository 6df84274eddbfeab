"""What whoever runs the server may choose, each by an environment variable ``REELPROC_BACKEND_<NAME>``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from reelproc.schema import Schema

__all__ = ["Settings"]

Positive = Annotated[int, Field(ge=1)]
MIB, GIB = 1 << 20, 1 << 30


class Settings(Schema):
    """Where things are, and how much strangers may ask for.

    Attributes:
        data: the folder of everything that is kept: database, uploads, results, jobs, the secret that signs cookies.
        samples: a folder of videos that everybody may use.
        executor: what renders: a name for :func:`reelproc.executor`.
        staging: ``s3://bucket/prefix`` that takes this machine's files to an executor elsewhere; None: it needs none.
        workers: exports that are rendered at the same time; the others wait in the database.
        timeout: seconds that one export may run.
        attempts: how often an export is tried, where its error says that trying again can help.
        queue_limit: exports of all users that may wait or run; one more is answered 503.
        user_queue_limit: exports of one user that may wait or run; one more is answered 429.
        max_upload_bytes, max_upload_seconds: of one video.
        max_user_bytes: of all uploads of one user.
        max_clips, max_reel_seconds, max_output_pixels, max_fps: of one export.
        keep_free_bytes: of the disk; with less, uploads and exports are answered 507, so that what runs can end well.
        secure_cookie: send the cookie over https only; set it wherever there is https.
    """

    data: Path = Path("backend-data")
    samples: Path | None = None
    executor: str = "local"
    staging: str | None = None
    workers: Positive = 1
    timeout: Annotated[float, Field(gt=0)] = 1800.0
    attempts: Positive = 2
    queue_limit: Positive = 100
    user_queue_limit: Positive = 10
    max_upload_bytes: Positive = 2 * GIB
    max_upload_seconds: Positive = 3 * 3600
    max_user_bytes: Positive = 8 * GIB
    max_clips: Positive = 20
    max_reel_seconds: Positive = 300
    max_output_pixels: Positive = 1920 * 1920
    max_fps: Positive = 60
    keep_free_bytes: Annotated[int, Field(ge=0)] = 256 * MIB
    secure_cookie: bool = False

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings from the environment, with defaults for all others.

        Raises:
            SpecError: a value is not of its kind.
        """
        named = {name: os.environ.get(f"REELPROC_BACKEND_{name.upper()}") for name in cls.model_fields}
        return cls.model_validate({name: value for name, value in named.items() if value is not None})

    def folder(self, name: str) -> Path:
        """Return a folder in ``data``; make it if it is missing."""
        folder = self.data.absolute() / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
