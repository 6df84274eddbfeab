"""One case: what is done with a broken file or a wild job, and what must hold of it."""

from __future__ import annotations

import os
import random
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import av

import reelproc as rp
from fuzz.media import mutant
from fuzz.plain_loop import check_against_plain_loop
from fuzz.spans import check_spans
from fuzz.specs import wild_job
from hostile import nothing_left
from reelproc.errors import ExecutorError, JobCancelledError, ReelprocError
from reelproc.executors.local.executor import LocalExecutor
from reelproc.job_context import JobContext
from reelproc.jobs import ExtractJob, RenderJob, job_from_json, run_job
from reelproc.media.bitstream.field_pairs import FieldPairs

__all__ = ["KINDS", "PATIENCE", "Bench"]

KINDS = ("media", "json", "executor", "spans", "loop")

PATIENCE = 12.0
"""Seconds after which a job is cancelled: a wild one may rightly ask for hours."""

GRACE = 8.0
"""Seconds that a cancelled job may take to end, where the machine has nothing else to do."""


class Bench:
    """Where cases are run, one after the other.

    Args:
        folder: for the files of a case; it is the current folder while one runs.
        seeds: the valid files, by name.
        home: where the executor's job folders are.
    """

    def __init__(self, folder: Path, seeds: dict[str, bytes], home: Path) -> None:
        self._folder = folder
        self._seeds = seeds
        self._home = home

    def run(self, kind: str, number: int) -> str:
        """What came of a case: the name of a result or an error, or what is wrong, behind ``"BAD"``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        before = Path.cwd()
        os.chdir(self._folder)
        try:
            return getattr(self, f"_{kind}")(number)
        except (Exception, SystemExit) as error:
            return f"BAD {type(error).__name__}: {error}\n{traceback.format_exc()}"
        finally:
            os.chdir(before)
            for path in self._folder.iterdir():
                path.unlink()

    def _media(self, number: int) -> str:
        rng = random.Random(f"do.{number}")
        broken = mutant(self._seeds, number)
        source = self._folder / f"game{broken.suffix}"
        source.write_bytes(broken.data)
        outcomes = []
        for act in (_probe, _read, _render):
            with nothing_left(self._folder, "out.mp4", "out.mkv"):
                outcomes.append(_typed(act, source, rng))
        return f"{' '.join(outcomes)}"

    def _json(self, number: int) -> str:
        (self._folder / "game.mp4").write_bytes(self._seeds["faststart.mp4"])
        text = wild_job(number, "game.mp4", "out.mp4")
        try:
            job = job_from_json(text)
        except ReelprocError as error:
            return _name(error)
        round_trip = job_from_json(job.model_dump_json())
        assert round_trip == job, "a job does not survive its own JSON"
        made = Path(job.output).name
        with nothing_left(self._folder, made):
            return _typed(_run, job)

    def _executor(self, number: int) -> str:
        broken = mutant(self._seeds, number)
        source = self._folder / f"game{broken.suffix}"
        source.write_bytes(broken.data)
        job = _render_job(source, random.Random(f"do.{number}"))
        with nothing_left(self._folder, "out.mp4", "out.mkv"):
            return _typed(self._submit, job)

    def _spans(self, number: int) -> str:
        with nothing_left(self._folder):
            outcome = check_spans(self._home.parent / "recordings", number, self._folder)
            for path in self._folder.iterdir():
                path.unlink()
        return outcome

    def _loop(self, number: int) -> str:
        with nothing_left(self._folder):
            outcome = check_against_plain_loop(self._home.parent / "pictures", number, self._folder)
            for path in self._folder.iterdir():
                path.unlink()
        return outcome

    def _submit(self, job: RenderJob | ExtractJob) -> str:
        with LocalExecutor(folder=self._home / "jobs", timeout=PATIENCE) as executor:
            result = executor.submit(job).result(timeout=3 * PATIENCE)
        _verify(job, result)
        return "done"


def _name(error: ReelprocError) -> str:
    assert type(error) is not ReelprocError, f"untyped: {error}"
    assert type(error) is not ExecutorError, f"unexpected: {error}"
    assert str(error), "an error says something"
    return type(error).__name__


def _typed(act: Any, *arguments: Any) -> str:
    try:
        return str(act(*arguments))
    except ReelprocError as error:
        return _name(error)


def _probe(source: Path, rng: random.Random) -> str:
    info = rp.probe(source, exact=rng.random() < 0.3)
    assert rp.MediaInfo.model_validate_json(info.model_dump_json()) == info
    return "probed"


def _read(source: Path, rng: random.Random) -> str:
    start = rng.choice((None, None, 0.1, 0.4, 5.0))
    end = rng.choice((None, None, 0.5, 6.0))
    last = None
    with rp.open_video(
        source,
        backend=rng.choice(("ffmpeg", "ffmpeg", "pyav")),
        pix_fmt=rng.choice(("bgr24", "yuv420p", "yuv444p")),
        start=start,
        end=end,
    ) as reader:
        for count, frame in enumerate(reader):
            assert last is None or frame.pts > last, "frames go back in time"
            assert (frame.width, frame.height) == (reader.width, reader.height)
            last = frame.pts
            if count > 200 or rng.random() < 0.01:
                break
        assert all(damage.reason for damage in reader.damage)
    return "read"


def _render(source: Path, rng: random.Random) -> str:
    return _run(_render_job(source, rng))


def _render_job(source: Path, rng: random.Random) -> RenderJob | ExtractJob:
    start = rng.choice((0.0, 0.0, 0.2, 0.5))
    end = rng.choice((None, None, 0.6, 1.0))
    mode = rng.choice(("raise", "conceal"))
    if rng.random() < 0.15:
        output = rng.choice(("out.mp4", "out.mkv"))
        return ExtractJob(
            source=str(source), output=output, start=start, end=end, copy_codec=rng.random() < 0.7, on_damage=mode
        )
    stages: list[Any] = []
    if rng.random() < 0.2:
        stages.append(rp.Crop())
    if rng.random() < 0.2:
        stages.append(rp.Speed(segments=[rp.SpeedSegment(start=0, end=9, speed=rng.choice((0.5, 2)))]))
    own = not stages and rng.random() < 0.25
    size = {"width": None, "height": None, "fps": None} if own else {"width": 64, "height": 80}
    output = rp.Output.model_validate({"preset": "ultrafast", "audio": rng.random() < 0.5, **size})
    clip = rp.Clip(source=str(source), start=start, end=end, stages=stages)
    return RenderJob(reel=rp.Reel(clips=[clip], output=output), output="out.mp4", on_damage=mode)


def _run(job: RenderJob | ExtractJob) -> str:
    """Run ``job`` here; one that takes long is cancelled, and must then end soon."""
    context = JobContext()
    begin = time.monotonic()
    watch = threading.Timer(PATIENCE, context.cancelled.set)
    watch.start()
    try:
        result = run_job(job, context)
    except JobCancelledError:
        assert time.monotonic() - begin < PATIENCE + GRACE, "a cancelled job went on"
        return "cancelled"
    finally:
        watch.cancel()
        watch.join()
        took = time.monotonic() - begin
        assert took < PATIENCE + GRACE, f"it took {took:.1f} s"
    _verify(job, result)
    return "done"


def _verify(job: RenderJob | ExtractJob, result: Any) -> None:
    """The file holds what the result says: frames where they were all encoded here, else the packets of as many."""
    copied = isinstance(job, ExtractJob) or job.reel.output.fps is None
    count = 0
    with av.open(f"file:{Path(result.output).absolute()}") as container:
        pairs = FieldPairs.of(container.streams.video[0])
        for packet in container.demux(video=0):
            if copied:
                shown = packet.size > 0 and not packet.is_discard  # a copy hides what its last frames refer to
                count += shown and (pairs is None or pairs.field(bytes(packet)) != 2)
                continue
            with suppress(av.error.EOFError):
                count += len(packet.decode())
    assert count == result.frame_count, f"{count} frames in a file that should have {result.frame_count}"
