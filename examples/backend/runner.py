"""Runs the exports that wait in the database, a few at a time, each exactly once, over any number of restarts.

The queue is the database's; the executor is given no more than it can run now. An export's id is its job's id, so that
after a restart ``attach`` finds what became of the job: it goes on with one that was cut short, and knows the result of
one that ended while nobody looked.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Callable
from typing import TypeVar

import reelproc as rp
from backend.board import Board
from backend.rows import Export
from backend.settings import Settings
from backend.store import Store
from reelproc.jobs import job_from_json

__all__ = ["Runner"]

LOG = logging.getLogger("backend")
RECORD_AGAIN_SECONDS = 1.0
T = TypeVar("T")


class Runner:
    """Between the database and the executor.

    Args:
        settings: how many at a time, and for how long.
        store: the queue.
        board: told of all progress.
        executor: what does the work; the runner detaches it at the end.
    """

    def __init__(self, settings: Settings, store: Store, board: Board, executor: rp.Executor) -> None:
        self._settings = settings
        self._store = store
        self._board = board
        self._executor = executor
        self._tasks: list[asyncio.Task[None]] = []
        self._wakes = [
            asyncio.Event() for _ in range(settings.workers)
        ]  # one each: one's look must not clear another's

    async def start(self) -> None:
        """Go on where the last server stopped."""
        if found := await asyncio.to_thread(self._store.requeue):
            LOG.info("%d exports were cut short and go on", found)
        await asyncio.to_thread(self._sweep)
        self._tasks = [asyncio.create_task(self._serve(wake)) for wake in self._wakes]

    async def stop(self) -> None:
        """Stop at once: what runs is left as it is, and goes on at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._executor.detach)

    @property
    def healthy(self) -> bool:
        """Whether all that should run exports does; a task that ended has met what nobody thought of."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    def wake(self) -> None:
        """There is something new in the queue."""
        for wake in self._wakes:
            wake.set()

    async def cancel(self, export: Export) -> None:
        """Have an export stopped; it ends as cancelled, unless it ends before by itself."""
        if not await asyncio.to_thread(self._store.request_cancel, export.id):
            await asyncio.to_thread(lambda: self._executor.attach(export.id).cancel())
        self._board.post(export.id, self._board.latest(export.id))

    async def _serve(self, wake: asyncio.Event) -> None:
        while True:
            wake.clear()
            export = await self._insist(self._store.claim)
            if export is None:
                await wake.wait()
            else:
                await self._run(export)

    async def _run(self, export: Export) -> None:
        again = False
        while True:
            self._board.post(export.id, rp.Progress(phase="startup", message="starting"))
            try:
                result = await self._attempt(export, again=again)
            except rp.JobCancelledError:
                await self._finish(export, "cancelled")
            except rp.ReelprocError as error:
                again = error.transient and await self._has_attempts_left(export)
                if again:
                    LOG.warning("export %s is tried again after %s", export.id, error)
                    continue
                await self._finish(export, "error", error=error)
            else:
                await self._finish(export, "complete", result=result)
            return

    async def _attempt(self, export: Export, *, again: bool) -> rp.RenderResult:
        handle: rp.JobHandle = await asyncio.to_thread(self._executor.attach, export.id)
        if again or await asyncio.to_thread(handle.status) == "unknown":
            await self._insist(lambda: self._store.begin_attempt(export.id))
            job = job_from_json(export.job)
            handle = await self._executor.submit_async(job, id=export.id, timeout=self._settings.timeout)
        if await self._insist(lambda: self._store.is_cancel_requested(export.id)):  # before there was a job to cancel
            await handle.cancel_async()
        async for event in handle.events_async():
            self._board.post(export.id, event)
        result: rp.RenderResult = await handle.result_async()
        return result

    async def _has_attempts_left(self, export: Export) -> bool:
        return await self._insist(lambda: self._store.attempts(export.id)) < self._settings.attempts

    async def _finish(
        self,
        export: Export,
        status: str,
        *,
        result: rp.RenderResult | None = None,
        error: rp.ReelprocError | None = None,
    ) -> None:
        said = None
        if error is not None:
            said = {"type": type(error).__name__, "message": str(error), "transient": error.transient}
        done = result.model_dump_json() if result is not None else None
        work = self._settings.folder("jobs") / export.id
        # Nobody will resume it: what it had finished only takes room, which the database may need. How it ended stays
        # in the folder until it is in the database.
        await asyncio.to_thread(shutil.rmtree, work / "segments", ignore_errors=True)
        await self._insist(lambda: self._store.finish(export.id, status, result=done, error=said))
        LOG.info("export %s: %s%s", export.id, status, f", {said['type']}" if said else "")
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
        self._board.post(export.id, None)

    def _sweep(self) -> None:
        """Remove what the last server did not come to remove: work of exports that have ended, reels of none."""
        statuses = self._store.statuses()
        for work in self._settings.folder("jobs").iterdir():
            if statuses.get(work.name) not in ("queued", "running"):
                shutil.rmtree(work, ignore_errors=True)
        for reel in self._settings.folder("results").glob("*.mp4"):
            if statuses.get(reel.stem) not in ("queued", "running", "complete"):
                reel.unlink(missing_ok=True)

    async def _insist(self, write: Callable[[], T]) -> T:
        """Write to the database; where the disk is full, again and again: an outcome must not be lost."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except sqlite3.OperationalError as error:
                LOG.warning("the database cannot be written, trying again: %s", error)
                await asyncio.sleep(RECORD_AGAIN_SECONDS)
