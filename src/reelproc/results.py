"""What a job says while it runs (:class:`Progress`) and when it is done (:class:`RenderResult`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from pydantic import Field

from reelproc.memory import peak_memory_bytes
from reelproc.schema import Schema

__all__ = [
    "ClipSpan",
    "ExtractResult",
    "JobStatus",
    "Phase",
    "PhaseClock",
    "Progress",
    "ProgressCallback",
    "RenderResult",
    "peak_memory_bytes",
]

Phase = Literal["startup", "download", "probe", "decode", "stages", "network", "encode", "audio", "assemble", "upload"]
"""The phases whose seconds a result reports."""

JobStatus = Literal["queued", "running", "complete", "error", "cancelled", "expired", "unknown"]


class Progress(Schema):
    """One event of a running job.

    Attributes:
        phase: what it is doing: ``probe``, ``render``, ``audio``, ``assemble``, ``done``, ...
        done, total: frames (or bytes, or items) of this phase; ``total`` 0 when unknown.
        message: for people.
    """

    phase: str
    done: int = 0
    total: int = 0
    message: str = ""

    @property
    def fraction(self) -> float:
        """``done / total`` within [0, 1]; 0 when the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else 0.0


ProgressCallback = Callable[[Progress], None]


class ClipSpan(Schema):
    """Where a clip landed in the output.

    Attributes:
        index: the clip's place in the reel.
        first_frame: the first output frame that shows it.
        frame_count: its frames, those that a dissolve shares with a neighbour included.
        start_seconds, duration_seconds: the same on the output's clock.
    """

    index: int
    first_frame: int
    frame_count: int
    start_seconds: float
    duration_seconds: float


class RenderResult(Schema):
    """What was rendered.

    Attributes:
        output: where it is.
        frame_count: frames in the file, exactly as planned.
        duration_seconds: ``frame_count / fps``, or the sum of the frames' own where the source's timestamps are kept.
        fps: constant rate as a fraction, ``"30"`` or ``"30000/1001"``; None where source timestamps are kept.
        width, height: pixels.
        clips: each clip's span in the output.
        phases: seconds per phase, measured where the work ran; they overlap, so their sum may exceed ``wall``.
        hardware: name of what it ran on.
        gpu, cores: the GPU's name and the cores of what it was rented on; None on your own machine.
        cold_start: whether the container was started for this job; None where there is no container.
        cost_usd: by the price table; 0.0 on your own machine.
        peak_memory_bytes: greatest resident memory of the process and its children, as far as the system tells.
        warnings: everything that was not as planned, for people; empty when all was well.
    """

    output: str
    frame_count: int
    duration_seconds: float
    fps: str | None
    width: int
    height: int
    clips: tuple[ClipSpan, ...] = ()
    phases: dict[str, float] = Field(default_factory=dict)
    hardware: str = "local"
    gpu: str | None = None
    cores: float | None = None
    cold_start: bool | None = None
    cost_usd: float = 0.0
    peak_memory_bytes: int = 0
    warnings: tuple[str, ...] = ()


class ExtractResult(RenderResult):
    """What was cut out.

    Attributes:
        start_seconds, end_seconds: the span of the source that the file really holds (a copy starts at a key frame).
        copied: whether the streams were copied without re-encoding.
    """

    start_seconds: float
    end_seconds: float
    copied: bool = False


class PhaseClock:
    """Adds up seconds per phase; threads may share one.

    >>> clock = PhaseClock()
    >>> with clock("decode"):
    ...     pass
    >>> list(clock.seconds)
    ['decode']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, phase: Phase, seconds: float) -> None:
        """Add ``seconds`` to ``phase``. One thread per phase writes, so no lock is needed."""
        self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds

    @contextmanager
    def __call__(self, phase: Phase) -> Iterator[None]:
        """Time a block."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(phase, time.perf_counter() - begin)


JobResult = RenderResult | ExtractResult
"""Whatever a job can return."""
