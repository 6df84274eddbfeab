"""Parts of a render in processes of this machine, for the worker that does the whole."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from reelproc.errors import JobCancelledError, JobLostError, ReelprocError
from reelproc.executors.hardware import this_machine
from reelproc.executors.local.job_folder import JobRequest
from reelproc.executors.local.worker_process import WorkerProcess, tail
from reelproc.executors.outcome import outcome_from_data
from reelproc.job_context import Delegate
from reelproc.jobs import ChunkJob, Job
from reelproc.logs import log_again, wanted_level
from reelproc.results import Progress, RenderResult

CORES_PER_CHUNK = 4
"""For ``chunks="auto"``: a render alone keeps about that many cores busy (decoder, stages, encoder)."""
LOOK_SECONDS = 0.1


class LocalChunks:
    """Have the chunks of one job done side by side, each in a worker process of its own.

    Args:
        job: the whole.
        folder: the whole's; the segments of all are put into its ``segments``.
        cancelled: set when the whole is to stop; its chunks stop then, too.
    """

    def __init__(self, job: Job, folder: Path, *, cancelled: threading.Event) -> None:
        self._job = job
        self._folder = folder / "segments" / "chunks"
        self._cancelled = cancelled
        self._failed = threading.Event()
        self.store = str(folder / "segments")
        self.delegate = Delegate(self._work, most=max(1, int(this_machine().cores // CORES_PER_CHUNK)))

    def _work(self, parts: list[tuple[int, ...]], done: Callable[[int], None]) -> list[RenderResult]:
        shown = [0] * len(parts)
        lock = threading.Lock()

        def one(number: int) -> RenderResult:
            def progress(event: Progress) -> None:
                if event.phase == "render":
                    with lock:
                        shown[number] = event.done
                        done(sum(shown))

            try:
                return self._chunk(number, parts[number], progress)
            except BaseException:
                self._failed.set()  # the others need not go on
                raise

        try:
            with ThreadPoolExecutor(len(parts), thread_name_prefix="chunk") as pool:
                futures = [pool.submit(one, number) for number in range(len(parts))]
            errors = [error for future in futures if (error := future.exception()) is not None]
            # those that were only stopped because another failed say nothing of why
            for error in sorted(errors, key=lambda error: isinstance(error, JobCancelledError)):
                raise error
            return [future.result() for future in futures]
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _chunk(self, number: int, segments: tuple[int, ...], progress: Callable[[Progress], None]) -> RenderResult:
        folder = self._folder / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        chunk = ChunkJob(render=self._job, segments=segments, output=self.store)
        request = JobRequest(id=str(number), identity="", job=chunk, cwd=str(Path.cwd()))
        (folder / "job.json").write_text(request.model_dump_json())
        worker = WorkerProcess(folder / "log.txt")
        try:
            worker.send({"run": str(folder), "log_level": str(wanted_level())})
            while (messages := worker.receive(LOOK_SECONDS)) is not None:
                for message in messages:
                    if "event" in message:
                        progress(Progress.model_validate(message["event"]))
                    elif "log" in message:
                        log_again(message["log"])
                    elif "end" in message:
                        outcome = outcome_from_data(message["end"])
                        if isinstance(outcome, ReelprocError):
                            raise outcome
                        return cast("RenderResult", outcome)  # of a ChunkJob
                if self._cancelled.is_set() or self._failed.is_set():
                    raise JobCancelledError("the job was cancelled")
            raise JobLostError(
                f"the worker of chunk {number} ended with status {worker.kill()}; submit the job again, and it goes on "
                f"from its finished segments\n  its last words: {tail(folder / 'log.txt')[-600:]}"
            )
        finally:
            worker.kill()
