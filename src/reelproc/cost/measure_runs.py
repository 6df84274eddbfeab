"""Measures this machine in whole runs: what the rates of single kinds leave out, and what comes before and after."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from reelproc.cost.busy_machine import Watch
from reelproc.cost.calibration import Calibration
from reelproc.cost.measure_kinds import Samples, measure_encoding, measure_reading, measure_stages, some_frames
from reelproc.cost.measured_rates import this_host
from reelproc.cost.plan_work import count
from reelproc.executors import Executor, executor
from reelproc.files import scratch_folder
from reelproc.job_context import JobContext
from reelproc.jobs import ExtractJob, RenderJob, run_job
from reelproc.media.probe.probe import probe
from reelproc.media.write.encoders import EncoderSettings
from reelproc.reel import Clip, Output, Reel
from reelproc.render.plan_reel import plan
from reelproc.stages.base import Stage
from reelproc.stages.concat import Concat
from reelproc.stages.crop import Crop, CropKeyframe
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay
from reelproc.stages.speed import Speed, SpeedSegment
from reelproc.stages.upscale import Upscale

Said = Callable[[str], None]


def calibrate(
    source: Path,
    calibration: Calibration,
    *,
    rounds: int = 5,
    encoders: tuple[str, ...] = (),
    upscaler: str | None = None,
    say: Said = lambda _: None,
    check: Callable[[], None] = lambda: None,
    watch: Watch | None = None,
) -> Calibration:
    """Measure this machine, and return ``calibration`` with its rates.

    A machine that other processes use is refused, before and while it is measured.

    Args:
        source: footage like yours; at least 6 s, with sound if sound is to be measured.
        calibration: what is known so far.
        rounds: how often each is measured.
        encoders: more encoders to measure beside libx264 ``fast``: ``"libx265"``, ``"libx264:veryfast"``, ...
        upscaler: a network to measure as well.
        say: told what is being done.
        check: called often; raises to stop.
        watch: looks at how busy the machine is. ``Watch(anyway=True)`` refuses nothing: samples of a busy machine are
            then stored apart, and never count as measured.

    Raises:
        SpecError: the footage will not do, or there is no such encoder or network.
        BackendError: the machine is busy (``transient``): nothing is stored.
        ReelprocError: something cannot be run here.
    """
    watch = watch or Watch()
    watch.begin()
    here = this_host()

    def look() -> None:
        check()
        watch.look()

    known = _measured(source, rounds=rounds, encoders=encoders, upscaler=upscaler, say=say, check=look)
    watch.look()
    found = known.entry("local", here)
    if found is None:
        raise TypeError("nothing was measured")
    return calibration.with_samples("local", here, found.rates, busy=watch.busy is not None)


def _measured(
    source: Path, *, rounds: int, encoders: tuple[str, ...], upscaler: str | None, say: Said, check: Callable[[], None]
) -> Calibration:
    """Return what one calibration finds, and nothing else."""
    here = this_host()
    loaded: Samples = {}
    if upscaler is not None:  # first: that it cannot be run is better known before all else is measured
        say(f"loading {upscaler}")
        with scratch_folder() as folder:
            job = RenderJob(reel=_upscaled(source, upscaler), output=folder / "out.mp4")
            loaded["load"] = [run_job(job, JobContext()).phases.get("startup", 0.0)]
    say("reading")
    samples = measure_reading(source, rounds, check)
    frames = some_frames(source)
    say("stages")
    samples |= measure_stages(frames, rounds, check)
    for encoder in ("libx264:fast", *encoders):
        say(f"encoding by {encoder}")
        name, _, preset = encoder.partition(":")
        settings = EncoderSettings(name, preset or None, threads=JobContext().encoder_threads)
        for kind, values in measure_encoding(frames, settings, rounds, check).items():
            samples.setdefault(kind, values)
    known = Calibration().with_samples("local", here, samples | loaded)
    del frames
    say("whole runs")
    with scratch_folder() as folder:
        for _ in range(rounds):
            for reel in _reels(source):
                check()
                known = _run(reel, folder, known)
        if upscaler is not None:
            say(f"upscaling by {upscaler}")
            for _ in range(2):
                check()
                known = _run(_upscaled(source, upscaler), folder, known)
        say("starting a worker")
        return known.with_samples("local", here, {"startup": _starts(source, folder, min(3, rounds))})


def calibrate_by(
    there: Executor,
    source: Path,
    calibration: Calibration,
    *,
    rounds: int = 3,
    upscaler: str | None = None,
    say: Said = lambda _: None,
) -> Calibration:
    """Return ``calibration`` with what whole runs on an executor's hardware teach (see :meth:`Calibration.add`).

    Single rates cannot be measured from outside; they stay predictions, which the pace of these runs corrects.

    Args:
        there: runs the jobs; on Modal it needs a ``staging`` place.
        source: footage of this machine.
        calibration: what is known so far.
        rounds: how often each reel is rendered.
        upscaler: a network to measure as well.
        say: told what is being done.

    Raises:
        ReelprocError: a job's.
    """
    known = calibration
    reels = _reels(source)
    if upscaler is not None:
        reels.append(_upscaled(source, upscaler))
    works = [count(plan(reel), destination="out.mp4") for reel in reels]
    with scratch_folder() as folder:
        for turn in range(rounds):
            for number, (reel, work) in enumerate(zip(reels, works, strict=True)):
                say(f"round {turn + 1} of {rounds}, reel {number + 1} of {len(reels)}")
                job = RenderJob(reel=reel, output=folder / f"{turn}-{number}.mp4")
                known = known.add(there.submit(job).result(), work)
    return known


def _run(reel: Reel, folder: Path, calibration: Calibration) -> Calibration:
    output = folder / "out.mp4"
    made = plan(reel)
    result = run_job(RenderJob(reel=reel, output=output), JobContext())
    work = count(made, destination="out.mp4")
    known = calibration.add(result, work)
    seconds = result.phases
    extra: Samples = {}
    if copied := work.after.get("copy"):
        extra["copy"] = [seconds.get("assemble", 0.0) / copied]
    if stretched := work.beside.get("audio.stretched"):
        plain = known.entry("local", this_host())
        spread = plain.spread("audio") if plain is not None else None
        sound = spread.median * work.beside["audio"] if spread is not None else 0.0
        extra["audio.stretched"] = [max(0.0, seconds.get("audio", 0.0) - sound) / stretched]
    return known.with_samples("local", this_host(), extra) if extra else known


def _crop(width: float, height: float) -> Crop:
    high = height * 8 / 9
    wide = high * 9 / 16
    return Crop(
        keyframes=[
            CropKeyframe(time=0, x=width * 0.1, y=height * 0.05, width=wide, height=high),
            CropKeyframe(time=6, x=width * 0.5, y=height * 0.1, width=wide, height=high),
        ]
    )


def _light(start: float, end: float, width: float, height: float) -> Overlay:
    path = [
        HighlightKeyframe(
            time=time, x=width * share, y=height / 2, radius_x=height / 12, radius_y=height / 7, opacity=0.3
        )
        for time, share in ((0, 0.3), (6, 0.6))
    ]
    return Overlay(regions=[HighlightRegion(start_time=start, end_time=end, keyframes=path)])


def _reels(source: Path) -> list[Reel]:
    """Return reels of four kinds: cropped and scaled, in the source's size, mostly copied, slowed down."""
    info = probe(source)
    video = info.require_video()
    end = min(6.0, float(info.duration))
    width, height = float(video.width), float(video.height)
    even = Output(width=video.width - video.width % 2, height=video.height - video.height % 2)

    def reel(*stages: Stage, output: Output | None = None) -> Reel:
        clip = Clip(source=source, end=end, stages=stages)
        return Reel(clips=[clip], output=output or Output())

    crop, scale = _crop(width, height), Upscale(model="lanczos")
    slow = Speed(segments=[SpeedSegment(start=1, end=3, speed=0.5)])
    halves = [Clip(source=source, start=a, end=b, stages=[crop, scale]) for a, b in ((0, end / 2), (end / 2, end))]
    return [
        reel(crop, scale),
        reel(_light(0, end, width, height), output=even),
        reel(_light(0.2, 0.8, width, height), output=even),
        reel(crop, slow, scale),
        Reel(clips=halves, concat=Concat(transition="dissolve", duration=0.5)),
    ]


def _upscaled(source: Path, model: str) -> Reel:
    """Return a few small frames: a processor takes seconds for each of them."""
    crop = Crop(keyframes=[CropKeyframe(time=0, x=100, y=60, width=180, height=320)])
    clip = Clip(source=source, end=0.4, stages=[crop, Upscale(model=model)])
    return Reel(clips=[clip], output=Output(width=270, height=480, audio=False))


def _starts(source: Path, folder: Path, rounds: int) -> list[float]:
    """Return what the first job of an executor takes longer than the second."""
    job = ExtractJob(source=source, output=folder / "start.mp4", end=1, copy_codec=True)
    samples = []
    for _ in range(rounds):
        with executor("local", folder=folder / "jobs") as here:
            walls = []
            for _ in range(2):
                begin = time.perf_counter()
                here.submit(job).result(timeout=120)
                walls.append(time.perf_counter() - begin)
        samples.append(max(0.0, walls[0] - walls[1]))
    return samples
