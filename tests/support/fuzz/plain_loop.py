"""Whatever ffmpeg's own loop shows, sorted by time, both backends show, at the same times, or say why not.

What is compared: all frames by each backend, spans at random places, the count, the length and the rate that ``probe``
states, and the frames of a plan at the file's own rate.
"""

from __future__ import annotations

import collections
import random
import re
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.stream import Disposition
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

import reelproc as rp
from fuzz.footage import Footage, make_footage
from media_factory import read_number, shows_number
from reelproc.errors import ReelprocError
from reelproc.media.read.reader import VideoReader

__all__ = ["check_against_plain_loop", "compare"]

Picture = NDArray[np.uint8]

TOLERANCE = 3.0
"""Mean difference in luma up to which two pictures are the same: decoders and conversions are not the same."""


_OWN = r"'[^']*'|\d+(\.\d+)?"
"""What is of one file alone in what is said of it."""


class _Shown(NamedTuple):
    """What a loop shows: the first picture with each timestamp, in order of time."""

    frames: dict[int, Picture]
    faulty: set[int]
    doubles: int
    untimed: int


class _Seen(NamedTuple):
    """What a reader shows, and which timestamps it says are missing or faulty, and why."""

    frames: dict[int, Picture]
    said: dict[int | None, str]
    start_pts: int


def check_against_plain_loop(cache: Path, number: int, work: Path) -> str:
    """Make the file with this number and read it; what came of it.

    Args:
        cache: where drawn pictures are kept.
        number: of the case.
        work: where the file is made.

    Raises:
        AssertionError: a difference, with how the file was made.
    """
    try:
        made = make_footage(work, number, cache)
    except subprocess.CalledProcessError:
        return "not made: not every container takes every stream"
    try:
        return compare(made, random.Random(f"loop.compare.{number}"))
    except AssertionError as error:
        raise AssertionError(f"{error}   [{' > '.join(made.steps)}]") from error


def compare(made: Footage, rng: random.Random) -> str:
    """Read a file by ffmpeg's loop and by both backends.

    Raises:
        AssertionError: a difference.
    """
    try:
        loop = _plain_loop(made.path, is_whole=made.is_whole)
    except av.FFmpegError:
        loop = _Shown({}, set(), 0, 0)  # no container
    try:
        info = rp.probe(made.path, exact=True)
    except ReelprocError as error:
        return f"refused: {_reason(error)}" if loop.frames else "refused: the loop shows nothing either"
    reasons: collections.Counter[str] = collections.Counter()
    problems: list[str] = []
    if made.beyond:
        assert info.warnings, f"edits ({made.beyond}) that no plain loop follows are passed over in silence"
        return f"warned: {re.sub(_OWN, '…', info.warnings[0])[:110]}"
    if loop.untimed and not made.counts_times:
        return _said_of_untimed(info)
    whole = {}
    for backend in ("ffmpeg", "pyav"):
        seen = _read(made.path, backend)
        if isinstance(seen, str):
            reasons[f"refused by {backend}: {seen}"] += 1
            continue
        whole[backend] = seen
        problems += [f"{backend}: {p}" for p in _differences(loop, seen, made, reasons)]
    made = made._replace(rate=_confirmed(made, loop, whole.get("pyav"), info))
    if len(whole) == 2:
        ours, theirs = (whole[name].frames for name in ("ffmpeg", "pyav"))
        if list(ours) != list(theirs):
            problems.append(f"the backends differ: {_listed(set(ours) ^ set(theirs))}")
    for backend, seen in whole.items():
        problems += [f"{backend}, {p}" for p in _differences_in_spans(made.path, backend, seen, loop.faulty, rng)]
    if "pyav" in whole:
        problems += _differences_in_probe(info, whole["pyav"], made)
    if not problems:
        problems += _differences_in_plan(info, loop, whole.get("ffmpeg"), made, reasons)
    assert not problems, "; ".join(problems)
    return ", ".join(["the same", *sorted(reasons)])


def _said_of_untimed(info: rp.MediaInfo) -> str:
    """What a plan says of pictures without times, of which ffmpeg's program makes some up and others do not."""
    plan = rp.plan(rp.Reel(clips=[rp.Clip(source=info.path)], output=rp.Output(fps=30, audio=False)))
    said = [warning for warning in plan.warnings if "carry no timestamp" in str(warning)]
    assert said, "pictures that say no time are left out in silence"
    return "warned by the plan: frames carry no timestamp, and are left out"


def _confirmed(made: Footage, loop: _Shown, seen: _Seen | None, info: rp.MediaInfo) -> Fraction | None:
    """The rate at which the file was made, if its times are that far apart.

    Some muxers fill a gap, AVI and Ogg give hidden pictures a time, and coarse clocks are not always rounded alike.
    """
    times = list(seen.frames) if made.counts_times and seen is not None else list(loop.frames)
    if made.rate is None or not times:
        return None
    step = 1 / (made.rate * info.require_video().time_base)
    slack = 2 if step > 4 else Fraction(1, 2)
    is_regular = all(abs(pts - times[0] - place * step) <= slack for place, pts in enumerate(times))
    return made.rate if is_regular or not made.is_whole else None


def _plain_loop(path: Path, *, is_whole: bool) -> _Shown:
    """Every frame that a plain loop makes, with its own timestamp.

    PyAV's: the ffmpeg program puts another time in place of one that comes late.
    """
    shown: dict[int, Picture] = {}
    faulty: set[int] = set()
    count = untimed = 0
    with av.open(str(path), metadata_errors="replace") as container:
        stream = next(s for s in container.streams.video if not s.disposition & Disposition.attached_pic)
        stream.codec_context.thread_count = 1
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
                frames = packet.decode()
            except StopIteration:
                break
            except av.FFmpegError:
                continue
            for frame in frames:
                count += 1
                untimed += frame.pts is None
                if frame.pts is not None and frame.pts not in shown:
                    shown[frame.pts] = _luma(frame)
                    if frame.is_corrupt or not (is_whole or shows_number(shown[frame.pts])):
                        faulty.add(frame.pts)
    return _Shown(dict(sorted(shown.items())), faulty, count - len(shown) - untimed, untimed)


def _luma(frame: av.VideoFrame) -> Picture:
    """In limited range."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith(
        ("yuvj", "rgb", "bgr", "gbr", "pal", "gray")
    )
    frame = frame.reformat(
        format="yuv420p",
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.MPEG,
    )
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width].copy()


def _read(path: Path, backend: str, start: Fraction | None = None, end: Fraction | None = None) -> _Seen | str:
    reader: VideoReader
    try:
        with rp.open_video(path, backend, "yuv420p", start=start, end=end) as reader:
            frames = {frame.pts: frame.planes[0].copy() for frame in reader}
            said: dict[int | None, str] = {damage.pts: damage.reason for damage in reader.damage}
            return _Seen(frames, said, reader.video.start_pts)
    except ReelprocError as error:
        return _reason(error)


def _reason(error: ReelprocError) -> str:
    """An error without what is of this file alone."""
    return " ".join(re.sub(_OWN, "…", f"{type(error).__name__}: {error}").split())[:110]


def _differences(loop: _Shown, seen: _Seen, made: Footage, reasons: collections.Counter[str]) -> list[str]:
    """What a reader shows of a whole file against what the loop shows."""
    problems = []
    for pts, reason in seen.said.items():
        reasons[f"said: {reason}" + ("" if pts in loop.frames else "; nor does the loop show it")] += 1
    if made.counts_times:
        # ffmpeg makes up the times of H.264 and MPEG-4 in AVI; the pictures and their order are compared
        theirs, ours = list(loop.frames.values()), list(seen.frames.values())
        if len(ours) < len(theirs) + loop.doubles + loop.untimed - len(seen.said):
            problems.append(f"{len(ours)} frames, {len(theirs) + loop.doubles + loop.untimed} by the loop")
        numbers = [read_number(each) for each in ours if shows_number(each)]
        if numbers != sorted(numbers):
            problems.append("pictures in a wrong order")
        return problems
    extra = set(seen.frames) - set(loop.frames)
    missing = set(loop.frames) - set(seen.frames)
    unsaid = missing - set(seen.said)
    if extra and _drops(made):
        numbers = [read_number(each) for each in seen.frames.values()]
        if numbers != sorted(numbers):
            problems.append("frames that the loop drops come in a wrong order")
        reasons["and frames that the loop's decoder drops, as the header promises less reordering than there is"] += 1
    elif extra:
        problems.append(
            f"{len(extra)} of {len(seen.frames)} frames are none of the loop's {len(loop.frames)}: {_listed(extra)}"
        )
    if unsaid:
        problems.append(f"{len(unsaid)} of {len(loop.frames)} frames are missing without a word: {_listed(unsaid)}")
    if made.is_whole and missing - unsaid:
        problems.append(f"{len(missing - unsaid)} frames of a good file are called damaged: {_listed(missing)}")
    if made.is_whole and set(seen.said) & set(seen.frames):
        problems.append(f"of frames that it shows it says {sorted(set(seen.said.values()))}")
    # what no key frame leads to is rubbish, and not always the same
    clear = set(loop.frames) - loop.faulty
    wrong = {pts for pts in clear & set(seen.frames) if _differ(seen.frames[pts], loop.frames[pts])}
    if wrong:
        problems.append(f"{len(wrong)} of {len(seen.frames)} pictures are others: {_listed(wrong)}")
    shown = next(iter(loop.frames), seen.start_pts)
    is_lost = any(pts is not None and pts <= seen.start_pts for pts in seen.said)  # and it says so
    if seen.start_pts > shown or (seen.start_pts < shown and not is_lost):
        problems.append(f"time zero is {seen.start_pts}, the first frame that is shown is at {shown}")
    return problems


def _drops(made: Footage) -> bool:
    return any(step.startswith("promises") for step in made.steps)


def _differ(one: Picture, two: Picture) -> bool:
    return one.shape != two.shape or float(np.abs(one.astype(np.int16) - two).mean()) > TOLERANCE


def _listed(stamps: set[int]) -> str:
    return " ".join(map(str, sorted(stamps)[:6])) + (" …" if len(stamps) > 6 else "")


def _differences_in_spans(path: Path, backend: str, whole: _Seen, faulty: set[int], rng: random.Random) -> list[str]:
    """What spans show against the whole, by the same backend."""
    order = list(whole.frames)
    if not order:
        return []
    problems = []
    unit = rp.probe(path).require_video().time_base
    for _ in range(3):
        first = rng.randrange(len(order))
        last = min(len(order), first + rng.choice((1, 2, 5, 30)))
        low = order[first] - rng.choice((0, 0, 1)) * (0 if first == 0 else min(1, order[first] - order[first - 1] - 1))
        start = (low - whole.start_pts) * unit
        end = (order[last] - whole.start_pts) * unit if last < len(order) else None
        if start < 0:
            continue
        seen = _read(path, backend, start, end)
        story = f"frames {first} to {last}"
        if isinstance(seen, str):
            problems.append(f"{story}: {seen}")
            continue
        expected = order[first:last]
        if list(seen.frames) != expected:
            problems.append(
                f"{story}: {len(seen.frames)} of {len(expected)}, {_listed(set(seen.frames) ^ set(expected))} differ"
            )
            continue
        wrong = {pts for pts in set(expected) - faulty if _differ(seen.frames[pts], whole.frames[pts])}
        if wrong:
            problems.append(f"{story}: {len(wrong)} pictures are not those of the whole: {_listed(wrong)}")
    return problems


def _differences_in_probe(info: rp.MediaInfo, seen: _Seen, made: Footage) -> list[str]:
    """The count, the length and the rate against the frames that were read."""
    problems = []
    video = info.require_video()
    order = list(seen.frames)
    if info.frame_count != len(order):
        problems.append(f"probe counts {info.frame_count} frames of {len(order)}")
    steps = [two - one for one, two in zip(order, order[1:], strict=False)]
    if not steps:
        return problems
    last = info.duration / video.time_base - (order[-1] - seen.start_pts)  # how long the last frame is shown
    usual = sorted(steps)[len(steps) // 2]
    slack = 2 + usual // 8
    stated = any(abs(last - length) <= 1 for length in _last_lengths(info, order[-1]))
    least = min(*steps, usual) - slack if made.rate is not None else 1
    if made.is_whole and not stated and not least <= last <= max(*steps, usual) + slack:
        problems.append(f"the last frame lasts {float(last):.1f}, those before {usual} (units of {video.time_base} s)")
    said, mean = video.average_rate, Fraction(len(steps), order[-1] - order[0]) / video.time_base
    if made.rate is not None and made.is_whole:
        slowest = fastest = made.rate
    else:  # no rate is the right one: any between the mean and that of the closest two will do
        slowest, fastest = mean * Fraction(3, 4), Fraction(5, 4) / (min(steps) * video.time_base)
    slack = Fraction(2, order[-1] - order[0]) + Fraction(1, 100)  # of rounding
    if said is not None and not slowest * (1 - slack) <= said <= fastest * (1 + slack):
        problems.append(f"the rate is said to be {said}, it is {float(slowest):.3f} to {float(fastest):.3f}")
    return problems


def _last_lengths(info: rp.MediaInfo, last: int) -> list[int]:
    """How long the last frame is shown, as its packet and the header say."""
    with av.open(info.path) as container:
        stream = container.streams.video[0]
        whole = (stream.start_time or 0) + (stream.duration or 0) - last
        packets = [p for p in container.demux(stream) if p.size and p.pts is not None]
        return [whole, max(packets, key=lambda packet: packet.pts or 0).duration or 0]


def _differences_in_plan(
    info: rp.MediaInfo, loop: _Shown, seen: _Seen | None, made: Footage, reasons: collections.Counter[str]
) -> list[str]:
    """A plan at the file's own rate has all its frames, once each."""
    if seen is None or made.rate is None or not made.is_whole or made.rate > 240:
        return []
    output = rp.Output(fps=made.rate, audio=False)
    try:
        plan = rp.plan(rp.Reel(clips=[rp.Clip(source=info.path)], output=output))
    except ReelprocError as error:
        reasons[f"no plan: {_reason(error)}"] += 1
        return []
    planned, order = list(plan.clips[0].pts), list(seen.frames)
    if planned == order:
        return []
    if loop.doubles or seen.said:
        reasons["a plan that holds frames, of a file that lacks some"] += 1
        return []
    return [f"a plan at {made.rate} has {len(planned)} frames, {len(set(planned))} different, of {len(order)}"]
