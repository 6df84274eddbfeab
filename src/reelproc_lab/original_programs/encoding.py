"""What the original's paths share: its ffmpeg settings, reading by OpenCV, and adding the sound at the end."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import cv2
import numpy as np

from reelproc import DecodeError, EncodeError, probe
from reelproc.media.ffmpeg import STALL_SECONDS, FFmpegProcess, run_ffmpeg
from reelproc.media.ffmpeg_arguments import input_arguments
from reelproc.storage.source import LocalSource, file_argument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

ENCODE = ("-c:v", "libx264", "-preset", "fast", "-crf", "23", "-pix_fmt", "yuv420p")
"""The original's encoder."""

_TIMEOUT = 3600.0


class Capture:
    """A ``cv2.VideoCapture`` with its errors said; a context manager.

    Args:
        path: of a local file.

    Attributes:
        fps: as OpenCV takes it.
        width, height: pixels.
        frame_count: as OpenCV guesses it.

    Raises:
        DecodeError: OpenCV cannot open it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise DecodeError(f"OpenCV cannot open {path}")
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        self.height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self.frame_count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))

    def read(self) -> Image | None:
        """Read the next frame, (H, W, 3) BGR; None where OpenCV has none."""
        there, frame = self._capture.read()
        return np.asarray(frame, np.uint8) if there and frame is not None else None

    def seek_and_read(self, index: int) -> Image:
        """Frame ``index``, sought first, as the original did before every frame.

        Raises:
            DecodeError: there is none.
        """
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        frame = self.read()
        if frame is None:
            raise DecodeError(f"OpenCV has no frame {index} of {self.path}")
        return frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._capture.release()


class RawEncoder:
    """Raw BGR frames into an ffmpeg, in series with what makes them; a context manager.

    Args:
        path: the file to make; whole after :meth:`finish` only.
        width, height: pixels.
        fps: frames per second.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        raw = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-video_size", f"{width}x{height}")
        rate = ("-framerate", str(_rate(fps)), "-i", "pipe:0")
        self._process = FFmpegProcess([*raw, *rate, *ENCODE, "-y", file_argument(path)], stdin=True, error=EncodeError)

    def write(self, image: Image) -> None:
        """Write a (H, W, 3) frame; waits until ffmpeg has taken it.

        Raises:
            EncodeError: ffmpeg failed.
        """
        self._process.send(image.tobytes())

    def finish(self) -> None:
        """Wait for the file.

        Raises:
            EncodeError: ffmpeg failed.
        """
        self._process.stdin.close()
        self._process.check(10 * STALL_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()


def encode_pngs(folder: Path, path: Path, *, fps: float, check: Callable[[], None]) -> None:
    """Read ``frame_000000.png`` and on from ``folder`` again, and encode them.

    Raises:
        EncodeError: ffmpeg failed.
    """
    pattern = f"file:{str(folder.absolute()).replace('%', '%%')}/frame_%06d.png"
    read = ["-protocol_whitelist", "file", "-f", "image2", "-framerate", str(_rate(fps)), "-i", pattern]
    run_ffmpeg(
        [*read, *ENCODE, "-y", file_argument(path)],
        error=EncodeError,
        timeout=_TIMEOUT,
        cancelled=check,
    )


def add_sound(
    video: Path, source: Path, path: Path, *, start: float, seconds: float, wanted: bool, check: Callable[[], None]
) -> None:
    """Put ``video`` and the sound of a span of ``source`` together; without sound there, or wanted, the video alone.

    Raises:
        EncodeError: ffmpeg failed.
    """
    arguments = [*input_arguments(LocalSource(video))]
    maps = ["-map", "0:v:0", "-c:v", "copy"]
    if wanted and probe(source).audio is not None:
        arguments += input_arguments(LocalSource(source), "-ss", f"{start:.6f}", "-t", f"{seconds:.6f}")
        maps += ["-map", "1:a:0", "-c:a", "aac", "-b:a", "192k"]
    run_ffmpeg(
        [*arguments, *maps, "-movflags", "+faststart", "-y", file_argument(path)],
        error=EncodeError,
        timeout=_TIMEOUT,
        cancelled=check,
    )


def _rate(fps: float) -> Fraction:
    """OpenCV's frame rate as the fraction it came from: 29.97... is 30000/1001."""
    return Fraction(fps).limit_denominator(1001)
