"""The default reader: a supervised ffmpeg child that sends raw frames through one pipe and their timestamps through
another.

Raw video carries no timestamps, so ffmpeg writes those of every frame it is about to send, exact and in the stream's
own time base, to a side pipe (``-stats_enc_pre``). Frame sync is off (``passthrough``): nothing is doubled, nothing
dropped.

Planes come as YUV4MPEG2 (``man yuv4mpeg``: a line of text, then each frame's planes behind a word): ffmpeg writes them
straight from the decoded picture, where ``rawvideo`` copies them into a packet first, a tenth of what reading takes.
"""

from __future__ import annotations

import contextlib
import math
import os
import queue
import re
import select
import threading
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Generator
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelproc.cores import usable_cores
from reelproc.errors import DecodeError
from reelproc.media.containers import MAX_PIXELS, without_display_times
from reelproc.media.ffmpeg import FFmpegProcess, filter_chain, input_arguments, widen_pipe
from reelproc.media.fields import field_filters
from reelproc.media.frame import Frame, PixelFormat, frame_bytes
from reelproc.media.reader import Damage, VideoReader
from reelproc.media.rgb import RGBConverter

if TYPE_CHECKING:
    from reelproc.media.reader_pyav import PyAVReader

__all__ = ["FFmpegReader"]

STALL_SECONDS = 60.0
"""A decoder that sends nothing for this long, though asked for a frame, is taken for hung."""

READ_AHEAD = 3
"""Frames decoded ahead of the consumer."""

MOST_THREADS = 16
"""Of a decoder: each holds a frame."""

_TICK_SECONDS = 0.25

_MARK = b"FRAME\n"
"""What stands in front of each frame's planes."""

_HEAD_BYTES = 512
"""More than the line in front of all frames can have."""

_COMPLAINT = re.compile(
    r"error while decoding MB|Error at MB"  # decoders, of a faulty frame: ffmpeg's own mark of it may come too late
    r"|^\[in#0[^]]*\] \[error\]|corrupt input packet in stream"  # containers, of what cannot be found in them
)
"""What is said of frames that are faulty or lost without being marked; one then stands for all."""


class FFmpegReader(VideoReader):
    """Frames from an ffmpeg child process; see :class:`~reelproc.media.reader.VideoReader`.

    Three kinds are decoded in this process: what lies behind damage, what a seek does not reach, and H.264 and MPEG-4
    in AVI.
    """

    _delivered: int | None = None
    _step: int | None = None

    def _decode(self) -> Generator[Frame]:
        from reelproc.media.reader_pyav import CarefulReader, PyAVReader

        if without_display_times(self.info.format_name, self.video.codec):
            yield from self._in_process(PyAVReader)  # which counts; ffmpeg guesses
            return
        matrix = self.conversion.rgb_matrix
        rgb = RGBConverter(matrix, self.pix_fmt) if matrix else None
        seek = self._way[0]
        source = _FramePipe(self._arguments(seek), self._shape, self._bound, rgb)
        with contextlib.closing(source):
            item = source.get()
            missed = seek is not None and not self._is_first(item.pts if item else None)
            held: deque[_Sent] = deque()  # what may be made up, until the key frame that it refers to has come
            if not missed:
                self._known_damage = source.damage
                at_start = self._low is None and item is not None and item.pts <= self.video.start_pts
                trusted = item is None or at_start or self._is_led_to(item)
                key: int | None = None
                while trusted and item is not None:
                    following = source.get()
                    if self._is_guessed(item.pts) if following is None else self._strays(item, following, source):
                        break
                    held.append(item)
                    leads_to = self._leads_to(item.pts)
                    key = key if leads_to is None else leads_to
                    if key is None or (following is not None and following.pts >= key):
                        key = None
                        yield from self._sent(held)
                    item = following
        if missed:  # frames that the packets promise did not come: it begins further back, past whatever lies there
            yield from self._in_process(PyAVReader)
        elif item is not None or held or self._is_short():
            # in one thread, where each error can be told from the next
            yield from self._in_process(partial(CarefulReader, after=self._delivered))

    def _sent(self, frames: deque[_Sent]) -> Generator[Frame]:
        """Those of the wanted span, taken out one by one."""
        while frames:
            sent = frames.popleft()
            if self._high is None or sent.pts < self._high:
                self._delivered = sent.pts
                yield self._stamp(Frame(sent.data, self.width, self.height, self.pix_fmt), sent.pts)

    @property
    def _bound(self) -> int | None:
        """Up to where to decode: the end of the span, or behind the key frame that its last frame is shown before."""
        if self._low is None or self._high is None or not self._promised:
            return self._high
        key = self._leads_to(self._promised[-1])
        return self._high if key is None else max(self._high, key + 1)

    def _leads_to(self, pts: int) -> int | None:
        """The key frame that the frame at ``pts`` is shown before and decoded after; None: no such, or not known."""
        return None if self._times is None else self._times.leading.get(pts)

    def _is_led_to(self, first: _Sent) -> bool:
        """Whether nothing is missing before the first frame: what refers to it would be rubbish that nobody marks."""
        return self._is_first(first.pts) and (first.place < 0 or first.place >= self._way[1])

    def _strays(self, before: _Sent, following: _Sent, source: _FramePipe) -> bool:
        """Whether frames are missing between two, or they come in the wrong order.

        Behind a damaged key frame the decoder shows later frames before earlier ones, or rubbish that nobody marks. An
        index of a whole file, which tells what is missing, is made where a packet was refused or there is a gap.
        """
        step = following.pts - before.pts
        self._step = step if self._step is None else min(step, self._step)
        if step <= 0 or (self._times is None and not source.troubled and step <= 1.5 * self._step):
            return step <= 0
        promised = self._promised
        place = bisect_right(promised, before.pts)
        return place < len(promised) and promised[place] < following.pts

    def _is_guessed(self, last: int) -> bool:
        """Whether the last frame comes at another time than the packets promise: not all of them say theirs."""
        place = bisect_left(self._promised, last)
        return self._awaits_last() and self._promised[place : place + 1] != (last,)

    def _is_short(self) -> bool:
        """Whether the last frames that the packets promise are missing, though they may be there."""
        return self._awaits_last() and len(self._seen) < len(self._promised)

    def _awaits_last(self) -> bool:
        """Whether the last frame that the packets promise has not gone out."""
        promised = self._promised
        return bool(promised) and (self._delivered is None or self._delivered < promised[-1])

    @property
    def _shape(self) -> _Shape:
        """Of the frames that cross the pipe."""
        pix_fmt: PixelFormat = "yuv420p" if self.conversion.rgb_matrix else self.pix_fmt
        return _Shape(self.width, self.height, pix_fmt, self.video.time_base)

    def _in_process(self, reader: Callable[..., PyAVReader]) -> Generator[Frame]:
        """What another reader gives for the same span."""
        with reader(
            self.path, pix_fmt=self.pix_fmt, start=self.start, end=self.end, info=self.info, excerpt=self.excerpt
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
        options += ["-threads", str(min(math.ceil(usable_cores()), MOST_THREADS))]
        options += ["-reinit_filter", "0"] if fields else []
        if seek is not None:
            seconds = seek * self.video.time_base
            options += ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{float(seconds):.6f}"]
        return [
            *("-max_error_rate", "1"),
            *input_arguments(self.path, *options),
            *("-map", f"0:{self.video.index}"),
            *("-vf", filter_chain(filters)),
            *("-f", "yuv4mpegpipe" if self._shape.is_planar else "rawvideo", "-pix_fmt", self._shape.pix_fmt),
            *("-enc_time_base", "demux", "-fps_mode", "passthrough"),
        ]


class _Shape(NamedTuple):
    """What crosses the pipe."""

    width: int
    height: int
    pix_fmt: PixelFormat
    time_base: Fraction

    @property
    def is_planar(self) -> bool:
        """Whether the frames are planes of YUV, and come as YUV4MPEG2."""
        return self.pix_fmt in ("yuv420p", "yuv444p")


class _Sent(NamedTuple):
    """A frame that came.

    Attributes:
        data: its planes.
        pts: when it is shown.
        place: how many frames the decoder made before it; -1: unknown.
    """

    data: NDArray[np.uint8]
    pts: int
    place: int


class _FramePipe:
    """An ffmpeg child, and the thread that reads frames and timestamps from it, a few ahead of the consumer."""

    def __init__(self, arguments: list[str], shape: _Shape, high: int | None, rgb: RGBConverter | None) -> None:
        self.damage: list[Damage] = []
        self.troubled = False  # whether the decoder has refused a packet
        self._marked = 0
        self._shape = shape
        self._size = frame_bytes(shape.pix_fmt, shape.width, shape.height)
        self._high = high
        self._rgb = rgb
        self._planes = None if rgb is None else np.empty(self._size, np.uint8)  # used again for every frame
        self._headed = not shape.is_planar
        self._mark = bytearray(len(_MARK) if shape.is_planar else 0)
        self._queue: queue.Queue[_Sent | BaseException | None] = queue.Queue(READ_AHEAD)
        self._stop = threading.Event()
        self._side, side_in = os.pipe()
        try:
            self._process = FFmpegProcess(
                [*arguments, "-stats_enc_pre", f"pipe:{side_in}", "-stats_enc_pre_fmt", "{pts} {tb} {ni}", "pipe:1"],
                stdout=True,
                pass_fds=(side_in,),
                error=DecodeError,
                on_stderr=self._on_stderr,
            )
        except BaseException:
            os.close(self._side)
            raise
        finally:
            os.close(side_in)
        self._out = self._process.stdout.fileno()
        widen_pipe(self._process.stdout)
        self._lines = b""
        self._thread = threading.Thread(target=self._run, name="reelproc-reader", daemon=True)
        self._thread.start()

    def get(self) -> _Sent | None:
        """The next frame; None at the end.

        Raises:
            DecodeError: the child failed, hung, or ended in the middle of a frame.
        """
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        """End the child and the thread."""
        self._stop.set()
        self._process.stop()
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                self._queue.get_nowait()
            self._thread.join(0.01)
        self._process.kill()
        os.close(self._side)

    def _run(self) -> None:
        last: BaseException | None = None
        try:
            while (item := self._next()) is not None:
                self._put(item)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the consumer's to know
            last = error
        self._put(last)

    def _put(self, item: _Sent | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_TICK_SECONDS)
            except queue.Full:
                continue
            return

    def _next(self) -> _Sent | None:
        data = np.empty(self._size, np.uint8) if self._planes is None else self._planes
        got = self._fill(data)
        if self._stop.is_set():
            return None
        if got < self._size + len(self._mark):
            self._process.check()  # a child that failed must never look like a short video
            if got:
                raise self._process.failure(f"the last frame has {got} of {self._size + len(self._mark)} bytes")
            if self._line() is not None:
                raise self._process.failure("ffmpeg announced a frame and did not send it")
            return None
        if self._mark and self._mark != _MARK:
            raise self._process.failure(f"ffmpeg's frames are not of {self._size} bytes each")
        line = self._line()
        if line is None:
            raise self._process.failure("ffmpeg sent a frame without a timestamp")
        pts, place = self._stamps(line)
        if self._high is not None and pts >= self._high:
            self._process.stop()
            return None
        if self._rgb is not None:
            data = self._rgb.planes(data, self._shape.width, self._shape.height)
        return _Sent(data, pts, place)

    def _fill(self, data: NDArray[np.uint8]) -> int:
        """Read a frame, with its mark, into ``data``; how many bytes of it there were."""
        if not self._headed and not self._head():
            return 0
        mark, view, got = memoryview(self._mark), data.data, 0
        while got < len(mark) + self._size and self._wait(self._out):
            count = os.readv(self._out, [mark[got:], view[max(0, got - len(mark)) :]])
            if not count:
                break
            got += count
        return got

    def _head(self) -> bool:
        """Read the line in front of all frames, whose fields we know; False when there is nothing at all."""
        line = b""
        while not line.endswith(b"\n") and self._wait(self._out):
            byte = os.read(self._out, 1)
            if not byte:
                self._process.check()
                if not line:
                    return False
            line += byte
            if not byte or len(line) > _HEAD_BYTES:
                raise self._process.failure(f"ffmpeg sent no YUV4MPEG2 but {line[:40]!r}")
        self._headed = True
        return not self._stop.is_set()

    def _stamps(self, line: bytes) -> tuple[int, int]:
        """The timestamp, in the stream's time base, and the place of a line ``pts time_base place``."""
        number, base, place = line.decode().split(" ")
        pts = Fraction(number) * Fraction(base) / self._shape.time_base
        if pts.denominator != 1:
            raise self._process.failure(f"ffmpeg counts time in units of {base} s, not of {self._shape.time_base} s")
        return pts.numerator, int(place)

    def _line(self) -> bytes | None:
        """The next line of the side pipe; None at its end."""
        while b"\n" not in self._lines:
            chunk = os.read(self._side, 65536) if self._wait(self._side) else b""
            if not chunk:
                return None
            self._lines += chunk
        line, _, self._lines = self._lines.partition(b"\n")
        return line

    def _wait(self, fd: int) -> bool:
        """Wait until ``fd`` can be read or is at its end; False when the reader is being closed.

        Raises:
            DecodeError: nothing came for ``STALL_SECONDS``.
        """
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        deadline = time.monotonic() + STALL_SECONDS
        while not self._stop.is_set():
            if poll.poll(_TICK_SECONDS * 1000):
                return True
            if time.monotonic() > deadline:
                self._process.stop()
                raise self._process.failure(f"ffmpeg sent nothing for {STALL_SECONDS:g} s and was killed")
        return False

    def _on_stderr(self, line: str) -> None:
        self.troubled = self.troubled or "Error submitting packet" in line
        self._marked += "corrupt decoded frame" in line
        if self._marked > len(self.damage) or (not self.damage and _COMPLAINT.search(line)):
            self.damage.append(Damage(None, f"a frame is faulty or lost: {line}"))
