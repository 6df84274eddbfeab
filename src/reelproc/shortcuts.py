"""One call for one job: make it, have it done, and wait for its result."""

from __future__ import annotations

import os
from typing import Unpack

from reelproc.executors import Executor
from reelproc.executors import executor as make_executor
from reelproc.jobs import ExtractJob, ExtractOptions, Job, RenderJob, RenderOptions
from reelproc.reel import Reel
from reelproc.results import ExtractResult, ProgressCallback, RenderResult, ResultT


def render(
    reel: Reel,
    output: str | os.PathLike[str],
    *,
    executor: Executor | str = "local",
    progress: ProgressCallback | None = None,
    **options: Unpack[RenderOptions],
) -> RenderResult:
    """Render ``reel`` into ``output``, and wait for it.

    Args:
        reel, output: see :class:`~reelproc.RenderJob`.
        executor: where to render: one of yours, which stays open, or the name of one that is made for this job.
        progress: told how far it is.
        **options: ``on_damage``, ``smart_copy``, ``strict``, ``chunks``, ``copies``: see :class:`~reelproc.RenderJob`.

    Raises:
        ReelprocError: what went wrong, typed; nothing is left at ``output``.
    """
    return _done(RenderJob(reel=reel, output=output, **options), executor, progress)


def extract(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    executor: Executor | str = "local",
    progress: ProgressCallback | None = None,
    **options: Unpack[ExtractOptions],
) -> ExtractResult:
    """Cut a span out of ``source``, and wait for it.

    Args:
        source, output: see :class:`~reelproc.ExtractJob`.
        executor: where to do it: one of yours, which stays open, or the name of one that is made for this job.
        progress: told how far it is.
        **options: ``start``, ``end``, ``copy_codec``, ``on_damage``, ``smart_copy``: see
            :class:`~reelproc.ExtractJob`.

    Raises:
        ReelprocError: what went wrong, typed; nothing is left at ``output``.
    """
    return _done(ExtractJob(source=source, output=output, **options), executor, progress)


def _done(job: Job[ResultT], executor: Executor | str, progress: ProgressCallback | None) -> ResultT:
    """Return the result of ``job``; an interruption of the wait, or an error in ``progress``, cancels it."""
    if isinstance(executor, str):
        with make_executor(executor) as made:
            return _done(job, made, progress)
    handle = executor.submit(job)
    try:
        if progress is not None:
            for event in handle.events():
                progress(event)
        return handle.result()
    except BaseException:
        handle.cancel()
        raise
