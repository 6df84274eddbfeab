"""Footage of any length: the drawn match, there and back, with a camera's grain, joined without re-encoding.

The match is ten seconds long. It is encoded once forwards and once backwards, so that the camera never jumps, and the
two are repeated packet by packet: ninety seconds cost little more than twenty. Every frame of both has its own grain
(an encoder has something to do, and no two frames are alike); after twenty seconds the pictures repeat, and no encoder
looks back so far.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc import EncodeError, Progress, SpecError
from reelproc.files import scratch_folder
from reelproc.media.ffmpeg import FFmpegProcess
from reelproc.storage.source import file_argument
from reelproc_lab.match.film import FPS, HEIGHT, WIDTH, Match, add_sound
from reelproc_lab.match.script import DURATION
from reelproc_lab.match.sound import RATE, soundtrack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc import Frame
    from reelproc.results import ProgressCallback

FOOTAGE_VERSION = 1
"""Goes up when the same arguments give other pictures."""

_GRAIN = 2.0
"""Standard deviation of the luma grain in 8-bit codes: a camera's in daylight, after its own encoder."""

_MARGIN = 64
"""By how many pixels the field of grain can be shifted, each way."""

_JOIN_TIMEOUT = 120.0


def film_footage(
    path: Path,
    *,
    seconds: float = 90.0,
    width: int = WIDTH,
    height: int = HEIGHT,
    seed: int = 0,
    progress: ProgressCallback = lambda _: None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Draw ``seconds`` of a match at 30 frames per second into an H.264 file with stereo AAC sound.

    Args:
        path: of the file, ending in ``.mp4``; it appears when it is whole.
        seconds: of footage, at least one frame; snapped to whole frames.
        width, height: pixels, even; other than 1920x1080 the drawn frame is scaled to it, its shape not kept.
        seed: of the match and the grain; equal seeds give equal pictures.
        progress: told after every drawn frame.
        check: called before every drawn frame; raises to stop.

    Raises:
        SpecError: an impossible length or size.
        EncodeError: ffmpeg failed, or the file cannot be written.
        StorageError: the folder cannot be written.
    """
    count = math.floor(seconds * FPS + 0.5) if math.isfinite(seconds) else 0
    if count < 1:
        raise SpecError(f"footage has at least one frame of 1/{FPS} s, got seconds={seconds:g}")
    if width < 16 or height < 16 or width % 2 or height % 2:
        raise SpecError(f"footage has even sides of at least 16 pixels, got {width}x{height}")
    match = Match(seed=seed)
    whole, rest = divmod(count, match.frame_count)
    drawing = min(whole, 2) * match.frame_count + rest
    drawn = 0

    def checked() -> None:
        nonlocal drawn
        check()
        drawn += 1
        progress(Progress(phase="draw", done=drawn, total=drawing))

    there, back = range(match.frame_count), range(match.frame_count - 1, -1, -1)
    with suppress(OSError):  # if it cannot be made, the next line says so
        path.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(beside=path) as folder:
        film = _Film(match, width, height, checked)
        parts = [film.shoot(folder / f"part{n}.mp4", order) for n, order in enumerate((there, back)[:whole])]
        pieces = [parts[n % 2] for n in range(whole)]
        if rest:
            pieces.append(film.shoot(folder / "rest.mp4", (there, back)[whole % 2][:rest]))
        silent = pieces[0] if len(pieces) == 1 else _join(pieces, folder / "joined.mp4")
        add_sound(silent, _sound(match, count), path)


class _Film:
    """Draws frames of the match in any order, each with grain of its own, into files of one kind."""

    def __init__(self, match: Match, width: int, height: int, check: Callable[[], None]) -> None:
        import numpy as np

        self._match, self._size, self._check = match, (width, height), check
        self._rng = np.random.default_rng([match.seed, 5])
        field = self._rng.normal(0, _GRAIN, (height + _MARGIN, width + _MARGIN))
        self._field = np.rint(field).astype(np.int8)

    def shoot(self, path: Path, order: Iterable[int]) -> Path:
        """Encode the match's frames in this ``order``."""
        from reelproc.media.write.encoders import EncoderSettings
        from reelproc.media.write.writer import VideoWriter

        settings = EncoderSettings(preset="veryfast", crf=20, threads=2)
        width, height = self._size
        with VideoWriter(path, width=width, height=height, fps=Fraction(FPS), settings=settings) as writer:
            for n in order:
                self._check()
                writer.write(self._frame(n))
            writer.finish()
        return path

    def _frame(self, n: int) -> Frame:
        import cv2

        from reelproc import Frame

        drawn = Frame.empty(WIDTH, HEIGHT, "yuv420p")
        self._match.draw(n, drawn)
        width, height = self._size
        frame = drawn if (width, height) == (WIDTH, HEIGHT) else Frame.empty(width, height, "yuv420p")
        if frame is not drawn:
            for source, plane in zip(drawn.planes, frame.planes, strict=True):
                cv2.resize(source, plane.shape[1::-1], dst=plane, interpolation=cv2.INTER_AREA)
        x, y = self._rng.integers(0, _MARGIN, 2).tolist()
        luma = frame.planes[0]
        cv2.add(luma, self._field[y : y + height, x : x + width], dst=luma, dtype=cv2.CV_8U)
        return frame


def _join(pieces: list[Path], path: Path) -> Path:
    """``pieces``, which are whole files of one kind, after each other."""
    listing = path.with_suffix(".txt")
    listing.write_text("ffconcat version 1.0\n" + "".join(f"file {piece.name}\n" for piece in pieces))
    arguments = ["-f", "concat", "-i", file_argument(listing), "-map", "0:v:0", "-c", "copy", "-y", file_argument(path)]
    with FFmpegProcess(arguments, error=EncodeError) as process:
        process.check(_JOIN_TIMEOUT)
    return path


def _sound(match: Match, count: int) -> NDArray[np.float64]:
    """(N, 2): the match's sound, repeated for ``count`` frames."""
    import numpy as np

    once = soundtrack(match.story, seed=match.seed, duration=DURATION)
    length = round(Fraction(count, FPS) * RATE)
    return np.resize(once, (length, 2))
