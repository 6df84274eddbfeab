"""The jobs that are measured: the original's test job of each kind, in its size or smaller.

All are placed on the footage in shares of its size, so that 1080p footage gets the original's numbers: a crop of
540x960 at (400, 0), a spotlight of radius 150 to 180 from (270, 480) to (350, 500).
"""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from reelproc import Clip, Crop, CropKeyframe, ExtractJob, Output, Reel, RenderJob, RenderResult, Upscale, probe
from reelproc.media.packets.frame_times import frame_times
from reelproc.timing import exact
from reelproc_lab.bench import Bench, Settings
from reelproc_lab.dataset import spotlight
from reelproc_lab.record import Made

DEFAULT_MODEL = "realesr-general-x4v3"
RESAMPLER = "lanczos"


def ai_model(settings: Settings) -> str | None:
    """Return the network for jobs with AI; None if it is not installed, or not wanted (``"none"``).

    What a container on Modal has installed is not known here, so there the default is taken.
    """
    if settings.model is not None:
        return None if settings.model == "none" else settings.model
    if settings.executor.startswith("modal"):
        return DEFAULT_MODEL
    from reelproc.upscalers.models import MODELS
    from reelproc.upscalers.weights import kept_file

    installed = all(importlib.util.find_spec(name) for name in ("torch", "spandrel"))
    return DEFAULT_MODEL if installed and kept_file(MODELS[DEFAULT_MODEL].file) else None


def framed(
    source: str, size: tuple[int, int], start: float, end: float, *, model: str | None, shrink: int = 1
) -> tuple[Clip, Output]:
    """Return a clip that crops 9:16 out of the footage and enlarges it by a half, and its output.

    Args:
        source: the footage's address.
        size: its width and height.
        start, end: of the clip, seconds.
        model: a network, or None for Lanczos.
        shrink: makes both sides of the crop and of the output so many times smaller.
    """
    x, y = size[0] / 1920, size[1] / 1080
    width, height = _even(540 * x / shrink), _even(960 * y / shrink)
    crop = Crop(keyframes=[CropKeyframe(time=0, x=400 * x, y=0, width=width, height=height)])
    clip = Clip(source=source, start=start, end=end, stages=[crop, Upscale(model=model or RESAMPLER)])
    return clip, Output(width=_even(width * 1.5), height=_even(height * 1.5))


@dataclass(frozen=True)
class Workload:
    """Builds jobs on one piece of footage.

    Attributes:
        bench: whose addresses are used.
        path: the footage on this machine.
        where: the executor's name.
    """

    bench: Bench
    path: Path
    where: str

    @property
    def source(self) -> str:
        """The footage, as the executor reaches it."""
        return self.bench.source(self.path, self.where)

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height, pixels."""
        video = probe(self.path).require_video()
        return video.width, video.height

    def overlay(self, seconds: float, highlighted: tuple[float, float], *, chunks: int = 1) -> RenderJob:
        """Return a job with a spotlight on the footage in its own size, for ``highlighted`` of ``seconds`` seconds."""
        width, height = self.size
        lit = spotlight(*highlighted, width=round(540 * width / 1920), height=round(960 * height / 1080))
        clip = Clip(source=self.source, end=seconds, stages=[lit])
        reel = Reel(clips=[clip], output=Output(width=None, height=None))
        return RenderJob(reel=reel, output=self.bench.output("overlay.mp4", self.where), chunks=chunks)

    def framing(
        self,
        start: float,
        end: float,
        *,
        model: str | None = None,
        shrink: int = 1,
        chunks: int = 1,
        fps: float = 30,
    ) -> RenderJob:
        """Return a job that enlarges a crop, by a network where ``model`` names one."""
        return self.reel([(start, end)], model=model, shrink=shrink, chunks=chunks, fps=fps)

    def reel(
        self,
        spans: list[tuple[float, float]],
        *,
        model: str | None = None,
        shrink: int = 1,
        chunks: int = 1,
        fps: float = 30,
    ) -> RenderJob:
        """Several such clips in one reel."""
        made = [framed(self.source, self.size, *span, model=model, shrink=shrink) for span in spans]
        output = Output(width=made[0][1].width, height=made[0][1].height, fps=fps)
        reel = Reel(clips=[clip for clip, _ in made], output=output)
        return RenderJob(reel=reel, output=self.bench.output("reel.mp4", self.where), chunks=chunks)

    def extract(self, start: float, end: float) -> ExtractJob:
        """Return a job that cuts a clip of the footage, exact to the frame."""
        return ExtractJob(source=self.source, output=self.bench.output("clip.mp4", self.where), start=start, end=end)

    def compilation(self, spans: list[tuple[float, float]]) -> RenderJob:
        """Clips of the footage in its own size, one after the other."""
        width, height = self.size
        reel = Reel(
            clips=[Clip(source=self.source, start=start, end=end) for start, end in spans],
            output=Output(width=width, height=height),
        )
        return RenderJob(reel=reel, output=self.bench.output("compilation.mp4", self.where))


def made_by(bench: Bench, job: RenderJob | ExtractJob, result: RenderResult, local: Path) -> Made:
    """Compute what the result of ``job`` must be, and fetch it if it is elsewhere.

    Args:
        bench: what fetches it.
        job: what was asked for, of clips with an end.
        result: whose output it is.
        local: the footage on this machine.
    """
    info = probe(local)
    audio = info.audio is not None
    if isinstance(job, RenderJob):
        rate = job.reel.output.fps or Fraction(30)
        lengths = [exact(clip.end or 0.0) - exact(clip.start) for clip in job.reel.clips]
        frames = sum(math.floor(length * rate + Fraction(1, 2)) for length in lengths)
        seconds = float(frames / rate)
    else:
        start, end = exact(job.start), exact(job.end or 0.0)
        times = frame_times(str(local), info)
        shown = [t for pts in times.pts if start <= (t := times.seconds(pts)) < end]
        frames, seconds = len(shown), float(end - shown[0]) if shown else 0.0
    return Made(path=bench.fetched(result.output), frames=frames, duration_seconds=seconds, audio=audio)


def _even(pixels: float) -> int:
    return 2 * max(1, round(pixels / 2))
