"""One call for one job: make it, have it done, and wait for its result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

from reelproc.executors import Executor
from reelproc.executors import executor as make_executor
from reelproc.job_context import OnDamage
from reelproc.jobs import ExtractJob, Job, RenderJob
from reelproc.reel import Reel
from reelproc.results import ExtractResult, ProgressCallback, RenderResult
from reelproc.timing import Time


def render(
    reel: Reel,
    output: str | os.PathLike[str],
    *,
    on_damage: OnDamage = "raise",
    smart_copy: bool = True,
    strict: bool = False,
    chunks: int | Literal["auto"] = 1,
    copies: Sequence[str | os.PathLike[str]] = (),
    executor: Executor | str = "local",
    progress: ProgressCallback | None = None,
) -> RenderResult:
    """Render ``reel`` into ``output``, and wait for it.

    Args:
        reel: what to make.
        output, on_damage, smart_copy, strict, chunks, copies: see :class:`~reelproc.RenderJob`.
        executor: where to render: one of yours, which stays open, or the name of one that is made for this job.
        progress: told how far it is.

    Raises:
        ReelprocError: whatever went wrong, typed; nothing is left at ``output``.
    """
    job = RenderJob(
        reel=reel,
        output=output,
        on_damage=on_damage,
        smart_copy=smart_copy,
        strict=strict,
        chunks=chunks,
        copies=copies,
    )
    result: RenderResult = _done(job, executor, progress)
    return result


def extract(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    start: Time = 0.0,
    end: Time | None = None,
    copy_codec: bool = False,
    on_damage: OnDamage = "raise",
    smart_copy: bool = True,
    executor: Executor | str = "local",
    progress: ProgressCallback | None = None,
) -> ExtractResult:
    """Cut a span out of ``source``, and wait for it.

    Args:
        source, output, start, end, copy_codec, on_damage, smart_copy: see :class:`~reelproc.ExtractJob`.
        executor: where to do it: one of yours, which stays open, or the name of one that is made for this job.
        progress: told how far it is.

    Raises:
        ReelprocError: whatever went wrong, typed; nothing is left at ``output``.
    """
    job = ExtractJob(
        source=source,
        output=output,
        start=start,
        end=end,
        copy_codec=copy_codec,
        on_damage=on_damage,
        smart_copy=smart_copy,
    )
    result: ExtractResult = _done(job, executor, progress)
    return result


def _done(job: Job, executor: Executor | str, progress: ProgressCallback | None) -> Any:
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
