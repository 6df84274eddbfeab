"""Videos from strangers: streamed to the disk, cut off where they are too large, looked at before they are taken."""

from __future__ import annotations

import secrets
import time
from asyncio import to_thread
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path, PurePath

import reelproc as rp
from backend.refused import Refused, check_disk
from backend.rows import Source
from backend.settings import Settings
from backend.store import Store

__all__ = ["add_samples", "receive", "remove_unknown"]

_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts")
_DISK_CHECK_BYTES = 16 << 20
_UNKNOWN = f"this is no video that is taken here; expected one of {', '.join(s[1:] for s in _SUFFIXES)}"


async def receive(
    chunks: AsyncIterator[bytes], *, name: str, length: int | None, user: str, settings: Settings
) -> Source:
    """Write an upload to the disk and say what it is; nothing is left of one that is refused or cut short.

    Args:
        chunks: the body.
        name: what the user calls it; only its ending matters.
        length: bytes, as the client promises; None: it does not say.
        user: whose it is.
        settings: the limits.

    Raises:
        Refused: 413, 415, 422 or 507.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise Refused(415, "UnknownType", f"{_UNKNOWN}, got a name that ends in {suffix or 'nothing'!r}", path=["name"])
    if length is not None and length > settings.max_upload_bytes:
        raise _too_large(settings)
    folder = settings.folder("uploads")
    check_disk(folder, settings.keep_free_bytes, length or 0)
    id_ = secrets.token_hex(8)
    partial, path = folder / f"{id_}.part", folder / f"{id_}{suffix}"
    try:
        size = await _write(chunks, partial, settings)
        if length is not None and size != length:
            raise Refused(400, "CutShort", f"{size} bytes of {length} arrived; send it again")
        source = await _described(partial, id_=id_, name=name, user=user, size=size, settings=settings)
        partial.replace(path)
        return replace(source, path=str(path))
    except BaseException as error:  # a client that goes away cancels this
        partial.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Refused(507, "DiskFull", f"the upload could not be written: {error.strerror}") from error
        raise


async def _write(chunks: AsyncIterator[bytes], path: Path, settings: Settings) -> int:
    size, checked = 0, 0
    with path.open("wb") as file:
        async for chunk in chunks:
            if size == 0 and chunk and not _looks_like_video(chunk):
                raise Refused(415, "UnknownType", _UNKNOWN)
            size += len(chunk)
            if size > settings.max_upload_bytes:
                raise _too_large(settings)
            if size - checked > _DISK_CHECK_BYTES:
                check_disk(path.parent, settings.keep_free_bytes)
                checked = size
            await to_thread(file.write, chunk)
    if size == 0:
        raise Refused(422, "Empty", "the file is empty")
    return size


def _too_large(settings: Settings) -> Refused:
    return Refused(413, "TooLarge", f"a video may have {settings.max_upload_bytes >> 20} MiB here; send a shorter one")


def _looks_like_video(head: bytes) -> bool:
    """Whether the first bytes are those of a container that is taken: playlists, which name other files, are not."""
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
        or head[:4] == b"\x1a\x45\xdf\xa3"  # Matroska, WebM
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or (head[:1] == b"\x47" and head[188:189] in (b"", b"\x47"))  # MPEG-TS
    )


async def _described(path: Path, *, id_: str, name: str, user: str, size: int, settings: Settings) -> Source:
    try:
        info = await to_thread(rp.probe, path)
        video = info.require_video()
    except rp.MediaError as error:
        said = str(error).replace(str(path), name)
        raise Refused(415, "ProbeError", said) from error
    if info.duration > settings.max_upload_seconds:
        message = f"a video may last {settings.max_upload_seconds} s here, this one lasts {float(info.duration):.0f} s"
        raise Refused(413, "TooLong", message)
    if not info.duration:
        raise Refused(415, "ProbeError", f"{name} has no duration; expected a video")
    return Source(
        id=id_,
        user=user,
        name=PurePath(name).name[:200],
        path=str(path),
        bytes=size,
        seconds=float(info.duration),
        width=video.width,
        height=video.height,
        fps=float(video.average_rate or 30),
        sound=int(info.audio is not None),
        created=time.time(),
    )


async def add_samples(store: Store, settings: Settings) -> None:
    """Make the videos of the samples' folder everybody's."""
    store.forget_samples()
    for path in sorted(settings.samples.absolute().iterdir() if settings.samples is not None else ()):
        if path.suffix.lower() in _SUFFIXES:
            id_ = f"sample-{path.stem[:60]}"
            size = path.stat().st_size
            described = await _described(path, id_=id_, name=path.name, user="", size=size, settings=settings)
            store.add_source(described)


def remove_unknown(store: Store, settings: Settings) -> None:
    """Remove uploads that the end of the last server cut short before they were in the database."""
    known = store.source_paths()
    for path in settings.folder("uploads").iterdir():
        if str(path) not in known:
            path.unlink(missing_ok=True)
