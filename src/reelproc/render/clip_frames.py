"""Read one clip's source frames: which to have decoded, which to hold, and which to show for one that is lost."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from reelproc.errors import DecodeError
from reelproc.media.shown_frames import last_good_frame
from reelproc.pixels.frame import Frame
from reelproc.pixels.view import View
from reelproc.render.clip_excerpt import excerpt_of
from reelproc.render.plan import PlannedClip
from reelproc.storage.source import Source

if TYPE_CHECKING:
    from reelproc.media.read.excerpt import Excerpt
    from reelproc.media.read.reader import VideoReader


class ClipFrames:
    """The source frames of one clip, in order of time, from one decoder.

    Args:
        clip: whose frames.
        source: its footage.
        first_pts, last_pts: the first frame that will be asked for, and the last.
        shown: the timestamps that will be asked for; None: all that are planned.

    Attributes:
        faulty_count: frames that were decoded with errors, as far as the decoder says; complete after :meth:`close`.
    """

    def __init__(
        self, clip: PlannedClip, source: Source, first_pts: int, last_pts: int, shown: Sequence[int] | None = None
    ) -> None:
        self._clip, self._source = clip, source
        self.faulty_count = 0
        frames = clip.frames
        # half open: anything between the last wanted frame and the next one ends the range after the former
        end = frames.time(last_pts) + frames.time_base / 2
        planned = clip.pts if shown is None else shown
        wanted = planned[bisect_left(planned, first_pts) : bisect_right(planned, last_pts)]
        self._due = deque(dict.fromkeys(wanted))
        self._excerpt = excerpt_of(clip, self._due)
        self._reader: VideoReader | None = self._open(frames.time(first_pts), end, self._excerpt)
        self._frames: Iterator[Frame] = iter(self._reader)
        self._next: Frame | None = None

    def take_next(self) -> View | None:
        """Return the next frame that is due; None where none is, or the source does not yield it."""
        if not self._due:
            return None
        pts = self._due[0]
        while self._next is None or self._next.pts < pts:
            self._next = next(self._frames, None)
            if self._next is None:
                return None
        if self._next.pts != pts:
            return None
        frame, self._next = self._next, None
        self._due.popleft()
        return View(frame) if self._excerpt is None else View(frame, origin=self._excerpt.origin(pts))

    def give_up_before(self, pts: int) -> None:
        """Let go of what is due before ``pts``: it could not be decoded."""
        while self._due and self._due[0] < pts:
            self._due.popleft()

    def substitute(self, pts: int) -> View:
        """Return the last planned frame before ``pts`` that decodes; where there is none, the next after it.

        Raises:
            DecodeError: no frame of the clip can be decoded.
        """
        frames = self._clip.frames
        planned = {each for each in self._clip.pts if each < pts}
        good = None
        if planned:
            earliest = frames.time(min(planned))
            good = last_good_frame(self._open, frames.time(pts), earliest=earliest, among=planned)
        if good is None and self._next is not None:
            good = self._whole(self._next.pts)
        if good is None:
            raise DecodeError(
                f"no frame of {self._source.name} between {float(self._clip.start):.3f} s and "
                f"{float(self._clip.end):.3f} s can be decoded"
            )
        return View(good)

    def lost(self, pts: int) -> DecodeError:
        """Return the error that says that the frame ``pts`` cannot be decoded."""
        stderr = "; ".join(damage.reason for damage in self._reader.damage[:3]) if self._reader else ""
        return DecodeError(
            f"the frame at {float(self._clip.frames.time(pts)):.3f} s (pts {pts}) of {self._source.name} cannot be "
            "decoded; render with on_damage='conceal' to repeat the last good frame",
            stderr_tail=stderr,
        )

    def close(self) -> None:
        """End the reader. Safe to call again."""
        if self._reader is not None:
            self._reader.close()
            self.faulty_count = self._reader.faulty_count
        self._reader, self._frames = None, iter(())
        self._due.clear()

    def _open(self, start: Fraction, end: Fraction, excerpt: Excerpt | None = None) -> VideoReader:
        from reelproc.media.read.reader import open_video

        clip = self._clip
        pix_fmt = clip.streams[0].pix_fmt
        return open_video(self._source, pix_fmt=pix_fmt, start=start, end=end, info=clip.info, excerpt=excerpt)

    def _whole(self, pts: int) -> Frame | None:
        """Return all of a source frame. The excerpt may not hold what is shown of one that the plan does not show."""
        time = self._clip.frames.time(pts)
        with self._open(time, time + self._clip.frames.time_base / 2) as reader:
            return next(reader, None)
