"""The folders in which reelproc keeps what outlives a process. None of them is created here."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for jobs, downloads and tables: what can be made again.

    ``REELPROC_HOME`` where it is set, else the platform's cache folder (``$XDG_CACHE_HOME/reelproc``, by default
    ``~/.cache/reelproc``; ``~/Library/Caches/reelproc`` on macOS).
    """
    return _folder("XDG_CACHE_HOME", ".cache", "Caches")


def data_folder() -> Path:
    """Return the folder for what was measured here: ``REELPROC_HOME`` where it is set, else the platform's data folder.

    That is ``$XDG_DATA_HOME/reelproc``, by default ``~/.local/share/reelproc``; ``~/Library/Application
    Support/reelproc`` on macOS.
    """
    return _folder("XDG_DATA_HOME", ".local/share", "Application Support")


def weights_folder() -> Path:
    """Return ``REELPROC_WEIGHTS`` where it is set, else ``weights`` in :func:`cache_folder`."""
    if named := os.environ.get("REELPROC_WEIGHTS"):
        return Path(named).absolute()
    return cache_folder() / "weights"


def _folder(variable: str, default: str, on_macos: str) -> Path:
    if home := os.environ.get("REELPROC_HOME"):
        return Path(home).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / on_macos / "reelproc"
    # the XDG specification: a relative path there is to be ignored
    named = Path(os.environ.get(variable) or "")
    return (named if named.is_absolute() else Path.home() / default) / "reelproc"
