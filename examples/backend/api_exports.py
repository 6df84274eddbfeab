"""``/api/exports`` and ``/api/estimate``: ask for a reel, watch it being made, stop it, fetch it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Header, Query, Response, WebSocket
from fastapi.responses import FileResponse

import reelproc as rp
from backend.estimates import estimates
from backend.refused import Refused, check_disk
from backend.requests import ExportRequest, reel_of, sources_of
from backend.rows import Export
from backend.settings import Settings
from backend.state import Backend, CurrentUser, Running

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["exports"])

HEARTBEAT_SECONDS = 15.0


def result_path(settings: Settings, id_: str) -> Path:
    """Where the reel of an export is put."""
    return settings.folder("results") / f"{id_}.mp4"


def public(text: str, settings: Settings) -> str:
    """``text`` without the server's folders in it."""
    return text.replace(f"{settings.data.absolute()}/", "")


def view(backend: Backend, export: Export) -> dict[str, Any]:
    """Describe an export for its user, with the progress of a running one."""
    seen: dict[str, Any] = {
        "id": export.id,
        "title": export.title,
        "source": export.source,
        "status": export.status,
        "frames": export.frames,
        "seconds": export.seconds,
        "share": 1.0 if export.status == "complete" else 0.0,
        "phase": "",
        "message": "",
        "created": export.created,
        "started": export.started,
        "ended": export.ended,
        "attempts": export.attempts,
        "error": json.loads(public(export.error, backend.settings)) if export.error else None,
        "result": None,
    }
    event = backend.board.latest(export.id)
    if export.status == "queued":
        seen["ahead"] = backend.store.position(export)
    elif export.status == "running" and event is not None:
        message = "stopping" if export.cancel else event.message
        seen |= {"share": round(event.share, 4), "phase": event.phase, "message": message}
    elif export.result is not None:
        result = rp.RenderResult.model_validate_json(export.result)
        kept = {"frame_count", "duration_seconds", "fps", "width", "height", "hardware", "cost_usd", "phases"}
        seen["result"] = result.model_dump(mode="json", include=kept | {"warnings", "notes"})
        seen["file"] = f"/api/exports/{export.id}/file"
    return seen


@router.post("/exports", status_code=202)
def start(
    request: ExportRequest,
    response: Response,
    backend: Running,
    user: CurrentUser,
    idempotency_key: Annotated[str | None, Header(max_length=100)] = None,
) -> dict[str, Any]:
    """Ask for a reel. It is planned now, so that what is impossible is said now, and made later.

    With an ``Idempotency-Key``, a request that is sent again (its answer was lost) is given the first one's export.
    """
    settings = backend.settings
    check_disk(settings.folder("results"), settings.keep_free_bytes)
    reel, plan = _planned(request, backend, user)
    id_ = secrets.token_hex(8)
    export = Export(
        id=id_,
        user=user,
        key=idempotency_key,
        request=hashlib.sha256(request.model_dump_json().encode()).hexdigest(),
        title=request.title or (request.draft.title if request.draft else ""),
        source=sources_of(request)[0],
        job=rp.RenderJob(reel=reel, output=result_path(settings, id_)).model_dump_json(),
        frames=plan.frame_count,
        seconds=float(plan.duration),
        created=time.time(),
    )
    limits = {"limit": settings.queue_limit, "user_limit": settings.user_queue_limit}
    export = backend.store.add_export(export, **limits)
    backend.runner.wake()
    response.headers["Location"] = f"/api/exports/{export.id}"
    return view(backend, export)


@router.post("/estimate")
def estimate(request: ExportRequest, backend: Running, user: CurrentUser) -> dict[str, Any]:
    """Estimate a reel's seconds and dollars, here and elsewhere."""
    reel, _ = _planned(request, backend, user)
    return estimates(rp.RenderJob(reel=reel, output="reel.mp4"), backend.settings.executor)


@router.get("/exports")
def list_exports(
    backend: Running, user: CurrentUser, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[dict[str, Any]]:
    """Your exports, the newest first."""
    return [view(backend, export) for export in backend.store.exports(user, limit)]


@router.get("/exports/{id_}")
def status(id_: str, backend: Running, user: CurrentUser) -> dict[str, Any]:
    """How far an export is."""
    return view(backend, _known(backend, user, id_))


@router.post("/exports/{id_}/cancel", status_code=202)
async def cancel(id_: str, backend: Running, user: CurrentUser) -> dict[str, Any]:
    """Stop an export; one that has ended stays as it is."""
    await backend.runner.cancel(_known(backend, user, id_))
    return view(backend, _known(backend, user, id_))


@router.delete("/exports/{id_}", status_code=204)
def remove(id_: str, backend: Running, user: CurrentUser) -> None:
    """Delete an export that has ended, and its reel."""
    if not backend.store.remove_export(user, id_):
        raise _not_found(id_)
    result_path(backend.settings, id_).unlink(missing_ok=True)


@router.get("/exports/{id_}/file")
def file(id_: str, backend: Running, user: CurrentUser, download: Annotated[bool, Query()] = False) -> FileResponse:
    """Send the reel, whole or by ranges."""
    export = _known(backend, user, id_)
    path = result_path(backend.settings, id_)
    if export.status != "complete":
        raise Refused(409, "NotComplete", f"there is no reel: the export is {export.status}")
    if not path.is_file():
        raise Refused(410, "Gone", "the reel was removed from the server")
    name = f"{export.title or 'reel'}.mp4"
    disposition = "attachment" if download else "inline"
    headers = {"Cache-Control": "private, max-age=3600"}
    return FileResponse(path, filename=name, content_disposition_type=disposition, headers=headers)


@router.websocket("/exports/{id_}/progress")
async def progress(socket: WebSocket, id_: str, backend: Running, user: CurrentUser) -> None:
    """Send the answer of ``GET`` now and at every change, until the export has ended."""
    origin = socket.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):  # a page of somebody else's
        await socket.close(1008, "another origin")
        return
    await socket.accept()  # before it is looked for: a page is not told why it was not let in
    if await asyncio.to_thread(backend.store.export, user, id_) is None:
        await socket.close(1008, "not found")
        return
    telling = asyncio.create_task(_tell(socket, backend, user, id_))
    leaving = asyncio.create_task(socket.receive())  # the client says nothing: what comes is that it goes away
    try:
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (telling, leaving):
            task.cancel()
        ended, _ = await asyncio.gather(telling, leaving, return_exceptions=True)
    if ended is None:
        await socket.close()


async def _tell(socket: WebSocket, backend: Backend, user: str, id_: str) -> None:
    while True:
        change = backend.board.change(id_)
        try:
            export = await asyncio.to_thread(backend.store.export, user, id_)
            if export is None:  # deleted
                return
            await socket.send_json(view(backend, export))
            if export.over:
                return
            await asyncio.wait({change}, timeout=HEARTBEAT_SECONDS)
        finally:
            backend.board.forget(id_, change)


def _planned(request: ExportRequest, backend: Backend, user: str) -> tuple[rp.Reel, rp.Plan]:
    """Return the requested reel and its plan.

    Raises:
        Refused: it cannot be made, or may not be made here; with the field of the request.
    """
    settings = backend.settings
    reel = reel_of(request, lambda id_: backend.store.source(user, id_), settings)
    field: tuple[str | int, ...] = ("draft",) if request.draft is not None else ("reel",)
    try:
        plan = rp.plan(reel)
    except rp.ReelprocError as error:
        path = error.path if isinstance(error, rp.SpecError) else ()
        if request.draft is not None:  # the reel was made of it: only the clip's own fields are the draft's as well
            path = path[2:] if path[:1] == ("clips",) and path[2:3] in (("start",), ("end",)) else ()
        raise Refused(422, type(error).__name__, public(str(error), settings), path=(*field, *path)) from error
    if plan.duration > settings.max_reel_seconds:
        message = (
            f"a reel may last {settings.max_reel_seconds} s here, this one would last {float(plan.duration):.1f} s"
        )
        raise Refused(422, "TooLong", message, path=(*field, "end" if request.draft else "clips"))
    return reel, plan


def _known(backend: Backend, user: str, id_: str) -> Export:
    export = backend.store.export(user, id_)
    if export is None:
        raise _not_found(id_)
    return export


def _not_found(id_: str) -> Refused:
    return Refused(404, "ExportNotFound", f"you have no export {id_!r}")
