"""What a storage must do, and the choice of one by an address's scheme.

A storage is five methods, and three more for what it can do better. Code that decodes calls :func:`open_source`, or
:func:`resolve` for a local file that holds all of the content; code that writes makes the file that
:func:`local_output` names and hands it to :func:`publish`. Neither knows which storage an address belongs to.
"""

from __future__ import annotations

import abc
import os
import re
from collections.abc import Callable
from pathlib import Path

from reelproc.errors import SpecError, shown_address
from reelproc.files import scratch_folder
from reelproc.registry import Registry
from reelproc.storage.source import LocalSource, Source

__all__ = [
    "Storage",
    "TransferCallback",
    "copy",
    "identity",
    "join",
    "local_output",
    "no_progress",
    "open_source",
    "publish",
    "remove",
    "resolve",
    "same",
    "scheme_of",
    "storages",
]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

TransferCallback = Callable[[int, int], None]
"""Called with the bytes moved so far and in all (0: not known), also while waiting; what it raises stops the transfer
and comes out of the function that was called, with nothing half-written left."""


def no_progress(done: int, total: int) -> None:
    """Do nothing, as a :data:`TransferCallback`."""


class Storage(abc.ABC):
    """A place that holds sources and results.

    Every failure is a :class:`~reelproc.errors.StorageError` (``ObjectNotFoundError`` where something is not there)
    whose message shows neither credentials nor the query of a URL. Passing failures have been retried
    (:mod:`reelproc.retries`) before they are raised.
    """

    @abc.abstractmethod
    def resolve(
        self,
        address: str,
        *,
        folder: Path | None = None,
        progress: TransferCallback = no_progress,
    ) -> Path:
        """Return a local file with the whole content of ``address``.

        Args:
            address: what to read.
            folder: where a storage that must download puts the file; None: a folder of its own choice.
            progress: see :data:`TransferCallback`.

        Raises:
            ObjectNotFoundError: there is no such thing.
            StorageError: it is there but cannot be read.
        """

    def open_source(
        self,
        address: str,
        *,
        folder: Path | None = None,
        progress: TransferCallback = no_progress,
        name: str | None = None,
    ) -> Source:
        """Open ``address`` to be read by decoders; a storage that can read parts of an object overrides this.

        Args:
            address: what to read.
            folder: where a storage that must download puts the file, which is no longer needed when the source is
                closed; None: a folder of its own choice.
            progress: see :data:`TransferCallback`; called later, too, when parts are fetched.
            name: what people are told; None: the address.

        Raises:
            ObjectNotFoundError: there is no such thing.
            StorageError: it is there but cannot be read.
        """
        path = self.resolve(address, folder=folder, progress=progress)
        return LocalSource(path, name=name or shown_address(address), identity=self.identity(address))

    @abc.abstractmethod
    def identity(self, address: str) -> str:
        """Return a text that changes when the content of ``address`` does: size and modification time, or an ETag.

        Raises:
            ObjectNotFoundError: there is no such thing.
            StorageError: nothing can be learned about it.
        """

    @abc.abstractmethod
    def local_output(self, address: str, *, folder: Path | None = None) -> Path:
        """Return the local file to make for :meth:`publish`; raise before the work where that could not succeed.

        Args:
            address: where the result goes.
            folder: where a storage that must upload has the file made; None: a folder of its own choice.

        Raises:
            StorageError: nothing can be written there.
        """

    @abc.abstractmethod
    def publish(
        self, path: Path, address: str, *, keep: bool = False, progress: TransferCallback = no_progress
    ) -> None:
        """Put the finished file ``path`` at ``address``: readers see what was there before or all of it, never a part.

        ``path`` is gone afterwards, unless it is to be kept or is the destination itself.

        Raises:
            StorageError: it cannot be written; ``address`` is as it was.
        """

    @abc.abstractmethod
    def remove(self, address: str) -> None:
        """Remove what is at ``address``; nothing being there is no error.

        Raises:
            StorageError: it cannot be removed.
        """

    def canonical(self, address: str) -> str:
        """Return one text for all ways to write ``address``: what is written at equal ones replaces the same thing."""
        return address

    def copy(self, address: str, destination: str) -> bool:
        """Have the storage itself put what is at ``address`` at ``destination``, too; False where it cannot.

        Raises:
            ObjectNotFoundError: there is no such thing.
            StorageError: it could, but it failed.
        """
        return False


storages: Registry[type[Storage]] = Registry("storage scheme", group="reelproc.storages")
"""Storages by scheme; third parties add theirs under the entry point group ``reelproc.storages``."""
storages.register("file", "reelproc.storage.local:LocalStorage")
storages.register("s3", "reelproc.storage.s3:S3Storage", extra="s3")
storages.register("https", "reelproc.storage.web:WebStorage")
storages.register("http", "reelproc.storage.web:WebStorage")


def scheme_of(address: str | os.PathLike[str]) -> str:
    """Return the scheme that ``address`` is written in; ``"file"`` for plain paths.

    Only ``scheme://`` makes an address: any other colon belongs to a file name.

    >>> scheme_of("s3://bucket/game.mp4"), scheme_of("C:/game.mp4"), scheme_of("concat:a|b")
    ('s3', 'file', 'file')
    """
    match = _SCHEME.match(os.fspath(address))
    return match[1].lower() if match else "file"


def join(prefix: str, *parts: str) -> str:
    """Return the address of ``parts`` below ``prefix``, which nothing in ``parts`` can lead out of.

    >>> join("s3://bucket/jobs/", "a1b2", "segment-3.mp4")
    's3://bucket/jobs/a1b2/segment-3.mp4'

    Raises:
        SpecError: a part is empty, absolute, or holds ``.`` or ``..`` as a step.
    """
    for part in parts:
        if "\0" in part or any(step in ("", ".", "..") for step in part.split("/")):
            raise SpecError(f"{part!r} cannot be a name below {prefix}: it is empty or leads elsewhere")
    return (prefix if prefix.endswith("/") else f"{prefix}/") + "/".join(parts)


def _storage(address: str | os.PathLike[str]) -> tuple[Storage, str]:
    text = os.fspath(address)
    if not text or "\0" in text:
        raise SpecError(f"an address is a path or scheme://..., without NUL characters, got {text!r}")
    scheme = scheme_of(text)
    if scheme not in storages:
        known = ", ".join(f"{name}://" for name in storages.names())
        raise SpecError(
            f"no storage is known for {scheme}:// in {text!r}; there are: {known} and plain paths "
            f"(for a local file of that name write ./{text})"
        )
    return storages.get(scheme)(), text


def resolve(
    source: str | os.PathLike[str],
    *,
    folder: Path | None = None,
    progress: TransferCallback = no_progress,
) -> Path:
    """Return a local file with the whole content of ``source``; see :meth:`Storage.resolve`.

    Raises:
        SpecError: no storage has the address's scheme.
        ObjectNotFoundError: there is no such thing.
        StorageError: it is there but cannot be read.
    """
    storage, address = _storage(source)
    return storage.resolve(address, folder=folder, progress=progress)


def open_source(
    source: str | os.PathLike[str],
    *,
    folder: Path | None = None,
    progress: TransferCallback = no_progress,
    name: str | None = None,
) -> Source:
    """Open ``source`` to be read by decoders; see :meth:`Storage.open_source`.

    Raises:
        SpecError: no storage has the address's scheme.
        ObjectNotFoundError: there is no such thing.
        StorageError: it is there but cannot be read.
    """
    storage, address = _storage(source)
    return storage.open_source(address, folder=folder, progress=progress, name=name)


def identity(source: str | os.PathLike[str]) -> str:
    """Return a text that changes when the content of ``source`` does; see :meth:`Storage.identity`.

    Raises:
        SpecError: no storage has the address's scheme.
        ObjectNotFoundError: there is no such thing.
        StorageError: nothing can be learned about it.
    """
    storage, address = _storage(source)
    return storage.identity(address)


def same(address: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Return whether both are one place, however they are written.

    >>> same("game.mp4", "./game.mp4"), same("s3://bucket/game.mp4", "S3://bucket/game.mp4"), same("a.mp4", "s3://b/a.mp4")
    (True, True, False)

    Raises:
        SpecError: no storage has the scheme of one of them.
    """
    if scheme_of(address) != scheme_of(other):
        return False
    (storage, text), (_, text_of_other) = _storage(address), _storage(other)
    return storage.canonical(text) == storage.canonical(text_of_other)


def local_output(destination: str | os.PathLike[str], *, folder: Path | None = None) -> Path:
    """Return the local file to make for ``destination``; see :meth:`Storage.local_output`.

    For a local destination that is the destination itself: whoever makes it does so under another name and renames it
    when whole, or makes it in a folder of its own and calls :func:`publish`.

    Raises:
        SpecError: no storage has the address's scheme.
        StorageError: nothing can be written there.
    """
    storage, address = _storage(destination)
    return storage.local_output(address, folder=folder)


def publish(
    path: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    keep: bool = False,
    progress: TransferCallback = no_progress,
) -> None:
    """Put the finished local file ``path`` at ``destination``, whole or not at all; see :meth:`Storage.publish`.

    Raises:
        SpecError: no storage has the address's scheme.
        StorageError: it cannot be written; ``destination`` is as it was.
    """
    storage, address = _storage(destination)
    storage.publish(Path(path), address, keep=keep, progress=progress)


def remove(address: str | os.PathLike[str]) -> None:
    """Remove what is at ``address``, if anything is; see :meth:`Storage.remove`.

    Raises:
        SpecError: no storage has the address's scheme.
        StorageError: it cannot be removed.
    """
    storage, text = _storage(address)
    storage.remove(text)


def copy(address: str | os.PathLike[str], destination: str | os.PathLike[str]) -> None:
    """Put what is at ``address`` at ``destination``, too, whole or not at all; within one store nothing is moved here.

    Raises:
        SpecError: no storage has the scheme of one of them.
        ObjectNotFoundError: there is no such thing.
        StorageError: it cannot be read, or not be written.
    """
    storage, source = _storage(address)
    if scheme_of(destination) == scheme_of(source) and storage.copy(source, os.fspath(destination)):
        return
    with scratch_folder() as folder:
        publish(resolve(source, folder=folder), destination, keep=True)
