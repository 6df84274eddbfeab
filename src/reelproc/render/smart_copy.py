"""Smart copy: where a reel only draws on one clip, encode what is drawn on and copy the rest bit for bit.

A stream can be cut before an IDR picture that nothing refers across; what lies between two such cuts is a *unit*. Units
that no stage touches are copied; the others are encoded again with parameter sets of their own ids, which the joined
file lists beside the source's. Every packet's decoding time follows from its place and the source's own delay, which
the encoder keeps to, so that the joined stream's timestamps go on without a seam.

This is a way to carry out a plan: frames, times and sizes are those of a full encode.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from reelproc.errors import SpecError
from reelproc.media.bitstream.avc import NAL_IDR, AvcConfiguration, ParameterSets, nal_types
from reelproc.media.container.containers import open_container
from reelproc.media.stream_colour import conversion
from reelproc.render.plan import Copying, Plan, PlannedClip, Segment
from reelproc.render.planning import segment_bounds
from reelproc.storage.source import Source
from reelproc.storage.sources import Sources

if TYPE_CHECKING:
    from av.video.stream import VideoStream

    from reelproc.reel import Reel


def with_copies(plan: Plan, reel: Reel, sources: Sources) -> Plan:
    """Mark the untouched parts of ``plan`` for copying, where reel and source allow it.

    Where the reel is of the kind that could be copied but the source does not allow it, the plan's warnings say why.
    """
    if not is_drawing(plan, reel):
        return plan
    if reel.clips[0].stages == () and reel.output.crf is not None:
        return plan  # nothing is drawn: who names a quality wants the whole of it encoded at that
    try:
        return _with_copies(plan, sources[plan.clips[0].source])
    except _NotCopyableError as reason:
        return replace(plan, notes=(*plan.notes, f"smart copy is not possible: {reason}; all is encoded again"))


class _NotCopyableError(SpecError):
    """A source cannot be copied in parts; the message says why."""


def is_drawing(plan: Plan, reel: Reel) -> bool:
    """Tell whether the reel is one clip in its own size and rate, with nothing but drawing stages."""
    if len(plan.clips) != 1 or reel.output.encoder != "libx264" or reel.output.pix_fmt != "yuv420p":
        return False
    clip = plan.clips[0]
    if not all(stage.draws_only for stage in clip.stages):
        return False
    first = bisect_left(clip.frames.pts, clip.pts[0])
    if clip.pts != clip.frames.pts[first : first + len(clip.pts)]:
        return False  # thinned out to a lower rate
    shown = [clip.frames.time(p) for p in clip.pts]
    return (plan.width, plan.height) == (clip.streams[0].width, clip.streams[0].height) and all(
        plan.time(n) == t - shown[0] for n, t in enumerate(shown)
    )


@dataclass(slots=True)
class _Unit:
    """Packets between two clean cuts.

    Attributes:
        pts: of its packets, in decoding order.
        clean: whether it begins with an IDR picture, it holds to the parameter sets that the file begins with (others
            may mean another size), and no packet of it is damaged on its face. Copied bits are the source's own: damage
            that only a decoder could notice is in the result what it is in the source.
    """

    pts: list[int] = field(default_factory=list)
    clean: bool = True

    @property
    def delay(self) -> int:
        """The most frames by which a packet is decoded ahead of its place in the order of showing."""
        rank = {pts: n for n, pts in enumerate(sorted(self.pts))}
        return max(place - rank[pts] for place, pts in enumerate(self.pts))


def _with_copies(plan: Plan, source: Source) -> Plan:
    clip = plan.clips[0]
    video = clip.info.require_video()
    if video.codec != "h264":
        raise _NotCopyableError(f"the source is {video.codec}, and only H.264 is joined")
    if video.rotation or video.hflip:
        raise _NotCopyableError("the source is turned by its display matrix")
    if video.interlaced:
        raise _NotCopyableError("the source is interlaced, and what is encoded is not")
    if conversion(video.colour, video.pix_fmt, video.coded_width, video.coded_height, "yuv420p").filters:
        raise _NotCopyableError(f"the source's colours ({video.pix_fmt}, {video.colour.matrix}) are converted")
    configuration, units = _read_units(clip, source)
    touched = _touched(clip)
    segments: list[Segment] = []
    planned = 0
    for unit in units:
        shown = sorted(unit.pts)
        low, high = bisect_left(shown, clip.pts[0]), bisect_right(shown, clip.pts[-1])
        if low == high:
            continue
        first = bisect_left(clip.pts, shown[low])
        kept = clip.pts[first : first + high - low]
        if kept != tuple(shown[low:high]):
            raise _NotCopyableError("not every packet of the source gives one shown frame")
        planned += len(kept)
        copied = (
            high - low == len(unit.pts)
            and unit.clean
            and not any(n in touched for n in range(first, first + len(kept)))
        )
        segments.append(Segment(first, first + len(kept), copied=copied))
    if planned != plan.frame_count:
        raise _NotCopyableError("the source's packets are not the frames that are shown")
    if not any(s.copied for s in segments):
        if len(units) > 1:
            return plan  # everything is touched: nothing to copy, and nothing to warn of
        raise _NotCopyableError("the source has no closed group of pictures to cut before")
    merged = _merged(segments, plan)
    free = min(set(range(1, 32)) - configuration.set_ids, default=None)
    if free is None:
        raise _NotCopyableError("the source uses up all parameter set ids")
    return replace(plan, segments=merged, copying=Copying(max(u.delay for u in units), free, sound=_whole(clip)))


def _whole(clip: PlannedClip) -> bool:
    """Tell whether the clip is all of its source, so that the sound can be copied as well."""
    return clip.start <= 0 and clip.end >= clip.frames.end and clip.info.audio is not None


def _touched(clip: PlannedClip) -> frozenset[int]:
    """Return the output frames that a stage can change."""
    since = [clip.frames.time(p) - clip.start for p in clip.pts]
    found: set[int] = set()
    for stage, stream, clock in zip(clip.stages, clip.streams, clip.clocks, strict=False):
        # as stages are told them and take them: floats, those a little outside of the stream for its ends
        times = [min(max(float(clock(t)), 0.0), float(stream.duration)) for t in since]
        for start, end in stage.active_spans(stream):
            found.update(range(bisect_left(times, float(start)), bisect_right(times, float(end))))
    return frozenset(found)


def _read_units(clip: PlannedClip, source: Source) -> tuple[AvcConfiguration, list[_Unit]]:
    """Return the source's parameter sets, and its units around the clip's range."""
    video = clip.info.require_video()
    with open_container(source) as container:
        stream = container.streams[video.index]
        context = cast("VideoStream", stream).codec_context
        configuration = AvcConfiguration.parse(bytes(context.extradata or b""))
        if configuration is None:
            raise _NotCopyableError("the source's container keeps no avcC record (it is not MP4, MOV or Matroska)")
        if configuration.length_bytes != 4:
            raise _NotCopyableError("the source's NAL units have short lengths")
        if clip.pts[0] > video.start_pts:
            container.seek(clip.pts[0], stream=stream, backward=True, any_frame=False)
        units: list[_Unit] = []
        sets = ParameterSets(configuration)
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if packet.has_sidedata("new_extradata"):  # from here on another sample description holds
                described = AvcConfiguration.parse(bytes(packet.get_sidedata("new_extradata")))
                if described is None or described.length_bytes != 4:
                    raise _NotCopyableError("a sample description of the source is no avcC record with long lengths")
                sets.replace(described)
            sets.take(memoryview(packet), 4)
            if packet.pts is None:
                raise _NotCopyableError("a packet of the source has no timestamp")
            types = nal_types(memoryview(packet), 4)
            idr = types is not None and NAL_IDR in types
            if packet.is_keyframe and (idr or not units):
                if units and packet.pts > clip.pts[-1]:
                    break
                units.append(_Unit(clean=idr))
            if units:
                units[-1].clean &= types is not None and not packet.is_corrupt and sets.are_the_first
                units[-1].pts.append(packet.pts)
    return configuration, list(_closed(units))


def _closed(units: Sequence[_Unit]) -> Iterator[_Unit]:
    """Yield ``units``, each joined with the one before where its pictures reach across their border."""
    open_unit: _Unit | None = None
    for unit in units:
        if open_unit is not None and min(unit.pts) < max(open_unit.pts):
            open_unit.pts += unit.pts
            open_unit.clean &= unit.clean
            continue
        if open_unit is not None:
            yield open_unit
        open_unit = unit
    if open_unit is not None:
        yield open_unit


def _merged(segments: Sequence[Segment], plan: Plan) -> tuple[Segment, ...]:
    """Join neighbours of one kind, then cut what is encoded into pieces of the usual length."""
    runs: list[Segment] = []
    for segment in segments:
        if runs and runs[-1].copied == segment.copied:
            runs[-1] = Segment(runs[-1].first, segment.end, copied=segment.copied)
        else:
            runs.append(segment)
    pieces: list[Segment] = []
    for run in runs:
        if run.copied:
            pieces.append(run)
            continue
        bounds = segment_bounds(run.end - run.first, plan.nominal_rate)
        pieces += [Segment(run.first + a, run.first + b) for a, b in bounds]
    return tuple(pieces)
