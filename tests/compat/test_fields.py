"""What does not fit the app's shapes is refused: the path of the field, what was got, what was expected."""

from __future__ import annotations

import math
from typing import Any

import pytest

import reelproc as rp
from compat_documents import KEYFRAME, REGION, ROOT, framing, multi, overlay
from reelproc import compat
from reelproc.compat.fields import dotted

SPOT = REGION["keyframes"][0]


def crop(**changes: Any) -> rp.Reel:
    return framing(keyframes=[KEYFRAME | changes])


def cut(**segment_data: Any) -> rp.Reel:
    return framing(segment_data=segment_data)


def region(**changes: Any) -> rp.Overlay | None:
    return overlay([REGION | changes])


def settings(**changes: Any) -> rp.Overlay | None:
    return overlay([REGION], overlay_settings=changes)


SLOW = {"start": 0, "end": 2, "speed": 0.5}


@pytest.mark.parametrize(
    ("make", "path", "said"),
    [
        (lambda: crop(height=None), "keyframes[0].height", "got None, expected a finite number above 0"),
        (lambda: framing(keyframes=[KEYFRAME, {"time": 2}]), "keyframes[1].x", "got nothing, expected a finite number"),
        (lambda: crop(x="left"), "keyframes[0].x", "got 'left', expected a finite number"),
        (lambda: crop(x=math.nan), "keyframes[0].x", "got nan"),
        (lambda: crop(x=True), "keyframes[0].x", "got True"),
        (lambda: crop(frame=90), "keyframes[0].time", "got 1, expected frame / fps = 3 s"),
        (lambda: crop(widht=3), "keyframes[0].widht", "did you mean width?"),
        (lambda: crop(origin="auto"), "keyframes[0].origin", "expected 'permanent' or 'user' or 'trim'"),
        (lambda: framing(keyframes=[KEYFRAME, KEYFRAME | {"x": 99}]), "keyframes[1]", "another time than"),
        (lambda: framing(keyframes={"time": 1}), "keyframes", "expected a list"),
        (lambda: framing(keyframes=["first"]), "keyframes[0]", "got 'first', expected an object with time"),
        (lambda: framing(output_width=811), "output_width", "got 811, expected an even number"),
        (lambda: framing(fps=0), "fps", "got 0, expected a finite number above 0"),
        (lambda: framing(interpolation="spline"), "interpolation", "expected 'linear' or 'catmull-rom'"),
        (lambda: framing(rotation="left"), "rotation", "got 'left'"),
        (lambda: framing(include_audio="no"), "include_audio", "got 'no', expected true or false"),
        (lambda: framing(segment_data=[1, 2]), "segment_data", "got [1, 2], expected an object"),
        (lambda: cut(trimRange=[1]), "segment_data.trimRange", "got [1], expected [start, end]"),
        (lambda: cut(trimRange=[5, 2]), "segment_data.trimRange[1]", "got 2, expected a finite number above 5"),
        (lambda: cut(trimRange=3), "segment_data.trimRange", "got 3, expected an object with start, end"),
        (lambda: cut(trim_start=-1), "segment_data.trim_start", "got -1, expected a finite number at least 0"),
        (lambda: cut(trim_start=1, trimRange=[2, 3]), "segment_data.trimRange", "the same trim as trim_start"),
        (lambda: cut(segments=[SLOW | {"speed": 0}]), "segment_data.segments[0].speed", "at least 0.1 and at most 10"),
        (lambda: cut(segments=[SLOW, SLOW | {"start": 1}]), "segment_data.segments[1]", "no overlap with the segment"),
        (lambda: cut(segments=[SLOW], segmentSpeeds={"0": 2}), "segment_data.segmentSpeeds", "no speeds beside"),
        (lambda: cut(segmentSpeeds=[2]), "segment_data.segmentSpeeds", "got [2], expected an object"),
        (lambda: cut(boundaries=[0, 3], segmentSpeeds={"4": 2}), "segment_data.segmentSpeeds.4", "the number of an"),
        (lambda: cut(boundaries=[0, 3], segmentSpeeds={"a": 2}), "segment_data.segmentSpeeds.a", "the number of an"),
        (lambda: cut(boundaries=[3, 1]), "segment_data.boundaries[1]", "got 1, expected a number above 3"),
        (lambda: multi([{}, {"segmentsData": {"trimRange": ["a", 2]}}]), "clips_data[1].segmentsData.trimRange[0]",
         "got 'a', expected a finite number at least 0"),
        (lambda: multi([{"clipIndex": 0}, {"clipIndex": 0}]), "clips_data[1].clipIndex", "expected another index"),
        (lambda: multi([{"clipIndex": 2}]), "clips_data[0].clipIndex", "expected a whole number from 0 to 0"),
        (lambda: multi([{}], source_keys=["a.mp4", "b.mp4"]), "clips_data", "one clip for each of the 2 source_keys"),
        (lambda: multi([], source_keys=[]), "clips_data", "got [], expected a list with at least one clip"),
        (lambda: multi([{"duration": 3, "segment_data": {"trim_start": 4}}]), "clips_data[0].segment_data",
         "a trim that starts within the clip's 3 s"),
        (lambda: multi([{"keyframes": [], "cropKeyframes": [KEYFRAME]}]), "clips_data[0].cropKeyframes",
         "the same as keyframes"),
        (lambda: multi([{"source_start_time": 9, "source_end_time": 3}]), "clips_data[0].source_end_time", "above 9"),
        (lambda: multi([{}], transition={"type": "wipe"}), "transition.type", "got 'wipe', expected 'cut' or 'fade'"),
        (lambda: multi([{}], transition={"duration": -1}), "transition.duration", "at least 0"),
        (lambda: multi([{}], source_keys=["../a.mp4"]), "source_keys[0]", "got '../a.mp4', expected a key"),
        (lambda: multi([{}], target_width=0), "target_width", "got 0, expected a whole number from 2"),
        (lambda: region(end_time=None), "highlight_regions[0].end_time", "got None, expected a finite number"),
        (lambda: overlay([{"start_time": 1, "keyframes": []}]), "highlight_regions[0].end_time", "got nothing"),
        (lambda: region(keyframes=[]), "highlight_regions[0].keyframes", "expected at least one keyframe"),
        (lambda: region(keyframes=[SPOT, SPOT]), "highlight_regions[0].keyframes[1]", "another time than"),
        (lambda: region(end_time=0), "highlight_regions[0].end_time", "got 0, expected at least 1, the region's start"),
        (lambda: region(end_time=10**400), "highlight_regions[0].end_time", "expected a finite number"),
        (lambda: region(videoWidth=10**400, videoHeight=2), "highlight_regions[0].videoWidth", "expected a whole"),
        (lambda: region(id=10**5000), "highlight_regions[0].id", "a int too long to write, expected a short"),
        (lambda: overlay([REGION | {"keyframes": [SPOT | {"time": None, "frame": 1e308}]}], keyframe_fps=1e-300),
         "highlight_regions[0].keyframes[0].frame", "got 1e+308, expected a frame at 1e-300 frames per second that"),
        (lambda: region(startTime=2), "highlight_regions[0].startTime", "got 2, expected the same as start_time (1)"),
        (lambda: region(videoWidth=100), "highlight_regions[0].video_height", "videoWidth and videoHeight together"),
        (lambda: region(enabled="yes"), "highlight_regions[0].enabled", "got 'yes', expected true or false"),
        (lambda: region(keyframes=[SPOT | {"opacity": 2}]), "highlight_regions[0].keyframes[0].opacity", "at most 1"),
        (lambda: region(keyframes=[SPOT | {"radiusX": 0}]), "highlight_regions[0].keyframes[0].radiusX", "above 0"),
        (lambda: overlay([REGION], effect_type="sepia"), "effect_type", "got 'sepia'"),
        (lambda: overlay("all"), "highlight_regions", "got 'all', expected a list"),
        (lambda: settings(color="red"), "overlay_settings.color", "got 'red', expected a colour like '#22c55e'"),
        (lambda: settings(shape="body"), "overlay_settings.shape", "did you mean highlight_shape?"),
        (lambda: overlay([], text_layers=[{"startTime": 0, "endTime": 1, "elements": [{"spec": {}}]}]),
         "text_layers[0].elements[0].spec.text", "got nothing, expected a string"),
        (lambda: overlay([], text_layers=[{"startTime": 2, "endTime": 1, "elements": []}]), "text_layers[0].endTime",
         "swap them"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_path(make: Any, path: str, said: str) -> None:
    with pytest.raises(rp.SpecError) as caught:
        make()
    assert str(caught.value).startswith(f"{path}: got ")
    assert said in str(caught.value)
    assert dotted(caught.value.path) == path


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"rating": 6}, "clips[0].rating"),
        ({"rating": None}, "clips[0].rating"),
        ({"end_time": 3}, "clips[0].end_time"),
        ({"tags": [1]}, "clips[0].tags[0]"),
        ({"name": 5}, "clips[0].name"),
    ],
)
def test_a_compilations_clip_is_refused_with_its_path(changes: Any, path: str) -> None:
    clip = {"start_time": 3, "end_time": 9, "name": "", "notes": "", "rating": 4, "tags": []} | changes
    with pytest.raises(rp.SpecError) as caught:
        compat.create_annotated_compilation.translate("j", "u", "g.mp4", "o.mp4", [clip], root=ROOT)
    assert str(caught.value).startswith(f"{path}: got ")


def test_an_argument_that_is_not_known_is_refused_as_python_does() -> None:
    with pytest.raises(TypeError, match="unexpected arguments: dim"):
        compat.render_overlay.translate("j", "u", "a.mp4", "b.mp4", [], dim=1)  # type: ignore[call-arg]
