"""A hundred random kills in a row: ``python -m fuzz.kills --count 100`` (or ``nox -s kills``).

Each time the program renders a small reel, a random process of it (the program, its worker, a decoder, an encoder)
gets a deadly signal at a random moment. Whatever it was: the program ends soon, with a message if it could still say
one; no process is left; the output is whole or not there; and a second run completes and leaves nothing but the output.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import av

from media_factory import numbered_video, tone

__all__ = ["Victim", "make_reel", "one_kill", "relatives"]

COMMAND = [sys.executable, "-c", "from reelproc.cli import main; main()"]
SOON = 5.0
"""Seconds in which all must be over once something was killed."""

FRAMES = 60


@dataclass(frozen=True)
class Victim:
    """Whom a signal was sent to, and what came of it.

    Attributes:
        role: ``program``, ``worker``, ``ffmpeg``, or ``nobody`` where the program was done before.
        sent: the signal's name.
        code: the program's exit status.
        seconds: from the signal to the end of the last process.
    """

    role: str
    sent: str
    code: int
    seconds: float


def make_reel(folder: Path) -> Path:
    """A reel with sound whose render takes a second or two, and its source, in ``folder``."""
    made = numbered_video(folder / "game.mp4", frame_count=FRAMES, width=320, height=180, sound=tone(FRAMES / 30))
    crop = {"stage": "crop", "keyframes": [{"time": 0, "x": 0, "y": 0, "width": 320, "height": 180}]}
    reel = {
        "version": 1,
        "clips": [{"source": made.path.name, "stages": [crop]}, {"source": made.path.name, "start": 1.0}],
        "concat": {"transition": "dissolve", "duration": 0.3},
        "output": {"width": 1280, "height": 720},
    }
    path = folder / "reel.json"
    path.write_text(json.dumps(reel))
    return path


def relatives(mark: str) -> dict[int, str]:
    """Living processes that were started with ``mark`` in their environment, and their roles."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/environ"):
        pid = int(path.parent.name)
        try:
            if f"REELPROC_TEST_MARK={mark}\0".encode() not in path.read_bytes():
                continue
            line = path.with_name("cmdline").read_bytes()
            if path.with_name("stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
        except OSError:  # it has ended, or is not ours
            continue
        found[pid] = "ffmpeg" if b"ffmpeg" in line[:300] else "worker" if b"local_worker" in line else "program"
    return found


def start(reel: Path, mark: str) -> subprocess.Popen[bytes]:
    """The program, rendering ``reel`` to ``out.mp4`` beside it."""
    environment = {**os.environ, "REELPROC_HOME": str(reel.parent / "home"), "REELPROC_TEST_MARK": mark}
    return subprocess.Popen(
        [*COMMAND, "render", reel.name, "out.mp4", "--json"],
        cwd=reel.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def one_kill(reel: Path, seed: int, *, within: float) -> Victim:
    """Render ``reel``, kill something within so many seconds, and check what must hold.

    Args:
        reel: from :func:`make_reel`.
        seed: of what is random.
        within: about how long the program takes, seconds.

    Raises:
        AssertionError: it does not hold; the message says what.
    """
    rng = random.Random(f"kill.{seed}")
    mark = f"{os.getpid()}.{seed}.{time.monotonic_ns()}"
    out = reel.with_name("out.mp4")
    out.unlink(missing_ok=True)
    program = start(reel, mark)
    try:
        role = rng.choice(("program", "worker", "ffmpeg", "ffmpeg", "ffmpeg"))
        while program.poll() is None and role not in relatives(mark).values():
            time.sleep(0.005)
        time.sleep(rng.uniform(0, within if role == "program" else within / 2))
        sent = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV))
        if role != "program":
            sent = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV))
        role, pid = _choose(rng, role, mark, program)
        begin = time.monotonic()
        if pid is not None:
            os.kill(pid, sent)
        ends_by = begin + (SOON if pid is not None and role == "program" else 30)
        said, complained = program.communicate(timeout=ends_by - time.monotonic() + 10)
        code = program.returncode
        while (left := relatives(mark)) and time.monotonic() < begin + SOON + 30:
            time.sleep(0.02)
        seconds = time.monotonic() - begin
    finally:
        _sweep(mark, program)
    story = f"seed {seed}: {role} got {sent.name}, exit {code}: {said[-300:]!r} {complained[-300:]!r}"
    assert not left, f"{story}: processes are left: {left}"
    if role == "program":
        assert seconds < SOON, f"{story}: it took {seconds:.1f} s to end"
    if code == 0:
        assert json.loads(said)["frame_count"] == frames_in(out), story
    elif code > 0 and code not in (130, 143):
        assert "error" in json.loads(said), f"{story}: it says nothing"
        assert b"Traceback" not in complained, story
    if out.exists():
        assert frames_in(out) == 2 * FRAMES - 30 - 9, f"{story}: the output is not whole"
    again = start(reel, mark)
    said, complained = again.communicate(timeout=120)
    assert again.returncode == 0, f"{story}: the second run failed: {said!r} {complained!r}"
    assert frames_in(out) == json.loads(said)["frame_count"], story
    names = {path.name for path in reel.parent.iterdir()}
    assert names == {"game.mp4", "reel.json", "out.mp4", "home"}, f"{story}: files are left: {names}"
    assert not list((reel.parent / "home").rglob("*.mp4")), f"{story}: segments are left"
    return Victim(role, sent.name, code, seconds)


def _choose(rng: random.Random, role: str, mark: str, program: subprocess.Popen[bytes]) -> tuple[str, int | None]:
    """A living process of that role; else of another; nobody where the program is done."""
    if program.poll() is not None:
        return "nobody", None
    alive = relatives(mark)
    fitting = [pid for pid, its in alive.items() if its == role]
    if fitting:
        return role, rng.choice(sorted(fitting))
    return "program", program.pid


def _sweep(mark: str, program: subprocess.Popen[bytes]) -> None:
    for pid in relatives(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    program.wait(10)


def frames_in(path: Path) -> int:
    """How many frames can be decoded from a file."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def main() -> int:
    """Kill as often as asked for; 1 if anything did not hold."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.kills", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="kills (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    outcomes: collections.Counter[str] = collections.Counter()
    findings: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="kills") as temporary:
        reel = make_reel(Path(temporary))
        begin = time.monotonic()
        assert start(reel, "first").wait(120) == 0
        within = 1.1 * (time.monotonic() - begin)
        for seed in range(options.first, options.first + options.count):
            try:
                victim = one_kill(reel, seed, within=within)
            except (AssertionError, subprocess.TimeoutExpired, ValueError) as error:
                findings.append(f"seed {seed}: {type(error).__name__}: {error}")
                print(findings[-1], flush=True)
                continue
            outcomes[f"{victim.role} {victim.sent}: exit {victim.code}"] += 1
            slowest = max(slowest, victim.seconds)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:4} {outcome}")
    print(f"{options.count} kills, {len(findings)} findings, the slowest end took {slowest:.1f} s")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
