"""From a job to its work: its sources are probed, wherever they are, and nothing is decoded or downloaded whole."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc.cost.plan_work import LEAD_IN_SECONDS, MEGA, count
from reelproc.cost.work import SegmentWork, Work
from reelproc.errors import SpecError
from reelproc.jobs import ChunkJob, DetectJob, ExtractJob, Job, RenderJob, job_output, job_sources
from reelproc.media.probe.probe import probe
from reelproc.reel import Clip, Output, Reel, check_reel
from reelproc.render.plan import SourceFrames
from reelproc.render.plan_reel import place_of, plan_from, with_names
from reelproc.render.planning import make_plan
from reelproc.render.smart_copy import is_drawing
from reelproc.storage import scheme_of
from reelproc.storage.sources import Sources, temporary_sources
from reelproc.timing import exact

if TYPE_CHECKING:
    from reelproc.media.info import MediaInfo

REGULAR_RATE_NOTE = "of remote sources no timestamps were read: their frames are taken to come at a constant rate"
MAYBE_COPIED_NOTE = (
    "what is not drawn on may be copied instead of being encoded, which is not known of a remote source before it is "
    "read: this is an upper bound"
)

DETECTORS = {"yolov8n": 8.7, "yolov8s": 28.6, "yolov8m": 78.9, "yolov8l": 165.2, "yolov8x": 257.8}
"""GFLOP for a picture of 640 x 640, as Ultralytics publishes them (docs.ultralytics.com/models/yolov8)."""


def as_job(job: Job | Reel) -> Job:
    """Return ``job`` itself, or the job that renders a reel."""
    if isinstance(job, RenderJob | ExtractJob | DetectJob | ChunkJob):
        return job
    check_reel(job)
    return RenderJob(reel=job, output="reel.mp4")


def work_of(job: Job | Reel) -> Work:
    """Return the work of ``job``, as its plan has it.

    Local sources are planned as a render plans them. Of remote ones no more than a probe is read, by ranges; their
    frames are taken to come at a constant rate, which the warnings say.

    Args:
        job: a reel, or any job but one chunk of another.

    Raises:
        SpecError: what was asked for is not possible with these sources.
        ReelprocError: a source cannot be looked at.
    """
    job = as_job(job)
    if isinstance(job, ChunkJob):
        raise SpecError("a chunk is a part of a render; ask for the work of the render")
    remote = [address for address in job_sources(job) if scheme_of(address) != "file"]
    with temporary_sources() as sources:
        checkpoint = job.model if isinstance(job, DetectJob) and job.model in remote else None
        megabytes = sources[checkpoint].size / MEGA if checkpoint else 0.0  # it is fetched whole
        footage = [address for address in remote if address != checkpoint]
        work = _counted(job, sources, remote=bool(footage))
    count_of_sources = 1 if isinstance(job, DetectJob) else len(job_sources(job))
    megabytes += work.source_megabytes * len(footage) / max(1, count_of_sources)
    return work.model_copy(update={"remote_megabytes": megabytes}) if remote else work


def _counted(job: Job, sources: Sources, *, remote: bool) -> Work:
    if isinstance(job, RenderJob):
        return _planned(job.reel, job, sources, remote=remote)
    if isinstance(job, ExtractJob):
        if job.copy_codec:
            return _copying(job, sources)
        clip = Clip(source=job.source, start=job.start, end=job.end)
        reel = Reel(clips=[clip], output=Output(width=None, height=None, fps=None))
        return _planned(reel, job, sources, remote=remote).model_copy(update={"job": "extract"})
    if isinstance(job, DetectJob):
        return _detecting(job, sources)
    raise SpecError(f"nothing is known of the work of a {type(job).__name__}")


def _planned(reel: Reel, job: RenderJob | ExtractJob, sources: Sources, *, remote: bool) -> Work:
    """Return the work of a reel; of remote sources only a probe is made, since timestamps cost their packets."""
    hold, name = job.on_damage == "conceal", Path(job_output(job)).name or "out.mp4"
    strict = isinstance(job, RenderJob) and job.strict
    if not remote:
        return count(plan_from(reel, sources, hold=hold, smart_copy=job.smart_copy, strict=strict), destination=name)
    footage = [_regular(clip, sources) for clip in reel.clips]
    made = make_plan(with_names(reel, sources), footage, hold=hold, strict=strict)
    work = count(made, destination=name)
    said = (REGULAR_RATE_NOTE, MAYBE_COPIED_NOTE) if job.smart_copy and is_drawing(made, reel) else (REGULAR_RATE_NOTE,)
    return work.model_copy(update={"warnings": (*work.warnings, *said)})


def _regular(clip: Clip, sources: Sources) -> tuple[str, MediaInfo, SourceFrames]:
    """Return what a plan needs to know of a clip's source, as if its frames came at a constant rate."""
    info = probe(sources[clip.source])
    video = info.require_video()
    rate = video.average_rate or Fraction(30)
    end = info.duration if clip.end is None else min(exact(clip.end), info.duration)
    first, last = max(0, floor(exact(clip.start) * rate) - 1), ceil(end * rate) + 1
    last = min(last, max(1, round(info.duration * rate)))
    ticks = [video.start_pts + round(n / rate / video.time_base) for n in range(first, last)]
    return (
        place_of(clip.source, info),
        info,
        SourceFrames(tuple(dict.fromkeys(ticks)), video.time_base, video.start_pts, info.duration),
    )


def _copying(job: ExtractJob, sources: Sources) -> Work:
    info = probe(sources[job.source])
    whole = float(info.duration)
    seconds = max(0.0, (whole if job.end is None else min(job.end, whole)) - job.start)
    megabytes = info.size_bytes / MEGA * (seconds / whole if whole else 1.0)
    frames = round(seconds * float(info.require_video().average_rate or 30))
    return Work(
        job="extract",
        frames=frames,
        copied_frames=frames,
        duration_seconds=seconds,
        before={"probe": 1.0},
        after={"copy": megabytes},
        source_megabytes=megabytes,
        output_megabytes=megabytes,
    )


def _detecting(job: DetectJob, sources: Sources) -> Work:
    info = probe(sources[job.source])
    video = info.require_video()
    looked_at = len(job.times or job.frames or ())
    rate = float(video.average_rate or 30)
    megapixels = video.coded_width * video.coded_height / MEGA
    # frames that lie far apart are each decoded from the key frame before; together never more than the whole
    decoded = min(looked_at * (1 + LEAD_IN_SECONDS * rate), float(info.duration) * rate)
    name = Path(job.model).stem
    warnings: tuple[str, ...] = ()
    amounts = {f"decode.{video.codec}": decoded * megapixels, "pipe": looked_at * megapixels}
    if name in DETECTORS:
        scale = (job.image_size / 640) ** 2
        amounts["detect.default"] = looked_at * DETECTORS[name] * scale / 1000
    else:
        known = ", ".join(DETECTORS)
        warnings = (f"what the detector {name} costs is not known (of {known} it is), so this is a lower bound",)
    segment = SegmentWork(number=0, frames=looked_at, clips=(0,), amounts=amounts)
    return Work(
        job="detect",
        frames=looked_at,
        segments=(segment,),
        before={"probe": 1.0},
        source_megabytes=info.size_bytes / MEGA * min(1.0, decoded / max(1.0, float(info.duration) * rate)),
        networks=(name,),
        warnings=warnings,
    )
