"""One pedestrian of real footage, followed behind people, a post and a sign, against marks made by hand."""

from __future__ import annotations

import json
from itertools import pairwise
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reelproc as rp
from doc_pages import DOCS, run_page
from reelproc.keyframes import Curve
from reelproc.players.path import greatest_acceleration, greatest_speed

MARKS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vtest-pedestrian.json").read_text())["marks"]
START, END = 11.7, 21.3
STANDS_FREE = [(12.4, (667, 254)), (14.0, (535, 230)), (18.2, (207, 196)), (20.2, (82, 183))]


@pytest.fixture(scope="module")
def footage_path(footage: Path) -> str:
    return str(footage / "vtest.avi")


@pytest.fixture(scope="module")
def followed(footage_path: str, model: str) -> rp.FollowResult:
    return rp.follow_player(footage_path, at=14.0, point=(535, 230), start=START, end=END, model=model, image_size=960)


def centre(time: float) -> tuple[float, float, float]:
    """Where the pedestrian is, and how high, between the marks in which they are whole."""
    whole = [m for m in MARKS if "hidden" not in m]
    track = Curve(
        [m["time"] for m in whole],
        [((m["box"][0] + m["box"][2]) / 2, (m["box"][1] + m["box"][3]) / 2, m["box"][3] - m["box"][1]) for m in whole],
    )
    x, y, height = track.at(time).tolist()
    return x, y, height


@pytest.mark.parametrize("mark", MARKS, ids=lambda m: f"{m['time']} s")
def test_the_pedestrian_is_inside_the_crop_at_every_mark(followed: rp.FollowResult, mark: dict[str, Any]) -> None:
    track = Curve([k.time for k in followed.crop], [(k.x, k.y, k.width, k.height) for k in followed.crop])
    x, y, width, height = track.at(mark["time"] - followed.start).tolist()
    left, top, right, bottom = mark["box"]
    assert x <= left
    assert y <= top
    assert right <= x + width
    assert bottom <= y + height


def test_they_are_in_the_middle_of_it_unless_the_frame_ends(followed: rp.FollowResult) -> None:
    track = Curve([k.time for k in followed.crop], [(k.x, k.y, k.width, k.height) for k in followed.crop])
    for mark in MARKS[1:-2]:
        x, _, width, _ = track.at(mark["time"] - followed.start).tolist()
        assert abs(centre(mark["time"])[0] - x - width / 2) < 0.15 * width


def test_nobody_else_is_ever_taken_for_them(followed: rp.FollowResult) -> None:
    for sighting in followed.sightings:
        x, y, height = centre(sighting.time)
        seen = sighting.detection
        assert hypot(seen.x - x, seen.y - y) < 0.4 * height, f"at {sighting.time:.1f} s"
    assert len(followed.sightings) > 85, "of 97 frames"


def test_the_camera_is_steady(followed: rp.FollowResult) -> None:
    path = np.array([(k.x, k.y) for k in followed.crop])
    step = followed.crop[1].time - followed.crop[0].time
    width = followed.crop[0].width
    assert greatest_speed(path, step) < 1.5 * width
    assert greatest_acceleration(path, step) < 3 * width
    turns = sum((b - a) * (c - b) < 0 for (a, b), (_, c) in pairwise(pairwise(path[:, 0].tolist())))
    assert turns == 0, "they walk one way, so the crop does, too"


def test_the_result_says_where_to_look(followed: rp.FollowResult) -> None:
    assert followed.outside == ()
    assert any("somebody else is in the player's place" in warning for warning in followed.warnings)
    assert all(span.reason is None for span in followed.lost)


@pytest.mark.parametrize(("at", "point"), STANDS_FREE)
def test_wherever_they_are_marked_the_same_person_is_followed(
    followed: rp.FollowResult, footage_path: str, at: float, point: tuple[float, float]
) -> None:
    again = rp.follow_player(footage_path, at=at, point=point, start=START, end=END, detections=followed.detections)
    for one, two in zip(followed.crop, again.crop, strict=True):
        assert hypot(one.x - two.x, one.y - two.y) < 15


def test_others_are_followed_from_the_same_looks(followed: rp.FollowResult, footage_path: str) -> None:
    man = rp.follow_player(
        footage_path, at=14.0, point=(398, 222), start=START, end=END, detections=followed.detections
    )
    assert man.sightings[-1].detection.x == pytest.approx(661, abs=12), "by eye; another man is at 750"
    assert len(man.sightings) > 85


def test_the_reel_renders_and_shows_them(followed: rp.FollowResult, tmp_path: Path) -> None:
    reel = followed.reel(rp.Output(width=270, height=480, fps=10))
    with rp.executor("local", folder=tmp_path / "jobs") as ex:
        result = ex.submit(rp.RenderJob(reel=reel, output=tmp_path / "reel.mp4")).result()
    assert result.frame_count == 96
    with rp.open_video(tmp_path / "reel.mp4", start=2.3) as reader:
        image = next(iter(reader)).image.astype(int)
    middle = image[190:260, 115:155].reshape(-1, 3)  # where the jacket should be: blue above red
    assert np.median(middle[:, 0] - middle[:, 2]) > 20


def test_the_page_about_it_runs_as_it_stands(
    footage: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    Path("game.avi").symlink_to(footage / "vtest.avi")
    Path("person-yolov8s.pt").symlink_to(model)
    run_page(DOCS / "how-to" / "detect-and-follow.md", everything=True)
