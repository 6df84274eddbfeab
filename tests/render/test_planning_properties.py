"""The plan: exact frame counts, the nearest source frame, and ranges that add up to the whole."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelproc import Clip, Concat, MediaInfo, Output, Reel, SpecError, Speed, SpeedSegment, VideoStream
from reelproc.media.shown_frames import frame_schedule
from reelproc.render.plan import Plan, SourceFrames
from reelproc.render.planning import make_plan, segment_bounds
from reelproc.timing import exact

MILLISECOND = Fraction(1, 1000)


def source(pts: list[int], time_base: Fraction, last_duration: int) -> tuple[str, MediaInfo, SourceFrames]:
    video = VideoStream(
        index=0,
        codec="h264",
        pix_fmt="yuv420p",
        coded_width=64,
        coded_height=48,
        width=64,
        height=48,
        time_base=time_base,
    )
    end = (pts[-1] + last_duration) * time_base
    info = MediaInfo(
        path="a.mp4", format_name="mp4", size_bytes=1, duration=end, video=video, audio=None, video_stream_count=1,
        audio_stream_count=0,
    )  # fmt: skip
    return "a.mp4", info, SourceFrames(tuple(pts), time_base, 0, end)


def constant(rate: Fraction, seconds: int) -> tuple[str, MediaInfo, SourceFrames]:
    return source(list(range(int(seconds * rate))), 1 / rate, 1)


def planned(clip: Clip, footage: tuple[str, MediaInfo, SourceFrames], fps: int | str = 30) -> Plan:
    return make_plan(Reel(clips=[clip], output=Output(width=64, height=48, fps=fps)), [footage])


RATES = st.sampled_from(
    [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60)]
)


@st.composite
def variable_rate(draw: st.DrawFn) -> tuple[str, MediaInfo, SourceFrames]:
    steps = draw(st.lists(st.integers(1, 400), min_size=2, max_size=120))
    pts = [0]
    for step in steps:
        pts.append(pts[-1] + step)
    return source(pts, MILLISECOND, draw(st.integers(1, 400)))


def test_60_fps_keeps_every_second_frame() -> None:
    plan = planned(Clip(source="a.mp4", start=1, end=3), constant(Fraction(60), 5))
    assert [f.shot.pts for f in plan.frames()] == list(range(60, 180, 2))


def test_24_fps_repeats_every_fourth_frame() -> None:
    plan = planned(Clip(source="a.mp4", start=0, end=1), constant(Fraction(24), 2))
    pts = [f.shot.pts for f in plan.frames()]
    assert len(pts) == 30
    assert [b - a for a, b in zip(pts, pts[1:], strict=False)].count(0) == 6


def test_millisecond_timestamps_lose_and_double_no_frame() -> None:
    """Holding the last frame instead of taking the nearest doubled and dropped 100 of 300 frames of such a file."""
    pts = [round(n * 1000 / 30) for n in range(300)]
    plan = planned(Clip(source="a.mp4"), source(pts, MILLISECOND, 33))
    assert [f.shot.pts for f in plan.frames()] == pts


def test_half_speed_shows_each_frame_twice() -> None:
    clip = Clip(source="a.mp4", start=0, end=1, stages=[Speed(segments=[SpeedSegment(start=0, end=1, speed=0.5)])])
    pts = [f.shot.pts for f in planned(clip, constant(Fraction(30), 2)).frames()]
    assert len(pts) == 60
    # a frame in the middle between two output instants is a tie, which the earlier frame wins
    assert all(pts.count(n) == 2 for n in range(1, 29))


def test_past_the_end_the_last_frame_holds_and_the_plan_says_so() -> None:
    plan = planned(Clip(source="a.mp4", start=1, end=2.5), constant(Fraction(30), 2))
    pts = [f.shot.pts for f in plan.frames()]
    assert len(pts) == 45
    assert pts[-15:] == [59] * 15
    assert "held" in plan.warnings[0]


@pytest.mark.parametrize(("start", "end", "where"), [(9, 10, "start"), (0, 9, "end")])
def test_a_clip_far_outside_its_source_is_refused(start: float, end: float, where: str) -> None:
    with pytest.raises(SpecError, match="source ends at") as caught:
        planned(Clip(source="a.mp4", start=start, end=end), constant(Fraction(30), 2))
    assert caught.value.path == ("clips", 0, where)


@given(footage=variable_rate(), fps=RATES, data=st.data())
def test_a_clip_has_the_rounded_number_of_frames_and_shows_the_nearest(
    footage: tuple[str, MediaInfo, SourceFrames], fps: Fraction, data: st.DataObject
) -> None:
    frames = footage[2]
    length = float(frames.end)
    start = round(data.draw(st.floats(0, length * 0.9)), 3)
    end = round(data.draw(st.floats(start + 0.002, length + 0.9)), 3)
    if start >= length:
        return
    plan = planned(Clip(source="a.mp4", start=start, end=end), footage, str(fps))
    duration = exact(end) - exact(start)
    assert plan.frame_count == max(1, floor(duration * fps + Fraction(1, 2)))
    assert plan.duration == plan.frame_count / fps
    shown = [f.shot.pts for f in plan.frames()]
    assert shown == sorted(shown)
    for n, pts in enumerate(shown):
        at = exact(start) + n / fps
        distances = {p: abs(frames.time(p) - at) for p in frames.pts}
        nearest = min(distances.values())
        assert pts == min(p for p, d in distances.items() if d == nearest)


@given(
    speeds=st.lists(st.floats(0.1, 10).map(lambda s: round(s, 2)).filter(lambda s: s >= 0.1), min_size=1, max_size=4),
    rate=RATES,
    fps=RATES,
)
@settings(max_examples=60)
def test_speeds_from_a_tenth_to_ten_count_exactly(speeds: list[float], rate: Fraction, fps: Fraction) -> None:
    segments = [SpeedSegment(start=i + 0.25, end=i + 1, speed=s) for i, s in enumerate(speeds)]
    clip = Clip(source="a.mp4", start=0.5, end=len(speeds) + 1.5, stages=[Speed(segments=segments)])
    plan = planned(clip, constant(rate, len(speeds) + 2), str(fps))
    duration = len(speeds) * Fraction(1, 4) + 1 + sum(Fraction(3, 4) / exact(s) for s in speeds)
    assert plan.frame_count == floor(duration * fps + Fraction(1, 2))
    shown = [f.shot.pts for f in plan.frames()]
    assert shown == sorted(shown)


@given(
    lengths=st.lists(st.integers(20, 80), min_size=1, max_size=6),
    transition=st.sampled_from(["cut", "fade", "dissolve"]),
    frames=st.integers(0, 10),
)
def test_transitions_take_what_the_design_says(lengths: list[int], transition: str, frames: int) -> None:
    footage = constant(Fraction(30), 4)
    clips = [Clip(source="a.mp4", start=0, end=n / 30) for n in lengths]
    reel = Reel(
        clips=clips,
        concat=Concat(transition=transition, duration=frames / 30),  # type: ignore[arg-type]
        output=Output(width=64, height=48),
    )
    plan = make_plan(reel, [footage] * len(clips))
    overlap = frames if transition == "dissolve" else 0
    joins = len(lengths) - 1
    assert plan.frame_count == sum(lengths) - joins * overlap
    pictures = list(plan.frames())
    mixed = [f for f in pictures if f.incoming]
    assert len(mixed) == joins * overlap
    assert all(0 < f.weight < 1 for f in mixed)
    assert [c.frame_count for c in plan.clips] == lengths
    if transition == "fade" and frames and joins:
        assert sum(f.gain < 1 for f in pictures) == joins * frames
        assert [f.index for f in pictures if f.gain == 0] == [c.first_frame - 1 for c in plan.clips[1:]]
    else:
        assert all(f.gain == 1 for f in pictures)
    # every frame of every clip is shown, in order
    for clip in plan.clips:
        shots = [s for f in pictures for s in (f.shot, f.incoming) if s and s.clip == clip.index]
        assert tuple(s.pts for s in shots) == clip.pts


@given(count=st.integers(1, 5000), fps=RATES, cuts=st.lists(st.integers(0, 5000), max_size=8))
@settings(max_examples=40)
def test_segments_and_any_other_partition_are_the_whole(count: int, fps: Fraction, cuts: list[int]) -> None:
    bounds = segment_bounds(count, fps)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == count
    assert all(a[1] == b[0] for a, b in zip(bounds, bounds[1:], strict=False))
    assert all(b - a <= 15 * fps + 1 for a, b in bounds)
    plan = planned(Clip(source="a.mp4", start=0, end=2), constant(Fraction(30), 2))
    edges = sorted({0, plan.frame_count, *(c % plan.frame_count for c in cuts)})
    pieces = [f for a, b in zip(edges, edges[1:], strict=False) for f in plan.frames(a, b)]
    assert pieces == list(plan.frames())


def test_a_transition_longer_than_a_clip_is_refused() -> None:
    clips = [Clip(source="a.mp4", start=0, end=1)] * 3
    reel = Reel(clips=clips, concat=Concat(transition="dissolve", duration=0.6), output=Output(width=64, height=48))
    with pytest.raises(SpecError, match="need 36"):
        make_plan(reel, [constant(Fraction(30), 2)] * 3)


def test_source_timestamps_are_kept_frame_for_frame() -> None:
    pts = [0, 40, 55, 300, 333, 700]
    reel = Reel(clips=[Clip(source="a.mp4", start=0.05, end=0.4)], output=Output(width=None, height=None, fps=None))
    plan = make_plan(reel, [source(pts, MILLISECOND, 40)])
    assert [f.shot.pts for f in plan.frames()] == [55, 300, 333]
    assert [int(t * 1000) for t in plan.times] == [0, 245, 278, 345]
    assert (plan.width, plan.height, plan.fps) == (64, 48, None)


def test_one_picture_in_hours_still_has_a_rate() -> None:
    """An encoder must be told one; this was a ZeroDivisionError."""
    reel = Reel(clips=[Clip(source="a.mp4")], output=Output(width=None, height=None, fps=None))
    plan = make_plan(reel, [source([0], MILLISECOND, 10**7)])
    assert plan.nominal_rate == Fraction(1, 1001)
    assert plan.duration == 10**4


def test_a_tie_takes_the_earlier_frame() -> None:
    assert frame_schedule([Fraction(0), Fraction(1, 15)], 3, Fraction(30)) == [0, 0, 1]


def test_the_repr_of_a_plan_fits_on_two_lines() -> None:
    plan = planned(Clip(source="a.mp4", start=0, end=60), constant(Fraction(60), 70))
    assert repr(plan) == "<Plan: 1800 frames of 64x48 at 30 per second, 60.000 s; 1 clip, 6 segments>"
    assert len(repr(plan.clips[0])) < 1200
