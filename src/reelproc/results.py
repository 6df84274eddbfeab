"""What a job says while it runs (:class:`Progress`) and when it is done (:class:`RenderResult`, ...)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, computed_field

from reelproc.machine.memory import peak_memory_bytes
from reelproc.schema import Colour, Fraction01, Items, Schema, Seconds, WithFloats

__all__ = [
    "ClipSpan",
    "DetectResult",
    "Detection",
    "ExtractResult",
    "FrameDetections",
    "JobResult",
    "JobStatus",
    "Phase",
    "PhaseClock",
    "Progress",
    "ProgressCallback",
    "RenderResult",
    "peak_memory_bytes",
]

Phase = Literal[
    "startup", "download", "probe", "load", "decode", "stages", "network", "encode", "audio", "assemble", "upload"
]
"""The phases whose seconds a result reports, beside ``wall`` and, of a divided render, ``parts``: what its workers took
in all."""

JobStatus = Literal["queued", "running", "complete", "error", "cancelled", "expired", "unknown"]


PROGRESS_SECONDS = 0.25
"""How often progress is reported."""

_PROGRESS_SPANS: dict[str, tuple[float, float]] = {
    "startup": (0.0, 0.0),
    "download": (0.0, 0.08),
    "probe": (0.08, 0.1),
    "load": (0.1, 0.1),
    **dict.fromkeys(("render", "copy", "detect"), (0.1, 0.9)),
    "audio": (0.9, 0.95),
    "assemble": (0.95, 0.97),
    "upload": (0.97, 1.0),
    "done": (1.0, 1.0),
}
"""Where each phase of a job begins and ends, as a share of the whole, in the order in which they come."""


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

    @property
    def share(self) -> float:
        """How far the whole job is, within [0, 1], for a progress bar.

        From the first frame on it does not go back during a run. Before that, each source that is fetched begins
        again within the first 8 %.

        Each phase has a fixed part of the whole, the frames the most: an estimate, not a measurement, since what the
        sound or an upload will take is not known before. A phase that is not one of a job's counts by itself.

        >>> Progress(phase="render", done=45, total=90).share
        0.5
        """
        begin, end = _PROGRESS_SPANS.get(self.phase, (0.0, 1.0))
        return begin + (end - begin) * self.fraction


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


class JobResult(Schema):
    """Base of all results: how a job was done.

    Attributes:
        phases: seconds per phase, measured where the work ran; they overlap, so their sum may exceed ``wall``. Those
            of ``audio``, which is rendered beside the pictures, are a processor's.
        hardware: name of what it ran on.
        gpu, cores: the GPU's name and the cores of what it was rented on; None on your own machine.
        cold_start: whether the container was started for this job; None where there is no container.
        cost_usd: by the price table; 0.0 on your own machine.
        peak_memory_bytes: greatest resident memory of the process and its children, as far as the system tells.
        warnings: everything that was not as planned, for people; empty when all was well.
    """

    phases: dict[str, float] = Field(default_factory=dict)
    hardware: str = "local"
    gpu: str | None = None
    cores: float | None = None
    cold_start: bool | None = None
    cost_usd: float = 0.0
    peak_memory_bytes: int = 0
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say for people what was made."""
        return f"{type(self).__name__}"

    def with_names(self, names: Mapping[str, str]) -> Self:
        """Return a copy with other names for local paths: in each field that is one of them."""
        renamed = {field: names[text] for field, text in self if isinstance(text, str) and text in names}
        return self.model_copy(update=renamed)


ResultT = TypeVar("ResultT", bound=JobResult)

if TYPE_CHECKING:  # at run time nobody asks for the default
    import typing_extensions

    ResultT_co = typing_extensions.TypeVar("ResultT_co", bound=JobResult, covariant=True, default=Any)
else:
    ResultT_co = TypeVar("ResultT_co", bound=JobResult, covariant=True)


class _Video(WithFloats):
    """The file that a render has made. A base of its own, so that its fields come first in JSON."""

    output: str
    frame_count: int
    duration_seconds: float
    fps: str | None
    width: int
    height: int
    clips: tuple[ClipSpan, ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def fps_float(self) -> float | None:
        """Frames per second."""
        return None if self.fps is None else float(Fraction(self.fps))


class RenderResult(JobResult, _Video):
    """What was rendered.

    Attributes:
        output: where it is.
        frame_count: frames in the file, exactly as planned.
        duration_seconds: ``frame_count / fps``, or the sum of the frames' own where the source's timestamps are kept.
        fps: constant rate as a fraction, ``"30"`` or ``"30000/1001"``; None where source timestamps are kept.
        fps_float: the same as a float, in JSON as well.
        width, height: pixels.
        clips: each clip's span in the output.
        phases, hardware, gpu, cores, cold_start, cost_usd, peak_memory_bytes, warnings: how it was done; see
            :class:`~reelproc.results.JobResult`.
        notes: what was decided for you, with reasons, and what else is worth knowing of the result.
    """

    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say in one line what the file is, and below it the notes."""
        took = f", in {self.phases['wall']:.1f} s" if "wall" in self.phases else ""
        return f"{self.output}: {self._facts()}{took}" + "".join(f"\n  {note}" for note in self.notes)

    def _facts(self) -> str:
        rate = "with the source's timestamps" if self.fps is None else f"at {self.fps} per second"
        return f"{self.width}x{self.height}, {self.frame_count} frames {rate}, {self.duration_seconds:.3f} s"

    def _repr_html_(self) -> str:
        from reelproc.notebook import table, video

        rows = [
            (c.index, f"{c.start_seconds:.3f} to {c.start_seconds + c.duration_seconds:.3f} s", c.frame_count)
            for c in self.clips
        ]
        told = table(
            f"{self.output}: {self._facts()}", ("clip", "in the result", "frames"), rows, (*self.warnings, *self.notes)
        )
        return told + video(self.output)


class ExtractResult(RenderResult):
    """What was cut out.

    Attributes:
        start_seconds, end_seconds: the span of the source that the file really holds: from the first frame at or behind
            the wanted start; of a copy, from the key frame at or before it.
        copied: whether the streams were copied without re-encoding.
    """

    start_seconds: float
    end_seconds: float
    copied: bool = False


class Detection(Schema):
    """Somebody or something that a model found in a frame.

    Attributes:
        x, y: the centre of its box, pixels of the frame; (0, 0) is the top left corner of the top left pixel.
        width, height: of the box, pixels, above 0.
        confidence: the model's, 0 to 1.
        label: the class, ``"person"`` for a person whatever the model itself says.
        colours: of the clothes, where they were measured: upper and lower body, the median in sRGB.
    """

    x: float
    y: float
    width: Annotated[float, Field(gt=0)]
    height: Annotated[float, Field(gt=0)]
    confidence: Fraction01
    label: str = "person"
    colours: Items[Colour] = ()

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edge, pixels.

        >>> Detection(x=100, y=50, width=20, height=60, confidence=0.9).corners
        (90.0, 20.0, 110.0, 80.0)
        """
        half_width, half_height = self.width / 2, self.height / 2
        return self.x - half_width, self.y - half_height, self.x + half_width, self.y + half_height


class FrameDetections(Schema):
    """What was found in one frame.

    Attributes:
        time: of the frame that was looked at, seconds since the start of the video stream.
        pts: its presentation timestamp in the stream's time base.
        detections: the surest first.
    """

    time: Seconds
    pts: int
    detections: Items[Detection] = ()

    def summary(self) -> str:
        """Say how many were found, and each of them in a line of its own."""
        count = len(self.detections)
        lines = [f"{self.time:.3f} s: {count or 'nobody'}{' found' if count else ''}"]
        for number, seen in enumerate(self.detections, start=1):
            wears = f", wears {' over '.join(seen.colours)}" if seen.colours else ""
            lines.append(
                f"  {number}: {seen.label} {seen.confidence:.2f} at {seen.x:.0f},{seen.y:.0f}, "
                f"{seen.width:.0f}x{seen.height:.0f}{wears}"
            )
        return "\n".join(lines)


class _Findings(Schema):
    """What a detection has found. A base of its own, so that its fields come first in JSON."""

    source: str
    model: str
    width: int
    height: int
    frames: Items[FrameDetections] = ()


class DetectResult(JobResult, _Findings):
    """Who was found, and where.

    Attributes:
        source: the footage.
        model: what looked, as it was asked for.
        width, height: of the frames, pixels, after rotation.
        frames: one for each time or frame that was asked for, in that order.
        phases, hardware, gpu, cores, cold_start, cost_usd, peak_memory_bytes, warnings: how it was done; see
            :class:`~reelproc.results.JobResult`.
    """

    @property
    def frame_count(self) -> int:
        """How many frames there are in :attr:`frames`."""
        return len(self.frames)

    def summary(self) -> str:
        """Say who was found in each frame."""
        return "\n".join(frame.summary() for frame in self.frames)


class PhaseClock:
    """Adds up seconds per phase, and counts all of them since it was made; threads may share one.

    >>> clock = PhaseClock()
    >>> with clock("decode"):
    ...     pass
    >>> list(clock.phases())
    ['decode', 'wall']
    """

    def __init__(self) -> None:
        self._begin = time.perf_counter()
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

    def phases(self) -> dict[str, float]:
        """Return what a result reports: the seconds of each phase, and ``wall``, those since the clock was made."""
        wall = time.perf_counter() - self._begin
        return {name: round(seconds, 4) for name, seconds in (*self.seconds.items(), ("wall", wall))}
