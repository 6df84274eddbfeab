"""The frames that a job asks for, by time or by ordinal, decoded exactly, each once, in order of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import PurePath

from reelproc.errors import DecodeError, SpecError
from reelproc.media.info import MediaInfo
from reelproc.media.packets.frame_times import FrameTimes, frame_times
from reelproc.media.read.reader import VideoReader, open_video
from reelproc.media.shown_frames import HOLD_SECONDS, last_good_frame, nearest_frame
from reelproc.pixels.frame import Frame
from reelproc.storage.source import Source
from reelproc.timing import exact

_RESTART_SECONDS = 5
"""Where wanted frames are further apart than this, seeking is faster than decoding what lies between."""


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """The frames of a file that a job asks for.

    Attributes:
        pts: one for each request, in the order of the requests; may repeat.
        times: when the frames are shown, and the source's clock.
    """

    pts: tuple[int, ...]
    times: FrameTimes


def requests_by_time(source: Source, info: MediaInfo, seconds: Sequence[float]) -> FrameRequest:
    """Return the frames nearest to ``seconds``, the earlier on a tie.

    Raises:
        SpecError: a time lies before the video or more than a second after its end.
        ProbeError: the file cannot be understood.
    """
    asked = [exact(second) for second in seconds]
    low, high = min(asked), max(asked)
    if low < 0:
        raise SpecError(f"a time is 0 or more seconds, got {float(low):g}", path=("times",))
    times = frame_times(source, info, start=low, end=high)
    ends = times.seconds(times.end_pts)
    if high > ends + HOLD_SECONDS:
        raise SpecError(f"{_file(source)} ends at {float(ends):.3f} s, got the time {float(high):g}", path=("times",))
    places = (nearest_frame(times.pts, times.start_pts + second / times.time_base) for second in asked)
    return FrameRequest(tuple(times.pts[place] for place in places), times)


def requests_by_ordinal(source: Source, info: MediaInfo, ordinals: Sequence[int]) -> FrameRequest:
    """Return the frames with these ordinals in order of display, which takes reading the whole packet index.

    Raises:
        SpecError: the file promises fewer frames.
        ProbeError: the file cannot be understood.
    """
    times = frame_times(source, info)
    if max(ordinals) >= len(times.pts):
        raise SpecError(f"{_file(source)} has {len(times.pts)} frames, got frame {max(ordinals)}", path=("frames",))
    return FrameRequest(tuple(times.pts[n] for n in ordinals), times)


def decoded(source: Source, info: MediaInfo, wanted: FrameRequest, *, conceal: bool) -> Iterator[tuple[int, Frame]]:
    """Yield each wanted frame once, in order of time: its timestamp, and the ``bgr24`` frame.

    Where a frame cannot be decoded, and ``conceal`` is set, the frame is the last good one before it, or the first one
    after it where there is none; its ``pts`` tells.

    Raises:
        DecodeError: a frame cannot be decoded (with ``conceal``: no frame at all can).
    """
    times = wanted.times

    def open_span(start: Fraction, end: Fraction) -> VideoReader:
        return open_video(source, start=max(Fraction(0), start), end=end, info=info)

    def instead(pts: int, before: Frame | None, after: Frame | None) -> Frame:
        held = None
        if conceal:
            held = before or last_good_frame(open_span, times.seconds(pts), earliest=Fraction(0)) or after
        if held is None:
            raise DecodeError(
                f"the frame of {_file(source)} at {float(times.seconds(pts)):.3f} s cannot be decoded; "
                "ask for another, or use on_damage='conceal' to look at the last good one before it"
            )
        return held

    for run in _runs(sorted(set(wanted.pts)), times):
        missing = deque(run)
        last: Frame | None = None
        with open_span(times.seconds(run[0]), times.seconds(run[-1]) + times.time_base) as reader:
            for frame in reader:
                while missing and missing[0] < frame.pts:
                    lost = missing.popleft()
                    yield lost, instead(lost, last, frame)
                if missing and missing[0] == frame.pts:
                    yield missing.popleft(), frame
                last = frame
        for lost in missing:
            yield lost, instead(lost, last, None)


def _runs(pts: Sequence[int], times: FrameTimes) -> Iterator[list[int]]:
    """Yield ``pts`` in runs that are worth decoding through."""
    run = [pts[0]]
    for one, two in pairwise(pts):
        if (two - one) * times.time_base > _RESTART_SECONDS:
            yield run
            run = []
        run.append(two)
    yield run


def _file(source: Source) -> str:
    """Return the last step of the name that people know a source by."""
    return PurePath(source.name).name
