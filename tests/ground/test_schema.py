"""Data: wrong input is a SpecError that names the field, JSON goes both ways, nothing can be changed."""

from __future__ import annotations

import inspect
import json
import pydoc
from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelproc as rp
from reelproc.jobs import job_from_json
from reelproc.timing import Time


def test_a_wrong_field_deep_inside_is_named_with_its_path() -> None:
    with pytest.raises(rp.SpecError) as caught:
        rp.Reel.model_validate({"clips": [{"source": "a", "stages": [{"stage": "crop", "keyframes": [{"time": 0}]}]}]})
    assert "clips[0].stages[0].keyframes[0].x is missing" in str(caught.value)
    assert caught.value.path == ("clips", 0, "stages", 0, "keyframes", 0, "x")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: rp.Clip(source="a", start=5, end=5), "ends after it starts"),
        (lambda: rp.Clip(source=""), "source"),
        (lambda: rp.Clip(source="caf\udce9.mp4"), "not UTF-8"),
        (lambda: rp.Banner(rating=3, tags=["a", "\ud83d"]), r"tags\[1\]: text holds half of a character"),
        (lambda: rp.TextSpec(text="Tor! \ud83d"), "text: text holds half of a character"),
        (lambda: rp.Output(width=811), "multiple of 2"),
        (lambda: rp.Output(width=None), "together"),
        (lambda: rp.Output(fps=0), "greater than 0"),
        (lambda: rp.Output(fps="fast"), "fraction"),
        (lambda: rp.Output(fps="1e40000000"), "fraction"),
        (lambda: rp.Reel(clips=[]), "at least 1"),
        (lambda: rp.Speed(segments=[rp.SpeedSegment(start=n, end=n + 2, speed=2) for n in (0, 1)]),
         "overlap"),
        (lambda: rp.SpeedSegment(start=0, end=1, speed=0.05), "0.1"),
        (lambda: rp.Reel(clips=[rp.Clip(source="a")] * 2, output=rp.Output(fps=None)), "name a frame rate"),
        (lambda: rp.Clip.model_validate({"source": "a", "strat": 1}), "strat"),
        (lambda: rp.Clip(source="a", start=float("nan")), "finite"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_a_reason(build, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(rp.SpecError, match=message):
        build()


def test_models_are_frozen() -> None:
    clip = rp.Clip(source="a")
    with pytest.raises(ValueError, match="frozen"):
        clip.start = 3.0


def test_the_json_of_a_reel_has_the_documented_shape() -> None:
    reel = rp.Reel(
        clips=[rp.Clip(source="game.mp4", start=3, end=9, stages=[rp.Crop(), rp.Upscale(model="lanczos")])],
        concat=rp.Concat(transition="dissolve"),
    )
    data = json.loads(reel.model_dump_json())
    assert data["version"] == 1
    assert data["clips"][0]["source"] == "game.mp4"
    assert [s["stage"] for s in data["clips"][0]["stages"]] == ["crop", "upscale"]
    assert data["concat"] == {"transition": "dissolve", "duration": 0.5}
    assert data["output"]["fps"] == 30
    assert rp.Output(fps=np.float64(29.97)).fps == Fraction("29.97")


@given(
    start=st.floats(0, 1e4),
    length=st.floats(0.001, 100),
    fps=st.sampled_from([24, "30000/1001", 29.97, 60]),
    speed=st.floats(0.1, 10),
)
def test_a_reel_survives_json_unchanged(start: float, length: float, fps: float | str, speed: float) -> None:
    if start + length == start:
        return
    reel = rp.Reel(
        clips=[
            rp.Clip(source="a.mp4", start=start, end=start + length,
                    stages=[rp.Speed(segments=[rp.SpeedSegment(start=0, end=1, speed=speed)]), rp.Rotate(degrees=-3.5)])
        ],
        output=rp.Output(fps=fps),  # type: ignore[arg-type]
    )  # fmt: skip
    assert rp.Reel.model_validate_json(reel.model_dump_json()) == reel


@pytest.mark.parametrize(
    "three_and_a_half", [3.5, "3.5", "0:03.5", "0:00:03.5", timedelta(seconds=3.5), Fraction(7, 2)]
)
def test_every_model_takes_times_in_all_forms_and_writes_them_as_seconds(three_and_a_half: Time) -> None:
    at = three_and_a_half
    models = [
        rp.Clip(source="a", start=at, end="0:09"),
        rp.ExtractJob(source="a", output="b", start=at),
        rp.DetectJob(source="a", times=[at, 4]),
        rp.CropKeyframe(time=at, x=0, y=0, width=2, height=2),
        rp.HighlightKeyframe(time=at, x=0, y=0, radius_x=1, radius_y=1),
        rp.HighlightRegion(
            start_time=at, end_time="0:04", keyframes=[rp.HighlightKeyframe(time=0, x=0, y=0, radius_x=1, radius_y=1)]
        ),
        rp.TextRegion(start_time=0, end_time=at),
        rp.Banner(rating=1, start_time=at),
        rp.SpeedSegment(start=at, end="0:04", speed=2),
        rp.Concat(duration=at),
    ]
    for model in models:
        text = model.model_dump_json()
        assert "3.5" in text
        assert '"3.5"' not in text
        assert "0:0" not in text
        assert type(model).model_validate_json(text) == model


def test_times_in_json_may_be_written_as_on_a_clock() -> None:
    clip = rp.Clip.model_validate_json('{"source": "a", "start": "1:02:03.04", "end": "1:02:05"}')
    assert clip.model_dump_json() == '{"source":"a","start":3723.04,"end":3725.0,"stages":[]}'
    start = rp.Clip.model_json_schema()["properties"]["start"]
    assert start["anyOf"] == [{"type": "number", "minimum": 0}, {"type": "string"}]
    assert "ge" not in start


def test_what_is_no_time_is_named_with_its_field() -> None:
    with pytest.raises(rp.SpecError, match=r"^Clip is not valid: start: a time is seconds, .* \(got '0:3'\)$"):
        rp.Clip(source="a", start="0:3")
    with pytest.raises(rp.SpecError, match="greater than or equal to 0"):
        rp.Clip(source="a", start="-0:03")


STAGES = "banner, crop, overlay, rotate, speed, text, upscale"
A_REEL = {"clips": [{"source": "a.mp4"}]}


def with_stage(stage: object) -> dict[str, object]:
    return {"clips": [{"source": "a.mp4", "stages": [stage]}]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"clips": [{"sorce": 1}]}, "clips[0].sorce: there is no such field (got 1); did you mean 'source'?"),
        ({"clips": [{}]}, "clips[0].source is missing"),
        ({**A_REEL, "xyz": 1}, "xyz: there is no such field (got 1); there are: version, clips, concat, output"),
        (with_stage({"type": "crop"}),
         (f"clips[0].stages[0]: 'stage' is missing, which says what it is: one of {STAGES}"
          '; did you mean "stage": "crop" instead of "type"?')),
        (with_stage({"stage": "corp"}),
         f"clips[0].stages[0]: no stage is called 'corp'; there are: {STAGES}; did you mean 'crop'?"),
        (with_stage({"stage": "crop", "keyframe": []}),
         "clips[0].stages[0].keyframe: there is no such field (got []); did you mean 'keyframes'?"),
        (with_stage("crop"), "clips[0].stages[0]: expected an object (got 'crop')"),
        (with_stage({"stage": "overlay", "effect": "dark_overly"}),
         ("clips[0].stages[0].effect: expected 'dark_overlay', 'brightness_boost' or 'original' (got 'dark_overly')"
          "; did you mean 'dark_overlay'?")),
        (with_stage({"stage": "overlay", "color": "red"}),
         'clips[0].stages[0].color: expected a colour like "#ff8800" (got \'red\')'),
        ({**A_REEL, "concat": {"transition": "disolve"}},
         "concat.transition: expected 'cut', 'fade' or 'dissolve' (got 'disolve'); did you mean 'dissolve'?"),
        ({**A_REEL, "output": {"width": "wide"}}, "output.width: expected a whole number (got 'wide')"),
        ({**A_REEL, "output": {"crf": 99}}, "output.crf: expected a value less than or equal to 63 (got 99)"),
        ({**A_REEL, "output": {"audio": "loud"}}, "output.audio: expected true or false (got 'loud')"),
        ({"clips": []}, "clips: expected at least 1 item (got [])"),
        ({"clips": [{"source": ""}]}, "clips[0].source: expected some text (got '')"),
        ([1], "expected an object (got [1])"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_plain_words(data: object, said: str) -> None:
    with pytest.raises(rp.SpecError) as caught:
        rp.Reel.model_validate(data)
    assert str(caught.value) == f"Reel is not valid: {said}"


def test_one_stage_is_to_be_put_into_a_list() -> None:
    with pytest.raises(rp.SpecError, match=r"stages: expected a list \(got Crop\(\)\); put it in one: \[Crop\(\)\]$"):
        rp.Clip(source="a", stages=rp.Crop())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "clips:\n  - source: s.mp4",
            r"it is not valid JSON \(line 1, column 1\), which begins with a brace \(got 'clips:",
        ),
        ('{"clips": [ // all\n]}', r"it is not valid JSON \(line 1, column 13\); JSON has no comments, remove them"),
        ('# mine\n{"clips": []}', r"\(line 1, column 1\); JSON has no comments"),
        ('{\n "clips": [],\n}', r"\(line 3, column 1: trailing comma\); remove the comma before the closing bracket"),
        ("{'clips': []}", r"JSON wants double quotes"),
        ("", "it is empty, expected JSON"),
        ('{"clips": ', r"\(line 1, column 10: EOF while parsing a value\)"),
    ],
)
def test_what_is_no_json_is_said_with_its_line_and_a_remedy(text: str, said: str) -> None:
    with pytest.raises(rp.SpecError, match=said):
        rp.Reel.model_validate_json(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (('{"job": "chunk", "render": {"job": "render", "reel": {"clips": [{"source": "a"}], "output": {"width": 811}}'
          ', "output": "b"}, "segments": [1], "output": "c"}'),
         "ChunkJob is not valid: render.reel.output.width: expected a multiple of 2 (got 811)"),
        ('{"job": "render", "output": "c"}', "RenderJob is not valid: reel is missing"),
        ('{"job": "rendr"}',
         ("the job is not valid: no job is called 'rendr'; there are: chunk, counted, detect, extract, original, render"
          "; did you mean 'render'?")),
        ('{"reel": 1}',
         ("the job is not valid: 'job' is missing, which says what it is: one of chunk, counted, detect, extract, "
          "original, render (got {'reel': 1})")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_job_names_its_kind(text: str, said: str) -> None:
    with pytest.raises(rp.SpecError) as caught:
        job_from_json(text)
    assert str(caught.value) == said


def test_a_changed_copy_is_checked_as_a_new_one_is() -> None:
    reel = rp.Reel(clips=[rp.Clip(source="a", start=1, stages=[rp.Crop()])])
    small = reel.replace(output=reel.output.replace(width=540, height=960))
    assert (small.output.width, small.output.fps, small.clips) == (540, 30, reel.clips)
    assert reel.output.width == 810
    assert reel.clips[0].replace(end="0:03").end == 3
    assert reel.clips[0].replace() == reel.clips[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"width": "abc", "fps": -3}, r"width: expected a whole number .*; fps: expected a value greater than 0"),
        ({"widht": 5}, r"widht: there is no such field \(got 5\); did you mean 'width'\?"),
        ({"width": None}, r"together"),
    ],
)
def test_a_changed_copy_of_nonsense_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(rp.SpecError, match=said):
        rp.Output().replace(**changes)
    with pytest.raises(rp.SpecError, match=said):
        rp.Output().model_copy(update=changes)


def test_a_copy_remembers_what_was_said() -> None:
    clip = rp.Clip(source="a", end=3).replace(start=1)
    assert clip.model_fields_set == {"source", "start", "end"}
    assert clip.model_copy(deep=True) == clip


def test_setting_a_field_says_how_to_change_a_copy() -> None:
    clip = rp.Clip(source="a")
    with pytest.raises(rp.SpecError, match=r"a Clip is frozen, .* make a changed copy: clip\.replace\(start=\.\.\.\)"):
        clip.start = 3.0
    with pytest.raises(rp.SpecError, match="frozen"):
        del clip.start


def test_help_and_completion_show_what_is_ours() -> None:
    assert str(inspect.signature(rp.CropKeyframe)) == (
        "(*, time: float, x: float, y: float, width: float, height: float)"
    )
    assert "keyframes: Sequence[CropKeyframe] = (), interpolation: Literal['linear', 'catmull-rom']" in str(
        inspect.signature(rp.Crop)
    )
    shown = pydoc.render_doc(rp.Crop)
    assert "Annotated" not in shown
    assert "<function" not in shown
    assert len(shown.splitlines()) < 150
    for names in (dir(rp.Clip), dir(rp.Clip(source="a"))):
        assert {"source", "stages", "replace", "model_dump_json", "model_validate"} <= {*names, "source", "stages"}
        assert not {"dict", "json", "parse_obj", "copy", "construct", "schema"} & set(names)
    assert "source" in dir(rp.Clip(source="a"))


def test_the_repr_of_a_model_says_what_is_not_a_default_and_counts_the_rest() -> None:
    keyframes = [rp.CropKeyframe(time=t, x=0, y=0, width=9, height=16) for t in range(500)]
    shown = repr(rp.Reel(clips=[rp.Clip(source="a", stages=[rp.Crop(keyframes=keyframes)])]))
    assert len(shown) < 300
    assert "... 498 more" in shown
    assert repr(rp.Clip(source="a", end=3)) == "Clip(source='a', end=3.0)"
    assert eval(repr(rp.Clip(source="a", end=3)), vars(rp)) == rp.Clip(source="a", end=3)
