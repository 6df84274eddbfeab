"""The reader by OpenCV's ``VideoCapture``, for comparison: it is what most scripts use, and it loses frames.

Known and not mended here, since ``VideoCapture`` gives no means to:

- it stops at a damaged packet and says that the video is over, however much follows;
- its timestamps are guesses in milliseconds, which are matched to the packets' nearest;
- it cannot choose among video streams, and takes the first;
- it converts every YUV to RGB as BT.601 and knows neither HDR nor wide gamuts;
- it shows interlaced pictures as they are stored, combed;
- a span is reached by decoding from the beginning, since its seeks are not exact.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Sequence
from fractions import Fraction
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from reelproc.errors import DecodeError
from reelproc.media.packets.frame_times import frame_times
from reelproc.media.read.reader import VideoReader
from reelproc.media.stream_colour import assumed_matrix
from reelproc.pixels.colour import RGB_TO_YUV, YUV_BLACK
from reelproc.pixels.frame import Frame
from reelproc.storage.source import file_argument

_BGR_TO_YUV = np.column_stack([RGB_TO_YUV[:, ::-1] / 255, YUV_BLACK]).astype(np.float32)
"""(3, 4): levels of B, G, R and 1 to Y, Cb, Cr codes."""


class OpenCVReader(VideoReader):
    """Read frames by ``cv2.VideoCapture``, with the faults that this module lists."""

    lost_reason: ClassVar[str] = "OpenCV stopped before it: at a damaged packet it takes the video for ended"

    def _decode(self) -> Generator[Frame]:
        video = self.video
        warnings = ["opencv: timestamps are the packets' nearest to OpenCV's guess"]
        if video.colour.is_hdr or video.colour.is_wide:
            warnings.append("opencv: high dynamic range and wide gamuts are shown as they are stored, washed out")
        elif assumed_matrix(video.colour, video.coded_width, video.coded_height) not in ("smpte170m", "bt470bg"):
            warnings.append("opencv: colours are off, since OpenCV takes every source for BT.601")
        if video.interlaced:
            warnings.append("opencv: interlaced pictures are shown as they are stored, combed")
        self.warnings = tuple(warnings)
        promised = frame_times(self.source, self.info).pts
        capture = cv2.VideoCapture(file_argument(self.source.fetch()), cv2.CAP_FFMPEG)  # it reads nothing but files
        try:
            if not capture.isOpened():
                raise DecodeError(f"OpenCV cannot open {self.path!r}; use the backend 'ffmpeg'")
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
            last: int | None = None
            while True:
                got, image = capture.read()
                if not got:
                    return
                last = self._nearest(promised, capture.get(cv2.CAP_PROP_POS_MSEC), last)
                if self._high is not None and last >= self._high:
                    return
                if self._low is None or last >= self._low:
                    yield self._stamp(self._frame(np.asarray(image, np.uint8)), last)
        finally:
            capture.release()

    def _nearest(self, promised: Sequence[int], milliseconds: float, last: int | None) -> int:
        """Return the promised timestamp nearest to OpenCV's guess, after ``last``."""
        guess = self.video.start_pts + Fraction(milliseconds) / 1000 / self.video.time_base
        place = bisect_left(promised, guess)
        first = 0 if last is None else bisect_right(promised, last)
        around = promised[max(first, place - 1) : place + 2] or promised[first : first + 1]
        if around:
            return min(around, key=lambda p: abs(p - guess))
        return round(guess) if last is None else max(last + 1, round(guess))

    def _frame(self, image: NDArray[np.uint8]) -> Frame:
        upright = np.ascontiguousarray(self.video.orientation.apply(image))
        width, height = self.video.width, self.video.height
        if upright.shape[:2] != (height, width):
            upright = np.asarray(cv2.resize(upright, (width, height)), np.uint8)
        if self.pix_fmt == "rgb24":
            upright = np.ascontiguousarray(upright[:, :, ::-1])
        if self.pix_fmt in ("bgr24", "rgb24"):
            return Frame(upright.reshape(-1), width, height, self.pix_fmt)
        frame = Frame.empty(width, height, self.pix_fmt)
        yuv = cv2.transform(upright, _BGR_TO_YUV)
        for channel, plane in enumerate(frame.planes):
            full = yuv[:, :, channel]
            if plane.shape != full.shape:
                full = cv2.resize(full, plane.shape[::-1], interpolation=cv2.INTER_AREA)
            plane[:] = full
        return frame
