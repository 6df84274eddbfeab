"""Do a job as the highlight app's own program did, on any executor: the job kind ``original``.

A render of one clip is told by its stages: an overlay alone; a crop and a resampler; a crop and a network. Everything
else, and what the original could not do, is refused: a baseline that quietly did something else would measure nothing.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import field_validator

from reelproc import (
    Clip,
    ClipSpan,
    Crop,
    EncodeError,
    Output,
    Overlay,
    Progress,
    RenderJob,
    RenderResult,
    SpecError,
    Upscale,
)
from reelproc.files import scratch_folder, whole_file
from reelproc.job_context import JobContext
from reelproc.jobs import Job, run_job
from reelproc.results import PhaseClock
from reelproc.storage import local_output
from reelproc.upscalers.models import Model
from reelproc.upscalers.networks import NetworkUpscaler
from reelproc_lab.original_programs.encoding import Capture, add_sound, encode_pngs
from reelproc_lab.original_programs.framing import frame_by_ffmpeg
from reelproc_lab.original_programs.framing_ai import Span, crops, upscale_to_pngs
from reelproc_lab.original_programs.network import Enhancer, Switches, load_enhancer
from reelproc_lab.original_programs.overlay import overlay

SWITCHES: dict[str, Switches] = {
    "none": Switches(),
    "cudnn.benchmark": Switches(cudnn_benchmark=True),
    "torch.compile": Switches(compiled=True),
    "TF32": Switches(tf32=True),
    "channels_last": Switches(channels_last=True),
    "fp16": Switches(precision="fp16"),
    "fp32": Switches(precision="fp32"),
    "bf16": Switches(precision="bf16"),
    "batch 4": Switches(batch=4),
}
"""What can be switched in the original's framing with a network, one at a time."""


class OriginalJob(Job[RenderResult]):
    """A render that is done by the highlight app's own program, rebuilt here.

    Attributes:
        render: what to do.
        switch: a key of :data:`SWITCHES`.

    >>> from reelproc import Clip, Reel
    >>> render = RenderJob(reel=Reel(clips=[Clip(source="game.mp4", stages=[Overlay()])]), output="reel.mp4")
    >>> OriginalJob(render=render, switch="batch 4").sources()
    ('game.mp4',)
    """

    job: Literal["original"] = "original"
    render: RenderJob
    switch: str = "none"

    @field_validator("switch")
    @classmethod
    def _known(cls, switch: str) -> str:
        if switch not in SWITCHES:
            raise ValueError(f"no switch is called {switch!r}; there are: {', '.join(SWITCHES)}")
        return switch

    def sources(self) -> tuple[str, ...]:
        """See :class:`reelproc.jobs.Job`."""
        return self.render.sources()

    def destination(self) -> str:
        """See :class:`reelproc.jobs.Job`."""
        return self.render.destination()

    def with_paths(self, paths: Mapping[str, str]) -> Self:
        """See :class:`reelproc.jobs.Job`."""
        return self.model_copy(update={"render": self.render.with_paths(paths)})

    def run(self, context: JobContext) -> RenderResult:
        """Do it as the app's program did.

        Raises:
            SpecError: the program could not do that.
            ReelprocError: whatever else went wrong, typed; nothing is left at the output.
        """
        return _render(self.render, context, SWITCHES[self.switch])


def run_original(job: RenderJob, context: JobContext | None = None) -> RenderResult:
    """Do ``job`` here, by the highlight app's program.

    Raises:
        SpecError: the program could not do that.
        ReelprocError: whatever else went wrong, typed; nothing is left at the output.
    """
    return run_job(OriginalJob(render=job), context)


def _render(job: RenderJob, context: JobContext, switches: Switches) -> RenderResult:
    clock = PhaseClock()
    if len(job.reel.clips) != 1:
        raise SpecError(f"the original's paths work on one clip, got {len(job.reel.clips)}")
    (clip,) = job.reel.clips
    destination = local_output(job.output)
    with scratch_folder() as folder:
        source = context.sources[clip.source].fetch()  # the whole file
        try:
            with whole_file(destination) as partial:
                task = _Task(clip, job.reel.output, source, folder, partial, context, clock)
                frames, fps, width, height, notes = task.done(switches)
        except OSError as error:
            raise EncodeError(f"{destination} cannot be written: {error}") from error
        finally:
            shutil.rmtree(folder / "pngs", ignore_errors=True)
    context.progress(Progress(phase="done", done=frames, total=frames, message=str(destination)))
    duration = float(frames / fps)
    span = ClipSpan(index=0, first_frame=0, frame_count=frames, start_seconds=0.0, duration_seconds=duration)
    return RenderResult(
        output=str(destination),
        frame_count=frames,
        duration_seconds=duration,
        fps=str(fps),
        width=width,
        height=height,
        clips=(span,),
        phases=clock.phases(),
        hardware=context.hardware,
        notes=("the original's program, written anew", *notes),
    )


_Made = tuple[int, Fraction, int, int, tuple[str, ...]]


class _Task:
    """One clip, done by the path that its stages call for."""

    def __init__(
        self,
        clip: Clip,
        output: Output,
        source: Path,
        folder: Path,
        path: Path,
        context: JobContext,
        clock: PhaseClock,
    ) -> None:
        self.clip, self.output, self.source, self.folder, self.path = clip, output, source, folder, path
        self.context, self.clock = context, clock

    def done(self, switches: Switches) -> _Made:
        """Frames, rate, size, and notes, of the file that is made."""
        match self.clip.stages:
            case (Overlay() as stage,):
                return self._overlay(stage)
            case (Crop() as crop, Upscale() as upscale):
                upscaler = upscale.upscaler()
                if isinstance(upscaler, NetworkUpscaler):
                    device = (upscale.backend or "").partition(":")[2] or None
                    return self._framed_by_network(crop, upscaler.model, device, switches)
                return self._framed(crop)
        got = ", ".join(stage.stage for stage in self.clip.stages) or "none"
        raise SpecError(f"the original's paths are an overlay, or a crop and an upscale; got the stages: {got}")

    def _overlay(self, stage: Overlay) -> _Made:
        with Capture(self.source) as capture:
            fps, width, height = Fraction(capture.fps).limit_denominator(1001), capture.width, capture.height
            seconds = capture.frame_count / capture.fps
        if self.clip.start or (self.clip.end is not None and abs(self.clip.end - seconds) > 1 / fps):
            raise SpecError("the original drew over a whole file; cut it out first")
        silent = self.folder / "silent.mp4"
        frames = overlay(self.source, stage, silent, self.context, self.clock)
        self._sound(silent, 0.0, float(frames / fps))
        return frames, fps, width, height, ()

    def _framed(self, crop: Crop) -> _Made:
        seconds, frames, fps, width, height = self._asked()
        with self.clock("encode"):
            frame_by_ffmpeg(
                self.source,
                crop,
                self.path,
                start=self.clip.start,
                seconds=seconds,
                width=width,
                height=height,
                fps=fps,
                audio=self.output.audio,
                check=self.context.check,
            )
        return frames, fps, width, height, ()

    def _framed_by_network(self, crop: Crop, model: Model, device: str | None, switches: Switches) -> _Made:
        seconds, frames, fps, width, height = self._asked()
        with self.clock("load"):
            enhancer = _enhancer(model, switches, device)
        before = enhancer.network_seconds
        pngs = self.folder / "pngs"
        pngs.mkdir()
        images = crops(self.source, Span(self.clip.start, frames, crop), self.context, self.clock)

        def progress(done: int) -> None:
            self.context.progress(Progress(phase="render", done=done, total=frames))

        begin, decoded = time.perf_counter(), self.clock.seconds.get("decode", 0.0)
        upscale_to_pngs(images, enhancer, (width, height), pngs, batch=switches.batch, progress=progress)
        network = enhancer.network_seconds - before
        looped = time.perf_counter() - begin - (self.clock.seconds.get("decode", 0.0) - decoded)
        self.clock.add("network", network)
        self.clock.add("stages", looped - network)
        silent = self.folder / "silent.mp4"
        with self.clock("encode"):
            encode_pngs(pngs, silent, fps=float(fps), check=self.context.check)
        self._sound(silent, self.clip.start, seconds)
        return frames, fps, width, height, ()

    def _asked(self) -> tuple[float, int, Fraction, int, int]:
        """Seconds, frames, rate and size of the result."""
        width, height, fps = self.output.width, self.output.height, self.output.fps
        if width is None or height is None or fps is None or self.clip.end is None:
            raise SpecError("the original's framing is told the size, the rate and the end")
        frames = max(1, math.floor((self.clip.end - self.clip.start) * fps + Fraction(1, 2)))
        return float(frames / fps), frames, fps, width, height

    def _sound(self, silent: Path, start: float, seconds: float) -> None:
        with self.clock("audio"):
            add_sound(
                silent,
                self.source,
                self.path,
                start=start,
                seconds=seconds,
                wanted=self.output.audio,
                check=self.context.check,
            )


@lru_cache(maxsize=1)
def _enhancer(model: Model, switches: Switches, device: str | None) -> Enhancer:
    """Keep the network loaded in a warm worker, as a warm container did."""
    return load_enhancer(model, switches, device)
