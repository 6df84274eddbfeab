"""What a command may write over: nothing but its own result, as it left it; and with ``--force`` whatever is there.

A command notes what it has written, in a folder of reelproc's cache: the file's place, size, modification time and (of
a small one) digest, and the job that made it. The same job again finds its own result unchanged, and may replace it; so
it does where the job's own folder says that it is. A file without such a note, one that has changed since, and the
result of another job are the user's.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from reelproc import storage
from reelproc.errors import ObjectNotFoundError, StorageError, shown_address
from reelproc.files import whole_file
from reelproc.folders import cache_folder
from reelproc.storage.local import local_path

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_MAX_DIGESTED_BYTES = 1 << 20
_KEEP_SECONDS = 400 * 86400

Job = str | Callable[[], str]
"""What made a result, as a text that equal jobs share; a function where it takes time to know."""


class OutputExistsError(click.ClickException):
    """A file of the user's is where a command is to write."""


def force_option(command: CommandT) -> CommandT:
    """Add ``--force``."""
    return click.option("--force", is_flag=True, help="Replace what is there already.")(command)


def job_of(command: str, *inputs: str | os.PathLike[str] | None, **settings: object) -> str:
    """Return a name for what ``command`` does: with the same settings, of inputs that have not changed.

    Args:
        command: its name.
        inputs: paths or addresses that it reads.
        settings: all else that its result depends on.
    """
    read: list[str | None] = []
    for address in inputs:
        if address == "-":  # standard input: nobody knows whether it is the same again
            read.append(secrets.token_hex())
            continue
        try:
            read.append(None if address is None else storage.identity(address))
        except StorageError as error:  # the command will say so
            read.append(str(error))
    return hashlib.sha256(repr((command, read, sorted(settings.items()))).encode()).hexdigest()[:32]


@contextmanager
def writing(
    *places: str | os.PathLike[str], job: Job, force: bool, is_result: Callable[[str], bool] = lambda _: False
) -> Iterator[Callable[[str | os.PathLike[str]], None]]:
    """Do the block, which writes ``places``, unless something of the user's is there; then note what was written.

    The block is given a function that notes one of several places as soon as it is written: what fails or is
    interrupted after that can be done again without ``force``.

    Args:
        places: paths or addresses of files.
        job: what is done; see :data:`Job`.
        force: write over whatever is there.
        is_result: whether the job of that name is known otherwise to have written what is there.

    Raises:
        click.UsageError: a place is standard output.
        OutputExistsError: something is there, and ``force`` is not given.
        StorageError: it cannot be seen whether something is there.
    """
    addresses = [os.fspath(place) for place in places]
    if "-" in addresses:
        raise click.UsageError("nothing is written to standard output: a result appears when it is whole; name a file")
    known = job

    def name() -> str:
        nonlocal known
        if not isinstance(known, str):
            known = known()
        return known

    if not force:
        found = [(address, why) for address in addresses if (why := _objection(address, name)) is not None]
        if found and not is_result(name()):
            _refuse(found)
    yield lambda place: remember(os.fspath(place), name)
    for address in addresses:
        remember(address, name)


def _refuse(objections: list[tuple[str, str]]) -> None:
    said = "; ".join(f"{shown_address(address)} is there already{why}" for address, why in objections)
    raise OutputExistsError(f"{said}: choose another name, or replace it with --force")


def _objection(address: str, job: Callable[[], str]) -> str | None:
    """Why what is at ``address`` may not be replaced; None: nothing is there, or a result of the same job."""
    now = _state(address)
    if now is None:
        return None
    noted = _read(_record(address))
    if noted is None:
        return ""
    if not (noted.get("identity") == now["identity"] or (now["sha256"] and noted.get("sha256") == now["sha256"])):
        return ", changed since reelproc wrote it"
    return None if noted.get("job") == job() else ", made by another job"


def _state(address: str) -> dict[str, str] | None:
    """Return what is at ``address``; None where nothing is, or what no command would replace."""
    scheme = storage.scheme_of(address)
    if scheme in ("http", "https") or scheme not in storage.storages or "\0" in address:
        return None  # nothing can be written there, and who tries says so
    if scheme != "file":
        try:
            return {"identity": storage.identity(address), "sha256": ""}
        except ObjectNotFoundError:
            return None
        except StorageError as error:
            raise StorageError(
                f"it cannot be seen whether {shown_address(address)} is there already: {error}; "
                "--force writes without looking",
                transient=error.transient,
            ) from error
    path = local_path(address)
    if not os.path.lexists(path) or path.is_dir():
        return None
    try:
        identity = storage.identity(address)
        small = path.stat().st_size <= _MAX_DIGESTED_BYTES
        return {"identity": identity, "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if small else ""}
    except (StorageError, OSError):  # a device, a link to nothing, a file that cannot be read
        return {"identity": "", "sha256": ""}


def _record(address: str) -> Path:
    place = address
    if storage.scheme_of(address) == "file":
        path = local_path(address)
        place = str(path.parent.resolve() / path.name)
    digest = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()
    return cache_folder() / "written" / f"{digest[:32]}.json"


def _read(record: Path) -> dict[str, str] | None:
    try:
        noted = json.loads(record.read_bytes())
    except (OSError, ValueError):
        return None
    return noted if isinstance(noted, dict) and noted.get("identity") else None


def remember(address: str, job: Callable[[], str]) -> None:
    """Write down that ``job`` wrote what is at ``address``; where that fails, the same job will ask for ``--force``."""
    record = _record(address)
    with suppress(StorageError, OSError):
        state = _state(address)
        if state is None:
            return
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(record) as partial:
            partial.write_text(json.dumps({**state, "job": job()}), encoding="utf-8")
        _forget_old(record.parent)


def _forget_old(folder: Path) -> None:
    limit = time.time() - _KEEP_SECONDS
    for record in folder.glob("*.json"):
        with suppress(OSError):
            if record.stat().st_mtime < limit:
                record.unlink()
