"""Carry out a plan here and now: its segments, its sound, their assembly, and the report of it all."""

from __future__ import annotations

import logging
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from reelproc.errors import DecodeError, StorageError
from reelproc.files import scratch_folder
from reelproc.media.write.encoders import EncoderSettings, check_encoder
from reelproc.render.assemble import assemble
from reelproc.render.chunks import delegated, with_parts
from reelproc.render.concealment import Concealment, concealments, damage_warnings
from reelproc.render.destination import Destination
from reelproc.render.plan import Plan
from reelproc.render.plan_reel import plan_from
from reelproc.render.reel_sound import ReelSound
from reelproc.render.segment_encoding import render_segments
from reelproc.render.segment_files import SegmentFiles, segment_key
from reelproc.render.segment_store import SegmentStore
from reelproc.render.source_state import SourceState
from reelproc.results import PROGRESS_SECONDS, ClipSpan, PhaseClock, Progress, RenderResult

if TYPE_CHECKING:
    from reelproc.job_context import JobContext, OnDamage
    from reelproc.reel import Output, Reel

_log = logging.getLogger(__name__)


def encoder_settings(output: Output, threads: int) -> EncoderSettings:
    """Return what ``output`` asks of the encoder."""
    return EncoderSettings(
        output.encoder, output.preset, output.crf, output.pix_fmt, gop_size=output.gop_size, threads=threads
    )


@dataclass(frozen=True)
class Rendering:
    """A plan, and all that it takes to carry it out here.

    Attributes:
        plan: what to render.
        settings: the encoder's: with the plan, the same wherever they are made.
        conceal: repeat the last good frame for one that cannot be decoded, instead of raising.
        context: where and how the job runs.
        clock: where its time is booked; its wall time counts from the planning on.
    """

    plan: Plan
    settings: EncoderSettings
    conceal: bool
    context: JobContext
    clock: PhaseClock

    @classmethod
    def of(
        cls, reel: Reel, *, on_damage: OnDamage, smart_copy: bool = True, strict: bool = False, context: JobContext
    ) -> Self:
        """Plan ``reel``.

        Args:
            reel: what to make.
            on_damage: what to do about source frames that cannot be decoded.
            smart_copy: copy what is not drawn on, where reel and source allow it.
            strict: refuse what a stage has outside its picture or its time.
            context: where and how the job runs.

        Raises:
            SpecError: what was asked for is not possible.
            ReelprocError: the sources cannot be read, or the encoder is not there.
        """
        clock = PhaseClock()
        conceal = on_damage == "conceal"
        settings = encoder_settings(reel.output, context.encoder_threads)
        check_encoder(settings)
        context.progress(Progress(phase="probe", total=len(reel.clips), message="reading the sources"))
        with clock("probe"):
            plan = plan_from(
                reel, context.sources, hold=conceal, smart_copy=smart_copy, strict=strict, check=context.check
            )
        if plan.copying is not None:
            settings = replace(settings, delay=plan.copying.delay, parameter_set=plan.copying.parameter_set)
        return cls(plan, settings, conceal, context, clock)

    def to(self, destination: Destination, *, chunks: int | Literal["auto"] = 1) -> RenderResult:
        """Make the file.

        Args:
            destination: where to put it.
            chunks: into how many parts to divide the work, where the context has somebody to do them.

        Raises:
            ReelprocError: typed; nothing is left at ``destination``, and finished segments stay in the job's folder.
        """
        plan, context = self.plan, self.context
        states = self._source_states()
        with ExitStack() as stack:
            folder = stack.enter_context(_work_folder(context.folder, destination.path))
            files = self._files(folder, context.store)
            sound: ReelSound | None = None
            if plan.renders_sound(destination.container):
                sound = ReelSound(plan, context.sources, folder / "sound.m4a", self.clock, conceal=self.conceal)
                stack.enter_context(sound)
            parts = delegated(plan, files, chunks, context)
            concealed = self._render_missing(files, copied=plan.copied_frame_count, sound=sound)
            silenced = () if sound is None else sound.finish(context)
            touched = _check_unchanged(states, files)
            context.check()
            context.progress(Progress(phase="assemble", message="joining"))
            with self.clock("assemble"):
                assemble(plan, files.paths, None if sound is None else sound.path, destination, context.sources)
            files.forget()
        context.progress(
            Progress(phase="done", done=plan.frame_count, total=plan.frame_count, message=str(destination.path))
        )
        remarks = dict.fromkeys(said for clip in plan.clips for stage in clip.stages for said in stage.remarks())
        return self._result(
            str(destination.path),
            plan.frame_count,
            plan.duration,
            warnings=(*plan.warnings, *damage_warnings(plan, concealed), *silenced, *touched),
            parts=parts,
            clips=_spans(plan),
            notes=(*plan.notes, *remarks),
        )

    def segments(self, numbers: Sequence[int], store: str) -> RenderResult:
        """Make some of the plan's segments, for whoever puts them together.

        Args:
            numbers: which.
            store: an address prefix, or a folder, that they are put under by the names of their content.

        Raises:
            ReelprocError: typed; segments that are finished are there.
        """
        plan, context = self.plan, self.context
        with _work_folder(context.folder, Path("chunk.mp4").absolute()) as folder:
            files = self._files(folder, store, numbers)
            states = self._source_states()
            self._render_missing(files)
            touched = _check_unchanged(states, files)
        frame_count = sum(plan.segments[n].end - plan.segments[n].first for n, _ in files.wanted)
        context.progress(Progress(phase="done", done=frame_count, total=frame_count))
        return self._result(store, frame_count, frame_count / plan.nominal_rate, warnings=touched)

    def _result(
        self,
        output: str,
        frame_count: int,
        duration: Fraction,
        *,
        warnings: Sequence[str],
        parts: Sequence[RenderResult] = (),
        clips: tuple[ClipSpan, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> RenderResult:
        """Report what was made at ``output``, with the help of those who made ``parts``."""
        plan = self.plan
        return RenderResult(
            output=output,
            frame_count=frame_count,
            duration_seconds=float(duration),
            fps=None if plan.fps is None else str(plan.fps),
            width=plan.width,
            height=plan.height,
            clips=clips,
            phases=with_parts(self.clock.phases(), parts),
            hardware=self.context.hardware,
            cost_usd=sum(part.cost_usd for part in parts),
            warnings=tuple(warnings),
            notes=notes,
        )

    def _files(self, folder: Path, store: str | None, numbers: Container[int] | None = None) -> SegmentFiles:
        """Name the files of the segments that are encoded, or of those of them in ``numbers``."""
        paths: list[Path | None] = []
        for number, segment in enumerate(self.plan.segments):
            self.context.check()
            if segment.copied or (numbers is not None and number not in numbers):
                paths.append(None)
            else:
                key = segment_key(self.plan, segment, self.settings, sources=self.context.sources, conceal=self.conceal)
                paths.append(folder / f"{key}.mp4")
        return SegmentFiles(tuple(paths), SegmentStore(store) if store else None)

    def _source_states(self) -> list[SourceState]:
        """Note what the sources on this machine are."""
        return SourceState.all_of(self.context.sources[clip.source] for clip in self.plan.clips)

    def _render_missing(
        self, files: SegmentFiles, *, copied: int = 0, sound: ReelSound | None = None
    ) -> list[Concealment]:
        """Render the segments whose files are not there, and return what is concealed in all of them.

        Progress counts their frames, those that are there, and the ``copied`` ones. Where ``sound``, rendered
        meanwhile, fails, so does this.
        """
        context = self.context
        missing: list[tuple[int, int, Path]] = []
        total = before = copied
        for number, path in files.wanted:
            context.check()
            segment = self.plan.segments[number]
            total += segment.end - segment.first
            if files.has(path):
                before += segment.end - segment.first
            else:
                missing.append((segment.first, segment.end, path))
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
            context.sources.check()  # what could not be fetched is not damage: the segment is not kept
            files.keep(segment, concealed)

        context.progress(Progress(phase="render", done=before, total=total, message="rendering"))
        render_segments(
            self.plan,
            missing,
            sources=context.sources,
            settings=self.settings,
            conceal=self.conceal,
            clock=self.clock,
            step=step,
            finished=finished,
        )
        context.progress(Progress(phase="render", done=total, total=total))
        return concealments(path for _, path in files.wanted)


def _check_unchanged(states: Sequence[SourceState], files: SegmentFiles) -> list[str]:
    """See that no source was replaced or written over since, and return what to warn of.

    Raises:
        DecodeError: one was; segments that may hold pictures of both are gone.
    """
    try:
        return [warning for state in states if (warning := state.touched()) is not None]
    except DecodeError:
        files.discard()
        raise


@contextmanager
def _work_folder(folder: Path | None, destination: Path) -> Iterator[Path]:
    """Yield ``folder/segments``, kept; or a temporary folder beside the destination, removed at the end."""
    if folder is None:
        with scratch_folder(beside=destination) as temporary:
            yield temporary
        return
    kept = folder / "segments"
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"no place for intermediate files: {error}; choose a folder that can be written") from error
    yield kept


def _spans(plan: Plan) -> tuple[ClipSpan, ...]:
    """Return where each clip landed in the result."""
    spans = []
    for clip in plan.clips:
        start, duration = plan.span(clip)
        spans.append(
            ClipSpan(
                index=clip.index,
                first_frame=clip.first_frame,
                frame_count=clip.frame_count,
                start_seconds=float(start),
                duration_seconds=float(duration),
            )
        )
    return tuple(spans)
