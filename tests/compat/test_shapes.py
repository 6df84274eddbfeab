"""The app's data shapes: every form that it has stored means the same, and all else is refused where it stands."""

from __future__ import annotations

from typing import Any

import pytest

import reelproc as rp
from compat_documents import KEYFRAME, REGION, ROOT, framing, multi, overlay, reel_of, segmented
from reelproc import compat

# ---- trims and speeds


@pytest.mark.parametrize(
    "data",
    [
        {"trim_start": 3.0, "trim_end": 9.0},
        {"trimRange": {"start": 3, "end": 9}},
        {"trimRange": [3, 9]},
        {"trimRange": (3, 9), "segments": []},
        {"trim_start": 3, "trim_end": 9, "trimRange": {"start": 3, "end": 9}},
        {"boundaries": [0, 12], "userSplits": [], "trimRange": {"start": 3, "end": 9}, "segmentSpeeds": {}},
    ],
)
def test_every_form_of_a_trim_is_the_clips_span(data: Any) -> None:
    assert segmented(data) == (3.0, 9.0, [])


@pytest.mark.parametrize("data", [None, {}, {"trimRange": None}, {"trim_start": None, "trim_end": None}])
def test_no_trim_is_the_whole_clip(data: Any) -> None:
    assert segmented(data) == (0.0, None, [])


@pytest.mark.parametrize(
    "data",
    [
        {"segments": [{"start": 2, "end": 4, "speed": 0.5}]},
        {"segments": [{"start": 0, "end": 2, "speed": 1.0}, {"start": 2, "end": 4, "speed": 0.5}]},
        {"boundaries": [0, 2, 4, 10], "segmentSpeeds": {"1": 0.5}},
        {"boundaries": [2, 4], "segmentSpeeds": {"1": 0.5}},
        {"boundaries": [], "userSplits": [2, 4], "segmentSpeeds": {"1": 0.5, "0": 1}},
        {"boundaries": [0, 2, 4, 10], "segmentSpeeds": {1: 0.5}},
    ],
)
def test_every_form_of_a_speed_is_the_same_speed(data: Any) -> None:
    assert segmented(data) == (0.0, None, [(2.0, 4.0, 0.5)])


def test_the_editors_last_interval_may_lie_behind_the_last_boundary() -> None:
    (speed,) = segmented({"boundaries": [2, 4], "segmentSpeeds": {"2": 0.25}})[2]
    assert (speed[0], speed[2]) == (4.0, 0.25)
    assert speed[1] > 100_000, "to the end of the clip, wherever that is"
    known = multi([{"segment_data": {"boundaries": [2, 4], "segmentSpeeds": {"2": 0.25}}, "duration": 10.0}])
    (stage,) = [s for s in known.clips[0].stages if isinstance(s, rp.Speed)]
    assert [(s.start, s.end, s.speed) for s in stage.segments] == [(4.0, 10.0, 0.25)]


def test_speeds_and_keyframes_lose_the_trim_once() -> None:
    data = {"trimRange": [0.3, 3.3], "segments": [{"start": 0.1, "end": 1.3, "speed": 0.5}]}
    (clip,) = framing(segment_data=data, keyframes=[KEYFRAME, KEYFRAME | {"time": 3.3}]).clips
    assert (clip.start, clip.end) == (0.3, 3.3)
    crop, speed = clip.stages[:2]
    assert isinstance(crop, rp.Crop)
    assert [k.time for k in crop.keyframes] == [0.7, 3.0]
    assert isinstance(speed, rp.Speed)
    assert [(s.start, s.end) for s in speed.segments] == [(0.0, 1.0)]


def test_speeds_outside_the_trim_are_gone_with_what_they_changed() -> None:
    data = {
        "trimRange": [4, 8],
        "segments": [{"start": 0, "end": 2, "speed": 0.5}, {"start": 9, "end": 10, "speed": 2}],
    }
    assert segmented(data) == (4.0, 8.0, [])


def test_a_clip_of_a_game_counts_its_times_from_its_own_start() -> None:
    clip = {
        "clipIndex": 0, "source_start_time": 100.5, "source_end_time": 110.5, "keyframes": [KEYFRAME],
        "segment_data": {"trim_start": 1.0, "trim_end": 20.0},
    }  # fmt: skip
    (made,) = multi([clip]).clips
    assert (made.start, made.end) == (101.5, 110.5)
    (crop,) = [s for s in made.stages if isinstance(s, rp.Crop)]
    assert crop.keyframes[0].time == 0.0


# ---- crops


def test_keyframes_by_frame_are_keyframes_by_time() -> None:
    by_time = framing(keyframes=[KEYFRAME, KEYFRAME | {"time": 6.0, "x": 50}])
    frames = [
        {"frame": 180, "x": 50, "y": 20, "width": 90, "height": 160, "origin": "trim"},
        {"frame": 30, "x": 10, "y": 20, "width": 90, "height": 160, "origin": "permanent"},
    ]
    assert framing(keyframes=frames) == by_time
    assert framing(keyframes=[frames[1] | {"time": 1.0}, frames[0]]) == by_time, "both, if they agree"


def test_framing_crops_then_changes_speed_then_scales_and_turns_first() -> None:
    data = {"segments": [{"start": 0, "end": 1, "speed": 2}]}
    (clip,) = framing(rotation=2.5, segment_data=data, interpolation="catmull-rom").clips
    assert [s.stage for s in clip.stages] == ["rotate", "crop", "speed", "upscale"]
    assert clip.stages[0] == rp.Rotate(degrees=2.5)
    assert clip.stages[1] == rp.Crop(interpolation="catmull-rom")


def test_framing_has_the_apps_defaults() -> None:
    call = compat.process_framing_ai.translate("j", "u", "in.mp4", "out.mp4", [], root=ROOT)
    reel = reel_of(call)
    assert (reel.output.width, reel.output.height, reel.output.fps, reel.output.audio) == (810, 1440, 30, True)
    assert reel.clips[0].stages == (rp.Crop(), rp.Upscale(model="realesr-general-x4v3"))
    assert reel.clips[0].source == "s3://media/u/in.mp4"


def test_variants_are_the_same_function_with_another_executor_or_encoder() -> None:
    arguments = ("j", "u", "in.mp4", "out.mp4", [KEYFRAME])
    plain = compat.process_framing_ai.translate(*arguments, root=ROOT)
    assert compat.process_framing_ai_l4.translate(*arguments, root=ROOT).job == plain.job
    assert (compat.process_framing_ai.preset, compat.process_framing_ai_l4.preset) == ("modal-t4", "modal-l4")
    nvenc = reel_of(compat.process_framing_ai_nvenc.translate(*arguments, root=ROOT))
    assert nvenc.output.encoder == "h264_nvenc"
    assert nvenc.clips == reel_of(plain).clips
    assert compat.render_overlay_cpu.preset == "modal-cpu"
    parallel = compat.render_overlay_parallel.translate("j", "u", "in.mp4", "out.mp4", [REGION], root=ROOT)
    assert isinstance(parallel.job, rp.RenderJob)
    assert parallel.job.chunks == 4


# ---- clips


def test_both_forms_of_a_clip_are_the_same_clip() -> None:
    first = {"cropKeyframes": [KEYFRAME], "segmentsData": {"trimRange": [1, 2]}, "clipIndex": 0}
    second = {
        "keyframes": [KEYFRAME], "segment_data": {"trim_start": 1, "trim_end": 2}, "clipIndex": 0, "duration": 5.0,
        "clipName": "Goal", "rotation": 0,
    }  # fmt: skip
    assert multi([first]) == multi([second])


def test_the_clip_index_is_the_place_in_the_reel_and_the_number_of_the_source() -> None:
    reel = multi([{"clipIndex": 1, "keyframes": [KEYFRAME]}, {"clipIndex": 0, "keyframes": []}])
    assert [clip.source for clip in reel.clips] == ["s3://media/u/0.mp4", "s3://media/u/1.mp4"]
    assert [bool(clip.stages[0].keyframes) for clip in reel.clips if isinstance(clip.stages[0], rp.Crop)] == [
        False,
        True,
    ]


@pytest.mark.parametrize("kind", ["cut", "fade", "dissolve"])
def test_the_transition_is_the_reels(kind: str) -> None:
    assert multi([{}], transition={"type": kind, "duration": 0.25}).concat.transition == kind
    assert multi([{}], transition={"type": kind}).concat.duration == 0.5
    assert multi([{}], transition=None).concat.transition == "cut"


def test_a_compilation_shows_each_clip_under_its_banner() -> None:
    clips = [
        {
            "start_time": 3,
            "end_time": 9,
            "name": "",
            "notes": None,
            "rating": 4,
            "tags": ["Pass", "Dribble", "Control"],
        },
        {"start_time": 59, "end_time": 63.5, "name": "Solo", "notes": "far post", "rating": 5, "tags": "Pass, Goal"},
    ]
    call = compat.create_annotated_compilation.translate("j", "u", "g.mp4", "o.mp4", clips, "gallery/o.mp4", root=ROOT)
    reel = reel_of(call)
    assert [(c.start, c.end) for c in reel.clips] == [(3.0, 9.0), (59.0, 63.5)]
    banners = [stage for clip in reel.clips for stage in clip.stages if isinstance(stage, rp.Banner)]
    assert [banner.title for banner in banners] == ["!  Good Pass and Dribble", "!!  Solo"]
    assert banners[1].tags == ("Pass", "Goal")
    assert (reel.output.width, reel.output.height) == (None, None)
    assert isinstance(call.job, rp.RenderJob)
    assert call.job.copies == ("s3://media/u/gallery/o.mp4",)


def test_half_an_emoji_as_javascript_cuts_it_is_drawn_as_unknown() -> None:
    clip = {"start_time": 3, "end_time": 9, "name": "Tor! \ud83d", "notes": "\ud83d\ude00", "rating": 4, "tags": []}
    reel = reel_of(compat.create_annotated_compilation.translate("j", "u", "g.mp4", "o.mp4", [clip], root=ROOT))
    (banner,) = (stage for stage in reel.clips[0].stages if isinstance(stage, rp.Banner))
    assert (banner.name, banner.notes) == ("Tor! \ufffd", "😀")


# ---- overlays


@pytest.mark.parametrize(
    "region",
    [
        REGION,
        {"startTime": 1, "endTime": 4, "keyframes": REGION["keyframes"], "enabled": True},
        {"start_time": 1, "endTime": 4.0, "keyframes": [{"frame": 30, "x": 9, "y": 8, "radius_x": 7, "radius_y": 6}]},
        REGION | {"opened": True, "keyframes": [{"time": 1, "x": 9, "y": 8, "radiusX": 7, "radiusY": 6, "who": "9"}]},
    ],
)
def test_every_form_of_a_region_is_the_same_region(region: Any) -> None:
    assert overlay([region]) == overlay([REGION])
    assert overlay([REGION]) == rp.Overlay(
        regions=[
            rp.HighlightRegion(
                start_time=1,
                end_time=4,
                keyframes=[rp.HighlightKeyframe(time=1, x=9, y=8, radius_x=7, radius_y=6, opacity=0.15)],
            )
        ]
    )


def test_the_first_versions_keyframes_dim_and_the_later_ones_draw_a_ring_too() -> None:
    first = overlay([REGION])
    assert first is not None
    assert (first.dim_strength, first.stroke_width, first.fill) == (None, 0.0, False)
    later = overlay([REGION | {"keyframes": [REGION["keyframes"][0] | {"strokeOpacity": 0.85, "color": "ff0000"}]}])  # type: ignore[index]
    assert later is not None
    assert (later.dim_strength, later.stroke_width, later.fill) == (0.15, 2.0, True)
    assert later.regions[0].keyframes[0].color == "#ff0000"


def test_settings_are_the_overlays() -> None:
    settings = {
        "highlight_shape": "ground", "stroke_width": 4, "fill_enabled": False, "fill_opacity": 0.1, "color": "#22c55e",
        "dim_strength": 0.3,
    }  # fmt: skip
    made = overlay([REGION], overlay_settings=settings, effect_type="original")
    assert made is not None
    assert (made.shape, made.stroke_width, made.fill, made.fill_opacity) == ("ground", 4.0, False, 0.1)
    assert (made.dim_strength, made.color, made.effect) == (0.3, "#22c55e", "original")


def test_keyframes_of_another_size_are_scaled_by_the_stage() -> None:
    made = overlay([REGION | {"videoWidth": 1080, "videoHeight": 1920}])
    assert made is not None
    assert (made.regions[0].video_width, made.regions[0].video_height) == (1080, 1920)


def test_a_disabled_region_may_be_empty_and_stays_disabled() -> None:
    assert overlay([REGION | {"enabled": False, "keyframes": []}]) is None
    made = overlay([REGION | {"enabled": False}])
    assert made is not None
    assert made.drawn_regions() == ()


def test_text_layers_are_texts() -> None:
    layers = [
        {
            "id": 7, "startTime": 0.5, "endTime": 2,
            "elements": [{"id": "a", "enabled": True, "spec": {
                "text": "GOAL", "size": 0.08, "position": {"x": 0.5, "y": 0.9}, "maxWidth": 0.8, "align": "left",
                "color": "#fff", "shadow": {"offsetX": 0.1, "blur": 0.2},
                "stroke": {"width": 0.1, "color": "#000000"}}}],
        }
    ]  # fmt: skip
    call = compat.render_overlay.translate("j", "u", "a.mp4", "b.mp4", [], text_layers=layers, root=ROOT)
    (text,) = reel_of(call).clips[0].stages
    assert isinstance(text, rp.Text)
    assert text == rp.Text(
        regions=[
            rp.TextRegion(
                id="7", start_time=0.5, end_time=2,
                elements=[rp.TextElement(id="a", spec=rp.TextSpec(
                    text="GOAL", size=0.08, position=rp.TextPosition(x=0.5, y=0.9), max_width=0.8, align="left",
                    shadow=rp.TextShadow(offset_x=0.1, blur=0.2), stroke=rp.TextStroke(width=0.1)))],
            )
        ]
    )  # fmt: skip
