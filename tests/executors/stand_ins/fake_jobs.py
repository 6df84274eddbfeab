"""Stands in for ``reelproc.jobs.run_job`` in a worker: the name of a job's output says how the job behaves.

The tests put this folder on ``PYTHONPATH``, and ``sitecustomize`` has workers do these jobs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelproc import storage
from reelproc.errors import DecodeError, SpecError, StorageError
from reelproc.job_context import JobContext
from reelproc.jobs import ExtractJob, RenderJob
from reelproc.results import Progress, RenderResult

Job = RenderJob | ExtractJob


def run(job: Job, context: JobContext) -> RenderResult:
    """Do what the job's output is called after, e.g. ``hang`` for ``/tmp/hang.3.mp4``."""
    output = Path(job.output)
    context.progress(Progress(phase="probe"))
    warnings = BEHAVIOURS[output.name.split(".")[0]](output, context) or ()
    context.progress(Progress(phase="done", done=60, total=60))
    span = {"start_seconds": 0.0, "end_seconds": 2.0} if job.job == "extract" else {}
    return job.result_type()(
        **span,
        output=job.output,
        frame_count=60,
        duration_seconds=2.0,
        fps="30",
        width=1080,
        height=1920,
        phases={"encode": 0.5},
        warnings=tuple(warnings),
    )


def stand_in_for(run_job: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``run_job``, but for jobs whose output is called after a behaviour."""

    def run_either(job: Any, context: JobContext) -> Any:
        name = Path(getattr(job, "output", "")).name.split(".")[0]
        return run(job, context) if name in BEHAVIOURS else run_job(job, context)

    return run_either


def ok(output: Path, context: JobContext) -> None:
    for done in (20, 40, 60):
        context.progress(Progress(phase="render", done=done, total=60, message="rendering ✓"))
    write(output)


def write(output: Path) -> None:
    """Make the output, wherever it is."""
    if output.is_absolute():
        output.write_bytes(b"video")
        return
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(b"video")
        storage.publish(file.name, output.as_posix().replace("s3:/", "s3://", 1), keep=True)


def whoami(output: Path, context: JobContext) -> list[str]:
    write(output)
    return [str(os.getpid()), os.getcwd()]  # noqa: PTH109


def many_events(output: Path, context: JobContext) -> None:
    for done in range(5001):
        context.progress(Progress(phase="render", done=done, total=5000))


def noise(output: Path, context: JobContext) -> None:
    for stream in (sys.stdout, sys.stderr):
        print('{"end": {}}\n' + "x" * 500_000, file=stream)
    subprocess.run(["echo", '{"event": 1}'], check=True)


def decode_error(output: Path, context: JobContext) -> None:
    raise DecodeError(
        "frame 7 is damaged in https://me:secret@host/a.mp4?token=secret",
        argv=("ffmpeg", "-i", "a.mp4"),
        returncode=1,
        stderr_tail="invalid NAL",
    )


def spec_error(output: Path, context: JobContext) -> None:
    raise SpecError("no such stage", path=("reel", "clips", 0))


def bug(output: Path, context: JobContext) -> None:
    raise KeyError("frame")


def disk_full(output: Path, context: JobContext) -> None:
    raise OSError(28, "No space left on device", str(output))


def exits(output: Path, context: JobContext) -> None:
    sys.exit(3)


def hang(output: Path, context: JobContext) -> None:
    """Runs until it is cancelled, and then stops by itself."""
    context.progress(Progress(phase="render", done=1, total=60))
    while True:
        context.check()
        time.sleep(0.01)


def deaf(output: Path, context: JobContext) -> None:
    """Never looks whether it is cancelled; has a child that would live on."""
    child = subprocess.Popen(["sleep", "600"])
    output.with_suffix(".pids").write_text(f"{os.getpid()} {child.pid}")
    context.progress(Progress(phase="render", done=1, total=60))
    while True:
        time.sleep(1)


def sleeps(output: Path, context: JobContext) -> None:
    """Never looks whether its time is up."""
    while True:
        time.sleep(0.05)


def stubborn(output: Path, context: JobContext) -> None:
    """Swallows what interrupts it, whatever it is."""
    while True:
        try:
            time.sleep(600)
        except BaseException:
            continue


def slow_down(output: Path, context: JobContext) -> None:
    raise StorageError("503 SlowDown", transient=True)


def gate(output: Path, context: JobContext) -> None:
    """Runs until the test makes a file."""
    context.progress(Progress(phase="render", done=1, total=60))
    while not output.with_suffix(".open").exists():
        context.check()
        time.sleep(0.01)
    output.write_bytes(b"video")


def killed(output: Path, context: JobContext) -> None:
    print("about to be killed", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGKILL)


def segfault(output: Path, context: JobContext) -> None:
    ctypes.string_at(0)


def segments(output: Path, context: JobContext) -> list[str]:
    """Makes four segments and keeps those that are there; waits at the third for the test's file."""
    assert context.folder is not None
    folder = context.folder / "segments"
    folder.mkdir(exist_ok=True)
    output.with_suffix(".pids").write_text(f"{os.getpid()} {os.getpid()}")
    made = []
    for n in range(4):
        if (folder / f"{n}.seg").exists():
            continue
        if n == 2:
            context.progress(Progress(phase="render", done=n, total=4))
            while not output.with_suffix(".open").exists():
                time.sleep(0.01)
        (folder / f"{n}.seg").write_bytes(b"segment")
        made.append(str(n))
    output.write_bytes(b"video")
    return made


BEHAVIOURS: dict[str, Callable[[Path, JobContext], list[str] | None]] = {
    f.__name__: f
    for f in (
        ok, whoami, many_events, noise, decode_error, spec_error, bug, disk_full, exits, hang, deaf, gate, killed,
        segfault, segments, sleeps, slow_down, stubborn,
    )
}  # fmt: skip
