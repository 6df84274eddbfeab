"""``reelproc doctor``: is everything here that reelproc needs?"""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Literal

import click

from reelproc.cli.common import common_options
from reelproc.cli.failures import FAILED
from reelproc.errors import BackendError
from reelproc.schema import Schema, readable_path

Status = Literal["ok", "warn", "fail"]

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_LOW_DISK_BYTES = 2 * 1024**3
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+).*?(?:;.*\bextra\s*==\s*['\"]([^'\"]+)['\"])?$")


class Check(Schema):
    """One line of the report.

    Attributes:
        name: what was looked at.
        status: ``fail`` where reelproc cannot work so.
        detail: what was found, and what to do about it.
    """

    name: str
    status: Status
    detail: str


class Report(Schema):
    """All lines, and whether none of them fails."""

    ok: bool
    checks: tuple[Check, ...]


@click.command()
@common_options
def doctor(as_json: bool) -> None:
    """Check this machine: ffmpeg, encoders, packages, fonts, disk. Fails only where something required is missing."""
    checks = tuple(_checks())
    report = Report(ok=all(check.status != "fail" for check in checks), checks=checks)
    if as_json:
        click.echo(report.model_dump_json())
    else:
        for check in checks:
            click.echo(f"{click.style(f'{check.status:>4}', fg=_COLOURS[check.status])}  {check.name}: {check.detail}")
    if not report.ok:
        click.get_current_context().exit(FAILED)


def _checks() -> Iterator[Check]:
    yield _python()
    yield _machine()
    yield from _packages()
    yield _opencv()
    yield _detection()
    yield from _ffmpeg()
    yield _fonts()
    yield from _disk()


def _python() -> Check:
    from reelproc import __version__

    detail = f"reelproc {__version__}, Python {platform.python_version()} at {sys.executable}, {platform.platform()}"
    return Check(name="python", status="ok", detail=detail)


def _machine() -> Check:
    from reelproc.executors.hardware import this_machine

    here = this_machine()
    return Check(
        name="machine", status="ok", detail=f"{here.cores:g} cores, {here.memory_bytes / 1024**3:.1f} GiB of memory"
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _packages() -> Iterator[Check]:
    """Check the required packages; one line for each extra."""
    groups: dict[str, list[str]] = {}
    for requirement in metadata.requires("reelproc") or []:
        match = _REQUIREMENT.match(requirement)
        if match and match[1] != "reelproc":
            groups.setdefault(match[2] or "", []).append(match[1])
    required = groups.pop("", [])
    missing = [name for name in required if _version(name) is None]
    versions = ", ".join(f"{name} {_version(name)}" for name in required if name not in missing)
    if missing:
        detail = f"missing {', '.join(missing)}: pip install --force-reinstall reelproc; here are {versions}"
        yield Check(name="packages", status="fail", detail=detail)
    else:
        yield Check(name="packages", status="ok", detail=versions)
    here = [extra for extra, names in groups.items() if all(_version(name) for name in names)]
    away = [extra for extra in groups if extra not in here]
    detail = f"installed: {', '.join(here) or 'none'}"
    if away:
        detail += f"; not installed: {', '.join(away)} (pip install 'reelproc[NAME]')"
    yield Check(name="extras", status="ok", detail=detail)


def _opencv() -> Check:
    """Several OpenCV packages write into one folder; removing one breaks the others."""
    names = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
    found = [name for name in names if _version(name)]
    try:
        import cv2
    except ImportError as error:
        detail = f"cv2 cannot be imported ({error}): pip install --force-reinstall --no-deps opencv-python-headless"
        return Check(name="opencv", status="fail", detail=detail)
    if not hasattr(cv2, "warpPerspective"):
        detail = "cv2 is an empty shell: pip install --force-reinstall --no-deps opencv-python-headless"
        return Check(name="opencv", status="fail", detail=detail)
    if len(found) > 1:
        detail = f"{', '.join(found)} share one folder; they work together, but removing one breaks cv2 for all"
        return Check(name="opencv", status="warn", detail=detail)
    return Check(
        name="opencv", status="ok", detail=f"cv2 {cv2.__version__} from {', '.join(found) or 'outside of pip'}"
    )


def _detection() -> Check:
    """Check the extra ``detect``: its licence is not ours, and its model has to be brought along."""
    from reelproc.folders import weights_folder

    version = _version("ultralytics")
    if version is None:
        detail = "not installed: pip install 'reelproc[detect]' (ultralytics is under AGPL-3.0)"
        return Check(name="detection", status="ok", detail=detail)
    models = ", ".join(sorted(p.name for p in weights_folder().glob("*.pt"))) or "none"
    detail = f"ultralytics {version}, under AGPL-3.0; checkpoints in {weights_folder()}: {models}"
    return Check(name="detection", status="ok", detail=detail)


def _ffmpeg() -> Iterator[Check]:
    """ffmpeg itself, and what it can encode here."""
    from reelproc.media.ffmpeg_build import encoders, ffmpeg_path, ffmpeg_version
    from reelproc.media.write.encoders import ENCODERS, EncoderSettings, check_encoder

    try:
        detail = f"{ffmpeg_version()} at {ffmpeg_path()}"
    except BackendError as error:
        yield Check(name="ffmpeg", status="fail", detail=str(error))
        return
    yield Check(name="ffmpeg", status="ok", detail=detail)
    works, fails = [], {}
    for name in ENCODERS:
        try:
            check_encoder(EncoderSettings(name))
        except BackendError as error:
            fails[name] = str(error).splitlines()[0]
        else:
            works.append(name)
    detail = f"work here: {', '.join(works) or 'none'}"
    if fails:
        detail += f"; do not: {', '.join(fails)}"
    if "libx264" in fails:
        yield Check(name="encoders", status="fail", detail=f"{detail}. {fails['libx264']}")
    else:
        yield Check(name="encoders", status="ok", detail=detail)
    if "aac" not in encoders():
        yield Check(name="sound", status="fail", detail="this ffmpeg has no AAC encoder; unset REELPROC_FFMPEG")
    else:
        yield Check(name="sound", status="ok", detail="aac")


def _fonts() -> Check:
    import reelproc

    folder = Path(reelproc.__file__).parent / "drawing" / "fonts"
    fonts = sorted(p.name for p in folder.glob("*.[to]tf"))
    if not fonts:
        return Check(
            name="fonts", status="fail", detail=f"no fonts in {folder}: pip install --force-reinstall reelproc"
        )
    return Check(name="fonts", status="ok", detail=f"{len(fonts)} in {folder}")


def _disk() -> Iterator[Check]:
    """Room for jobs, and where we are."""
    from reelproc.folders import cache_folder

    for name, folder in (("disk for jobs", cache_folder()), ("disk here", Path.cwd())):
        there = next(p for p in (folder, *folder.parents) if p.exists())
        free = shutil.disk_usage(there).free
        detail = f"{free / 1024**3:.1f} GiB free at {readable_path(folder)}"
        if free < _LOW_DISK_BYTES:
            yield Check(name=name, status="warn", detail=f"{detail}: a long reel may not fit")
        else:
            yield Check(name=name, status="ok", detail=detail)
