"""What the tests of robustness share: a job run to its end, what came of it, and what it left behind.

::

    with nothing_left(folder, "out.mp4"):
        outcome = attempt(source, folder / "out.mp4", on_damage="conceal")
    assert outcome.numbers == [...]
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

import reelproc as rp
from media_factory import read_number, shows_number
from processes import children, open_files, threads
from reelproc.errors import ReelprocError
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from waiting import eventually

WIDTH, HEIGHT = 80, 60
"""Of what :func:`attempt` renders: not the sources' size, so that every frame is decoded and encoded."""

VAGUE = (ReelprocError,)
"""Errors that say nothing of what kind they are."""


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        result: of a job that succeeded.
        error: of one that failed.
        numbers: drawn into the frames of the output, None where a frame shows none.
    """

    result: rp.RenderResult | None = None
    error: ReelprocError | None = None
    numbers: list[int | None] = field(default_factory=list)

    @property
    def warnings(self) -> str:
        """All warnings of the result."""
        return "\n".join(self.result.warnings) if self.result else ""

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}" if self.error else f"{self.numbers} {self.warnings}"


def attempt(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    start: float = 0,
    end: float | None = None,
    on_damage: str = "raise",
    stages: tuple[Any, ...] = (),
    context: JobContext | None = None,
    **settings: Any,
) -> Outcome:
    """Render ``source`` in this process, and look at what came of it.

    An error that is none of reelproc's, or only the root of its tree, is raised: it fails the test.
    """
    clip = rp.Clip(source=os.fspath(source), start=start, end=end, stages=stages)
    made = {"width": WIDTH, "height": HEIGHT, "fps": 30, "preset": "ultrafast", "crf": 12, "audio": False, **settings}
    return run(
        rp.RenderJob.model_validate(
            {
                "reel": rp.Reel(clips=[clip], output=rp.Output.model_validate(made)),
                "output": os.fspath(output),
                "on_damage": on_damage,
            }
        ),
        context,
    )


def run(job: Any, context: JobContext | None = None) -> Outcome:
    """Do ``job`` in this process, and look at what came of it; see :func:`attempt`."""
    try:
        result = run_job(job, context)
    except ReelprocError as error:
        if type(error) in VAGUE:
            raise
        return Outcome(error=error)
    numbers = shown_numbers(result.output)
    assert len(numbers) == result.frame_count, "the file does not hold the frames that the result counts"
    return Outcome(result, numbers=numbers)


def shown_numbers(path: str | os.PathLike[str]) -> list[int | None]:
    """The numbers in a file's frames, which must come in order."""
    numbers: list[int | None] = []
    last = None
    with av.open(f"file:{Path(path).absolute()}") as container:
        for frame in container.decode(video=0):
            assert last is None or (frame.pts is not None and frame.pts > last), "timestamps go backwards"
            last = frame.pts
            grey = frame.to_ndarray(format="gray")
            legible = min(grey.shape) >= 32 and shows_number(grey)
            numbers.append(read_number(grey) if legible else None)
    return numbers


@contextmanager
def nothing_left(folder: Path, *expected: str, still_open: int = 0) -> Iterator[None]:
    """Check that what runs inside leaves no process, thread, open file, or file in ``folder`` but ``expected``.

    Up to ``still_open`` files may stay open.
    """
    files, before, ran, opened = _files(folder), children(), threads(), open_files()
    yield

    def ended() -> bool:
        gc.collect()
        return not (children() - before or threads() - ran)

    eventually(ended)
    if open_files() > opened:
        gc.collect()  # an error's traceback may hold what it was raised over
    left = _files(folder) - files - set(expected)
    assert not left, f"files are left: {left}"
    assert not children() - before, "processes are left"
    assert not threads() - ran, "threads are left"
    assert open_files() <= opened + still_open, "files are left open"


def _files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}
