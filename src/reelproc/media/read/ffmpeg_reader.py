"""The default reader: what an ffmpeg child sends (:mod:`reelproc.media.read.frame_pipe`), as far as it can be trusted.

Frame sync is off (``passthrough``): nothing is doubled, nothing dropped. What comes is held against what the packets
promise; where it does not agree, the frames from there on are decoded in this process, with care.
"""

from __future__ import annotations

import contextlib
import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING

from reelproc.machine.cores import usable_cores
from reelproc.media.bitstream.back_references import NEEDS_TRUE_START
from reelproc.media.container.containers import MAX_PIXELS, without_display_times
from reelproc.media.decode.interlaced import field_filters
from reelproc.media.ffmpeg_arguments import filter_chain, input_arguments
from reelproc.media.packets.index import begins_mistaken
from reelproc.media.read.frame_pipe import FramePipe, PipedFormat, PipedFrame
from reelproc.media.read.reader import VideoReader
from reelproc.pixels.frame import Frame, PixelFormat
from reelproc.pixels.rgb import RGBConverter

if TYPE_CHECKING:
    from reelproc.media.read.pyav_reader import PyAVReader

MAX_DECODER_THREADS = 16
"""The most threads of a decoder: each holds a frame."""


class FFmpegReader(VideoReader):
    """Frames from an ffmpeg child process; see :class:`~reelproc.media.read.reader.VideoReader`.

    Four kinds are decoded in this process: what lies after damage, what a seek does not reach, what lies after key
    frames that are none, and H.264 and MPEG-4 in AVI.
    """

    _delivered: int | None = None
    _step: int | None = None

    def _decode(self) -> Generator[Frame]:
        if without_display_times(self.info.format_name, self.video.codec):
            from reelproc.media.read.pyav_reader import PyAVReader

            yield from self._frames_by(PyAVReader)  # which counts; ffmpeg guesses
            return
        seek = self._approach.seek_pts
        if self._starts_at_false_key(seek):
            from reelproc.media.read.pyav_reader import PyAVReader

            yield from self._frames_by(PyAVReader)  # which begins at true key frames only
            return
        if self.video.average_rate:
            self._step = math.ceil(1 / (self.video.average_rate * self.video.time_base))
        matrix = self.conversion.rgb_matrix
        rgb = RGBConverter(matrix, self.pix_fmt) if matrix else None
        with contextlib.closing(FramePipe(self._arguments(seek), self._shape, self._decode_until, rgb)) as source:
            successor = yield from self._trusted_frames(source, sought=seek is not None)
        if successor is not None:
            yield from self._frames_by(successor)

    def _starts_at_false_key(self, seek: int | None) -> bool:
        """Tell whether ffmpeg would begin at what the container marks as a key frame, and is none."""
        if seek is not None:
            return self._frame_times().misled
        return self.video.codec in NEEDS_TRUE_START and begins_mistaken(self.source, self.video.index)

    def _trusted_frames(
        self, source: FramePipe, *, sought: bool
    ) -> Generator[Frame, None, Callable[..., PyAVReader] | None]:
        """Yield the frames as far as they can be trusted, and return what makes the reader that goes on from there."""
        from reelproc.media.read.pyav_reader import CarefulReader, PyAVReader

        item = source.get()
        if sought and not self._is_first(item.pts if item else None):
            return PyAVReader  # frames that the packets promise did not come: it begins further back
        self._known_damage = source.damage
        held: deque[PipedFrame] = deque()  # what may be made up, until the key frame that it refers to has come
        key: int | None = None
        is_trusted = item is None or (not item.is_guessed and self._starts_complete(item))
        while is_trusted and item is not None:
            following = source.get()
            if self._ends_at_guess(item.pts) if following is None else self._breaks_order(item, following, source):
                break
            held.append(item)
            leads_to = self._leading_key(item.pts)
            key = key if leads_to is None else leads_to
            if key is None or (following is not None and following.pts >= key):
                key = None
                yield from self._delivered_frames(held)
            item = following
        if item is None and not held and not self._misses_last():
            return None
        return partial(
            CarefulReader, after=self._delivered
        )  # in one thread, where each error can be told from the next

    def _delivered_frames(self, frames: deque[PipedFrame]) -> Generator[Frame]:
        """Yield the frames of the wanted span, taken out one by one."""
        while frames:
            sent = frames.popleft()
            if self._high is None or sent.pts < self._high:
                self._delivered = sent.pts
                yield self._stamp(Frame(sent.data, self.width, self.height, self.pix_fmt), sent.pts)

    @property
    def _decode_until(self) -> int | None:
        """Up to where to decode: the end of the span, or after the key frame that its last frame is shown before."""
        if self._low is None or self._high is None or not self._promised:
            return self._high
        key = self._leading_key(self._promised[-1])
        return self._high if key is None else max(self._high, key + 1)

    def _leading_key(self, pts: int) -> int | None:
        """Return the key frame that the frame at ``pts`` is shown before and decoded after; None: not known."""
        return None if self._times is None else self._times.leading.get(pts)

    def _starts_complete(self, first: PipedFrame) -> bool:
        """Tell whether nothing is missing before the first frame: what refers to it would be unmarked rubbish."""
        if self._low is None and first.pts <= self.video.start_pts:
            return True  # the usual case, and it takes no index
        return self._is_first(first.pts) and (first.place < 0 or first.place >= self._approach.lead_count)

    def _breaks_order(self, before: PipedFrame, following: PipedFrame, source: FramePipe) -> bool:
        """Tell whether frames are missing between two, or they come in the wrong order.

        After a damaged key frame the decoder shows later frames before earlier ones, or rubbish that nobody marks. The
        index of a whole file tells what is missing; it is made where a packet was refused or there is a gap.
        """
        step = following.pts - before.pts
        self._step = step if self._step is None else min(step, self._step)
        if following.is_guessed:
            return True
        if step <= 0 or (self._times is None and not source.troubled and step <= 1.5 * self._step):
            return step <= 0
        promised = self._promised
        place = bisect_right(promised, before.pts)
        return place < len(promised) and promised[place] < following.pts

    def _ends_at_guess(self, last: int) -> bool:
        """Tell whether the last frame comes at another time than the packets promise: not all of them say theirs."""
        place = bisect_left(self._promised, last)
        return self._last_is_pending() and self._promised[place : place + 1] != (last,)

    def _misses_last(self) -> bool:
        """Tell whether the last frames that the packets promise are missing, though they may be there."""
        return self._last_is_pending() and len(self._seen) < len(self._promised)

    def _last_is_pending(self) -> bool:
        """Tell whether the last frame that the packets promise has not gone out."""
        promised = self._promised
        return bool(promised) and (self._delivered is None or self._delivered < promised[-1])

    @property
    def _shape(self) -> PipedFormat:
        """The shape of the frames that cross the pipe."""
        pix_fmt: PixelFormat = "yuv420p" if self.conversion.rgb_matrix else self.pix_fmt
        return PipedFormat(self.width, self.height, pix_fmt, self.video.time_base)

    def _frames_by(self, reader: Callable[..., PyAVReader]) -> Generator[Frame]:
        """Yield what another reader gives for the same span."""
        with reader(
            self.source, pix_fmt=self.pix_fmt, start=self.start, end=self.end, info=self.info, excerpt=self.excerpt
        ) as other:
            other._known_damage = self._known_damage
            for frame in other:
                yield self._stamp(frame, frame.pts)

    def _arguments(self, seek: int | None) -> list[str]:
        fields = field_filters(self.video)
        filters = [
            *fields,
            # what only leads up to the span does not cross the pipe
            *(() if self._low is None else (f"select=gte(pts,{self._low})",)),
            # A stream may change its size on the way, or begin with another before a seek: all frames get the probed
            # one. For the others this does nothing.
            f"scale=w={self.video.coded_width}:h={self.video.coded_height}:flags=bicubic",
            *self.conversion.filters,
            *(() if self.excerpt is None else (self.excerpt.filter(self.video.time_base),)),
        ]
        # The display matrix is applied by our own filters. A stream may fail at more than two thirds of its packets
        # (max_error_rate): that is reported, and no reason to exit with an error.
        # max_pixels: a stream that grows on the way must not take all memory.
        options = ["-noautorotate", "-copyts", "-max_pixels", str(MAX_PIXELS)]
        # left to itself, ffmpeg takes one thread more than the machine has cores, whatever the container may use
        options += ["-threads", str(min(math.ceil(usable_cores()), MAX_DECODER_THREADS))]
        options += ["-reinit_filter", "0"] if fields else []
        if seek is not None:
            seconds = seek * self.video.time_base
            options += ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{float(seconds):.6f}"]
        return [
            *("-max_error_rate", "1"),
            *input_arguments(self.source, *options),
            *("-map", f"0:{self.video.index}"),
            *("-vf", filter_chain(filters)),
            *("-f", "yuv4mpegpipe" if self._shape.is_planar else "rawvideo", "-pix_fmt", self._shape.pix_fmt),
            *("-enc_time_base", "demux", "-fps_mode", "passthrough"),
        ]
