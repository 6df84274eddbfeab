"""``detect_players``: who is in these frames, here and now."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from reelproc.job_context import JobContext
from reelproc.jobs import DetectJob, DetectOptions, run_job
from reelproc.results import DetectResult, Progress, ProgressCallback

if TYPE_CHECKING:
    from reelproc.executors.base import Executor
    from reelproc.timing import Time


def detect_players(
    source: str | os.PathLike[str],
    *,
    times: Sequence[Time] | None = None,
    frames: Sequence[int] | None = None,
    executor: Executor | None = None,
    **options: Unpack[DetectOptions],
) -> DetectResult:
    """Find the players in some frames of a video.

    The model is loaded when it is first asked for, and stays loaded in the process that uses it.

    Args:
        source, times, frames: see :class:`~reelproc.DetectJob`.
        executor: where to look; None: in this process.
        **options: ``confidence``, ``classes``, ``model``, ``backend``, ``trust``, ``image_size``, ``on_damage``: see
            :class:`~reelproc.DetectJob`.

    Returns:
        A frame for each of ``times`` or ``frames``, in their order, with boxes in its pixels, the surest first.

    Raises:
        SpecError: neither or both of ``times`` and ``frames``, a time or frame that is not there, an unknown class.
        ObjectNotFoundError: the source or the checkpoint is not there.
        MissingDependencyError: the extra ``detect`` is not installed.
        BackendError: the checkpoint cannot be loaded, or is not one to trust.
        DecodeError: a frame cannot be decoded.
    """
    job = DetectJob(source=source, times=times, frames=frames, **options)
    return run_detection(job, executor=executor, progress=lambda _: None)


def run_detection(job: DetectJob, *, executor: Executor | None, progress: ProgressCallback) -> DetectResult:
    """Have ``job`` done, on ``executor`` or in this process.

    Raises:
        ReelprocError: whatever went wrong, typed.
    """

    def pass_on(event: Progress) -> None:
        if event.phase != "done":
            progress(event)

    if executor is None:
        return run_job(job, JobContext(progress=pass_on))
    handle = executor.submit(job)
    for event in handle.events():
        pass_on(event)
    return handle.result()
