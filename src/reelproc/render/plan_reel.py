"""Plan a reel: probe its sources, choose the frames, and mark what is copied."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from reelproc.media.info import MediaInfo
from reelproc.media.packets.frame_times import frame_times
from reelproc.media.probe.probe import probe
from reelproc.media.shown_frames import HOLD_SECONDS
from reelproc.reel import Clip, Reel, check_reel
from reelproc.render.plan import Plan, SourceFrames
from reelproc.render.planning import make_plan
from reelproc.render.smart_copy import with_copies
from reelproc.render.source_fetch import fetch_whole_if_worth_it
from reelproc.storage import scheme_of
from reelproc.storage.source import Source
from reelproc.storage.sources import Sources
from reelproc.timing import exact


def plan(
    reel: Reel,
    *,
    hold: bool = False,
    smart_copy: bool = True,
    strict: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Plan:
    """Probe the sources of ``reel`` and resolve it, frame by frame.

    Args:
        reel: what to make.
        hold: allow a clip to reach any distance past the end of its source.
        smart_copy: where the reel only draws on one clip, copy what is not drawn on (see
            :mod:`reelproc.render.smart_copy`).
        strict: refuse what would otherwise be a warning: what a stage has outside its picture or its time, and so where
            nobody sees it (see :meth:`Stage.mismatches <reelproc.Stage.mismatches>`).
        check: called between sources; may raise to stop.

    Raises:
        SpecError: what was asked for is not possible with these sources.
        ObjectNotFoundError: a source does not exist.
        ProbeError: a source cannot be understood.
    """
    with Sources() as sources:
        return plan_from(reel, sources, hold=hold, smart_copy=smart_copy, strict=strict, check=check)


def plan_from(
    reel: Reel,
    sources: Sources,
    *,
    hold: bool = False,
    smart_copy: bool = True,
    strict: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Plan:
    """Plan ``reel`` from ``sources``, which open what it names; options and errors are those of :func:`plan`."""
    check_reel(reel)
    infos: dict[str, MediaInfo] = {}
    footage: list[tuple[str, MediaInfo, SourceFrames]] = []
    for clip in reel.clips:
        check()
        source = sources[clip.source]
        if clip.source not in infos:
            infos[clip.source] = probe(source)
            spans = [(c.start, c.end) for c in reel.clips if c.source == clip.source]
            fetch_whole_if_worth_it(source, infos[clip.source], spans)
        info = infos[clip.source]
        footage.append((place_of(clip.source, info), info, _frames(source, info, clip)))
    made = make_plan(with_names(reel, sources), footage, hold=hold, strict=strict)
    return with_copies(made, reel, sources) if smart_copy else made


def place_of(address: str, info: MediaInfo) -> str:
    """Return the address that a plan holds: of a file of this machine, the absolute path."""
    return info.path if scheme_of(address) == "file" else address


def with_names(reel: Reel, sources: Sources) -> Reel:
    """Return ``reel`` with what people are told in place of its sources' addresses: for messages."""
    clips = tuple(clip.model_copy(update={"source": sources.name(clip.source)}) for clip in reel.clips)
    return reel.model_copy(update={"clips": clips})


def _frames(source: Source, info: MediaInfo, clip: Clip) -> SourceFrames:
    """Return the timestamps that ``clip`` can need: its range and a frame on either side."""
    start = exact(clip.start)
    end: Fraction | None = None if clip.end is None else exact(clip.end)
    times = frame_times(source, info, start=start, end=end)
    video = info.require_video()
    ends = times.seconds(times.end_pts)
    if ends - info.duration > HOLD_SECONDS and info.duration > times.seconds(times.pts[-1]):
        ends = info.duration  # the last frame claims to be shown for longer than the whole file lasts
    return SourceFrames(times.pts, video.time_base, video.start_pts, ends, times.disorder, times.untimed)
