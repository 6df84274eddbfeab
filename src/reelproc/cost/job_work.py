"""From a job to its work: its sources are probed, wherever they are, and nothing is decoded or downloaded whole."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc.cost.plan_work import LEAD_IN_SECONDS, MEGA, count
from reelproc.cost.work import SegmentWork, Work
from reelproc.jobs import Job, RenderJob
from reelproc.media.probe.probe import probe
from reelproc.reel import Clip, Reel, check_reel
from reelproc.render.plan import SourceFrames
from reelproc.render.plan_reel import place_of, plan_from, with_names
from reelproc.render.planning import make_plan
from reelproc.render.smart_copy import is_drawing
from reelproc.storage import scheme_of
from reelproc.storage.sources import Sources, temporary_sources
from reelproc.timing import exact

if TYPE_CHECKING:
    from reelproc.job_context import OnDamage
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
    if isinstance(job, Job):
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
        SpecError: what was asked for is not possible with these sources, or nothing is known of the job's work.
        ReelprocError: a source cannot be looked at.
    """
    job = as_job(job)
    with temporary_sources() as sources:
        return job.counted_by(_Counter(job.job, sources))


class _Counter:
    """Count the work of a job; see :class:`~reelproc.jobs.WorkCounter`."""

    def __init__(self, kind: str, sources: Sources) -> None:
        self._kind = kind
        self._sources = sources

    def reel(
        self,
        reel: Reel,
        *,
        destination: str,
        on_damage: OnDamage = "raise",
        smart_copy: bool = True,
        strict: bool = False,
    ) -> Work:
        """Count a reel; of remote sources only a probe is made, since timestamps cost their packets."""
        hold, name = on_damage == "conceal", Path(destination).name or "out.mp4"
        footage = list(dict.fromkeys(clip.source for clip in reel.clips))
        if not any(map(_is_remote, footage)):
            planned = plan_from(reel, self._sources, hold=hold, smart_copy=smart_copy, strict=strict)
            return self._named(count(planned, destination=name))
        regular = [_regular(clip, self._sources) for clip in reel.clips]
        planned = make_plan(with_names(reel, self._sources), regular, hold=hold, strict=strict)
        work = self._named(count(planned, destination=name), footage)
        said = (
            (REGULAR_RATE_NOTE, MAYBE_COPIED_NOTE) if smart_copy and is_drawing(planned, reel) else (REGULAR_RATE_NOTE,)
        )
        return work.model_copy(update={"warnings": (*work.warnings, *said)})

    def copy(self, source: str, start: float, end: float | None) -> Work:
        """Count a copy of packets."""
        info = probe(self._sources[source])
        whole = float(info.duration)
        seconds = max(0.0, (whole if end is None else min(end, whole)) - start)
        megabytes = info.size_bytes / MEGA * (seconds / whole if whole else 1.0)
        frames = round(seconds * float(info.require_video().average_rate or 30))
        work = Work(
            job=self._kind,
            frames=frames,
            copied_frames=frames,
            duration_seconds=seconds,
            before={"probe": 1.0},
            after={"copy": megabytes},
            source_megabytes=megabytes,
            output_megabytes=megabytes,
        )
        return self._named(work, (source,))

    def detection(self, source: str, frame_count: int, *, model: str, image_size: int) -> Work:
        """Count frames that a detector looks at. A remote checkpoint is fetched whole."""
        info = probe(self._sources[source])
        video = info.require_video()
        rate = float(video.average_rate or 30)
        megapixels = video.coded_width * video.coded_height / MEGA
        # frames that lie far apart are each decoded from the key frame before; together never more than the whole
        decoded = min(frame_count * (1 + LEAD_IN_SECONDS * rate), float(info.duration) * rate)
        name = Path(model).stem
        warnings: tuple[str, ...] = ()
        amounts = {f"decode.{video.codec}": decoded * megapixels, "pipe": frame_count * megapixels}
        if name in DETECTORS:
            amounts["detect.default"] = frame_count * DETECTORS[name] * (image_size / 640) ** 2 / 1000
        else:
            known = ", ".join(DETECTORS)
            warnings = (f"what the detector {name} costs is not known (of {known} it is), so this is a lower bound",)
        work = Work(
            job=self._kind,
            frames=frame_count,
            segments=(SegmentWork(number=0, frames=frame_count, clips=(0,), amounts=amounts),),
            before={"probe": 1.0},
            source_megabytes=info.size_bytes / MEGA * min(1.0, decoded / max(1.0, float(info.duration) * rate)),
            networks=(name,),
            warnings=warnings,
        )
        work = self._named(work, (source,))
        if _is_remote(model):
            checkpoint = self._sources[model].size / MEGA
            work = work.model_copy(update={"remote_megabytes": work.remote_megabytes + checkpoint})
        return work

    def _named(self, work: Work, footage: Sequence[str] = ()) -> Work:
        """Return ``work`` under the job's kind, with the share of its sources that is remote."""
        share = sum(map(_is_remote, footage)) / max(1, len(footage))
        return work.model_copy(update={"job": self._kind, "remote_megabytes": work.source_megabytes * share})


def _is_remote(address: str) -> bool:
    return scheme_of(address) != "file"


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
