"""The files that networks are loaded from: where they come from, where they are kept, and that they are right.

Official files are named here with their size and sha256, fetched when first needed (or by ``reelproc models fetch``),
and checked before their first use in a process. A file that a user adds (``reelproc models add``) is kept under the
name it is to be used by, with its own sha256, in the same folder; ``index.json`` there says which are of that kind.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from reelproc.errors import BackendError, ObjectNotFoundError, SpecError, StorageError
from reelproc.files import sha256_of, whole_file
from reelproc.folders import weights_folder
from reelproc.machine.posix import fcntl
from reelproc.storage.base import TransferCallback, no_progress
from reelproc.storage.download import download
from reelproc.suggestions import did_you_mean

SUFFIXES = (".pth", ".pt", ".ckpt", ".safetensors", ".onnx")
"""What weights may come as, in small letters or capitals; the first three are read as tensors only, never run."""

_RELEASES = "https://github.com/xinntao/Real-ESRGAN/releases/download"


@dataclass(frozen=True, slots=True)
class OfficialFile:
    """A file of the Real-ESRGAN project, (c) 2021 Xintao Wang, BSD-3-Clause.

    Attributes:
        name: of the file.
        release: the tag of the release that it is attached to.
        size: bytes.
        sha256: hex digest.
    """

    name: str
    release: str
    size: int
    sha256: str

    @property
    def url(self) -> str:
        """Where it is downloaded from."""
        return f"{_RELEASES}/{self.release}/{self.name}"


OFFICIAL: dict[str, OfficialFile] = {
    file.name: file
    for file in (
        OfficialFile(
            "realesr-general-x4v3.pth",
            "v0.2.5.0",
            4_885_111,
            "8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292",
        ),
        OfficialFile(
            "realesr-general-wdn-x4v3.pth",
            "v0.2.5.0",
            4_885_111,
            "1641f8c4464b9f097c9fdda5589273713f67cf59f3d909e0bd688f0cee269dca",
        ),
        OfficialFile(
            "realesr-animevideov3.pth",
            "v0.2.5.0",
            2_504_012,
            "b8a8376811077954d82ca3fcf476f1ac3da3e8a68a4f4d71363008000a18b75d",
        ),
        OfficialFile(
            "RealESRGAN_x4plus.pth",
            "v0.1.0",
            67_040_989,
            "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
        ),
        OfficialFile(
            "RealESRGAN_x2plus.pth",
            "v0.2.1",
            67_061_725,
            "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
        ),
    )
}
"""By name. Addresses, sizes and digests as the releases carry them."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file in the weights folder.

    Attributes:
        path: where it is.
        sha256: what it must have.
        official: whether that is the official file's; False: somebody added it here.
        origin: for people: the address, or how it came here.
    """

    path: Path
    sha256: str
    official: bool
    origin: str


def kept_file(name: str) -> KeptFile | None:
    """Return what there is under ``name`` in the weights folder, or None; its content is not looked at."""
    path = weights_folder() / name
    if not path.is_file():
        return None
    entry = _read_index().get(name)
    if entry is not None:
        return KeptFile(path, entry["sha256"], official=False, origin=entry["origin"])
    official = OFFICIAL.get(name)
    return None if official is None else KeptFile(path, official.sha256, official=True, origin=official.url)


def weights_sha256(name: str) -> str:
    """Return the digest that weights called ``name`` have, or will have once they are fetched; "" if unknown.

    ``name`` may be the path of a file, which is then read.
    """
    if (here := kept_file(name)) is not None:
        return here.sha256
    if name in OFFICIAL:
        return OFFICIAL[name].sha256
    path = Path(name)
    return _digest(path, *_state(path)) if path.is_file() else ""


def checked_weights(name: str) -> Path:
    """Return the path of the weights called ``name``, checked; official ones are fetched if they are not there.

    Args:
        name: an official file's, one that was added, or the path of a file of your own.

    Raises:
        BackendError: they are not there and cannot be fetched, or are not what they should be. The message names the
            file and where to put it.
    """
    here = kept_file(name)
    if here is None and name in OFFICIAL:
        try:
            here = fetch(name)
        except StorageError as error:
            official = OFFICIAL[name]
            raise BackendError(
                f"the weights {name} are not on this machine, and fetching them failed: {error}\n"
                f"On a machine with internet, download {official.url} ({official.size:,} bytes), "
                f"and put it into {weights_folder()} (REELPROC_WEIGHTS names another folder). A file that is not the "
                f"official one is put there by: reelproc models add FILE --name {name}",
                transient=error.transient,
            ) from error
    if here is None:
        path = Path(name)
        if not path.is_file():
            raise BackendError(
                f"there are no weights {name!r}: neither a file of that path, nor one that was added as that to "
                f"{weights_folder()}; official ones are {', '.join(OFFICIAL)}"
            )
        _check_suffix(path)
        return path.absolute()
    if (got := _digest(here.path, *_state(here.path))) != here.sha256:
        remedy = f"delete it; then: reelproc models fetch {name}" if here.official else "add it again"
        origin = "the official file's" if here.official else "that of the file that was added"
        raise BackendError(f"{here.path} is damaged: its sha256 is {got}, and {origin} is {here.sha256}; {remedy}")
    return here.path


def fetch(name: str, *, progress: TransferCallback = no_progress, url: str | None = None) -> KeptFile:
    """Bring the official file ``name`` into the weights folder, unless a right one is there.

    Args:
        name: of the file.
        progress: told the bytes that are there, and all.
        url: a mirror of the official address.

    Raises:
        SpecError: there is no official file of that name.
        StorageError: it cannot be fetched or written. ``transient`` where trying again can help; what has arrived is
            kept.
    """
    official = OFFICIAL.get(name)
    if official is None:
        raise SpecError(
            f"no official weights are called {name!r}; there are: {', '.join(OFFICIAL)}{did_you_mean(name, OFFICIAL)}"
        )
    path = weights_folder() / name
    if os.environ.get("REELPROC_OFFLINE") == "1":
        raise StorageError(f"REELPROC_OFFLINE=1 forbids to fetch {official.url}")
    download(url or official.url, path, size=official.size, sha256=official.sha256, progress=progress)
    if name in _read_index():  # it took the place of one that was added
        with _index() as index:
            index.pop(name, None)
    return KeptFile(path, official.sha256, official=True, origin=official.url)


def add(source: str | os.PathLike[str], name: str | None = None, *, origin: str | None = None) -> KeptFile:
    """Keep a copy of a file of weights in the weights folder.

    Under an official file's name it takes that one's place, and every result made with it says so.

    Args:
        source: a ``.pth`` (tensors only), ``.safetensors`` or ``.onnx``.
        name: what it is to be called there; None: as it is.
        origin: what the index says of where it is from; None: "added from" and its path.

    Raises:
        ObjectNotFoundError: there is no such file.
        SpecError: its name does not end as weights do, or ``name`` is none for a file.
        StorageError: it cannot be copied.
    """
    path = Path(source)
    if not path.is_file():
        raise ObjectNotFoundError(f"there is no file {str(source)!r}")
    _check_suffix(path)
    called = path.name if name is None else name
    if Path(called).name != called or Path(called).suffix != path.suffix:
        raise SpecError(f"weights are kept under a plain name that ends in {path.suffix}, got {called!r}")
    target = weights_folder() / called
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _index() as index:
            with whole_file(target) as partial:
                shutil.copyfile(path, partial)
                digest = sha256_of(partial)
            if called in OFFICIAL and OFFICIAL[called].sha256 == digest:
                index.pop(called, None)
            else:
                index[called] = {"sha256": digest, "origin": origin or f"added from {path.absolute()}"}
    except OSError as error:
        raise StorageError(f"{path} cannot be kept as {target}: {error}") from error
    result = kept_file(called)
    if result is None:
        raise StorageError(f"{target} was removed while it was added")
    return result


def added_names() -> tuple[str, ...]:
    """Return the files that somebody added, sorted."""
    return tuple(sorted(name for name in _read_index() if kept_file(name)))


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise SpecError(f"weights are {', '.join(SUFFIXES)} files, got {path.name!r}")


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=64)
def _digest(path: Path, _modified: int, _size: int) -> str:
    """Return a file's digest; it is read once per process, and again when it has changed."""
    return sha256_of(path)


def _index_path() -> Path:
    return weights_folder() / "index.json"


def _read_index() -> dict[str, dict[str, str]]:
    path = _index_path()
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): {"sha256": str(e["sha256"]), "origin": str(e["origin"])} for name, e in data.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(f"{path} cannot be read ({error}); delete it, and add your own weights again") from error


@contextmanager
def _index() -> Iterator[dict[str, dict[str, str]]]:
    """Yield the index, to be changed by one process at a time; it is written back where it was changed."""
    path = _index_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / "index.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        data = _read_index()
        before = json.dumps(data)
        yield data
        if json.dumps(data) != before:
            with whole_file(path) as partial:
                partial.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
