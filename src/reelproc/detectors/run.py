"""Does a :class:`~reelproc.jobs.DetectJob`: reads the frames, shows them to the model, measures colours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from reelproc.detectors import DETECTORS
from reelproc.detectors.base import DetectSpec
from reelproc.detectors.clothing import with_colours
from reelproc.detectors.frames import decoded, requests_by_ordinal, requests_by_time
from reelproc.media.probe.probe import probe
from reelproc.pixels.frame import Frame
from reelproc.results import Detection, DetectResult, FrameDetections, PhaseClock, Progress
from reelproc.storage import scheme_of

if TYPE_CHECKING:
    from reelproc.job_context import JobContext
    from reelproc.jobs import DetectJob


def detect(job: DetectJob, context: JobContext) -> DetectResult:
    """Do ``job``; a frame that is asked for twice is looked at once.

    Raises:
        SpecError: no such backend, class or time.
        ObjectNotFoundError: the source or the model is not there.
        MissingDependencyError: the backend's packages are not installed.
        BackendError: the model cannot be loaded, is not to be trusted, or fails.
        DecodeError: a frame cannot be decoded.
    """
    clock = PhaseClock()
    model = context.sources.name(job.model)
    context.progress(Progress(phase="probe", message="reading the source"))
    with clock("probe"):
        source = context.sources[job.source]
        info = probe(source)
        video = info.require_video()
        if job.times is not None:
            wanted = requests_by_time(source, info, job.times)
        else:
            wanted = requests_by_ordinal(source, info, job.frames or ())
    context.progress(Progress(phase="load", message=f"loading {model}"))
    with clock("load"):
        path = job.model if scheme_of(job.model) == "file" else str(context.sources[job.model].fetch())
        spec = DetectSpec(path, job.confidence, tuple(job.classes), job.image_size, job.trust, model)
        work = DETECTORS.get(job.backend).open(spec)
    total = len(set(wanted.pts))
    found: dict[int, FrameDetections] = {}
    warnings = []
    try:
        frames = decoded(source, info, wanted, conceal=job.on_damage == "conceal")
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
        source=context.sources.name(job.source),
        model=model,
        width=video.width,
        height=video.height,
        frames=tuple(found[pts] for pts in wanted.pts),
        phases=clock.phases(),
        hardware=context.hardware,
        warnings=tuple(warnings),
    )


def _next(frames: Iterator[tuple[int, Frame]], count: int, clock: PhaseClock) -> list[tuple[int, Frame]]:
    with clock("decode"):
        return list(islice(frames, count))


def _measured(frame: Frame, boxes: tuple[Detection, ...]) -> FrameDetections:
    detections = tuple(with_colours(box, frame.image) for box in boxes)
    return FrameDetections(time=frame.time, pts=frame.pts, detections=detections)
