"""The package of somebody else's in ``extension_package``, built as a wheel and installed into a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from waiting import LONG

PACKAGE = Path(__file__).parent / "extension_package"
MODULE = "example_extension"
"""Its top-level module."""


def install(folder: Path) -> Path:
    """Build the wheel by the package's own build backend, as installers do, and unpack it.

    Args:
        folder: what is built and installed goes into it.

    Returns:
        The folder to put on ``PYTHONPATH``; importlib.metadata finds the entry points there.
    """
    source, site = folder / "source", folder / "site"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    build = "import build_backend, sys; print(build_backend.build_wheel(sys.argv[1]))"
    wheel = subprocess.check_output([sys.executable, "-c", build, str(folder)], cwd=source, text=True, timeout=LONG)
    with zipfile.ZipFile(folder / wheel.strip()) as archive:
        archive.extractall(site)
    return site


def run_with(site: Path, script: str, *arguments: str, **environment: str) -> str:
    """Run a script in a process that finds the installed package; return what it writes.

    Args:
        site: from :func:`install`.
        script: Python.
        arguments: of the script, its ``sys.argv[1:]``.
        environment: variables besides this process's.
    """
    path = os.pathsep.join([str(site), str(Path(__file__).parent)])
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
