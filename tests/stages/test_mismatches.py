"""What a stage has outside its picture or its time: the plan says so, and by how much; honest reels are left alone."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import reelproc as rp
from reelproc.drawing.ellipse import Ellipse, covered, signed_distance
from reelproc.pixels.frame import Frame
from reelproc.render.plan import Plan, SourceFrames
from reelproc.render.planning import make_plan
from reelproc.stages.base import Stage, StreamInfo, Target

WIDTH, HEIGHT, SECONDS = 480, 270, 5
MIDDLE = {"x": 240, "y": 135, "radius_x": 20, "radius_y": 40}
BASKET = {"x": 5000, "y": 900, "radius_x": 20, "radius_y": 40}


def footage(width: int = WIDTH, height: int = HEIGHT) -> tuple[str, rp.MediaInfo, SourceFrames]:
    video = rp.VideoStream(
        index=0, codec="h264", pix_fmt="yuv420p", coded_width=width, coded_height=height, width=width, height=height,
        time_base=Fraction(1, 30),
    )  # fmt: skip
    info = rp.MediaInfo(
        path="a.mp4", format_name="mp4", size_bytes=1, duration=Fraction(SECONDS), video=video, audio=None,
        video_stream_count=1, audio_stream_count=0,
    )  # fmt: skip
    return "a.mp4", info, SourceFrames(tuple(range(SECONDS * 30)), Fraction(1, 30), 0, Fraction(SECONDS))


def planned(*stages: Stage, strict: bool = False, size: tuple[int, int] = (WIDTH, HEIGHT), start: float = 0.0) -> Plan:
    reel = rp.Reel(clips=[rp.Clip(source="a.mp4", start=start, stages=stages)], output=rp.Output(width=90, height=160))
    return make_plan(reel, [footage(*size)], strict=strict)


def warned(*stages: Stage, size: tuple[int, int] = (WIDTH, HEIGHT), start: float = 0.0) -> str:
    return "\n".join(planned(*stages, size=size, start=start).warnings)


def spotlight(start: float = 0, end: float = 5, *, moments: Sequence[float] = (0,), **at: float | None) -> rp.Overlay:
    size = {name: at.pop(name) for name in ("video_width", "video_height") if name in at}
    keyframes = [{"time": time, **MIDDLE, **at} for time in moments]
    region = {"start_time": start, "end_time": end, "keyframes": keyframes, **size}
    return rp.Overlay.model_validate({"regions": [region]})


def crop(*moments: float, x: float = 100, y: float = 20, width: float = 108, height: float = 192) -> rp.Crop:
    keyframes = [rp.CropKeyframe(time=t, x=x, y=y, width=width, height=height) for t in moments or (0,)]
    return rp.Crop(keyframes=keyframes)


def test_a_spotlight_that_is_nowhere_in_the_picture_is_named_with_clip_stage_region_and_distance() -> None:
    said = warned(spotlight(**BASKET))
    assert "clip 0 (a.mp4), stage 0 (overlay): region 0 lies outside the 480x270 picture in every frame" in said
    assert (
        "by 4544 px or more" in said
    )  # 4520.5 px right and 630.5 px down of the last pixel, less some 20 of the ellipse
    assert "video_width and video_height" in said


def test_a_spotlight_with_source_coordinates_after_the_crop_is_told_of_the_order() -> None:
    after = spotlight(x=400, y=100)
    around = crop(x=350)
    assert warned(after, around) == ""
    said = warned(around, after)
    assert "stage 1 (overlay): region 0 lies outside the 108x192 picture" in said
    assert "the stages before it bring the picture from 480x270 to 108x192: the order of stages counts" in said


def test_a_spotlight_that_enters_the_picture_or_touches_it_is_left_alone() -> None:
    entering = rp.Overlay.model_validate(
        {"regions": [{"start_time": 0, "end_time": 5, "keyframes": [
            {"time": 0, **MIDDLE, "x": -300}, {"time": 5, **MIDDLE, "x": 5}]}]}
    )  # fmt: skip
    assert warned(entering) == ""
    assert warned(spotlight(x=-19)) == ""
    assert warned(spotlight(x=495)) == ""
    assert "outside" in warned(spotlight(x=-21))


def test_a_ring_on_the_ground_counts_where_the_player_is_out_of_the_picture() -> None:
    def ring(y: float) -> rp.Overlay:
        return spotlight(y=y).model_copy(update={"shape": "ground", "stroke_width": 6.0})

    assert warned(ring(-42)) == ""  # the body ends at -2, the ring under its feet at 0.8, and is 4 px wide
    assert "outside" in warned(ring(-90))


def test_a_spotlight_that_encloses_the_picture_darkens_nothing() -> None:
    assert "encloses all of the 480x270 picture" in warned(spotlight(radius_x=1000, radius_y=1000))
    assert warned(spotlight(radius_x=230, radius_y=130)) == ""


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (7, 9, "it lasts from 7 s to 9 s, its input ends at 5 s, 2 s before it starts"),
        (-3, -1, "it lasts from -3 s to -1 s, it ends 1 s before its input begins"),
        (1.001, 1.002, "which is between two frames of its input"),
    ],
)
def test_a_region_outside_its_clips_time_is_never_shown(start: float, end: float, said: str) -> None:
    assert f"region 0 is never shown: it lasts from {start:g} s to {end:g} s" in warned(spotlight(start, end))
    assert said in warned(spotlight(start, end))
    texts = rp.Text(
        regions=[rp.TextRegion(
            start_time=start, end_time=end, id="goal", elements=[rp.TextElement(spec=rp.TextSpec(text="GOAL"))]
        )]
    )  # fmt: skip
    assert "stage 0 (text): region 0 ('goal') is never shown" in warned(texts)
    assert said in warned(texts)
    assert said in warned(rp.Banner(rating=3, start_time=start, end_time=end))


def test_the_seconds_are_those_of_the_stages_input() -> None:
    slow = rp.Speed(segments=[rp.SpeedSegment(start=0, end=5, speed=0.5)])
    assert warned(slow, spotlight(7, 9)) == ""
    assert "its input ends at 5 s" in warned(spotlight(7, 9), slow)
    assert "its input ends at 1 s, 2 s before it starts" in warned(spotlight(3, 5), start=4)


def test_regions_that_share_an_edge_with_the_clip_are_left_alone() -> None:
    assert warned(spotlight(-2, 0)) == ""
    assert warned(spotlight(4.9, 100)) == ""


def test_a_region_that_another_covers_is_never_shown() -> None:
    two = rp.Overlay.model_validate(
        {"regions": [
            {"start_time": 1, "end_time": 2, "label": "ball", "keyframes": [{"time": 1, **MIDDLE}]},
            {"start_time": 0, "end_time": 3, "keyframes": [{"time": 1, **MIDDLE}]},
        ]}
    )  # fmt: skip
    assert "region 0 ('ball') is never shown: regions that start before it are drawn" in warned(two)


def test_what_is_not_drawn_is_not_warned_of() -> None:
    off = spotlight(**BASKET)
    assert warned(rp.Overlay(regions=[off.regions[0].model_copy(update={"enabled": False})])) == ""
    assert warned(off.model_copy(update={"effect": "original"})) == ""


def test_keyframes_all_outside_the_time_are_said_to_stand_still() -> None:
    assert "stage 0 (crop): has its keyframes at 10 s to 11 s, all after 5 s" in warned(crop(10, 11))
    assert "the window stands still" in warned(crop(10))
    assert "all before 0 s, where its time begins" in warned(crop(-3, -2))
    assert warned(crop(-3, 9)) == ""
    assert warned(crop(5, 6)) == ""
    assert "keyframes at 60 s to 65 s, all after 4 s" in warned(spotlight(1, 4, moments=(60, 65)))
    assert warned(spotlight(1, 4, moments=(60,))) == ""  # one keyframe: it stands still on purpose


def test_a_crop_of_another_size_of_the_footage_is_said_to_be_moved_and_shrunk() -> None:
    said = warned(crop(0, 2, x=2000, y=0, width=540, height=960))
    assert "has at 0 s a window of 540x960 pixels at (2000, 0), which the 480x270 picture has no room for" in said
    assert "it is shrunk to 152x270 and moved by 1866 px" in said
    assert "name that size with video_width and video_height" in said
    assert "moved by 110 px" in warned(crop(x=482, y=20))  # its centre at 536, 372 there, +- 54 of 480
    assert "shrunk" not in warned(crop(x=482, y=20))


def test_a_crop_at_the_edge_of_the_picture_is_left_alone() -> None:
    assert warned(crop(x=-1, y=-1)) == ""
    assert warned(crop(x=-54, y=78)) == ""  # centred on a player at the very edge
    assert warned(crop(x=0, y=0, width=152, height=272)) == ""  # a row of rounding too tall
    assert "moved by" in warned(crop(x=-60))


def test_the_worst_moment_of_a_crop_is_named() -> None:
    keyframes = [rp.CropKeyframe(time=t, x=x, y=20, width=108, height=192) for t, x in ((0, 100), (2, 700), (4, 100))]
    assert "has at 2 s a window of 108x192 pixels at (700, 20)" in warned(rp.Crop(keyframes=keyframes))


def test_keyframes_made_on_a_proxy_do_for_the_original_and_the_other_way_round() -> None:
    stream = StreamInfo(WIDTH, HEIGHT, Fraction(SECONDS))
    small = crop(x=300, y=10, width=108, height=192)
    scaled = crop(x=1200, y=40, width=432, height=768)
    told = rp.Crop(keyframes=scaled.keyframes, video_width=4 * WIDTH, video_height=4 * HEIGHT)
    assert told.window_at(stream, Target())(0.0) == small.window_at(stream, Target())(0.0)
    assert told.resolve(stream, Target()) == small.resolve(stream, Target())
    assert warned(told) == ""


def test_half_a_size_of_the_footage_is_refused() -> None:
    with pytest.raises(rp.SpecError, match="video_width and video_height are given together"):
        rp.Crop(video_width=1920)


def test_footage_of_another_shape_is_said_to_be_bent() -> None:
    said = warned(crop(), spotlight(video_width=1920, video_height=1080))
    assert "region 0 was made on 1920x1080, but its input has another shape, 108x192" in said
    assert warned(spotlight(video_width=1920, video_height=1088)) == ""
    assert warned(spotlight(video_width=854, video_height=480)) == ""


def test_a_text_anchored_far_outside_is_said_to_be_moved_in() -> None:
    def text(x: float) -> rp.Text:
        spec = rp.TextSpec(text="GOAL", position=rp.TextPosition(x=x, y=0.9))
        return rp.Text(regions=[rp.TextRegion(start_time=0, end_time=2, elements=[rp.TextElement(spec=spec)])])

    assert "region 0 has text 0 ('GOAL') at (5, 0.9), 1920 px outside the 480x270 picture" in warned(text(5))
    assert warned(text(1.05)) == ""


def test_a_strict_plan_refuses_with_the_same_words_and_says_where() -> None:
    stages = (crop(10, 11), spotlight(**BASKET))
    with pytest.raises(rp.SpecError) as caught:
        planned(*stages, strict=True)
    for said in planned(*stages).warnings:
        assert said in str(caught.value)
    assert caught.value.path == ("clips", 0, "stages", 0, "keyframes")
    with pytest.raises(rp.SpecError) as caught:
        planned(spotlight(**BASKET), strict=True)
    assert caught.value.path == ("clips", 0, "stages", 0, "regions", 0)
    assert planned(crop(), strict=True).warnings == ()


SLOW = rp.Speed(segments=[rp.SpeedSegment(start=0, end=1, speed=0.5)])


@pytest.mark.parametrize("between", [(), (SLOW,), (rp.Overlay(), rp.Text())], ids=["nothing", "slow", "drawings"])
def test_a_spotlight_that_the_crop_cuts_away_is_warned_of(between: tuple[Stage, ...]) -> None:
    """The window ends at x = 208; the ellipse begins at 380, and no frame of the result shows any of it."""
    assert warned(spotlight(x=400), *between, crop()) == (
        f"clip 0 (a.mp4), stage 0 (overlay): region 0 lies outside the window of stage {len(between) + 1} (crop) in "
        "every frame, by 170 px or more: it is nearest at 0 s, about (400, 135) with radii of 20 and 40, and the "
        "window is 108x192 at (100, 20); if its coordinates were made on footage of another size, name that size "
        "with video_width and video_height"
    )
    with pytest.raises(rp.SpecError) as caught:
        planned(spotlight(x=400), *between, crop(), strict=True)
    assert caught.value.path == ("clips", 0, "stages", 0, "regions", 0)


def test_what_is_drawn_is_what_is_looked_for_in_the_window() -> None:
    """The ellipse ends at x = 229, 21 px beside the window, of which scaling takes 2; its ring reaches further."""
    body = spotlight(x=249)
    assert "by 19 px or more" in warned(body, crop())
    ring = body.replace(effect="original", stroke_width=200)
    assert warned(ring, crop()) == ""
    assert warned(body.replace(effect="original", fill=True), crop()).count("outside the window") == 1
    above = spotlight(x=150, y=-10)  # its feet at y = 20.8, where the window begins; 12 px high
    assert warned(above.replace(effect="original", fill=True), crop(y=40)) != ""
    assert warned(above.replace(effect="original", fill=True, shape="ground"), crop(y=28)) == ""


def test_a_spotlight_that_the_window_meets_once_is_left_alone() -> None:
    pan = rp.Crop(
        keyframes=[rp.CropKeyframe(time=t, x=x, y=20, width=108, height=192) for t, x in ((0, 0), (1, 300), (5, 0))]
    )
    assert warned(spotlight(x=400), pan) == ""
    assert "outside the window" in warned(spotlight(2, 5, x=400), pan)  # only while the window is gone again
    assert "outside the window" in warned(spotlight(0.9, 1.1, x=400), SLOW, pan)  # there at 1 s, shown at 2 s
    assert warned(spotlight(0.4, 0.6, x=400), SLOW, pan) == ""


def test_what_a_rotation_or_the_picture_itself_hides_is_not_looked_for_in_the_crop() -> None:
    assert warned(spotlight(x=400), rp.Rotate(degrees=90), crop()) == ""
    assert warned(spotlight(x=5000), crop()).count("outside") == 1
    assert "outside the window" in warned(spotlight(x=20), rp.Crop())  # the centred crop that no keyframe names


def test_a_strict_plan_names_a_few_of_many() -> None:
    many = rp.Overlay(regions=[region for n in range(200) for region in spotlight(10 + n, 11 + n).regions])
    with pytest.raises(rp.SpecError, match=r"region 7 is never shown: .*; and 192 more$") as caught:
        planned(many, strict=True)
    assert "region 8 " not in str(caught.value)
    assert len(planned(many).warnings) == 200


def test_a_stage_answers_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    from reelproc.stages.base import Mismatch

    seen: list[Sequence[float]] = []

    def mismatches(_: rp.Rotate, stream: StreamInfo, target: Target, times: Sequence[float]) -> tuple[Mismatch, ...]:
        seen.append(times)
        return (Mismatch(f"is upside down on {stream.width}x{stream.height}", ("degrees",)),)

    monkeypatch.setattr(rp.Rotate, "mismatches", mismatches)
    assert warned(rp.Rotate(degrees=180)) == "clip 0 (a.mp4), stage 0 (rotate): is upside down on 480x270"
    assert seen[0] == [n / 30 for n in range(150)]


@given(
    points=st.lists(st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT)), min_size=1, max_size=8),
    height=st.floats(16, HEIGHT + 4),
    interpolation=st.sampled_from(["linear", "catmull-rom"]),
    trimmed=st.floats(-4, 0),
)
def test_an_honest_reel_about_a_player_anywhere_in_the_picture_is_left_alone(
    points: list[tuple[float, float]], height: float, interpolation: Literal["linear", "catmull-rom"], trimmed: float
) -> None:
    """The player may be at the very edge, the app clamps nothing, and the clip was trimmed at both ends."""
    width = height * 9 / 16
    moments = [trimmed + 9 * n / max(len(points) - 1, 1) if n else min(trimmed, 0) for n in range(len(points))]
    if len(points) == 1:
        moments = [0.0]
    boxes = [
        rp.CropKeyframe(time=t, x=x - width / 2, y=y - height / 2, width=width, height=height)
        for t, (x, y) in zip(moments, points, strict=True)
    ]
    spots = [
        rp.HighlightKeyframe(time=t, x=x, y=y, radius_x=9, radius_y=15)
        for t, (x, y) in zip(moments, points, strict=True)
    ]
    region = rp.HighlightRegion(start_time=moments[0], end_time=max(moments[-1], 1), keyframes=spots)
    assert warned(rp.Overlay(regions=[region]), rp.Crop(keyframes=boxes, interpolation=interpolation)) == ""


SMALL = StreamInfo(32, 24, Fraction(1), "yuv444p")


@given(
    x=st.floats(-60, 90),
    y=st.floats(-60, 90),
    rx=st.floats(0.5, 40),
    ry=st.floats(0.5, 40),
    ring=st.sampled_from([0.0, 200.0]),
    effect=st.sampled_from(["brightness_boost", "original"]),
    shape=st.sampled_from(["body", "ground"]),
)
@example(x=-5.0, y=0.0, rx=5.0, ry=1.0, ring=0.0, effect="brightness_boost", shape="body")
def test_what_is_called_unseen_changes_no_pixel(
    x: float, y: float, rx: float, ry: float, ring: float, effect: str, shape: str
) -> None:
    keyframe = {"time": 0, "x": x, "y": y, "radius_x": rx, "radius_y": ry, "opacity": 1, "stroke_opacity": 1}
    overlay = rp.Overlay.model_validate(
        {
            "regions": [{"start_time": 0, "end_time": 1, "keyframes": [keyframe]}],
            "effect": effect,
            "shape": shape,
            "stroke_width": ring,
            "fade_out": 0,
        }
    )
    frame = Frame.empty(32, 24, "yuv444p")
    frame.data[:] = 90
    drawn = overlay.open(SMALL, Target())(frame.copy(), 0.0)
    if overlay.drawn_regions() and overlay.mismatches(SMALL, Target(), [0.0]):
        assert (drawn.data == 90).all()


@given(x=st.floats(-60, 90), y=st.floats(-60, 90), rx=st.floats(2, 40), ry=st.floats(2, 40))
def test_a_spotlight_that_changes_no_pixel_is_called_unseen_or_is_at_the_very_edge(
    x: float, y: float, rx: float, ry: float
) -> None:
    def unseen(grown: float) -> bool:
        overlay = spotlight(x=x, y=y, radius_x=rx + grown, radius_y=ry + grown)
        return "outside" in "".join(m.text for m in overlay.mismatches(SMALL, Target(), [0.0]))

    outside = Ellipse(x, y, rx, ry)
    columns, rows = np.arange(0.5, 32), np.arange(0.5, 24)
    if covered(signed_distance(outside, columns, rows), 1).max() == 0:
        assert unseen(-1)
    else:
        assert not unseen(1)
