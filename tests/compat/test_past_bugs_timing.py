"""Bugs that the app had with time: each is re-enacted first, to see that the test would catch it."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import reelproc as rp
from media_factory import numbered_video, read_number, run_ffmpeg, tone
from past_bugs import USER, done, numbers, placed, sound
from reelproc import compat
from reelproc.stages.base import StreamInfo, Target
from sound_factory import bursts, onsets

WHOLE = [{"time": 0, "x": 0, "y": 0, "width": 192, "height": 108}]
SIZE = {"output_width": 192, "output_height": 108}


def frames_of(path: Path) -> list[int]:
    """All frames in order, whatever their times: how the app read them."""
    with av.open(str(path)) as container:
        return [read_number(frame.to_ndarray(format="gray8")) for frame in container.decode(video=0)]


def test_1_a_60_fps_source_is_not_played_at_half_speed(tmp_path: Path) -> None:
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=60, fps=60))

    naive = frames_of(source)[: round(1.0 * 30)]  # frame by frame into an encoder at 30 fps, cut at the duration
    assert naive[-1] == 29, "half the speed, and the second half is gone"

    result = done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, **SIZE)
    assert result["frames_processed"] == 30
    assert numbers(tmp_path / USER / "out.mp4") == list(range(0, 60, 2))


def test_3_a_cut_between_key_frames_has_exactly_its_frames(tmp_path: Path) -> None:
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=90, gop_size=24, sound=tone(3)))
    expected = list(range(21, 51))

    naive = tmp_path / "naive.mp4"
    run_ffmpeg("-ss", "0.7", "-i", str(source), "-t", "1", "-c", "copy", str(naive))
    assert frames_of(naive) != expected

    result = done(compat.extract_clip, tmp_path, USER, "in.mp4", "cut.mp4", 0.7, 1.7, copy_codec=True)
    assert (result["frames_processed"], numbers(tmp_path / USER / "cut.mp4")) == (30, expected)
    second = done(compat.extract_clip, tmp_path, USER, "in.mp4", "next.mp4", 1.7, 2.5)
    assert second["status"] == "success"
    assert numbers(tmp_path / USER / "next.mp4") == list(range(51, 75)), "the seam has no overlap and no gap"


@pytest.mark.parametrize("seconds", [1.0, None])
def test_4_short_or_missing_sound_costs_no_picture(tmp_path: Path, seconds: float | None) -> None:
    short = None if seconds is None else tone(seconds)
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=60, sound=short))

    if seconds is not None:
        naive, wav = tmp_path / "naive.mp4", tmp_path / "sound.m4a"
        run_ffmpeg("-i", str(source), "-vn", "-c", "copy", str(wav))
        run_ffmpeg(
            "-i", str(source), "-i", str(wav), "-map", "0:v", "-map", "1:a", "-c", "copy", "-shortest", str(naive)
        )
        assert len(frames_of(naive)) < 60

    result = done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, **SIZE)
    assert result["frames_processed"] == 60
    out = tmp_path / USER / "out.mp4"
    assert numbers(out) == list(range(60))
    assert abs(len(sound(out)) / 48_000 - 2.0) < 1 / 30


def test_8_the_last_keyframe_counts(tmp_path: Path) -> None:
    keyframes = [{"frame": f, "x": x, "y": 0, "width": 90, "height": 100} for f, x in ((0, 0), (30, 60), (61, 100))]

    frame_count = int(round(61 / 30, 2) * 30)  # seconds to two places, and back to frames by int()
    naive = [k for k in keyframes if k["frame"] <= frame_count]
    assert len(naive) == 2

    call = compat.process_framing.translate("j", USER, "in.mp4", "out.mp4", keyframes, root=tmp_path)
    assert isinstance(call.job, rp.RenderJob)
    (crop,) = [s for s in call.job.reel.clips[0].stages if isinstance(s, rp.Crop)]
    assert len(crop.keyframes) == 3
    at = crop.window_at(StreamInfo(192, 108, Fraction(62, 30)), Target())
    assert at(61 / 30).x == 100.0
    assert at(float(Fraction(61, 30)) - 1 / 30).x < 100.0


@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_9_sound_stays_with_the_picture_at_any_speed(tmp_path: Path, speed: float) -> None:
    made, times = bursts(4.0)
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=120, sound=made))
    expected = times / speed

    naive = tmp_path / "naive.m4a"
    clamped = min(max(speed, 0.5), 2.0)
    run_ffmpeg("-i", str(source), "-vn", "-af", f"atempo={clamped}", str(naive))
    assert abs(len(sound(naive)) / 48_000 - 4.0 / speed) > 0.9

    data = {"segments": [{"start": 0, "end": 4, "speed": speed}]}
    result = done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, segment_data=data, **SIZE)
    out = tmp_path / USER / "out.mp4"
    assert result["frames_processed"] == round(120 / speed)
    heard = sound(out)
    assert abs(len(heard) / 48_000 - result["frames_processed"] / 30) <= 1 / 30
    apart = [t for t in expected if t > 0.13 and t < len(heard) / 48_000 - 0.13]
    assert np.abs(onsets(heard, apart)).max() < 0.04


def test_10_a_trim_is_taken_once_from_picture_and_sound(tmp_path: Path) -> None:
    made, times = bursts(4.0)
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=120, sound=made))

    naive = tmp_path / "naive.mp4"  # once by seeking, once by a filter; and the sound not at all
    video = ["-vf", "trim=start=1:end=3,setpts=PTS-STARTPTS"]
    run_ffmpeg("-ss", "1", "-i", str(source), *video, str(naive))
    assert frames_of(naive)[0] == 60

    data: dict[str, Any] = {"trimRange": {"start": 1, "end": 3}, "trim_start": 1, "trim_end": 3}
    done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, segment_data=data, **SIZE)
    out = tmp_path / USER / "out.mp4"
    assert numbers(out) == list(range(30, 90))
    inside = [t - 1 for t in times if 1.13 < t < 2.87]
    assert len(inside) >= 2
    assert np.abs(onsets(sound(out), inside)).max() < 0.01
    assert math.isclose(len(sound(out)) / 48_000, 2.0, abs_tol=1 / 30)
