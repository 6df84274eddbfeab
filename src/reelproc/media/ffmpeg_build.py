"""Find ffmpeg, and tell its version, its encoders and its filters."""

from __future__ import annotations

import functools
import os
import re
import subprocess

from reelproc.errors import MissingDependencyError

FFMPEG_MINIMUM = (6, 1)
"""Older ones guess time bases: Debian's 5.1.9 gave wrong timestamps on 14 of 16 test files."""


@functools.cache
def _find(override: str | None) -> tuple[str, str]:
    if override:
        path = override
    else:
        try:
            import imageio_ffmpeg

            path = imageio_ffmpeg.get_ffmpeg_exe()
        except (ImportError, RuntimeError) as error:
            raise MissingDependencyError(
                f"no ffmpeg: imageio-ffmpeg carries none for this machine ({error}); "
                "pip install imageio-ffmpeg, or set REELPROC_FFMPEG to an ffmpeg of at least 6.1"
            ) from error
    try:
        out = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingDependencyError(
            f"{path!r} does not run as ffmpeg ({error}); unset REELPROC_FFMPEG to use the bundled one"
        ) from error
    version = ([*out.split(), "?", "?", "?"])[2]
    number = re.match(r"n?(\d+)\.(\d+)", version)
    if number and tuple(map(int, number.groups())) < FFMPEG_MINIMUM:
        raise MissingDependencyError(
            f"{path!r} is ffmpeg {version}, at least 6.1 is needed (older ones guess timestamps); "
            "unset REELPROC_FFMPEG to use the bundled one"
        )
    return path, version


def ffmpeg_path() -> str:
    """Return the ffmpeg to run: ``REELPROC_FFMPEG`` where it is set, else the one that imageio-ffmpeg carries.

    Raises:
        MissingDependencyError: there is none, it does not run, or it is older than 6.1.
    """
    return _find(os.environ.get("REELPROC_FFMPEG"))[0]


def ffmpeg_version() -> str:
    """Return the version of :func:`ffmpeg_path`, e.g. ``"9.0.2"``; part of a segment's identity."""
    return _find(os.environ.get("REELPROC_FFMPEG"))[1]


@functools.cache
def _encoders(path: str) -> frozenset[str]:
    out = subprocess.run([path, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=30, check=False)
    return frozenset(re.findall(r"^ [VAS][.A-Z]{5} (\S+)", out.stdout, re.MULTILINE))


def encoders() -> frozenset[str]:
    """Return the names of the encoders that this ffmpeg was built with; a hardware one may lack its hardware."""
    return _encoders(ffmpeg_path())


@functools.cache
def _filters(path: str) -> frozenset[str]:
    out = subprocess.run([path, "-hide_banner", "-filters"], capture_output=True, text=True, timeout=30, check=False)
    return frozenset(re.findall(r"^ [TSC.]{2,3} (\S+)\s+\S+->", out.stdout, re.MULTILINE))


def filters() -> frozenset[str]:
    """Return the names of the filters that this ffmpeg was built with."""
    return _filters(ffmpeg_path())
