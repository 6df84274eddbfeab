"""E2: do all ways to read a video deliver every frame, and how long do they take?"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from reelproc import DecodeError, MediaInfo, ReelprocError, open_video, probe
from reelproc.media.ffmpeg import FFmpegProcess
from reelproc.storage.source import file_argument
from reelproc_lab.bench import Bench, Settings
from reelproc_lab.dataset import match_clip
from reelproc_lab.footage import footage_files, footage_folder
from reelproc_lab.harness import Experiment
from reelproc_lab.question import Arm, Case, Question
from reelproc_lab.record import Measurement
from reelproc_lab.rules import AllFrames

BASELINE = "cv2.VideoCapture"


def by_opencv(path: Path, _info: MediaInfo) -> int:
    """Read by the original's loop: until ``read`` fails."""
    import cv2

    capture = cv2.VideoCapture(str(path))
    try:
        count = 0
        while capture.read()[0]:
            count += 1
    finally:
        capture.release()
    return count


def by_pipe(path: Path, info: MediaInfo) -> int:
    """Read by the original's repair: ``ffmpeg -i F -f rawvideo -pix_fmt bgr24 pipe:1``, cut into frames."""
    video = info.require_video()
    size = 3 * video.width * video.height
    arguments = ["-i", file_argument(path), "-f", "rawvideo", "-pix_fmt", "bgr24", "pipe:1"]
    with FFmpegProcess(arguments, stdout=True, error=DecodeError) as process:
        count = left = 0
        buffer = memoryview(bytearray(size))
        while got := process.stdout.readinto(buffer[left:]):  # type: ignore[attr-defined]
            left += got
            if left == size:
                count, left = count + 1, 0
    return count


def by_reelproc(path: Path, _info: MediaInfo, *, backend: str) -> int:
    """reelproc's reader: it also knows each frame's timestamp, and lists what was damaged."""
    with open_video(path, backend, "bgr24") as video:
        return sum(1 for _ in video)


READERS: dict[str, Callable[[Path, MediaInfo], int]] = {
    BASELINE: by_opencv,
    "plain ffmpeg pipe": by_pipe,
    "reelproc ffmpeg": partial(by_reelproc, backend="ffmpeg"),
    "reelproc pyav": partial(by_reelproc, backend="pyav"),
    "reelproc opencv": partial(by_reelproc, backend="opencv"),
}
"""Each counts the frames that it gets, as bgr24."""


def experiment(settings: Settings) -> Experiment:
    """All readers on all files of the footage; those that the original's reader fails on come first.

    Without footage, that of the test assets (``REELPROC_TEST_ASSETS``) is taken; without those two files are drawn, of
    which one is then damaged.
    """
    # OpenCV's ffmpeg writes its complaints to standard error, past everybody; it reads this before its first file
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    notes = [
        "off = lost + invented: frames too few, or too many, beside those that decode.",
        "The frames that decode are counted by reelproc.probe(exact=True): shown, inside the edit list.",
    ]
    infos: dict[str, MediaInfo] = {}
    files: list[Path] = []
    for path in _files(settings):
        try:
            infos[path.name] = probe(path, exact=True)
            infos[path.name].require_video()
        except ReelprocError as error:
            notes.append(f"{path.name} is left out: {error}")
        else:
            files.append(path)
    fails = {path.name: _count(BASELINE, path, infos[path.name]) != infos[path.name].frame_count for path in files}
    files.sort(key=lambda path: (not fails[path.name], path.name))
    by_name = {path.name: path for path in files}
    cases = [
        Case(
            name=path.name,
            description=f"{infos[path.name].packet_count} packets, {infos[path.name].frame_count} frames that decode"
            + ("" if fails[path.name] else f"; {BASELINE} gets them all"),
        )
        for path in files
    ]
    question = Question(
        name="e2",
        title="Reading frames",
        question="Which readers deliver every frame of every file that can be decoded, and none twice?",
        hypothesis="OpenCV stops early at damage; a plain pipe doubles and drops frames of a variable rate.",
        rule=AllFrames(quantity="off"),
        arms=[Arm(name=name, factors={"reader": name}) for name in READERS],
        baseline=BASELINE,
        cases=cases,
        held={"pix_fmt": "bgr24", "where": "this machine"},
        notes=notes,
    )

    def measure(_bench: Bench, case: Case, arm: Arm) -> Measurement:
        path, info = by_name[case.name], infos[case.name]
        begin = time.perf_counter()
        count = READERS[arm.name](path, info)
        seconds = time.perf_counter() - begin
        decodable = info.frame_count or 0
        lost, invented = max(0, decodable - count), max(0, count - decodable)
        return Measurement(
            client_seconds=round(seconds, 4),
            frames=count,
            quantities={
                "packets": info.packet_count or 0,
                "decodable": decodable,
                "read": count,
                "lost": lost,
                "invented": invented,
                "off": lost + invented,
            },
        )

    return Experiment(question, measure, repeats=3)


def _files(settings: Settings) -> list[Path]:
    if settings.footage:
        return footage_files(settings.footage)
    assets = os.environ.get("REELPROC_TEST_ASSETS")
    if assets and Path(assets, "footage").is_dir():
        return footage_files(str(Path(assets, "footage")))
    return _drawn(footage_folder())


def _count(reader: str, path: Path, info: MediaInfo) -> int:
    try:
        return READERS[reader](path, info)
    except ReelprocError:
        return -1


def _drawn(folder: Path) -> list[Path]:
    """Draw a match, and a copy with a few thousand bytes of zeros in its middle."""
    whole = match_clip(folder, 5)
    damaged = folder / f"{whole.stem}-damaged.mp4"
    if not damaged.exists():
        data = bytearray(whole.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 4000] = bytes(4000)
        part = damaged.with_suffix(".part")
        part.write_bytes(data)
        part.replace(damaged)
    return [damaged, whole]
