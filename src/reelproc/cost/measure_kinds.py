"""Measures the rates of this machine one by one: what each kind of work takes of a processor when it is done alone.

Each is done a few times on a few dozen frames of some footage. Processor seconds are those of this process and of the
ffmpeg children that have ended, as the system counts them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc.errors import SpecError
from reelproc.files import scratch_folder
from reelproc.machine.posix import resource
from reelproc.media.probe.probe import probe
from reelproc.media.read.excerpt import Excerpt, ExcerptStep
from reelproc.media.read.reader import open_video
from reelproc.media.write.encoders import EncoderSettings, check_encoder
from reelproc.media.write.writer import VideoWriter
from reelproc.pixels.frame import Frame, Window
from reelproc.stages.base import Stage, StreamInfo, Target
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay
from reelproc.stages.rotate import Rotate
from reelproc.stages.text import Text, TextElement, TextRegion, TextSpec

if TYPE_CHECKING:
    from reelproc.media.info import MediaInfo

MEGA = 1e6
FRAMES = 48
"""Frames of each measurement: enough for x264's lookahead of 30 (preset fast) to fill."""

Samples = dict[str, list[float]]
"""By kind (:mod:`reelproc.cost.work`)."""


@dataclass
class Spent:
    """What a block took.

    Attributes:
        wall: seconds.
        cpu: processor seconds.
    """

    wall: float = 0.0
    cpu: float = 0.0


def _cpu() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


@contextmanager
def metered() -> Iterator[Spent]:
    """Measure a block; children count once they have ended inside it."""
    spent = Spent()
    wall, cpu = time.perf_counter(), _cpu()
    try:
        yield spent
    finally:
        spent.wall, spent.cpu = time.perf_counter() - wall, _cpu() - cpu


def measure_reading(source: Path, rounds: int, check: Callable[[], None]) -> Samples:
    """Measure ``decode.CODEC``, ``pipe`` and ``open``: reading whole frames, a corner of them, and a single one.

    Raises:
        SpecError: the footage is too short or too small.
    """
    info = probe(source)
    video = info.require_video()
    coded, whole = video.coded_width * video.coded_height / MEGA, video.width * video.height / MEGA
    side = 64
    if video.width <= 2 * side or video.height <= 2 * side:
        raise SpecError(f"{source} has frames of {video.width}x{video.height}; calibrate with larger ones, e.g. 1080p")
    samples: Samples = {f"decode.{video.codec}": [], "pipe": [], "open": []}
    corner = Excerpt(side, side, (ExcerptStep(0, 0, 0),))
    _read(source, info, 1, None)
    for _ in range(rounds):
        check()
        one, full, part = (
            _read(source, info, count, excerpt) for count, excerpt in ((1, None), (FRAMES, None), (FRAMES, corner))
        )
        count = FRAMES - 1
        piped = max(0.0, (full.cpu - part.cpu) / FRAMES / (whole - side * side / MEGA))
        decoded = max(0.0, (part.cpu - one.cpu) / count / coded)
        samples[f"decode.{video.codec}"].append(decoded)
        samples["pipe"].append(piped)
        samples["open"].append(one.wall)
    return samples


def _read(source: Path, info: MediaInfo, count: int, excerpt: Excerpt | None) -> Spent:
    rate = info.require_video().average_rate or Fraction(30)
    end = Fraction(count) / rate - Fraction(1, 1000)
    with metered() as spent, open_video(source, pix_fmt="yuv420p", end=end, info=info, excerpt=excerpt) as reader:
        seen = sum(1 for _ in reader)
    if seen < count:
        raise SpecError(f"{source} has only {seen} frames; calibrate with footage of {FRAMES} or more")
    return spent


def some_frames(source: Path, count: int = FRAMES) -> list[Frame]:
    """Return the first frames of ``source``, yuv420p."""
    frames = []
    with open_video(source, pix_fmt="yuv420p") as reader:
        for frame in reader:
            frames.append(frame.copy())
            if len(frames) == count:
                break
    return frames


def measure_encoding(
    frames: Sequence[Frame], settings: EncoderSettings, rounds: int, check: Callable[[], None]
) -> Samples:
    """Measure ``encode`` and ``repeat`` of an encoder, and ``segment``, its start and end.

    The pictures are the footage's own and a part of it enlarged by 1.5, as reels have them: the time that x264 takes
    for a pixel hardly differs between the two.
    """
    from reelproc.pixels.resample import resample

    check_encoder(settings)
    preset = settings.encoder.preset if settings.preset is None else settings.preset
    suffix = f"{settings.name}.{preset}"
    first = frames[0]
    height = first.height - first.height % 2
    width = min(first.width, height * 9 // 16)
    width -= width % 2
    part = Window((first.width - width * 2 / 3) / 2, height / 6, width * 2 / 3, height * 2 / 3)
    enlarged = [resample(frame, part, width, height) for frame in frames]
    whole, small = first.width * first.height / MEGA, width * height / MEGA
    samples: Samples = {f"encode.{suffix}": [], f"repeat.{suffix}": [], "segment": []}
    count = 2 * len(frames) - 2
    with scratch_folder() as folder:
        path = folder / "encoded.mp4"
        for _ in range(rounds):
            check()
            short = _encode(enlarged[:2], path, settings)
            native = (_encode(_there_and_back(frames), path, settings).cpu - short.cpu) / whole / count
            once = (_encode(_there_and_back(enlarged), path, settings).cpu - short.cpu) / small / count
            twice = (_encode([f for f in enlarged for _ in range(2)], path, settings).cpu - short.cpu) / small
            samples[f"encode.{suffix}"] += [native, once]
            samples[f"repeat.{suffix}"].append(max(0.0, twice / len(frames) - once))
            samples["segment"].append(short.wall)
    return samples


def _there_and_back(frames: Sequence[Frame]) -> list[Frame]:
    return [*frames, *reversed(frames)]


def _encode(frames: Sequence[Frame], path: Path, settings: EncoderSettings) -> Spent:
    first = frames[0]
    with metered() as spent:
        writer = VideoWriter(path, width=first.width, height=first.height, fps=Fraction(30), settings=settings)
        with writer:
            for frame in frames:
                writer.write(frame)
            writer.finish()
    return spent


def measure_stages(frames: Sequence[Frame], rounds: int, check: Callable[[], None]) -> Samples:
    """Measure ``stage.*`` but for networks: each stage's work on frames in memory."""
    from reelproc.render.transitions import darken, mix
    from reelproc.stages.upscale import Upscale

    first = frames[0]
    stream = StreamInfo(first.width, first.height, Fraction(10))
    pixels = first.width * first.height / MEGA
    radius_x, radius_y = first.height / 12, first.height / 7
    box = 4 * radius_x * radius_y / MEGA
    scale = Upscale(model="lanczos", width=first.height * 3 // 4 // 2 * 2, height=first.height * 4 // 3 // 2 * 2)
    wide = first.height // 2
    narrow = StreamInfo(wide - wide % 2, wide * 16 // 9 // 2 * 2, Fraction(10))
    gflop = scale.upscaler().flop(scale.spec(narrow, Target())) / 1e9
    samples: Samples = {}

    def keep(kind: str, amount: float, work: Callable[[Frame, int], object]) -> None:
        work(first.copy(), 0)
        for _ in range(rounds):
            check()
            given = [frame.copy() for frame in frames[:16]]
            begin = time.process_time()
            for n, frame in enumerate(given):
                work(frame, n)
            samples.setdefault(kind, []).append((time.process_time() - begin) / len(given) / amount)

    def stage(kind: str, amount: float, made: Stage, less: float = 0.0) -> None:
        work = made.open(stream, Target())
        if work is None:
            raise SpecError(f"{made.stage} does nothing to measure")
        keep(kind, amount, lambda frame, n: work(frame, n / 30))
        work.close()
        samples[kind] = [max(0.0, each - less / amount) for each in samples[kind]]

    def moving(n: int) -> Window:
        return Window(10.3 + 1.7 * n, 5.6 + 0.4 * n, float(narrow.width), float(min(narrow.height, first.height - 40)))

    scaling = scale.upscaler().open(scale.spec(narrow, Target()))
    from reelproc.upscalers.base import Sample

    keep("stage.scale", gflop, lambda frame, n: scaling([Sample(frame, moving(n))]))
    scaling.close()
    stage("stage.dim", pixels, _overlay(radius_x, radius_y, effect="dark_overlay"))
    dim = _median(samples["stage.dim"]) * pixels
    stage("stage.ring", box, _overlay(radius_x, radius_y, effect="dark_overlay", stroke_width=4.0, fill=True), less=dim)
    stage("stage.boost", box, _overlay(radius_x, radius_y, effect="brightness_boost"))
    stage("stage.rotate", pixels, Rotate(degrees=1.5))
    said = TextElement(spec=TextSpec(text="Full effort play"))
    stage("stage.text", 1.0, Text(regions=[TextRegion(start_time=0, end_time=10, elements=[said])]))
    keep("stage.mix", pixels, lambda frame, _: mix(frame, first, Fraction(1, 3)))
    keep("stage.fade", pixels, lambda frame, _: darken(frame, Fraction(1, 3)))
    return samples


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _overlay(radius_x: float, radius_y: float, **look: object) -> Overlay:
    path = [
        HighlightKeyframe(time=time, x=300 + 30 * time, y=400, radius_x=radius_x, radius_y=radius_y, opacity=0.3)
        for time in (0, 10)
    ]
    return Overlay.model_validate({"regions": [HighlightRegion(start_time=0, end_time=10, keyframes=path)], **look})
