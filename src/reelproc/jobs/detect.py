"""The job that finds the players in some frames: it reads them, shows them to a model and measures colours."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, Unpack

from pydantic import Field

from reelproc.detectors import DETECTORS
from reelproc.detectors.base import DetectSpec
from reelproc.detectors.checkpoints import is_checkpoint_path
from reelproc.job_context import OnDamage
from reelproc.jobs.base import Job, WorkCounter, WorkT_co
from reelproc.reel import Address
from reelproc.results import Detection, DetectResult, FrameDetections, PhaseClock, Progress
from reelproc.schema import Fraction01, Items, Seconds, Words
from reelproc.storage import scheme_of

if TYPE_CHECKING:
    from reelproc.job_context import JobContext
    from reelproc.pixels.frame import Frame
    from reelproc.timing import Time


class DetectOptions(TypedDict, total=False):
    """How to look for players; see :class:`DetectJob`, whose defaults hold for what is left out."""

    confidence: float
    classes: Sequence[str]
    model: str | os.PathLike[str]
    backend: str
    trust: bool
    image_size: int
    on_damage: OnDamage


class DetectJob(Job[DetectResult]):
    """Find the players in some frames of a source.

    Attributes:
        source: the footage.
        times: seconds of the source; at each, the frame whose time is nearest is looked at, the earlier on a tie.
        frames: instead of ``times``: ordinals in order of display, from 0, of the frames that the file promises.
        confidence: what the model is less sure of is left out.
        classes: which of the model's classes count; ``"person"`` means the model's person, whatever it calls it.
        model: a path or an address of a checkpoint, or a name: ``NAME.pt`` in the weights folder of whoever does it.
        backend: a name in :data:`reelproc.detectors.DETECTORS`.
        trust: load a checkpoint that reelproc does not know, which can run any code that its maker put into it.
        image_size: pixels of the longer side in which the model sees a frame; a multiple of 32.
        on_damage: at a frame that cannot be decoded ``"raise"`` a DecodeError, or ``"conceal"``: look at the last good
            one, which the result reports.
    """

    job: Literal["detect"] = "detect"
    source: Address
    times: Annotated[Items[Seconds], Field(min_length=1)] | None = None
    frames: Annotated[Items[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = None
    confidence: Fraction01 = 0.5
    classes: Annotated[Items[Words], Field(min_length=1)] = ("person",)
    model: Address = "yolov8x"
    backend: Words = "ultralytics"
    trust: bool = False
    image_size: Annotated[int, Field(ge=32, le=4096, multiple_of=32)] = 640
    on_damage: OnDamage = "raise"

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            source: str | os.PathLike[str],
            times: Sequence[Time] | None = None,
            frames: Sequence[int] | None = None,
            version: Literal[1] = 1,
            job: Literal["detect"] = "detect",
            **options: Unpack[DetectOptions],
        ) -> None: ...

    def model_post_init(self, _context: object, /) -> None:
        """Check that there is one way to say which frames."""
        if (self.times is None) == (self.frames is None):
            got = "neither" if self.times is None else "both"
            raise ValueError(f"a detection names its frames by times or by frames, got {got}")

    def run(self, context: JobContext) -> DetectResult:
        """Look at the frames, at one that is asked for twice once; see :meth:`Job.run`.

        Raises:
            SpecError: no such backend, class or time.
            ObjectNotFoundError: the source or the model is not there.
            MissingDependencyError: the backend's packages are not installed.
            BackendError: the model cannot be loaded, is not to be trusted, or fails.
            DecodeError: a frame cannot be decoded.
        """
        from reelproc.detectors.frames import decoded, requests_by_ordinal, requests_by_time
        from reelproc.media.probe.probe import probe

        clock = PhaseClock()
        model = context.sources.name(self.model)
        context.progress(Progress(phase="probe", message="reading the source"))
        with clock("probe"):
            source = context.sources[self.source]
            info = probe(source)
            video = info.require_video()
            if self.times is not None:
                wanted = requests_by_time(source, info, self.times)
            else:
                wanted = requests_by_ordinal(source, info, self.frames or ())
        context.progress(Progress(phase="load", message=f"loading {model}"))
        with clock("load"):
            path = self.model if scheme_of(self.model) == "file" else str(context.sources[self.model].fetch())
            spec = DetectSpec(path, self.confidence, tuple(self.classes), self.image_size, self.trust, model)
            work = DETECTORS.get(self.backend).open(spec)
        total = len(set(wanted.pts))
        found: dict[int, FrameDetections] = {}
        warnings = []
        try:
            frames = decoded(source, info, wanted, conceal=self.on_damage == "conceal")
            while batch := _next(frames, work.batch_size, clock):
                context.check()
                with clock("network"):
                    boxes = work([frame.image for _, frame in batch])
                for (pts, frame), on_it in zip(batch, boxes, strict=True):
                    found[pts] = _measured(frame, on_it)
                    if frame.pts != pts:
                        asked = float(wanted.times.seconds(pts))
                        instead = f"looked at the one at {frame.time:.3f} s"
                        warnings.append(f"the frame at {asked:.3f} s cannot be decoded; {instead}")
                context.progress(Progress(phase="detect", done=len(found), total=total, message="looking for players"))
        finally:
            work.close()
        context.progress(Progress(phase="done", done=total, total=total))
        return DetectResult(
            source=context.sources.name(self.source),
            model=model,
            width=video.width,
            height=video.height,
            frames=tuple(found[pts] for pts in wanted.pts),
            phases=clock.phases(),
            hardware=context.hardware,
            warnings=tuple(warnings),
        )

    def sources(self) -> tuple[str, ...]:
        """Return the footage, then the checkpoint where it is a path or an address."""
        return (self.source, self.model) if is_checkpoint_path(self.model) else (self.source,)

    def with_paths(self, paths: Mapping[str, str]) -> DetectJob:
        """Return the job with other addresses, where ``paths`` has one."""
        return self.replace(source=paths.get(self.source, self.source), model=paths.get(self.model, self.model))

    def counted_by(self, counter: WorkCounter[WorkT_co]) -> WorkT_co:
        """Describe the work; see :meth:`Job.counted_by`."""
        frame_count = len(self.times or self.frames or ())
        return counter.detection(self.source, frame_count, model=self.model, image_size=self.image_size)

    def plausible_result(self) -> DetectResult:
        """Return one player in every frame of a 1920x1080 source with 30 frames per second."""
        player = Detection(x=960, y=540, width=60, height=180, confidence=0.9)
        times = self.times if self.times is not None else [frame / 30 for frame in self.frames or ()]
        frames = [FrameDetections(time=t, pts=round(t * 30), detections=(player,)) for t in times]
        return DetectResult(source=self.source, model=self.model, width=1920, height=1080, frames=frames)


def _next(frames: Iterator[tuple[int, Frame]], count: int, clock: PhaseClock) -> list[tuple[int, Frame]]:
    with clock("decode"):
        return list(islice(frames, count))


def _measured(frame: Frame, boxes: tuple[Detection, ...]) -> FrameDetections:
    from reelproc.detectors.clothing import with_colours

    detections = tuple(with_colours(box, frame.image) for box in boxes)
    return FrameDetections(time=frame.time, pts=frame.pts, detections=detections)
