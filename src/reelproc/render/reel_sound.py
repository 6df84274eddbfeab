"""Render a reel's sound beside its picture: it is done long before the last frame is encoded."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reelproc.errors import JobCancelledError
from reelproc.results import PROGRESS_SECONDS, PhaseClock, Progress
from reelproc.storage.sources import Sources

if TYPE_CHECKING:
    from reelproc.job_context import JobContext
    from reelproc.media.sound.sound_plan import SoundPiece
    from reelproc.render.plan import Plan


class ReelSound:
    """Renders the sound of a plan in a thread of its own; a context manager that leaves neither thread nor half a file.

    Args:
        plan: of the reel.
        sources: open its footage.
        path: the ``.m4a`` file to make.
        clock: told the processor seconds that it takes.
        conceal: let a source of whose sound nothing can be decoded be silent, with a warning.
    """

    def __init__(self, plan: Plan, sources: Sources, path: Path, clock: PhaseClock, *, conceal: bool) -> None:
        self.path = path
        self._clock = clock
        self._share = 0.0
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(1, "reelproc-sound")
        self._work = self._pool.submit(self._render, sound_pieces(plan, sources), plan, conceal)

    def check(self) -> None:
        """Raise the error of the sound if it has failed: no further frame need be rendered then.

        Raises:
            ReelprocError: as :func:`~reelproc.media.sound.mixing.render_sound`.
        """
        if self._work.done():
            self._work.result()

    def finish(self, context: JobContext) -> tuple[str, ...]:
        """Wait for the whole sound, and return what had to be silent in it.

        Raises:
            JobCancelledError: the job was cancelled meanwhile.
            ReelprocError: as :func:`~reelproc.media.sound.mixing.render_sound`.
        """
        context.progress(Progress(phase="audio", message="rendering the sound"))
        while not wait([self._work], PROGRESS_SECONDS).done:
            context.check()
            context.progress(Progress(phase="audio", done=round(self._share * 100), total=100))
        return self._work.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._pool.shutdown()

    def _render(self, pieces: list[SoundPiece], plan: Plan, conceal: bool) -> tuple[str, ...]:
        from reelproc.media.sound.mixing import render_sound

        begin = time.thread_time()  # seconds of the clock would count what the picture's threads take meanwhile
        silenced = render_sound(
            pieces,
            self.path,
            duration=plan.duration,
            bitrate=plan.output.audio_bitrate,
            conceal=conceal,
            cancelled=self._check_stopped,
            progress=self._progress,
        )
        self._clock.add("audio", time.thread_time() - begin)
        return silenced

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise JobCancelledError("the picture will not be finished")

    def _progress(self, share: float) -> None:
        self._share = share  # told by the job's own thread


def sound_pieces(plan: Plan, sources: Sources) -> list[SoundPiece]:
    """Return one piece of sound per clip, placed on the output's clock."""
    from reelproc.media.sound.sound_plan import SoundPiece

    pieces = []
    last = len(plan.clips) - 1
    faded = plan.fade_out or plan.fade_in
    for clip in plan.clips:
        start = plan.time(clip.first_frame)
        fade_in = Fraction(0) if clip.index == 0 else Fraction(plan.overlap or plan.fade_in)
        fade_out = Fraction(0) if clip.index == last else Fraction(plan.overlap or plan.fade_out)
        audio = clip.info.audio
        video = clip.info.require_video()
        pieces.append(
            SoundPiece(
                source=None if audio is None else sources[clip.source],
                stream_index=None if audio is None else audio.index,
                time_zero=video.start_pts * video.time_base,
                source_start=clip.start,
                time_map=clip.clocks[-1],
                out_start=start,
                out_duration=plan.time(clip.first_frame + clip.frame_count) - start,
                fade_in=fade_in / plan.nominal_rate,
                fade_out=fade_out / plan.nominal_rate,
                curve="fade" if faded else "dissolve",
            )
        )
    return pieces
