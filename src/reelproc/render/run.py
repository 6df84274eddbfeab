"""Render a reel here and now: plan, segments, sound, assembly, and the report of it all."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reelproc.errors import DecodeError, EncodeError, StorageError
from reelproc.media.ffmpeg_build import ffmpeg_version
from reelproc.media.write.encoders import EncoderSettings, check_encoder
from reelproc.partial import partial_path
from reelproc.render.assemble import assemble, check_container, copies_sound
from reelproc.render.chunks import delegated, is_there, with_parts
from reelproc.render.plan import Plan, Segment
from reelproc.render.segment import Concealment, render_segments
from reelproc.render.segment_store import SegmentStore, notes_path
from reelproc.render.sound import ReelSound
from reelproc.render.sources import plan as plan_reel
from reelproc.render.unchanged import SourceState
from reelproc.results import PROGRESS_SECONDS, ClipSpan, PhaseClock, Progress, RenderResult
from reelproc.storage import identity, local_output
from reelproc.storage.stand_in import origin

if TYPE_CHECKING:
    from reelproc.jobs import ChunkJob, JobContext, OnDamage
    from reelproc.reel import Output, Reel

_log = logging.getLogger(__name__)

__all__ = ["render_chunk", "render_plan", "render_reel", "segment_key"]


def render_reel(
    reel: Reel,
    output: str,
    *,
    on_damage: OnDamage,
    smart_copy: bool = True,
    strict: bool = False,
    chunks: int | Literal["auto"] = 1,
    context: JobContext,
    planned: Callable[[Plan], object] | None = None,
) -> RenderResult:
    """Make ``reel`` and put it at ``output``.

    Args:
        reel: what to make.
        output: where to put it.
        on_damage: what to do about source frames that cannot be decoded.
        smart_copy: copy what is not drawn on, where reel and source allow it.
        strict: refuse what a stage has outside its picture or its time.
        chunks: into how many parts to divide it, where the context has somebody to do them.
        context: where and how the job runs.
        planned: told the plan before it is carried out.

    Raises:
        SpecError: what was asked for is not possible.
        ReelprocError: whatever else went wrong, typed; nothing is left at ``output``.
    """
    clock = PhaseClock()
    destination = local_output(output)
    check_container(destination)
    plan, settings = _planned(reel, on_damage, smart_copy=smart_copy, strict=strict, context=context, clock=clock)
    if planned is not None:
        planned(plan)
    return render_plan(
        plan,
        destination,
        settings=settings,
        on_damage=on_damage,
        chunks=chunks,
        context=context,
        clock=clock,
    )


def render_chunk(job: ChunkJob, context: JobContext) -> RenderResult:
    """Make the segments that ``job`` names, and put them under its output.

    Raises:
        ReelprocError: typed; segments that are finished are there.
    """
    clock = PhaseClock()
    render = job.render
    plan, settings = _planned(
        render.reel,
        render.on_damage,
        smart_copy=render.smart_copy,
        strict=render.strict,
        context=context,
        clock=clock,
    )
    context = replace(context, store=job.output)
    with _work_folder(context.folder, Path("chunk.mp4").absolute()) as folder:
        files = _segment_files(plan, folder, settings, render.on_damage, context)
        mine: list[Path | None] = [path if n in job.segments else None for n, path in enumerate(files)]
        states = _source_states(plan)
        _render_missing(plan, mine, settings=settings, on_damage=render.on_damage, context=context, clock=clock)
        touched = _check_unchanged(states, mine)
    frame_count = sum(s.end - s.first for n, s in enumerate(plan.segments) if n in job.segments)
    context.progress(Progress(phase="done", done=frame_count, total=frame_count))
    return RenderResult(
        output=job.output,
        frame_count=frame_count,
        duration_seconds=float(frame_count / plan.nominal_rate),
        fps=None if plan.fps is None else str(plan.fps),
        width=plan.width,
        height=plan.height,
        phases=clock.phases(),
        hardware=context.hardware,
        warnings=tuple(touched),
    )


def _planned(
    reel: Reel, on_damage: OnDamage, *, smart_copy: bool, strict: bool, context: JobContext, clock: PhaseClock
) -> tuple[Plan, EncoderSettings]:
    """The plan and the encoder's settings: the same wherever they are made."""
    settings = encoder_settings(reel.output, context.encoder_threads)
    check_encoder(settings)
    context.progress(Progress(phase="probe", total=len(reel.clips), message="reading the sources"))
    with clock("probe"):
        plan = plan_reel(reel, hold=on_damage == "conceal", smart_copy=smart_copy, strict=strict, check=context.check)
    if plan.copying is not None:
        settings = replace(settings, delay=plan.copying.delay, parameter_set=plan.copying.parameter_set)
    return plan, settings


def _segment_files(
    plan: Plan, folder: Path, settings: EncoderSettings, on_damage: OnDamage, context: JobContext
) -> list[Path | None]:
    """The file of each segment, named by its content; None for those that are copied."""
    files: list[Path | None] = []
    for segment in plan.segments:
        context.check()
        key = None if segment.copied else segment_key(plan, segment, settings, on_damage)
        files.append(folder / f"{key}.mp4" if key else None)
    return files


def _source_states(plan: Plan) -> list[SourceState]:
    """What the sources on this machine are now; those that stand in for remote ones change as they are filled."""
    return SourceState.all_of(clip.source for clip in plan.clips if origin(clip.source) is None)


def _check_unchanged(states: Sequence[SourceState], files: Sequence[Path | None]) -> list[str]:
    """See that no source was replaced or written over since, and return what to warn of.

    Raises:
        DecodeError: one was; segments that may hold pictures of both are gone.
    """
    try:
        return [warning for state in states if (warning := state.touched()) is not None]
    except DecodeError:
        for path in files:
            if path is not None:
                path.unlink(missing_ok=True)
        raise


def encoder_settings(output: Output, threads: int) -> EncoderSettings:
    """What ``output`` asks of the encoder."""
    return EncoderSettings(
        output.encoder, output.preset, output.crf, output.pix_fmt, gop_size=output.gop_size, threads=threads
    )


def render_plan(
    plan: Plan,
    destination: Path,
    *,
    settings: EncoderSettings,
    on_damage: OnDamage,
    chunks: int | Literal["auto"] = 1,
    context: JobContext,
    clock: PhaseClock,
) -> RenderResult:
    """Carry out ``plan``: the segments that are not there yet, the sound, the assembly.

    Raises:
        ReelprocError: typed; nothing is left at ``destination``, and finished segments stay in ``context.folder``.
    """
    states = _source_states(plan)
    with ExitStack() as stack:
        folder = stack.enter_context(_work_folder(context.folder, destination))
        files = _segment_files(plan, folder, settings, on_damage, context)
        sound: ReelSound | None = None
        if plan.output.audio and not copies_sound(plan, destination):
            sound = stack.enter_context(ReelSound(plan, folder / "sound.m4a", clock, conceal=on_damage == "conceal"))
        parts: list[RenderResult] = []
        if context.delegate is not None and (chunks != 1 or context.delegate.always):
            parts = delegated(plan, files, chunks, context.delegate, context)
        concealed = _render_missing(
            plan,
            files,
            settings=settings,
            on_damage=on_damage,
            context=context,
            clock=clock,
            copied=sum(s.end - s.first for s in plan.segments if s.copied),
            sound=sound,
        )
        silenced: tuple[str, ...] = ()
        if sound is not None:
            silenced = sound.finish(context)
        touched = _check_unchanged(states, files)
        context.check()
        context.progress(Progress(phase="assemble", message="joining"))
        with clock("assemble"):
            assemble(plan, files, None if sound is None else sound.path, destination)
        if context.store:
            SegmentStore(context.store).forget(path for path in files if path is not None)
    warnings = [*plan.warnings, *_report(plan, concealed), *silenced, *touched]
    context.progress(Progress(phase="done", done=plan.frame_count, total=plan.frame_count, message=str(destination)))
    return RenderResult(
        output=str(destination),
        frame_count=plan.frame_count,
        duration_seconds=float(plan.duration),
        fps=None if plan.fps is None else str(plan.fps),
        width=plan.width,
        height=plan.height,
        clips=_spans(plan),
        phases=with_parts(clock.phases(), parts),
        hardware=context.hardware,
        cost_usd=sum(part.cost_usd for part in parts),
        warnings=tuple(warnings),
        notes=(*plan.notes, *dict.fromkeys(said for clip in plan.clips for s in clip.stages for said in s.remarks())),
    )


@contextmanager
def _work_folder(folder: Path | None, destination: Path) -> Iterator[Path]:
    """``folder/segments``, kept; or a temporary folder beside the destination, removed at the end."""
    try:
        if folder is not None:
            kept = folder / "segments"
            kept.mkdir(parents=True, exist_ok=True)
            yield kept
            return
        temporary = partial_path(destination).with_suffix("")
        temporary.mkdir()
    except OSError as error:
        raise StorageError(f"no place for intermediate files: {error}; choose a folder that can be written") from error
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _render_missing(
    plan: Plan,
    files: Sequence[Path | None],
    *,
    settings: EncoderSettings,
    on_damage: OnDamage,
    context: JobContext,
    clock: PhaseClock,
    copied: int = 0,
    sound: ReelSound | None = None,
) -> list[Concealment]:
    """Render the segments whose files are not there, and return what is concealed in all of them.

    Progress counts their frames, those that are there, and the ``copied`` ones. Where ``sound``, rendered meanwhile,
    fails, so does this.
    """
    encoded = [(s, path) for s, path in zip(plan.segments, files, strict=True) if path is not None]
    store = SegmentStore(context.store) if context.store else None
    missing = [(s.first, s.end, path) for s, path in encoded if not is_there(path, store, context)]
    total = copied + sum(s.end - s.first for s, _ in encoded)
    before = total - sum(end - first for first, end, _ in missing)
    _log.info("frames: %d, to be encoded: %d, segments: %d", total, total - before, len(missing))
    shown = 0.0

    def step(done: int) -> None:
        nonlocal shown
        context.check()
        if sound is not None:
            sound.check()
        if (now := time.monotonic()) - shown >= PROGRESS_SECONDS:
            shown = now
            context.progress(Progress(phase="render", done=before + done, total=total))

    def finished(segment: Path, concealed: list[Concealment]) -> None:
        _write_notes(segment, concealed)
        if store is not None:
            store.keep(segment)

    context.progress(Progress(phase="render", done=before, total=total, message="rendering"))
    conceal = on_damage == "conceal"
    render_segments(plan, missing, settings=settings, conceal=conceal, clock=clock, step=step, finished=finished)
    context.progress(Progress(phase="render", done=total, total=total))
    notes = [Concealment(**item) for _, path in encoded for item in json.loads(notes_path(path).read_text())]
    replaced = {(c.clip, c.seconds): c for c in notes if c.seconds is not None}  # two segments may show one frame
    faulty = [c for c in notes if c.seconds is None]
    return [*(replaced[key] for key in sorted(replaced)), *faulty]


def _write_notes(segment: Path, concealed: list[Concealment]) -> None:
    """Remember what a segment conceals, so that a resumed job still reports it."""
    notes = notes_path(segment)
    partial = partial_path(notes)
    try:
        partial.write_text(json.dumps([asdict(c) for c in concealed]))
        partial.replace(notes)
    except OSError as error:
        raise EncodeError(f"{notes} cannot be written: {error}") from error


def segment_key(plan: Plan, segment: Segment, settings: EncoderSettings, on_damage: OnDamage) -> str:
    """A name for a segment's content: equal names are equal pictures, on every machine of one version.

    It covers the segment's frames, the stages that make them, the sources' identity, the encoder, and the versions of
    reelproc and ffmpeg.
    """
    from reelproc import __version__

    frames = list(plan.frames(segment.first, segment.end))
    clips = sorted({f.shot.clip for f in frames} | {f.incoming.clip for f in frames if f.incoming})

    def shot(clip: int, pts: int) -> tuple[int, int]:
        return clips.index(clip), pts

    content: dict[str, Any] = {
        "reelproc": __version__,
        "ffmpeg": ffmpeg_version(),
        "encoder": settings.arguments(plan.nominal_rate),
        "size": [plan.width, plan.height],
        "rate": str(plan.nominal_rate),
        "on_damage": on_damage,
        "clips": [
            {
                "source": identity(plan.clips[c].source),
                "start": str(plan.clips[c].start),
                "stages": [s.model_dump(mode="json") for s in plan.clips[c].stages],
                "weights": [s.fingerprint() for s in plan.clips[c].stages],
                "streams": [str(s) for s in plan.clips[c].streams],
            }
            for c in clips
        ],
        "frames": [
            (
                shot(f.shot.clip, f.shot.pts),
                f.incoming and shot(f.incoming.clip, f.incoming.pts),
                str(f.weight),
                str(f.gain),
            )
            for f in frames
        ],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _spans(plan: Plan) -> tuple[ClipSpan, ...]:
    return tuple(
        ClipSpan(
            index=clip.index,
            first_frame=clip.first_frame,
            frame_count=clip.frame_count,
            start_seconds=float(plan.time(clip.first_frame)),
            duration_seconds=float(plan.time(clip.first_frame + clip.frame_count) - plan.time(clip.first_frame)),
        )
        for clip in plan.clips
    )


def _report(plan: Plan, concealed: list[Concealment]) -> list[str]:
    """One warning per clip that shows repeated frames, with the lost ones' times, and one if it shows faulty ones."""
    warnings = []
    for clip in plan.clips:
        lost = [c.seconds for c in concealed if c.clip == clip.index and c.seconds is not None]
        if lost:
            times = ", ".join(f"{s:.3f}" for s in lost[:20]) + (", ..." if len(lost) > 20 else "")
            warnings.append(
                f"clip {clip.index}: {len(lost)} source frames of {clip.source} could not be decoded and show the last "
                f"good one instead, at {times} s"
            )
        faulty = sum(c.count for c in concealed if c.clip == clip.index and c.seconds is None)
        if faulty:
            warnings.append(
                f"clip {clip.index}: {clip.source} is damaged: at least {faulty} of its frames were decoded with "
                "errors or are missing; those behind them, up to the next key frame, may show faults"
            )
    return warnings
