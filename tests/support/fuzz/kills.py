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
from processes import Family
from waiting import LONG, eventually

__all__ = ["Victim", "frames_in", "make_reel", "one_kill"]

COMMAND = [sys.executable, "-c", "from reelproc.cli import main; main()"]
FRAMES = 60

SOON = 5.0
"""Seconds in which all must be over once the program was killed, in a run by hand: a suite has no quiet machine."""


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


def roles(family: Family) -> dict[int, str]:
    """Whose processes run, and what each is."""
    return {
        pid: "ffmpeg" if "ffmpeg" in line[:300] else "worker" if "local.worker" in line else "program"
        for pid, line in family.living().items()
    }


def start(reel: Path, family: Family) -> subprocess.Popen[bytes]:
    """The program, rendering ``reel`` to ``out.mp4`` beside it."""
    return family.start(
        [*COMMAND, "render", reel.name, "out.mp4", "--json"],
        cwd=reel.parent,
        env={**os.environ, "REELPROC_HOME": str(reel.parent / "home")},
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
    out = reel.with_name("out.mp4")
    out.unlink(missing_ok=True)
    with Family() as family:
        program = start(reel, family)
        role = rng.choice(("program", "worker", "ffmpeg", "ffmpeg", "ffmpeg"))
        while program.poll() is None and role not in roles(family).values():
            time.sleep(0.005)
        time.sleep(rng.uniform(0, within if role == "program" else within / 2))
        sent = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV))
        if role != "program":
            sent = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV))
        role, pid = _choose(rng, role, family, program)
        begin = time.monotonic()
        if pid is not None:
            os.kill(pid, sent)
        said, complained = program.communicate(timeout=LONG)
        code = program.returncode
        eventually(lambda: not family.living())
        left = family.living()
        seconds = time.monotonic() - begin
    story = f"seed {seed}: {role} got {sent.name}, exit {code}: {said[-300:]!r} {complained[-300:]!r}"
    assert not left, f"{story}: processes are left: {left}"
    if code == 0:
        assert json.loads(said)["frame_count"] == frames_in(out), story
    elif code > 0 and code not in (130, 143):
        assert "error" in json.loads(said), f"{story}: it says nothing"
        assert b"Traceback" not in complained, story
    if out.exists():
        assert frames_in(out) == 2 * FRAMES - 30 - 9, f"{story}: the output is not whole"
    with Family() as family:
        again = start(reel, family)
        said, complained = again.communicate(timeout=LONG)
    assert again.returncode == 0, f"{story}: the second run failed: {said!r} {complained!r}"
    assert frames_in(out) == json.loads(said)["frame_count"], story
    names = {path.name for path in reel.parent.iterdir()}
    assert names == {"game.mp4", "reel.json", "out.mp4", "home"}, f"{story}: files are left: {names}"
    assert not list((reel.parent / "home").rglob("*.mp4")), f"{story}: segments are left"
    return Victim(role, sent.name, code, seconds)


def _choose(rng: random.Random, role: str, family: Family, program: subprocess.Popen[bytes]) -> tuple[str, int | None]:
    """A living process of that role; else of another; nobody where the program is done."""
    if program.poll() is not None:
        return "nobody", None
    fitting = [pid for pid, its in roles(family).items() if its == role]
    if fitting:
        return role, rng.choice(sorted(fitting))
    return "program", program.pid


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
        with Family() as family:
            first = start(reel, family)
            first.communicate(timeout=LONG)
        assert first.returncode == 0
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
            if victim.role == "program" and victim.seconds > SOON:
                findings.append(f"seed {seed}: the program took {victim.seconds:.1f} s to end")
                print(findings[-1], flush=True)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:4} {outcome}")
    print(f"{options.count} kills, {len(findings)} findings, the slowest end took {slowest:.1f} s")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
