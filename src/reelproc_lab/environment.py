"""Where a run was made and with which versions: without it a figure means nothing a year later."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import reelproc
from reelproc.executors.hardware import this_machine
from reelproc.machine.cores import cpu_name
from reelproc.media.ffmpeg_build import ffmpeg_version
from reelproc.schema import Schema

_PACKAGES = ("numpy", "opencv-python-headless", "av", "torch", "onnxruntime", "modal")


class Environment(Schema):
    """The client's machine and versions. What a job ran on, elsewhere, is in its measurement.

    Attributes:
        reelproc: the package's version.
        commit: of the git checkout that it was imported from, ``+`` after it where files were changed; empty: none.
        python, ffmpeg, system: versions.
        packages: those that the times depend on, as far as they are installed.
        cpu, cores, memory_bytes: of this machine.
        load: processes that wanted to run, averaged over the last minute, when the experiment began.
    """

    reelproc: str
    commit: str = ""
    python: str
    ffmpeg: str
    system: str
    packages: dict[str, str]
    cpu: str
    cores: float
    memory_bytes: int
    load: float = 0.0

    @property
    def machine(self) -> str:
        """One line for people."""
        return f"{self.cpu}, {self.cores:g} cores, {self.memory_bytes / (1 << 30):.0f} GiB, {self.system}"


@functools.cache
def environment() -> Environment:
    """Return this machine's environment, looked up once per process."""
    machine = this_machine()
    return Environment(
        reelproc=reelproc.__version__,
        commit=_commit(),
        python=platform.python_version(),
        ffmpeg=ffmpeg_version(),
        system=platform.platform(),
        packages={name: version for name in _PACKAGES if (version := _version(name))},
        cpu=cpu_name(),
        cores=machine.cores,
        memory_bytes=machine.memory_bytes,
        load=round(os.getloadavg()[0], 2),
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    folder = Path(reelproc.__file__).parent
    commit = _git(folder, "rev-parse", "--short=12", "HEAD")
    tracked = commit and _git(folder, "ls-files", "__init__.py")  # the package may lie in somebody else's repository
    if not tracked:
        return ""
    return f"{commit}+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else commit


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
