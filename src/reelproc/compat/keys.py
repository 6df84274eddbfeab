"""From the app's storage keys to addresses: ``{user_id}/{key}`` below one root, which no key leads out of.

Keys under ``games/`` belong to all users and carry no prefix.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from reelproc import storage
from reelproc.compat.fields import FieldReader, refused
from reelproc.errors import SpecError, StorageError
from reelproc.storage.local import local_path

ROOT_VARIABLE = "REELPROC_STORAGE_ROOT"
SHARED_FOLDER = "games"

_FORBIDDEN = re.compile(r"[/\x00-\x1f\x7f\\\ud800-\udfff]")
"""What no step of a key has; surrogates cannot be written as UTF-8."""
_MAX_KEY_BYTES = 1024


class Keys:
    """Turns keys of one storage root into addresses, and back.

    Args:
        root: ``s3://bucket``, ``s3://bucket/prefix`` or a folder of this machine; None: ``REELPROC_STORAGE_ROOT``, or
            the bucket that ``R2_BUCKET_NAME`` names.

    Raises:
        SpecError: no root is given, or it is neither of these.
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        given = os.fspath(root) if root is not None else os.environ.get(ROOT_VARIABLE, "")
        if not given and os.environ.get("R2_BUCKET_NAME"):
            given = f"s3://{os.environ['R2_BUCKET_NAME']}"
        if not given:
            raise SpecError(
                f"root: got none, expected where keys are; give root='s3://bucket' or a folder, or set {ROOT_VARIABLE}",
                path=("root",),
            )
        scheme = storage.scheme_of(given)
        if scheme not in ("file", "s3"):
            raise refused(("root",), given, "s3://bucket, s3://bucket/prefix or a folder")
        self._folder = local_path(given) if scheme == "file" else None  # file:// has escapes that keys must not have
        self.root = str(self._folder) if self._folder is not None else given.rstrip("/")

    def source(self, user_id: str, key: str, field: str = "input_key") -> str:
        """Return the address of what is read.

        Args:
            user_id: whose it is.
            key: its key, without the user's prefix.
            field: what the key is called, for messages.

        Raises:
            SpecError: the key is none, or leads elsewhere.
        """
        return self._address(user_id, FieldReader(key, _path(field)))

    def output(self, user_id: str, key: str, field: str = "output_key") -> str:
        """Return the address of what is written; in a folder of this machine, the folders on its way are made.

        Raises:
            SpecError: the key is none, or leads elsewhere.
            StorageError: the folder cannot be made.
        """
        address = self._address(user_id, FieldReader(key, _path(field)))
        if self._folder is not None:
            try:
                Path(address).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(f"{field}: no folder can be made for {address}: {error}") from error
        return address

    def key(self, address: str) -> str:
        """Return the key of an address below the root, without its user's prefix; the address itself, if it is not."""
        prefix = f"{self.root}/"
        if not address.startswith(prefix):
            return address
        below = address.removeprefix(prefix)
        return below if below.startswith(f"{SHARED_FOLDER}/") else below.partition("/")[2]

    def _address(self, user_id: str, key: FieldReader) -> str:
        owner = FieldReader(user_id, ("user_id",))
        if not _is_step(owner.text()) or owner.value == SHARED_FOLDER:
            raise owner.refused(f"a name without '/', other than '.', '..' and {SHARED_FOLDER!r}")
        steps = key.text().split("/")
        if not all(map(_is_step, steps)) or len(key.value.encode()) > _MAX_KEY_BYTES:
            raise key.refused(
                "a key like 'clips/one.mp4', without empty steps, '.', '..', backslashes and control characters"
            )
        parts = steps if steps[0] == SHARED_FOLDER and len(steps) > 1 else [owner.value, *steps]
        address = storage.join(self.root, *parts)
        if self._folder is not None:
            self._check_inside(Path(address), self._folder / parts[0], key)
        return address

    @staticmethod
    def _check_inside(path: Path, allowed: Path, key: FieldReader) -> None:
        """Refuse a link in the folder that leads to another user, or out."""
        if not path.resolve().is_relative_to(allowed.resolve()):
            raise key.refused("a key that stays below its user's folder", "there is a link on its way that leads out")


def _path(field: str) -> tuple[str | int, ...]:
    name, bracket, number = field.partition("[")
    return (name, int(number.rstrip("]"))) if bracket else (name,)


def _is_step(step: str) -> bool:
    return step not in ("", ".", "..") and _FORBIDDEN.search(step) is None and step == step.strip()
