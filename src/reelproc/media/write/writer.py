"""Write frames to a video file through an ffmpeg pipe: overlapped with the caller's work, and whole or not at all."""

from __future__ import annotations

import os
import queue
import threading
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from reelproc.errors import EncodeError, MediaError, SpecError
from reelproc.files import partial_path
from reelproc.media.ffmpeg import STALL_SECONDS, FFmpegProcess, widen_pipe
from reelproc.media.write.encoders import EncoderSettings
from reelproc.pixels.frame import Frame
from reelproc.storage.source import file_argument

_QUEUED_FRAMES = 4


class VideoWriter:
    """Encodes frames of one size at a constant rate; a context manager.

    :meth:`finish` makes ``path`` appear, whole, by rename. Leaving the ``with`` block by an exception, or without
    :meth:`finish` having succeeded, leaves neither a file nor a process behind.

    Args:
        path: the file to make; its ending names the container (``.mp4``, ``.mov``, ``.mkv``).
        width, height: pixels of every frame.
        fps: frames per second.
        settings: the encoder.
        sample_aspect_ratio: width of a pixel over its height.
        waits_for: a writer whose encoder ends before this one gets frames: two at work hold twice the memory.

    Raises:
        SpecError: impossible settings.
        EncodeError: ffmpeg cannot be started.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        width: int,
        height: int,
        fps: Fraction,
        settings: EncoderSettings | None = None,
        sample_aspect_ratio: Fraction = Fraction(1),
        waits_for: VideoWriter | None = None,
    ) -> None:
        self.path = Path(path)
        self.width, self.height, self.fps = width, height, fps
        self.settings = settings or EncoderSettings()
        self.frame_count = 0
        self.busy_seconds = 0.0
        self._partial = partial_path(self.path)
        self._finished = False
        self._failure: BaseException | None = None
        self._waits_for = waits_for
        self._queue: queue.Queue[Frame | None] = queue.Queue(_QUEUED_FRAMES)
        self._process = FFmpegProcess(
            [
                *("-f", "rawvideo", "-pix_fmt", self.settings.pix_fmt, "-video_size", f"{width}x{height}"),
                *("-framerate", str(fps), "-i", "pipe:0", "-map", "0:v:0", "-an"),
                *("-vf", _properties(sample_aspect_ratio)),
                *self.settings.arguments(fps),
                *("-video_track_timescale", str(_timescale(fps)), "-y", file_argument(self._partial)),
            ],
            stdin=True,
            error=EncodeError,
        )
        widen_pipe(self._process.stdin)
        self._thread = threading.Thread(target=self._run, name="video-writer", daemon=True)
        self._thread.start()

    def write(self, frame: Frame) -> None:
        """Queue ``frame``; returns at once while the encoder keeps up. Its pixels must not change any more.

        Raises:
            SpecError: another size or pixel format than the writer was made for.
            EncodeError: the encoder failed.
        """
        if (frame.width, frame.height, frame.pix_fmt) != (self.width, self.height, self.settings.pix_fmt):
            raise SpecError(
                f"this writer takes {self.width}x{self.height} {self.settings.pix_fmt} frames, "
                f"got {frame.width}x{frame.height} {frame.pix_fmt}"
            )
        self._put(frame)
        self.frame_count += 1

    def end(self) -> None:
        """Say that no frame follows, without waiting for the encoder; :meth:`finish` waits."""
        self._put(None)

    def finish(self, timeout: float = 10 * STALL_SECONDS) -> None:
        """Wait until all frames are encoded and put the file in its place.

        Raises:
            EncodeError: the encoder failed, or took longer than ``timeout`` seconds for what was left.
        """
        if self._finished:
            return
        if self._thread.is_alive():
            self.end()
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise self._process.failure(f"the encoder took more than {timeout:g} s for its last frames")
        self._raise_failure()
        self._process.check(timeout)
        try:
            self._partial.replace(self.path)
        except OSError as error:
            raise EncodeError(f"{self.path} cannot be written: {error}") from error
        self._finished = True
        self.close()

    def close(self) -> None:
        """End everything; what is not finished is thrown away. Safe to call again."""
        self._process.kill()  # the thread's write, if it is in one, fails at once
        self._failure = self._failure or EncodeError("the writer was closed")
        while self._thread.is_alive():
            with suppress(queue.Empty):
                self._queue.get_nowait()
            with suppress(queue.Full):
                self._queue.put_nowait(None)
            self._thread.join(0.05)
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, item: Frame | None) -> None:
        while True:
            self._raise_failure()
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._wait_for_the_one_before()
            while (frame := self._queue.get()) is not None:
                begin = time.perf_counter()
                self._process.send(frame.data.data)
                self.busy_seconds += time.perf_counter() - begin
            self._process.stdin.close()
        except (OSError, ValueError) as error:  # ValueError: the pipe was closed by close()
            if self._failure is None:
                self._failure = self._process.failure(f"the encoder stopped taking frames ({error})")
        except MediaError as error:
            if self._failure is None:
                self._failure = error

    def _wait_for_the_one_before(self) -> None:
        before, self._waits_for = self._waits_for, None
        deadline = time.monotonic() + 10 * STALL_SECONDS
        while before is not None and self._failure is None and before.encoding:
            if time.monotonic() > deadline:
                raise self._process.failure(f"the encoder of {before.path.name} did not end")
            time.sleep(0.005)

    @property
    def encoding(self) -> bool:
        """Whether the encoder still runs."""
        return self._process.poll() is None


def _properties(sample_aspect_ratio: Fraction) -> str:
    """Return the filter that tells the encoder what the raw frames are."""
    sar = f"{sample_aspect_ratio.numerator}/{sample_aspect_ratio.denominator}"
    return f"setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,setsar={sar}"


def _timescale(fps: Fraction) -> int:
    """Return a track timescale in which every frame's time is an integer, of at least 10000 as is usual in MP4."""
    return fps.numerator * -(-10_000 // fps.numerator)
