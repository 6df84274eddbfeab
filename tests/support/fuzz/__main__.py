"""The long run: ``python -m fuzz --count 3000``, or one case again: ``python -m fuzz --only media:1234``.

Cases run in a child process, so that one that crashes or hangs is a finding and not the end.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fuzz import cases as fuzz_cases
from fuzz.cases import GRACE, KINDS, PATIENCE, Bench
from fuzz.media import corpus

SHARES = {"media": 0.5, "json": 0.3, "executor": 0.03, "spans": 0.07, "loop": 0.1}
"""Of all cases."""

MEMORY = 8 << 30
"""Bytes of address space that the child may use."""


def main() -> int:
    """Run the cases that are asked for; 1 if any of them is a finding."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=3000, help="cases in all (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case of each kind")
    parser.add_argument("--only", metavar="KIND:NUMBER", help="run this one case, in this process")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument(
        "--grace", type=float, default=GRACE, help="seconds that a cancelled job may take to end (default: %(default)s)"
    )
    parser.add_argument("--cases", help=argparse.SUPPRESS)
    options = parser.parse_args()
    fuzz_cases.GRACE = options.grace
    with tempfile.TemporaryDirectory(prefix="fuzz") as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        seeds = corpus(folder / "seeds")
        os.environ["REELPROC_HOME"] = str(folder / "home")
        bench = Bench(folder / "work", seeds, folder / "home")
        if options.only:
            kind, _, number = options.only.partition(":")
            print(bench.run(kind, int(number)))
            return 0
        if options.cases is not None:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            for case in options.cases.split(","):
                kind, _, number = case.partition(":")
                print(f"BEGIN {case}", flush=True)
                print(f"END {case} {bench.run(kind, int(number))!r}", flush=True)
            return 0
        cases = [
            f"{kind}:{number}"
            for kind in KINDS
            for number in range(options.first, options.first + round(SHARES[kind] * options.count))
        ]
        return report(cases, folder)


def report(cases: list[str], folder: Path) -> int:
    """Run ``cases`` in child processes and print what came of them."""
    outcomes: collections.Counter[str] = collections.Counter()
    findings: list[str] = []
    begin = time.monotonic()
    left = list(cases)
    slow: list[tuple[float, str]] = []
    while left:
        done, end = batch(left[:200], folder, outcomes, findings, slow)
        left = left[done:]
        if end:
            findings.append(end)
        print(f"{len(cases) - len(left)}/{len(cases)} in {time.monotonic() - begin:.0f} s", flush=True)
    for outcome, count in outcomes.most_common():
        print(f"{count:6} {outcome}")
    print("slowest:", ", ".join(f"{case} {seconds:.1f} s" for seconds, case in sorted(slow)[:-6:-1]))
    print(f"{len(cases)} cases in {time.monotonic() - begin:.0f} s, {len(findings)} findings")
    for finding in findings:
        print(f"--- {finding}")
    return bool(findings)


def batch(
    cases: list[str],
    folder: Path,
    outcomes: collections.Counter[str],
    findings: list[str],
    slow: list[tuple[float, str]],
) -> tuple[int, str | None]:
    """Run cases in one child; how many are done, and how it died, if it did."""
    command = [sys.executable, "-X", "faulthandler", "-m", "fuzz", "--folder", str(folder)]
    command += ["--grace", str(fuzz_cases.GRACE), "--cases", ",".join(cases)]
    here = Path(__file__).resolve().parent.parent
    log = folder / "stderr.txt"
    done, current, began = 0, "", 0.0
    with log.open("wb") as stderr:
        child = subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True)
    assert child.stdout is not None
    rest = b""
    end: str | None = None
    try:
        while True:
            if not select.select([child.stdout], [], [], 4 * (PATIENCE + fuzz_cases.GRACE))[0]:
                end = f"{current}: HANGS\n{_stacks(child, log)}"
                return done + 1, end
            data = os.read(child.stdout.fileno(), 1 << 16)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                word, case, *outcome = line.decode().split(" ", 2)
                if word == "BEGIN":
                    current, began = case, time.monotonic()
                elif word == "END":
                    done += 1
                    slow.append((time.monotonic() - began, case))
                    text = eval(outcome[0], {"__builtins__": {}})  # our own repr of a string
                    kind = case.partition(":")[0]
                    outcomes[f"{kind}: {text.splitlines()[0][:60]}"] += 1
                    if text.startswith("BAD"):
                        findings.append(f"{case}: {text}")
        code = child.wait(10)
        if done < len(cases):
            return done + 1, f"{current}: DIES with status {code}\n{log.read_text(errors='replace')[-3000:]}"
        orphans = [p for p in Path("/proc").glob("[0-9]*/stat") if _session(p) == child.pid]
        return done, f"{current}: ORPHANS {orphans}" if orphans else None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _stacks(child: subprocess.Popen[bytes], log: Path) -> str:
    child.send_signal(signal.SIGABRT)  # faulthandler writes where every thread is
    time.sleep(1)
    return log.read_text(errors="replace")[-4000:]


def _session(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[3])
    except (OSError, ValueError, IndexError):
        return -1


if __name__ == "__main__":
    sys.exit(main())
