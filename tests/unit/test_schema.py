"""Data: wrong input is a SpecError that names the field, JSON goes both ways, nothing can be changed."""

from __future__ import annotations

import json
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelproc as rp
from reelproc.timing import Time


def test_a_wrong_field_deep_inside_is_named_with_its_path() -> None:
    with pytest.raises(rp.SpecError) as caught:
        rp.Reel.model_validate({"clips": [{"source": "a", "stages": [{"stage": "crop", "keyframes": [{"time": 0}]}]}]})
    assert "clips[0].stages[0].keyframes[0].x: Field required" in str(caught.value)
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
