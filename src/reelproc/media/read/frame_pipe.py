"""Read raw frames from one pipe of a supervised ffmpeg child, and their timestamps from another.

Raw video carries no timestamps, so ffmpeg writes those of every frame it is about to send, exact and in the stream's
own time base, to a side pipe (``-stats_enc_pre``).

Planes come as YUV4MPEG2 (``man yuv4mpeg``: a line of text, then each frame's planes after a word): ffmpeg writes them
straight from the decoded picture, where ``rawvideo`` copies them into a packet first, a tenth of what reading takes.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import select
import threading
import time
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelproc.errors import DecodeError
from reelproc.media.ffmpeg import FFmpegProcess, widen_pipe
from reelproc.media.read.reader import Damage
from reelproc.pixels.frame import PixelFormat, frame_bytes
from reelproc.pixels.rgb import RGBConverter

STALL_SECONDS = 60.0
"""A decoder that sends nothing for this long, though asked for a frame, is taken for hung."""

READ_AHEAD_FRAMES = 3
"""Frames decoded ahead of the consumer."""

_TICK_SECONDS = 0.25

_FRAME_HEADER = b"FRAME\n"
"""The word before each frame's planes."""

_NO_TIME = 1 << 62
"""More than any timestamp: what ffmpeg writes for none."""

_MAX_HEADER_BYTES = 512
"""More than the line before all frames can have."""

_UNMARKED_FAULT = re.compile(
    r"error while decoding MB|Error at MB"  # decoders, of a faulty frame: ffmpeg's own mark of it may come too late
    r"|^\[in#0[^]]*\] \[error\]|corrupt input packet in stream"  # containers, of what cannot be found in them
)
"""What is said of frames that are faulty or lost without being marked; one then stands for all."""


class PipedFormat(NamedTuple):
    """What crosses the pipe."""

    width: int
    height: int
    pix_fmt: PixelFormat
    time_base: Fraction

    @property
    def is_planar(self) -> bool:
        """Whether the frames are planes of YUV, and come as YUV4MPEG2."""
        return self.pix_fmt in ("yuv420p", "yuv444p")


class PipedFrame(NamedTuple):
    """A frame that came.

    Attributes:
        data: its planes.
        pts: when it is shown.
        place: how many frames the decoder made before it; -1: unknown.
        is_guessed: whether ffmpeg gave it another time than the decoder did, as it does where frames come late.
    """

    data: NDArray[np.uint8]
    pts: int
    place: int
    is_guessed: bool = False


class FramePipe:
    """An ffmpeg child, and the thread that reads frames and timestamps from it, a few ahead of the consumer."""

    def __init__(self, arguments: list[str], shape: PipedFormat, high: int | None, rgb: RGBConverter | None) -> None:
        self.damage: list[Damage] = []
        self.troubled = False  # whether the decoder has refused a packet
        self._marked = 0
        self._shape = shape
        self._size = frame_bytes(shape.pix_fmt, shape.width, shape.height)
        self._high = high
        self._rgb = rgb
        self._planes = None if rgb is None else np.empty(self._size, np.uint8)  # used again for every frame
        self._headed = not shape.is_planar
        self._mark = bytearray(len(_FRAME_HEADER) if shape.is_planar else 0)
        self._queue: queue.Queue[PipedFrame | BaseException | None] = queue.Queue(READ_AHEAD_FRAMES)
        self._stop = threading.Event()
        self._side, side_in = os.pipe()
        try:
            self._process = FFmpegProcess(
                [
                    *arguments,
                    "-stats_enc_pre",
                    f"pipe:{side_in}",
                    "-stats_enc_pre_fmt",
                    "{pts} {tb} {ni} {ptsi} {tbi}",
                    "pipe:1",
                ],
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

    def get(self) -> PipedFrame | None:
        """Return the next frame; None at the end.

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

    def _put(self, item: PipedFrame | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_TICK_SECONDS)
            except queue.Full:
                continue
            return

    def _next(self) -> PipedFrame | None:
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
        if self._mark and self._mark != _FRAME_HEADER:
            raise self._process.failure(f"ffmpeg's frames are not of {self._size} bytes each")
        line = self._line()
        if line is None:
            raise self._process.failure("ffmpeg sent a frame without a timestamp")
        pts, place, is_guessed = self._stamps(line)
        if self._high is not None and pts >= self._high:
            self._process.stop()
            return None
        if self._rgb is not None:
            data = self._rgb.planes(data, self._shape.width, self._shape.height)
        return PipedFrame(data, pts, place, is_guessed)

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
        """Read the line before all frames, whose fields we know; False when there is nothing at all."""
        line = b""
        while not line.endswith(b"\n") and self._wait(self._out):
            byte = os.read(self._out, 1)
            if not byte:
                self._process.check()
                if not line:
                    return False
            line += byte
            if not byte or len(line) > _MAX_HEADER_BYTES:
                raise self._process.failure(f"ffmpeg sent no YUV4MPEG2 but {line[:40]!r}")
        self._headed = True
        return not self._stop.is_set()

    def _stamps(self, line: bytes) -> tuple[int, int, bool]:
        """Read the timestamp, in the stream's time base, the place, and whether the decoder said another timestamp."""
        number, base, place, said, said_base = line.decode().split(" ")
        pts = Fraction(number) * Fraction(base) / self._shape.time_base
        if pts.denominator != 1:
            raise self._process.failure(f"ffmpeg counts time in units of {base} s, not of {self._shape.time_base} s")
        is_said = abs(int(said)) < _NO_TIME
        return pts.numerator, int(place), is_said and int(said) * Fraction(said_base) != pts * self._shape.time_base

    def _line(self) -> bytes | None:
        """Return the next line of the side pipe; None at its end."""
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
        if self._marked > len(self.damage) or (not self.damage and _UNMARKED_FAULT.search(line)):
            self.damage.append(Damage(None, f"a frame is faulty or lost: {line}"))
