"""Floats beside exact fractions in JSON: for readers without fractions, and never read back."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

import reelproc as rp
from reelproc.executors.outcome import outcome_from_data, outcome_to_data

RESULT = rp.RenderResult(output="a.mp4", frame_count=60, duration_seconds=2.002, fps="30000/1001", width=90, height=160)
VIDEO = rp.VideoStream(
    index=0, codec="h264", pix_fmt="yuv420p", coded_width=64, coded_height=48, width=64, height=48,
    time_base=Fraction(1, 90000), average_rate=Fraction(30000, 1001), sample_aspect_ratio=Fraction(4, 3),
)  # fmt: skip
INFO = rp.MediaInfo(
    path="a.mp4", format_name="mp4", size_bytes=1, duration=Fraction(501, 500), video=VIDEO,
    audio=rp.AudioStream(index=1, codec="aac", sample_rate=48000, channels=2, layout="stereo", start=Fraction(-1, 3)),
    video_stream_count=1, audio_stream_count=1,
)  # fmt: skip


def test_a_probe_has_floats_beside_its_fractions() -> None:
    data = json.loads(INFO.model_dump_json())
    assert (data["duration"], data["duration_seconds"]) == ("501/500", 1.002)
    assert (data["video"]["average_rate"], data["video"]["average_rate_fps"]) == ("30000/1001", 30000 / 1001)
    assert (data["video"]["time_base"], data["video"]["time_base_seconds"]) == ("1/90000", 1 / 90000)
    assert (data["video"]["sample_aspect_ratio"], data["video"]["sample_aspect_ratio_float"]) == ("4/3", 4 / 3)
    assert (data["audio"]["start"], data["audio"]["start_seconds"]) == ("-1/3", -1 / 3)
    assert (data["audio"]["duration"], data["audio"]["duration_seconds"]) == (None, None)
    assert (INFO.duration_seconds, VIDEO.average_rate_fps) == (1.002, 30000 / 1001)


def test_a_result_has_its_rate_as_a_float() -> None:
    data = json.loads(RESULT.model_dump_json())
    assert (data["fps"], data["fps_float"]) == ("30000/1001", 30000 / 1001)
    assert RESULT.replace(fps=None).fps_float is None
    cut = rp.ExtractResult(**RESULT.model_dump(), start_seconds=0, end_seconds=2)
    assert cut.fps_float == 30000 / 1001


@pytest.mark.parametrize("model", [RESULT, INFO, VIDEO])
def test_what_is_written_is_read_back_and_only_the_exact_counts(model: rp.RenderResult) -> None:
    assert type(model).model_validate_json(model.model_dump_json()) == model
    assert type(model).model_validate(model.model_dump()) == model
    assert outcome_from_data(outcome_to_data(RESULT, "render")) == RESULT
    data = json.loads(RESULT.model_dump_json()) | {"fps_float": 1.0}
    assert rp.RenderResult.model_validate(data).fps_float == 30000 / 1001
    with pytest.raises(rp.SpecError, match="there is no such field"):
        rp.RenderResult.model_validate(data | {"fps_flot": 1.0})


def test_floats_are_no_part_of_how_a_result_is_made_or_shown() -> None:
    assert "fps_float" not in repr(RESULT)
    assert "fps_float" in dir(RESULT)
