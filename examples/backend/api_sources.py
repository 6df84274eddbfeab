"""``/api/sources``: videos to make reels of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import FileResponse

from backend.refused import Refused
from backend.rows import Source
from backend.state import CurrentUser, Running
from backend.uploads import receive

__all__ = ["router"]

router = APIRouter(prefix="/api/sources", tags=["sources"])


def view(source: Source) -> dict[str, Any]:
    """Describe a source for its user: all but its place."""
    return {
        "id": source.id,
        "name": source.name,
        "sample": not source.user,
        "bytes": source.bytes,
        "seconds": source.seconds,
        "width": source.width,
        "height": source.height,
        "fps": source.fps,
        "sound": bool(source.sound),
        "file": f"/api/sources/{source.id}/file",
    }


@router.get("")
def list_sources(backend: Running, user: CurrentUser) -> list[dict[str, Any]]:
    """Your videos, the newest first, and the samples."""
    return [view(source) for source in backend.store.sources(user)]


@router.post("", status_code=201)
async def upload(
    request: Request,
    backend: Running,
    user: CurrentUser,
    name: Annotated[str, Query(min_length=1, max_length=255)],
    content_length: Annotated[int | None, Header(ge=0)] = None,
) -> dict[str, Any]:
    """Upload a video: the file itself is the body, no form."""
    settings = backend.settings
    source = await receive(request.stream(), name=name, length=content_length, user=user, settings=settings)
    try:
        backend.store.add_source(source, max_user_bytes=settings.max_user_bytes)
    except BaseException:
        Path(source.path).unlink(missing_ok=True)
        raise
    return view(source)


@router.get("/{id_}/file")
def source_file(id_: str, backend: Running, user: CurrentUser) -> FileResponse:
    """Send the video, whole or by ranges."""
    source = backend.store.source(user, id_)
    if source is None or not Path(source.path).is_file():
        raise Refused(404, "SourceNotFound", f"you have no video {id_!r}")
    return FileResponse(source.path, headers={"Cache-Control": "private, max-age=3600"})


@router.delete("/{id_}", status_code=204)
def remove(id_: str, backend: Running, user: CurrentUser) -> None:
    """Delete an upload."""
    source = backend.store.remove_source(user, id_)
    if source is None:
        raise Refused(404, "SourceNotFound", f"you have no video {id_!r}")
    Path(source.path).unlink(missing_ok=True)
