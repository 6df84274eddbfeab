"""E5: which encoder? Time, size and measured quality of each, and of NVENC beside a network on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reelproc import RenderJob
from reelproc.media.write.encoders import ENCODER_THREADS, ENCODERS
from reelproc_lab.bench import Bench, Settings
from reelproc_lab.footage import game
from reelproc_lab.harness import Experiment
from reelproc_lab.quality import has_vmaf, measure_quality
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import QualityFloor
from reelproc_lab.workloads import Workload, ai_model, made_by

ENCODERS_COMPARED = ("libx264", "h264_nvenc", "libx265", "libsvtav1")
"""Each with its default preset and quality: fast crf 23, p4 cq 23, fast crf 26, preset 8 crf 32."""

FULL, REDUCED = (3.0, 9.0), (1.0, 4.0)
VMAF_LOSS, SSIM_LOSS, MORE_BYTES = 2.0, 0.005, 0.10


def experiment(settings: Settings) -> Experiment:
    """Make the experiment: a framed clip and a whole picture by every encoder, also beside a network."""
    start, end = FULL if settings.full else REDUCED
    where = settings.executor
    model = ai_model(settings) if settings.model or where.startswith("modal") else None
    build: dict[str, Callable[[Workload], RenderJob]] = {
        "framed clip": lambda load: load.framing(start, end),
        "whole picture": lambda load: load.compilation([(start, end)]),
    }
    if model is not None:
        build["framed clip with AI"] = lambda load: load.framing(start, end, model=model)
    vmaf = has_vmaf()
    quantity, loss = ("vmaf_harmonic_mean", VMAF_LOSS) if vmaf else ("ssim_mean", SSIM_LOSS)
    question = Question(
        name="e5",
        title="Encoders",
        question="Which encoder makes a clip fastest, at a quality and a size that are as good as libx264's?",
        hypothesis="NVENC is faster where there is one; the others are slower and smaller.",
        rule=QualityFloor(quantity=quantity, loss=loss, more_bytes=MORE_BYTES),
        arms=[Arm(name=_said(name), factors={"encoder": name}) for name in ENCODERS_COMPARED],
        baseline=_said("libx264"),
        cases=[Case(name=name, description=f"{end - start:g} s at 30 frames per second") for name in build],
        held=settings.held(executor=where, model=model, threads=ENCODER_THREADS),
        temperature="warm",
        notes=[
            "Quality is measured on every frame, against the frames that the encoder was given (kept without loss).",
            f"The floor: {quantity} at most {loss:g} below libx264's, and a file at most {MORE_BYTES:.0%} larger.",
            "Where there is no NVENC, its runs are recorded as errors that say so.",
            *(
                []
                if model
                else ["Beside a network was not tried: name a model, or run it on Modal (--executor modal-l4)."]
            ),
        ],
    )
    names = {arm.name: str(arm.factors["encoder"]) for arm in question.arms}
    references: dict[str, Path] = {}

    def job_of(load: Workload, case: Case, **output: object) -> RenderJob:
        job = build[case.name](load)
        reel = job.reel
        return job.model_copy(
            update={
                "smart_copy": False,
                "reel": reel.model_copy(update={"output": reel.output.model_copy(update=output)}),
            }
        )

    def measure(bench: Bench, case: Case, arm: Arm) -> Measurement:
        local = game(bench, end)
        load = Workload(bench, local, where)
        job = job_of(load, case, encoder=names[arm.name])
        done = bench.do([job], where)
        made = made_by(bench, job, done.results[0], local)
        if case.name not in references:
            kept = job_of(load, case, encoder="libx264", crf=0.0)
            references[case.name] = Path(bench.fetched(bench.do([kept], where).results[0].output))
        quality = measure_quality(made.path, references[case.name], vmaf=vmaf)
        frames = max(1, done.measurement.frames)
        quantities = {
            "output_bytes": float(Path(made.path).stat().st_size),
            "encode_ms_per_frame": round(1000 * done.measurement.phases.get("encode", 0.0) / frames, 3),
        }
        return done.measurement.model_copy(
            update={
                "made": (made,),
                "quantities": done.measurement.quantities | quantities | quality.quantities,
            }
        )

    def prepare(bench: Bench) -> None:
        game(bench, end)

    return Experiment(question, measure, prepare, repeats=3, warm_ups=1)


def _said(name: str) -> str:
    """Name an encoder with its settings: ``"libx264 fast crf 23"``."""
    encoder = ENCODERS[name]
    scale = "cq" if name.endswith("nvenc") else "crf"
    preset = f"preset {encoder.preset}" if encoder.preset.isdecimal() else encoder.preset
    return f"{name} {preset} {scale} {encoder.crf:g}"
