"""The frames that a job asks for, by time or by ordinal, decoded exactly, each once, in order of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal

from reelproc.errors import DecodeError, SpecError
from reelproc.media.info import MediaInfo
from reelproc.media.packets.frame_times import FrameTimes, frame_times
from reelproc.media.read.reader import open_video
from reelproc.pixels.frame import Frame
from reelproc.timing import exact

__all__ = ["FrameRequest", "decoded", "requests_by_ordinal", "requests_by_time"]

HOLD_SECONDS = Fraction(1)
"""The last frame is shown for up to a second past the end, as in a plan: editors round."""

_RESTART_SECONDS = 5
"""Where wanted frames are further apart than this, seeking is faster than decoding what lies between."""


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """Which frames of a file are wanted.

    Attributes:
        pts: one for each request, in the order of the requests; may repeat.
        times: when the frames are shown, and the source's clock.
    """

    pts: tuple[int, ...]
    times: FrameTimes


def requests_by_time(path: Path, info: MediaInfo, seconds: Sequence[float]) -> FrameRequest:
    """The frames nearest to ``seconds``, the earlier on a tie.

    Raises:
        SpecError: a time lies before the video or more than a second behind its end.
        ProbeError: the file cannot be understood.
    """
    asked = [exact(second) for second in seconds]
    low, high = min(asked), max(asked)
    if low < 0:
        raise SpecError(f"a time is 0 or more seconds, got {float(low):g}", path=("times",))
    times = frame_times(path, info, start=low, end=high)
    ends = times.seconds(times.end_pts)
    if high > ends + HOLD_SECONDS:
        raise SpecError(f"{path.name} ends at {float(ends):.3f} s, got the time {float(high):g}", path=("times",))
    return FrameRequest(tuple(_nearest(times, second) for second in asked), times)


def requests_by_ordinal(path: Path, info: MediaInfo, ordinals: Sequence[int]) -> FrameRequest:
    """The frames with these ordinals in order of display, which takes reading the whole packet index.

    Raises:
        SpecError: the file promises fewer frames.
        ProbeError: the file cannot be understood.
    """
    times = frame_times(path, info)
    if max(ordinals) >= len(times.pts):
        raise SpecError(f"{path.name} has {len(times.pts)} frames, got frame {max(ordinals)}", path=("frames",))
    return FrameRequest(tuple(times.pts[n] for n in ordinals), times)


def _nearest(times: FrameTimes, second: Fraction) -> int:
    pts = times.start_pts + second / times.time_base
    behind = bisect_left(times.pts, pts)
    around = times.pts[max(0, behind - 1) : behind + 1]
    return min(around, key=lambda p: abs(p - pts))


def decoded(
    path: Path, info: MediaInfo, wanted: FrameRequest, *, on_damage: Literal["raise", "conceal"]
) -> Iterator[tuple[int, Frame]]:
    """Each wanted frame, once, in order of time: its timestamp, and the ``bgr24`` frame.

    Where a frame cannot be decoded, and ``on_damage`` is ``"conceal"``, the frame is the last good one before it, or
    the first one behind where there is none; its ``pts`` tells.

    Raises:
        DecodeError: a frame cannot be decoded (with ``"conceal"``: no frame at all can).
    """
    for run in _runs(sorted(set(wanted.pts)), wanted.times):
        missing = list(run)
        last: Frame | None = None
        step = wanted.times.time_base
        first, end = wanted.times.seconds(run[0]), wanted.times.seconds(run[-1]) + step
        if on_damage == "conceal":
            first = max(Fraction(0), first - 1)
        with open_video(path, start=max(Fraction(0), first), end=end, info=info) as reader:
            for frame in reader:
                while missing and missing[0] < frame.pts:
                    yield missing[0], _concealed(last or frame, missing.pop(0), path, wanted.times, on_damage)
                if missing and missing[0] == frame.pts:
                    yield missing.pop(0), frame
                last = frame
        for pts in missing:
            yield pts, _concealed(last, pts, path, wanted.times, on_damage)


def _runs(pts: Sequence[int], times: FrameTimes) -> Iterator[list[int]]:
    """``pts`` in runs that are worth decoding through."""
    run = [pts[0]]
    for one, two in pairwise(pts):
        if (two - one) * times.time_base > _RESTART_SECONDS:
            yield run
            run = []
        run.append(two)
    yield run


def _concealed(frame: Frame | None, pts: int, path: Path, times: FrameTimes, on_damage: str) -> Frame:
    if on_damage == "raise" or frame is None:
        raise DecodeError(
            f"the frame of {path.name} at {float(times.seconds(pts)):.3f} s cannot be decoded; "
            "ask for another, or use on_damage='conceal' to look at the last good one before it"
        )
    return frame
