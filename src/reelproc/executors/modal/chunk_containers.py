"""Parts of a render in containers of their own, for the container that puts the whole together.

The calls are spawned one by one, and not by ``map``: a map gives no handle by which its calls can be followed, and
ended when one of them fails or the whole is cancelled.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any, cast

import modal

from reelproc.executors.modal.call_errors import ended_state, modal_failures, outcome_of
from reelproc.executors.modal.presets import CLASS_NAME, preset
from reelproc.executors.modal.records import Pages, read_events
from reelproc.executors.modal.worker import ModalRequest
from reelproc.job_context import Delegate
from reelproc.jobs import ChunkJob, Job
from reelproc.results import RenderResult

MOST = 8
LOOK_SECONDS = 0.5


class ModalChunks:
    """Has the chunks of one job done side by side, each by a call of the same app.

    Args:
        job: the whole.
        request: what the client asked; chunks are done on its preset.
        app: the app's name.
        pages: the Dict with the calls' progress.
    """

    def __init__(self, job: Job, request: ModalRequest, *, app: str, pages: Pages) -> None:
        self._job = job
        self._request = request
        self._app = app
        self._pages = pages
        self.delegate = Delegate(self._work, most=MOST, always=True)

    def _work(self, parts: list[tuple[int, ...]], done: Callable[[int], None]) -> list[RenderResult]:
        worker = modal.Cls.from_name(self._app, CLASS_NAME).with_options(**preset(self._request.preset).options)()
        calls: list[Any] = []
        results: dict[int, RenderResult] = {}
        cursors, frames = [0] * len(parts), [0] * len(parts)
        try:
            with modal_failures(self._app):
                for segments in parts:
                    chunk = ChunkJob(render=self._job, segments=segments, output=self._request.store)
                    request = self._request.model_copy(update={"job": chunk, "coordinated": False})
                    calls.append(worker.run.spawn(request.model_dump_json()))
                while len(results) < len(parts):
                    for number, call in enumerate(calls):
                        events, cursors[number], _ = read_events(self._pages, call.object_id, cursors[number])
                        shown = [event.done for event in events if event.phase == "render"]
                        frames[number] = shown[-1] if shown else frames[number]
                        if number not in results and (outcome := outcome_of(call.object_id, 0.0)) is not None:
                            state = ended_state(f"{self._request.id}, chunk {number}", outcome, cancelled=lambda: False)
                            results[number] = cast("RenderResult", state.result())  # of a ChunkJob
                    done(sum(frames))
                    time.sleep(LOOK_SECONDS)
        finally:  # one failed, the job's time is up, or it was cancelled (which comes as a BaseException)
            for number, call in enumerate(calls):
                if number not in results:
                    with contextlib.suppress(modal.exception.Error):
                        call.cancel()
        return [results[number] for number in range(len(parts))]
