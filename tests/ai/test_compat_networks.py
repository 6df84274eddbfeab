"""The app's framing by a network: every planned frame, in the app's dictionary."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video, tone
from past_bugs import USER, done, numbers, placed
from reelproc import compat

KEYFRAMES = [{"frame": 0, "x": 0, "y": 0, "width": 192, "height": 108, "origin": "permanent"}]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    placed(tmp_path, "clip.mp4", lambda p: numbered_video(p, frame_count=30, sound=tone(1)))
    return tmp_path


@pytest.mark.parametrize("function", [compat.process_framing_ai, compat.process_framing_ai_l4])
def test_framing_by_the_network_gives_what_was_planned(root: Path, function: compat.AppFunction[...]) -> None:
    arguments = ("j", USER, "clip.mp4", "out.mp4", KEYFRAMES, 288, 162)
    data = {"trimRange": {"start": 0.2, "end": 0.4}, "segments": [{"start": 0.3, "end": 0.4, "speed": 0.5}]}
    call = function.translate(*arguments, segment_data=data, root=root)
    assert isinstance(call.job, rp.RenderJob)
    planned = rp.plan(call.job.reel).frame_count
    result = done(function, root, *arguments, segment_data=data)
    assert (result["status"], result["frames_processed"]) == ("success", planned)
    assert numbers(root / USER / "out.mp4")[:3] == [6, 7, 8]
    assert result["details"]["phases"]["network"] > 0
    assert (result["details"]["width"], result["details"]["height"]) == (288, 162)


def test_several_clips_share_one_network(root: Path) -> None:
    clips = [
        {"cropKeyframes": KEYFRAMES, "segmentsData": {"trimRange": [n / 10, n / 10 + 0.1]}, "clipIndex": n}
        for n in range(2)
    ]
    arguments = ("j", USER, ["clip.mp4", "clip.mp4"], "out.mp4", clips, {"type": "cut"}, 288, 162)
    result = done(compat.process_multi_clip, root, *arguments)
    assert (result["clips_processed"], result["frames_processed"]) == (2, 6)
    assert numbers(root / USER / "out.mp4") == list(range(6))


def test_nvenc_is_used_or_missed_and_never_replaced(root: Path) -> None:
    arguments = ("j", USER, "clip.mp4", "out.mp4", KEYFRAMES, 288, 162)
    result = done(compat.process_framing_ai_nvenc, root, *arguments, segment_data={"trimRange": [0, 0.1]})
    if result["status"] == "error":
        assert result["error_type"] == "BackendError"
        assert "h264_nvenc" in result["error"]
    else:
        assert numbers(root / USER / "out.mp4") == list(range(3))
