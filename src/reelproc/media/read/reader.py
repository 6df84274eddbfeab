"""Open a video and iterate over its frames: the interface that every reader backend has.

::

    with open_video("game.mp4", pix_fmt="yuv420p", start=3.0, end=9.0) as video:
        for frame in video:
            ...

A backend is a subclass of :class:`VideoReader` with one method to write, ``_decode``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil
from types import TracebackType
from typing import ClassVar, NamedTuple, Self

from reelproc.errors import SpecError
from reelproc.media.decode.interlaced import field_filters
from reelproc.media.info import MediaInfo, VideoStream
from reelproc.media.packets.frame_times import FrameTimes, frame_times
from reelproc.media.probe.probe import probe
from reelproc.media.read.excerpt import Excerpt
from reelproc.media.stream_colour import Conversion, conversion
from reelproc.pixels.frame import PIXEL_FORMATS, Frame, PixelFormat
from reelproc.registry import Registry
from reelproc.storage.source import SourceLike, as_source
from reelproc.suggestions import did_you_mean
from reelproc.timing import Time, exact

__all__ = ["Damage", "VideoReader", "open_video", "readers"]

MAX_SECONDS = 10**9
"""Thirty years; containers and ffmpeg count in 64 bits, which end not far beyond."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A frame that should have been shown and could not be decoded, or only with errors.

    Frames that were predicted from a lost one are delivered, and may show its traces up to the next key frame: decoders
    conceal such faults and mostly say nothing.

    Attributes:
        pts: its timestamp in the stream's time base; None where the decoder did not say which frame it was.
        reason: what is known of the cause.
    """

    pts: int | None
    reason: str


class _Approach(NamedTuple):
    """The way of a decoder to the span that is wanted.

    Attributes:
        seek_pts: where it seeks to; None: it begins at the beginning.
        lead_count: how many frames it makes before the span.
    """

    seek_pts: int | None
    lead_count: int


class VideoReader(ABC):
    """An open video: a context manager, and an iterator of :class:`~reelproc.pixels.frame.Frame` in order of time.

    Frames have the size after rotation, are BT.709 (limited range where planar; high dynamic range is tone-mapped) and
    deinterlaced, and each has its own memory: the caller may change it. A frame that cannot be decoded is left out and
    listed in :attr:`damage`. Leaving the ``with`` block, or :meth:`close`, ends all threads and child processes.

    Attributes:
        source: what is read; its ``open()``, ``input()`` and ``fetch()`` are for backends.
        path: its name, for people.
        info: what was probed.
        video: the stream that is read.
        pix_fmt: of the frames.
        start, end: the wanted span, exact seconds; None: no bound.
        excerpt: the part of the frames that is wanted; None: all.
        width, height: of the frames that come out, pixels.
        warnings: what this backend cannot do for this file, for people.
    """

    lost_reason: ClassVar[str] = "its packet is damaged: it could not be decoded"
    """Why a frame is missing, as far as this backend can tell."""

    def __init__(
        self,
        path: SourceLike,
        *,
        pix_fmt: PixelFormat = "bgr24",
        start: Time | None = None,
        end: Time | None = None,
        info: MediaInfo | None = None,
        excerpt: Excerpt | None = None,
    ) -> None:
        if pix_fmt not in PIXEL_FORMATS:
            raise SpecError(
                f"pix_fmt is one of {', '.join(PIXEL_FORMATS)}, got {pix_fmt!r}{did_you_mean(pix_fmt, PIXEL_FORMATS)}"
            )
        self.source = as_source(path)
        self.path = self.source.name
        self.pix_fmt: PixelFormat = pix_fmt
        self.start = None if start is None else exact(start)
        self.end = None if end is None else exact(end)
        if self.start is not None and self.end is not None and self.end < self.start:
            raise SpecError(f"end must not lie before start, got start={start} and end={end} seconds")
        if self.start is not None and self.start > MAX_SECONDS:
            raise SpecError(f"no recording has a frame at start={str(start)[:20]} s; start earlier")
        self.info = info if info is not None else probe(self.source)
        self.video: VideoStream = self.info.require_video()
        self.width, self.height = self.video.width, self.video.height
        self.excerpt = excerpt
        if excerpt is not None:
            self.width, self.height = excerpt.width, excerpt.height
        self.warnings: tuple[str, ...] = ()
        self._low = self._pts_at(self.start)
        self._high = self._pts_at(self.end)
        self._known_damage: list[Damage] = []
        self._seen = array("q")  # the pts of all frames that went out: 8 bytes each
        self._last_pts: int | None = None
        self._finished = False
        self._times: FrameTimes | None = None
        self._frames: Generator[Frame] | None = None
        self._closed = False

    @abstractmethod
    def _decode(self) -> Generator[Frame]:
        """Frames of ``[_low, _high)`` in order; cleans up in ``finally``, when closed early as well."""

    def _pts_at(self, seconds: Fraction | None) -> int | None:
        """Return the smallest pts at or after ``seconds``."""
        return None if seconds is None else self.video.start_pts + ceil(seconds / self.video.time_base)

    def _frame_times(self) -> FrameTimes:
        """Return the frames that the packets promise for the wanted span, one more on either side."""
        if self._times is None:
            self._times = frame_times(self.source, self.info, start=self.start, end=self.end)
        return self._times

    @property
    def conversion(self) -> Conversion:
        """What is done to the decoder's frames, the turn by the display matrix included."""
        video = self.video
        colours = conversion(video.colour, video.pix_fmt, video.coded_width, video.coded_height, self.pix_fmt)
        turn = video.orientation.filters
        # Turn where there are fewer bytes: before a conversion to RGB, after one from more bits.
        filters = (*turn, *colours.filters) if self.pix_fmt in ("bgr24", "rgb24") else (*colours.filters, *turn)
        return replace(colours, filters=filters)

    @cached_property
    def _approach(self) -> _Approach:
        """How a decoder gets to the span."""
        if self._low is None or self._low <= self.video.start_pts:
            return _Approach(None, 0)
        times = self._frame_times()
        if not field_filters(self.video):
            return _Approach(times.seek_pts, times.lead_count)
        # the filters look at the frame before the first one, too
        before = self._times_at(times.pts[0])
        return _Approach(before.seek_pts, before.lead_count + (times.pts[0] < self._low))

    def _times_at(self, pts: int) -> FrameTimes:
        at = (pts - self.video.start_pts) * self.video.time_base
        return frame_times(self.source, self.info, start=at, end=at)

    @cached_property
    def _promised(self) -> tuple[int, ...]:
        """The timestamps that the packets promise in the wanted span."""
        pts = self._frame_times().pts
        first = 0 if self._low is None else bisect_left(pts, self._low)
        return pts[first : None if self._high is None else bisect_left(pts, self._high)]

    def _is_first(self, pts: int | None) -> bool:
        """Return whether the first frame that came (None: none came) is the one that the packets promise."""
        promised = self._promised
        return not promised or (pts is not None and pts <= promised[0])

    def _stamp(self, frame: Frame, pts: int) -> Frame:
        if self.excerpt is not None and (frame.width, frame.height) != (self.width, self.height):
            # the backend leaves the cutting to us
            frame = frame.part(*self.excerpt.origin(pts), self.width, self.height)
        frame.index = len(self._seen)
        frame.pts = pts
        frame.time_base = self.video.time_base
        frame.start_pts = self.video.start_pts
        return frame

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What should have been shown so far and was not, in order of time; complete when the iteration has ended.

        It takes the packet index of the span, which is read without decoding, once.
        """
        if self._last_pts is None and not self._finished:
            return tuple(self._known_damage)
        times = self._frame_times()
        low = self._low if self._low is not None else min((*times.undecodable, *times.pts[:1]))
        bound = (self._high if self._high is not None else times.end_pts + 1) if self._finished else self._last_pts
        found = {d.pts: d for d in self._known_damage}
        seen = set(self._seen)
        without_key = "in front of the first key frame: it cannot be decoded"
        for pts, reason in (
            *((p, without_key) for p in times.undecodable),
            # in a piece that was cut out of a stream with open groups, pictures precede the key frame they follow
            *((p, without_key if p < self.video.start_pts else self.lost_reason) for p in times.pts),
        ):
            if pts not in seen and low <= pts and (bound is None or pts < bound):
                found.setdefault(pts, Damage(pts, reason))
        return tuple(sorted(found.values(), key=lambda d: (d.pts is None, d.pts or 0)))

    @property
    def faulty_count(self) -> int:
        """At least how many frames so far are faulty, or lost without a trace; complete after :meth:`close`.

        Not every decoder and container can tell, and pictures that refer to a faulty one show its faults uncounted.
        """
        return len(self._known_damage)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._closed:
            raise StopIteration
        if self._frames is None:
            self._frames = self._decode()
        try:
            frame = next(self._frames)
        except StopIteration:
            self._finished = True
            raise
        self._seen.append(frame.pts)
        self._last_pts = frame.pts
        return frame

    def close(self) -> None:
        """Stop decoding and release everything. Safe to call again."""
        self._closed = True
        if self._frames is not None:
            self._frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r}, {self.width}x{self.height} {self.pix_fmt})"


readers: Registry[type[VideoReader]] = Registry("reader", group="reelproc.readers")
"""The reader backends; third parties add theirs by an entry point in the group ``reelproc.readers``."""

readers.register("ffmpeg", "reelproc.media.read.ffmpeg_reader:FFmpegReader")
readers.register("pyav", "reelproc.media.read.pyav_reader:PyAVReader")
readers.register("opencv", "reelproc.media.read.opencv_reader:OpenCVReader")


def open_video(
    path: SourceLike,
    backend: str = "ffmpeg",
    pix_fmt: PixelFormat = "bgr24",
    start: Time | None = None,
    end: Time | None = None,
    *,
    info: MediaInfo | None = None,
    excerpt: Excerpt | None = None,
) -> VideoReader:
    """Open a video for reading, frame by frame.

    Args:
        path: a file name, never taken for a URL; or a source that is open.
        backend: ``"ffmpeg"`` (a child process; every frame, exact timestamps), ``"pyav"`` (the same, in this process)
            or ``"opencv"`` (loses frames after damage and guesses timestamps; for comparison).
        pix_fmt: ``"bgr24"``, ``"rgb24"`` (``frame.image``), ``"yuv420p"`` or ``"yuv444p"`` (``frame.planes``).
        start, end: seconds from the start of the video stream, the half-open span ``[start, end)``; None: no bound.
            Floats are taken for the decimals they print as; fractions are exact; ``"1:23.5"`` will do, see
            :data:`~reelproc.timing.Time`.
        info: the result of an earlier :func:`~reelproc.media.probe.probe.probe` of this file, to save doing it again.
        excerpt: the part of every frame that is wanted, which saves most where it is small;
            :meth:`~reelproc.media.read.excerpt.Excerpt.origin` says where it lies.

    Returns:
        An iterator of frames that the caller closes, best by ``with``.

    Raises:
        ObjectNotFoundError: there is no such file.
        ProbeError: it is not a video that can be read.
        SpecError: no such backend or pixel format, ``end`` before ``start``, or ``start`` beyond all reason (10^9 s).
        DecodeError: (while iterating) the decoder failed as a whole. Single damaged frames are left out and listed in
            ``reader.damage``.
    """
    return readers.get(backend)(path, pix_fmt=pix_fmt, start=start, end=end, info=info, excerpt=excerpt)
