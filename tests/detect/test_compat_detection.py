"""The app's detection by the real model, in the app's dictionary."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from past_bugs import USER, done, placed
from reelproc import compat

WALKERS = [(536, 228), (398, 222), (718, 142)]
"""Three pedestrians of vtest.avi at 14.0 s who stand free, by eye; frame 140 at 10 frames per second."""


@pytest.fixture
def root(tmp_path: Path, footage: Path) -> Path:
    placed(tmp_path, "walk.avi", lambda p: shutil.copy(footage / "vtest.avi", p))
    return tmp_path


def near(detections: list[dict[str, object]], x: float, y: float) -> bool:
    boxes = [d["bbox"] for d in detections]
    return any(abs(b["x"] - x) < 12 and abs(b["y"] - y) < 12 for b in boxes)  # type: ignore[index]


def test_players_are_found_in_a_frame_by_its_number(root: Path, model: str) -> None:
    result = done(compat.detect_players, root, USER, "walk.avi", 140, 0.3, model=model)
    assert (result["status"], result["frame_number"]) == ("success", 140)
    assert (result["video_width"], result["video_height"]) == (768, 576)
    assert all(near(result["detections"], x, y) for x, y in WALKERS)
    assert {(d["class_name"], d["class_id"]) for d in result["detections"]} == {("person", 0)}
    assert all(d["confidence"] >= 0.3 for d in result["detections"])


def test_a_batch_of_times_is_looked_at_in_one_job(root: Path, model: str) -> None:
    result = done(compat.detect_players_batch, root, USER, "walk.avi", [14.0, 4.0], 0.3, model=model)
    assert [frame["timestamp"] for frame in result["frames"]] == [14.0, 4.0]
    assert all(near(result["frames"][0]["detections"], x, y) for x, y in WALKERS)
    assert result["frames"][1]["detections"]
