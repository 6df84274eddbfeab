"""Load and faults: many exports at once, while the server, its workers and the disk fail.

    cd tests/support && python -m backend_load [--exports 50] [--workers 2] [--out figures.json]

Asks for all exports at once, and kills the server while it answers; starts it again, kills a worker, kills the server
once more in the middle of its work, and starts it again. At the end every export must have ended, each once: complete,
with the frames that were planned, or with a typed error. Then the same in miniature on a disk of a few MiB (tmpfs,
which takes root; without it that part says so and is left out). Exits with 1 where something was lost, done twice, or
left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import reelproc as rp
from backend_load.client import Client, over
from backend_server import ServerProcess
from reelproc.media.ffmpeg_build import ffmpeg_path

SMALL_DISK = "12m"
SMALL_DISK_SECONDS = 60.0


def footage(path: Path, seconds: int) -> None:
    """A small film with sound."""
    lavfi = ("-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=30:duration={seconds}")
    sound = ("-f", "lavfi", "-i", f"sine=duration={seconds}")
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path))
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", *lavfi, *sound, *codec], check=True, timeout=120)


def told(path: str | Path) -> str:
    """What /proc says of a process or a thread; nothing of one that has just ended."""
    try:
        return Path("/proc", path).read_bytes().decode(errors="replace")
    except OSError:
        return ""


def workers(server: ServerProcess) -> list[int]:
    """The processes that render: children of the server."""
    threads = Path(f"/proc/{server.pid}/task").glob("*/children")
    children = [pid for thread in threads for pid in told(thread).split()]
    return [int(pid) for pid in children if "local.worker" in told(f"{pid}/cmdline")]


def alive(pids: list[int]) -> list[int]:
    """Those that still run; one that has ended and that nobody has asked how does not."""
    states = {pid: told(f"{pid}/stat").rpartition(")")[2].split() for pid in pids}
    return [pid for pid, state in states.items() if state and state[0] != "Z"]


def check(seen: list[dict[str, Any]], expected: int, data: Path) -> list[str]:
    """What is wrong at the end: nothing, or sentences."""
    wrong = []
    if len(seen) != expected or len({each["title"] for each in seen}) != expected:
        titles = len({each["title"] for each in seen})
        wrong.append(f"{expected} exports were asked for, {len(seen)} are there, of {titles} titles")
    files = {path.stem: path for path in (data / "results").iterdir()}
    complete = {each["id"]: each for each in seen if each["status"] == "complete"}
    if set(files) != set(complete):
        wrong.append(f"{len(files)} files for {len(complete)} complete exports: {sorted(set(files) ^ set(complete))}")
    for id_, each in complete.items():
        frames = rp.probe(files[id_], exact=True).frame_count if id_ in files else None
        if frames != each["frames"]:
            wrong.append(f"{each['title']}: {frames} frames, {each['frames']} were planned")
    untyped = [e for e in seen if e["status"] != "complete" and not (e["status"] == "error" and e["error"]["type"])]
    wrong += [f"{each['title']} is {each['status']} without a typed error" for each in untyped]
    left = [path.name for folder in ("jobs", "uploads") for path in (data / folder).iterdir() if path.is_dir()]
    left += [path.name for path in (data / "uploads").glob("*.part")]
    if left:
        wrong.append(f"left behind: {left}")
    return wrong


def run_load(folder: Path, exports: int, workers_: int) -> tuple[dict[str, Any], list[str]]:
    """Everything at once, with deaths in the middle."""
    film = folder / "film.mp4"
    footage(film, 3)
    limits = {"queue_limit": exports, "user_queue_limit": exports, "workers": workers_}
    server = ServerProcess(folder / "data", **limits)
    with server:
        client = Client(server)
        client.sign_in()
        source = client.upload(film)[1]["id"]
        begin = time.monotonic()

        def ask(number: int) -> tuple[int, float]:
            before = time.monotonic()
            status, _ = client.export(source, number, width=270, seconds=2)
            return status, time.monotonic() - before

        with ThreadPoolExecutor(exports) as pool:
            asking = pool.map(ask, range(exports))
            client.wait(lambda seen: seen.total() >= exports // 10)
            server.kill()  # some are in the database, their answers lost; some are not
            server.start()
            answers = list(asking)
        asked = time.monotonic() - begin
        one_more, _ = client.export(source, exports, width=270, seconds=2)  # where one has ended, there is room for it
        exports += one_more == 202

        client.wait(lambda seen: seen["complete"] >= max(1, exports // 10))
        for pid in workers(server)[:1]:
            os.kill(pid, signal.SIGKILL)
        client.wait(lambda seen: seen["complete"] >= exports // 3)
        before = workers(server)
        killed = time.monotonic()
        server.kill()
        time.sleep(1)
        orphans = alive(before)
        server.start()
        restart = time.monotonic() - killed
        seen = client.wait(over)
        seconds = time.monotonic() - begin
        last = workers(server)
        stopping = time.monotonic()
        server.stop()
        stopped = time.monotonic() - stopping
        time.sleep(0.5)
        orphans += alive(last)
        server.start()
        wrong = check(seen, exports, folder / "data")
        if orphans:
            wrong.append(f"workers outlive their server: {orphans}")
    waits = sorted(each["ended"] - each["created"] for each in seen)
    figures = {
        "exports": exports,
        "workers": workers_,
        "statuses": dict(Counter(each["status"] for each in seen)),
        "errors": dict(Counter(each["error"]["type"] for each in seen if each["error"])),
        "attempts": dict(Counter(str(each["attempts"]) for each in seen)),
        "accepted": dict(Counter(str(status) for status, _ in answers)),
        "one_more": one_more,
        "requests_sent_again": client.repeated,
        "seconds": {
            "all_accepted": round(asked, 2),
            "slowest_answer": round(max(took for _, took in answers), 2),
            "restart": round(restart, 2),
            "clean_stop": round(stopped, 2),
            "median_from_request_to_reel": round(statistics.median(waits), 1),
            "longest_from_request_to_reel": round(waits[-1], 1),
            "all": round(seconds, 1),
        },
        "frames_per_second": round(sum(each["frames"] for each in seen) / seconds, 1),
    }
    return figures, wrong


def run_small_disk(folder: Path) -> tuple[dict[str, Any], list[str]] | None:
    """Exports that do not fit, on a disk of 12 MiB; None where none can be mounted."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
        timeout=20,
    )
    if mounted.returncode:
        return None
    try:
        film = folder / "small.mp4"
        footage(film, 3)
        with ServerProcess(disk / "data", user_queue_limit=20) as server:
            client = Client(server)
            client.sign_in()
            source = client.upload(film)[1]["id"]
            ballast = disk / "ballast"
            with ballast.open("wb") as file:
                free = os.statvfs(disk)
                file.write(bytes(max(0, free.f_bavail * free.f_frsize - 600_000)))
            answers = Counter(str(client.export(source, number, width=540, seconds=3)[0]) for number in range(8))
            full_upload, said = client.upload(film)
            try:
                seen = client.wait(over, SMALL_DISK_SECONDS)
            except TimeoutError:  # there was no room even for the outcome: it is written down when there is
                seen = client.wait(lambda _: True)
            full = Counter(each["error"]["type"] if each["error"] else each["status"] for each in seen)
            ballast.unlink()
            more = [client.export(source, 100 + number, width=270, seconds=2)[0] for number in range(3)]
            seen = client.wait(over)
            time.sleep(1)  # an export has ended before its folder is gone
            wrong = check(seen, len(seen), disk / "data")
            later = [each for each in seen if each["title"] in {f"reel {100 + n}" for n in range(3)}]
            if [each["status"] for each in later] != ["complete"] * 3:
                wrong.append(f"with room again: {[each['status'] for each in later]}")
        figures = {
            "disk": SMALL_DISK,
            "accepted": dict(answers),
            "ended": dict(full),
            "upload_without_room": [full_upload, said["error"]["type"] if full_upload >= 400 else "accepted"],
            "with_room_again": {"accepted": more, "complete": sum(each["status"] == "complete" for each in later)},
        }
        return figures, wrong
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True, timeout=20)


def main() -> int:
    """Run both parts, print the figures; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m backend_load", description="Load and faults.")
    parser.add_argument("--exports", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped as well
    figures: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    }
    with tempfile.TemporaryDirectory(prefix="reelproc-load-") as name:
        figures["load"], wrong = run_load(Path(name), options.exports, options.workers)
        small = run_small_disk(Path(name))
    if small is None:
        figures["small_disk"] = "left out: mounting a small disk takes root"
    else:
        figures["small_disk"] = small[0]
        wrong += small[1]
    figures["wrong"] = wrong
    text = json.dumps(figures, indent=2)
    print(text)
    if options.out is not None:
        options.out.write_text(f"{text}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
