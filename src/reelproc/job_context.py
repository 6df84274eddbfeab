"""Where and how a job runs, told to those who do it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from reelproc.errors import JobCancelledError
from reelproc.media.write.encoders import ENCODER_THREADS
from reelproc.results import Progress, ProgressCallback, RenderResult
from reelproc.storage.sources import Sources

OnDamage = Literal["raise", "conceal"]
"""What to do about a source frame that cannot be decoded: raise, or repeat the last good one and report it."""

Chunks = Annotated[int, Field(ge=1, le=100)] | Literal["auto"]
"""Into how many parts to divide a render."""


@dataclass(frozen=True)
class Delegate:
    """Have parts of a render done elsewhere.

    Attributes:
        work: does all parts, and returns their results. It gets the segment numbers of each part, and a callback for
            the number of frames done so far; it puts the segments into ``JobContext.store``.
        most: the greatest number of parts that ``chunks="auto"`` may make.
        always: delegate even a single part, because this machine is not fit for it.
    """

    work: Callable[[list[tuple[int, ...]], Callable[[int], None]], list[RenderResult]]
    most: int
    always: bool = False


def _ignore(_: Progress) -> None:
    pass


@dataclass
class JobContext:
    """Say where and how a job runs.

    Attributes:
        folder: a durable folder for this job's segments, from which a killed job resumes; None: a temporary folder.
        progress: called with each event, from the job's thread.
        cancelled: set it to stop the job at its next frame.
        encoder_threads: the encoder's thread count. It is fixed, because x264's output changes with it.
        hardware: the name that results carry.
        store: an address prefix where finished segments are kept and looked for, besides ``folder``; None: nowhere.
        delegate: who does parts of a render; None: all is done here.
        names: what people are told in place of an address: of a staged source, the path on the caller's machine.
        sources: open what the job reads.
    """

    folder: Path | None = None
    progress: ProgressCallback = _ignore
    cancelled: threading.Event = field(default_factory=threading.Event)
    encoder_threads: int = ENCODER_THREADS
    hardware: str = "local"
    store: str | None = None
    delegate: Delegate | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    sources: Sources = field(default_factory=Sources)

    def check(self) -> None:
        """Stop a job that was cancelled.

        Raises:
            JobCancelledError: the job was cancelled.
        """
        if self.cancelled.is_set():
            raise JobCancelledError("the job was cancelled")
