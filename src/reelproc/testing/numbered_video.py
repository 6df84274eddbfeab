"""Make small videos whose frames carry their numbers, as pictures that survive lossy coding.

::

    from reelproc.testing.numbered_video import numbered_video, read_number

    made = numbered_video(tmp_path / "clip.mp4", frame_count=60, fps=30)
    with reelproc.open_video(made.path) as video:
        assert [read_number(frame) for frame in video] == list(made.numbers)

The number is drawn twice, once inverted, as two rows of 12 black and white blocks in the middle of the picture, in
fractions of its size. It can be read again after scaling, re-encoding and mild colour changes. A picture that shows no
number, or two at once (a dissolve), is refused. A coloured background moves around it, so that encoders have something
to predict.

Nothing here uses reelproc: what it makes does not depend on what is being tested.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ROTATIONS",
    "MadeVideo",
    "draw",
    "numbered_video",
    "read_number",
    "run_ffmpeg",
    "shows_number",
    "tone",
    "with_edit_list",
]

BITS = 12
"""Numbers go from 0 to 4095."""

LEFT, TOP, RIGHT, BOTTOM = 0.08, 0.3, 0.92, 0.7
"""The box with the two rows of blocks, in fractions of the picture's sides."""

ROTATIONS = (0, 90, 180, 270)


@dataclass(frozen=True)
class MadeVideo:
    """What was made.

    Attributes:
        path: the file.
        pts: of every frame that a right reader returns, in order.
        time_base: seconds per unit of ``pts``, as the container holds it.
        numbers: the number drawn in each of those frames.
        width, height: of the picture as shown, after rotation.
    """

    path: Path
    pts: tuple[int, ...]
    time_base: Fraction
    numbers: tuple[int, ...]
    width: int
    height: int

    @property
    def times(self) -> tuple[Fraction, ...]:
        """Seconds of every frame since the first."""
        return tuple((p - self.pts[0]) * self.time_base for p in self.pts)


def _blocks(width: int, height: int) -> list[list[tuple[slice, slice]]]:
    """Return the (rows, columns) slices of the blocks: two rows of ``BITS``."""
    ys = np.linspace(TOP * height, BOTTOM * height, 3)
    xs = np.linspace(LEFT * width, RIGHT * width, BITS + 1)
    return [
        [(slice(round(y0), round(y1)), slice(round(x0), round(x1))) for x0, x1 in itertools.pairwise(xs)]
        for y0, y1 in itertools.pairwise(ys)
    ]


def draw(number: int, width: int, height: int) -> tuple[NDArray[np.uint8], ...]:
    """Draw ``number`` as limited-range YUV 4:4:4: three (height, width) uint8 planes."""
    if not 0 <= number < 1 << BITS:
        raise ValueError(f"a number from 0 to {(1 << BITS) - 1}, got {number}")
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    luma = 110 + 50 * np.sin((x + 3 * number) / 9) * np.cos((y - number) / 13)
    blue = 128 + 40 * np.sin((x - 2 * number) / 31)
    red = 128 + 40 * np.cos((y + number) / 23)
    planes = [np.round(p).astype(np.uint8) for p in (luma, blue, red)]
    top, bottom = round(TOP * height), round(BOTTOM * height)
    for chroma in planes[1:]:
        chroma[top:bottom] = 128
    for row, inverted in zip(_blocks(width, height), (False, True), strict=True):
        for bit, place in enumerate(row):
            planes[0][place] = 216 if bool(number >> bit & 1) != inverted else 36
    return tuple(planes)


def read_number(picture: Any) -> int:
    """Read the number in a picture: a reelproc frame, an (H, W) luma array, or an (H, W, 3) image.

    Raises:
        ValueError: the picture shows no clear number.
    """
    number, certain = _read(picture)
    if not certain:
        raise ValueError("the picture shows no clear number")
    return number


def shows_number(picture: Any) -> bool:
    """Whether :func:`read_number` can read the picture."""
    return _read(picture)[1]


def _read(picture: Any) -> tuple[int, bool]:
    plane = picture.planes[0] if hasattr(picture, "planes") else np.asarray(picture)
    grey = plane.mean(axis=2) if plane.ndim == 3 else plane.astype(np.float64)
    height, width = grey.shape
    levels = np.array([[_middle(grey[place]) for place in row] for row in _blocks(width, height)])
    bits = levels[0] > levels[1]
    certain = bool((np.abs(levels[0] - levels[1]) > 60).all())
    return int(sum(1 << i for i in range(BITS) if bits[i])), certain


def _middle(block: NDArray[np.float64]) -> float:
    """Return the mean of a block's middle, away from neighbours that lossy coding lets in."""
    h, w = block.shape
    return float(block[h // 4 : h - h // 4, w // 4 : w - w // 4].mean())


def numbered_video(
    path: str | os.PathLike[str],
    *,
    frame_count: int = 30,
    fps: int | Fraction = 30,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    width: int = 192,
    height: int = 108,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    lossless: bool = False,
    gop_size: int = 12,
    b_frames: int = 2,
    rotation: int = 0,
    hflip: bool = False,
    sample_aspect_ratio: Fraction | None = None,
    full_range: bool = False,
    colour: tuple[int, int, int] = (1, 1, 1),
    first_number: int = 0,
    options: Mapping[str, str] | None = None,
    sound: NDArray[np.float32] | None = None,
    sample_rate: int = 48_000,
    second_size: tuple[int, int] | None = None,
) -> MadeVideo:
    """Encode numbered frames.

    Args:
        path: the ending names the container: mp4, mov, mkv, avi, ts, webm, nut.
        frame_count: how many frames; the length of ``pts`` where that is given.
        fps: constant rate.
        pts: instead of a constant rate, each frame's timestamp in ``time_base`` units, increasing.
        time_base: of the encoder; default 1/fps (1/1000 with ``pts``). Containers may change it: read ``MadeVideo``.
        width, height: of the picture as shown; odd sizes need a codec and ``pix_fmt`` that can (``lossless`` 4:4:4,
            vp9).
        codec: an encoder of PyAV's ffmpeg: libx264, libx265, mpeg4, ffv1, libvpx-vp9, libsvtav1, ...
        pix_fmt: of the encoder.
        lossless: x264 with qp 0, ffv1 is so anyway.
        gop_size, b_frames: key frame distance, B-frames in a row.
        rotation: degrees clockwise that a player has to turn the stored picture (display matrix; mp4 and mov).
        hflip: and mirror it left to right after that.
        sample_aspect_ratio: width of a pixel over its height, of the stored picture.
        full_range: 0 to 255 instead of 16 to 235, and tagged so.
        colour: (matrix, primaries, transfer) that the file is tagged with, in the numbers of H.273: 1 BT.709, 2
            unspecified, 5 and 6 BT.601, 9 BT.2020, 16 PQ, 18 HLG. The YUV that is drawn stays the same.
        first_number: the number of the first frame.
        options: for the encoder.
        sound: (samples,) or (samples, channels) float32 in [-1, 1], encoded as AAC (Opus in webm).
        sample_rate: Hz of ``sound``.
        second_size: (width, height) of a second video stream with the same timestamps and numbers from 2048 on.

    Returns:
        What a right reader finds in it.
    """
    path = Path(path)
    rate = Fraction(fps)
    base = time_base or (1 / rate if pts is None else Fraction(1, 1000))
    stamps = list(pts) if pts is not None else [round(i / rate / base) for i in range(frame_count)]
    numbers = range(first_number, first_number + len(stamps))
    turned = rotation in (90, 270)
    stored = (height, width) if turned else (width, height)
    settings = {"codec": codec, "pix_fmt": pix_fmt, "base": base, "gop": gop_size, "b_frames": b_frames}
    settings["colour"] = colour
    with av.open(str(path), "w") as container:
        streams = [(_video_stream(container, stored, rate, settings, lossless, options, full_range), numbers, stored)]
        if second_size:
            second = _video_stream(container, second_size, rate, settings, lossless, options, full_range)
            streams.append((second, range(2048, 2048 + len(stamps)), second_size))
        first = streams[0][0]
        if sample_aspect_ratio:
            first.sample_aspect_ratio = sample_aspect_ratio
        if rotation or hflip:
            _set_display_matrix(first, rotation, hflip)
        audio = None
        if sound is not None:
            sound = sound[:, None] if sound.ndim == 1 else sound
            audio = container.add_stream("libopus" if path.suffix == ".webm" else "aac", rate=sample_rate)
            audio.layout = {1: "mono", 2: "stereo", 6: "5.1"}[sound.shape[1]]
        for place, stamp in enumerate(stamps):
            for stream, ns, size in streams:
                turn = (rotation, hflip) if stream is first else (0, False)
                frame = _frame(ns[place], size, turn, pix_fmt, full_range)
                frame.pts, frame.time_base = stamp, base
                container.mux(stream.encode(frame))
        for stream, _, _ in streams:
            container.mux(stream.encode())
        if audio is not None and sound is not None:
            _encode_sound(container, audio, sound, sample_rate)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        held = sorted({p.pts for p in container.demux(stream) if p.size and p.pts is not None and not p.is_discard})
        held_base = stream.time_base
        assert held_base is not None
    return MadeVideo(path, tuple(held), held_base, tuple(numbers), width, height)


def _video_stream(
    container: Any,
    size: tuple[int, int],
    rate: Fraction,
    settings: Mapping[str, Any],
    lossless: bool,
    options: Mapping[str, str] | None,
    full_range: bool,
) -> Any:
    codec = settings["codec"]
    stream = container.add_stream(codec, rate=rate)
    stream.width, stream.height = size
    stream.pix_fmt = settings["pix_fmt"]
    context = stream.codec_context
    context.time_base = settings["base"]
    context.gop_size = settings["gop"]
    context.color_range = 2 if full_range else 1
    context.colorspace, context.color_primaries, context.color_trc = settings["colour"]
    known: dict[str, str] = {}
    if codec == "libx264":
        known = {"preset": "ultrafast", "bf": str(settings["b_frames"]), "sc_threshold": "0", "b-pyramid": "normal"}
        known |= {"qp": "0"} if lossless else {"crf": "18"}
    elif codec == "libx265":
        quiet = f"log-level=none:bframes={settings['b_frames']}:keyint={settings['gop']}:scenecut=0"
        known = {"preset": "ultrafast", "x265-params": quiet + (":lossless=1" if lossless else "")}
    elif codec in ("mpeg4", "mpeg2video", "mpeg1video"):
        known = {"bf": str(settings["b_frames"]), "qscale": "2"}
    elif codec == "libvpx-vp9":
        known = {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"}
    context.options = {**known, **(options or {})}
    context.thread_count = 1
    return stream


def _set_display_matrix(stream: Any, rotation: int, hflip: bool) -> None:
    """Return the matrix that turns the stored picture ``rotation`` degrees clockwise, then mirrors it."""
    one = 1 << 16
    # Rows a b u / c d v / x y w map the stored (p, q) to (a p + c q, b p + d q); y points down.
    a, b, c, d = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[rotation]
    if hflip:
        a, c = -a, -c
    stream.set_display_matrix([v * one for v in (a, b, 0, c, d, 0, 0, 0)] + [1 << 30])


def _frame(number: int, size: tuple[int, int], turn: tuple[int, bool], pix_fmt: str, full_range: bool) -> av.VideoFrame:
    rotation, hflip = turn
    shown = size[::-1] if rotation in (90, 270) else size
    planes = draw(number, *shown)
    if full_range:
        planes = (
            np.round((planes[0].astype(np.float32) - 16) * 255 / 219).astype(np.uint8),
            *(np.round((p.astype(np.float32) - 128) * 255 / 224 + 128).astype(np.uint8) for p in planes[1:]),
        )
    stored = []
    for plane in planes:
        upright = plane[:, ::-1] if hflip else plane
        stored.append(np.ascontiguousarray(np.rot90(upright, rotation // 90)))
    frame = frame_of_planes(stored)
    frame.color_range = 2 if full_range else 1
    frame.colorspace = 1
    return frame if pix_fmt == "yuv444p" else frame.reformat(format=pix_fmt)


def frame_of_planes(planes: Sequence[NDArray[np.uint8]]) -> av.VideoFrame:
    """Return the ``yuv444p`` frame of three planes, (H, W) uint8 each."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv444p")
    for target, plane in zip(frame.planes, planes, strict=True):
        padded = np.zeros((height, target.line_size), np.uint8)
        padded[:, :width] = plane
        target.update(padded.tobytes())
    return frame


def _encode_sound(container: Any, stream: Any, sound: NDArray[np.float32], sample_rate: int) -> None:
    step = 1024
    for first in range(0, len(sound), step):
        piece = np.ascontiguousarray(sound[first : first + step].T, np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=stream.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, first, Fraction(1, sample_rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def tone(seconds: float, *, hertz: float = 440.0, sample_rate: int = 48_000, channels: int = 1) -> NDArray[np.float32]:
    """Return a sine of half the full level, (samples, channels) float32."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sample_rate)) / sample_rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def with_edit_list(source: MadeVideo, path: str | os.PathLike[str], first: int) -> MadeVideo:
    """Copy an mp4, packets unchanged, with an edit list that starts at the source's frame ``first``.

    The packets from the key frame before it are kept, to be decoded and not shown, as phones and editors do it.
    """
    path = Path(path)
    run_ffmpeg("-ss", f"{float(source.times[first]):.6f}", "-i", str(source.path), "-c", "copy", str(path))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        held = sorted({p.pts for p in container.demux(stream) if p.size and p.pts is not None and not p.is_discard})
    numbers = source.numbers[len(source.numbers) - len(held) :]
    return MadeVideo(path, tuple(held), source.time_base, numbers, source.width, source.height)


def run_ffmpeg(*arguments: str) -> None:
    """Run the bundled ffmpeg; raise if it fails."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
