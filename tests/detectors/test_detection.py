"""Detecting: what a job may ask, which frames are looked at, and what comes back. The detector finds coloured boxes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reelproc as rp
from media_factory import damage_packet, numbered_video
from people_factory import CHECKPOINT, BlobDetector, Person, people_video
from reelproc.detectors import yolo
from reelproc.detectors.clothing import with_colours
from reelproc.errors import DecodeError, JobCancelledError, MissingDependencyError, SpecError
from reelproc.executors.local.executor import LocalExecutor
from reelproc.executors.outcome import outcome_from_data, outcome_to_data
from reelproc.job_context import JobContext
from reelproc.jobs import DetectJob, job_from_json, run_job
from reelproc.players.picture import draw_detections
from reelproc.results import Detection, DetectResult, FrameDetections, Progress
from reelproc.testing import plausible_result
from waiting import LONG

PEOPLE = (
    Person(lambda t: 100 + 60 * t, lambda t: 180, colour="#c02020"),
    Person(lambda t: 500, lambda t: 150 + 10 * t, height=120, colour="#2020c0"),
)


pytestmark = pytest.mark.usefixtures("blobs")


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds, ten frames a second, of two people."""
    return people_video(tmp_path_factory.mktemp("game") / "game.mp4", PEOPLE, seconds=3)


def look(game: Path, **options: Any) -> DetectResult:
    return rp.detect_players(game, **{"backend": "blobs", "model": "blobs", **options})


# ---- the job


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "neither"),
        ({"times": [1], "frames": [1]}, "both"),
        ({"times": []}, "times"),
        ({"frames": [-1]}, "frames"),
        ({"times": [1], "confidence": 1.5}, "confidence"),
        ({"times": [1], "classes": []}, "classes"),
        ({"times": [1], "image_size": 650}, "image_size"),
        ({"times": [float("nan")]}, "times"),
    ],
)
def test_a_job_that_makes_no_sense_is_a_spec_error(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        DetectJob(source="game.mp4", **fields)


def test_a_job_and_its_result_survive_json(tmp_path: Path) -> None:
    job = DetectJob(source=tmp_path / "game.mp4", times=[1, 2.5], classes=["person", "ball"], trust=True)
    assert job_from_json(job.model_dump_json()) == job
    assert job.sources() == (str(tmp_path / "game.mp4"),)
    assert DetectJob(source="game.mp4", times=[1], model="./mine.pt").sources() == ("game.mp4", "./mine.pt")
    assert job.content_hash() != DetectJob(source=tmp_path / "game.mp4", times=[1, 2]).content_hash()
    assert job.identity() == job.identity()
    result = plausible_result(job)
    assert isinstance(result, DetectResult)
    assert DetectResult.model_validate_json(result.model_dump_json()) == result
    assert outcome_from_data(outcome_to_data(result, "detect")) == result


def test_another_checkpoint_of_the_same_name_is_another_job(game: Path, tmp_path: Path) -> None:
    model = tmp_path / "mine.pt"
    job = DetectJob(source=game, times=[1], model=model, backend="blobs")
    seen = set()
    for content in (b"", CHECKPOINT):
        model.write_bytes(content)
        seen.add(job.identity())
    assert len(seen) == 2


def test_a_box_is_a_centre_and_a_size_and_has_corners() -> None:
    box = Detection(x=100, y=50, width=20, height=60, confidence=0.9)
    assert box.corners == (90, 20, 110, 80)
    with pytest.raises(SpecError, match="width"):
        Detection(x=1, y=1, width=0, height=1, confidence=0.5)


# ---- looking


def test_everybody_is_found_where_they_are(game: Path) -> None:
    result = look(game, times=[1.0])
    (frame,) = result.frames
    assert (result.width, result.height, result.frame_count) == (640, 360, 1)
    assert frame.time == 1.0
    for found, person in zip(sorted(frame.detections, key=lambda d: d.x), PEOPLE, strict=True):
        there = person.at(1.0)
        assert (found.x, found.y, found.height) == pytest.approx((there.x, there.y, there.height), abs=2)
        levels = [int(colour[k : k + 2], 16) for colour in found.colours for k in (1, 3, 5)]
        meant = [int(person.colour[k : k + 2], 16) for k in (1, 3, 5)] * 2
        assert levels == pytest.approx(meant, abs=12)


def test_the_nearest_frame_is_looked_at_and_each_only_once_in_the_order_asked_for(
    game: Path, blobs: BlobDetector
) -> None:
    result = look(game, times=[2.04, 0.0, 0.96, 2.0, 0.05, 3.4])
    assert [f.time for f in result.frames] == [2.0, 0.0, 1.0, 2.0, 0.0, 2.9]
    assert blobs.images == 4
    assert look(game, frames=[29, 3]).frames[0].time == 2.9


@pytest.mark.parametrize(
    ("asked", "words"), [({"times": [-1]}, "0 or more"), ({"times": [5]}, "ends at 3"), ({"frames": [30]}, "30 frames")]
)
def test_a_frame_that_is_not_there_is_a_spec_error(game: Path, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        look(game, **asked)


def test_far_apart_frames_are_the_right_ones(tmp_path: Path) -> None:
    walker = Person(lambda t: 20 + 12 * t, lambda t: 180)
    game = people_video(tmp_path / "long.mp4", [walker], seconds=40)
    result = look(game, times=[39.5, 0.2, 20.0, 20.4])
    assert [f.time for f in result.frames] == [39.5, 0.2, 20.0, 20.4]
    assert [f.detections[0].x for f in result.frames] == pytest.approx([494, 22.4, 260, 264.8], abs=2)


def test_a_damaged_frame_is_an_error_or_the_last_good_one(tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "whole.mp4", frame_count=40, b_frames=0)
    pts = damage_packet(whole, tmp_path / "damaged.mp4", 17)
    time = float(pts * whole.time_base)
    with pytest.raises(DecodeError, match="on_damage='conceal'"):
        look(tmp_path / "damaged.mp4", times=[time])
    result = look(tmp_path / "damaged.mp4", times=[time], on_damage="conceal")
    assert 0 < time - result.frames[0].time < 0.1
    assert f"{time:.3f} s cannot be decoded" in result.warnings[0]


def test_the_last_good_frame_may_lie_more_than_a_second_back(tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "whole.mp4", frame_count=130, b_frames=0, gop_size=60)
    damage_packet(whole, tmp_path / "damaged.mp4", 60)  # a key frame: nothing can be decoded from 2 s to 4 s
    result = look(tmp_path / "damaged.mp4", times=[3.8], on_damage="conceal")
    assert result.frames[0].time == pytest.approx(59 / 30)


def test_what_the_model_does_not_know_is_a_spec_error(game: Path) -> None:
    with pytest.raises(SpecError, match="no class 'referee'; it has person, ball"):
        look(game, times=[1], classes=["referee"])
    with pytest.raises(SpecError, match="no detector is called 'eyes'"):
        look(game, times=[1], backend="eyes")


def test_a_job_is_cancelled_between_batches(game: Path) -> None:
    context = JobContext()

    def stop(event: Progress) -> None:
        if event.phase == "detect":
            context.cancelled.set()

    context.progress = stop
    with pytest.raises(JobCancelledError):
        run_job(DetectJob(source=game, frames=range(30), backend="blobs"), context)


def test_a_worker_process_looks_and_a_named_job_is_not_done_twice(
    game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = Path(__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tests / "support", tests / "executors" / "stand_ins"))))
    job = DetectJob(source=game, times=[0.5], backend="blobs")
    with LocalExecutor(folder=tmp_path) as ex:
        handle = ex.submit(job, id="look")
        phases = [event.phase for event in handle.events()]
        result = handle.result(timeout=LONG)
        again = ex.submit(job, id="look").result(timeout=LONG)
    assert {"probe", "detect", "done"} <= set(phases)
    assert isinstance(result, DetectResult)
    assert result.frames == look(game, times=[0.5]).frames
    assert {"startup", "decode", "network"} <= set(result.phases)
    assert again == result


def test_without_the_extra_the_error_names_it(game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    yolo._package.cache_clear()
    for name in ("YOLO_OFFLINE", "YOLO_AUTOINSTALL", "YOLO_VERBOSE", "YOLO_CONFIG_DIR"):
        monkeypatch.setenv(name, str(game.parent))  # they are set for good otherwise
    with pytest.raises(MissingDependencyError, match=r"pip install 'reelproc\[detect\]'"):
        look(game, times=[1], backend="ultralytics")


# ---- colours and pictures


def test_colours_are_of_chest_and_legs_and_not_of_the_ground() -> None:
    image = np.full((200, 200, 3), (40, 160, 40), np.uint8)  # blue, green, red: grass
    image[50:90, 90:110] = (0, 0, 255)
    image[90:140, 92:108] = (255, 255, 255)
    person = Detection(x=100, y=95, width=32, height=90, confidence=0.9)
    assert with_colours(person, image).colours == ("#ff0000", "#ffffff")


@pytest.mark.parametrize("box", [(0.0, 0.0), (200.0, 200.0), (-40.0, 100.0)])
def test_colours_of_a_box_at_the_edge_are_measured_too(box: tuple[float, float]) -> None:
    image = np.full((200, 200, 3), 7, np.uint8)
    person = Detection(x=box[0], y=box[1], width=30, height=80, confidence=0.9)
    assert with_colours(person, image).colours == ("#070707", "#070707")


@pytest.mark.parametrize("name", ["found.png", "found.JPG"])
def test_a_picture_shows_the_boxes(game: Path, tmp_path: Path, name: str) -> None:
    from PIL import Image

    frame = look(game, times=[1.0]).frames[0]
    assert draw_detections(game, frame, tmp_path / name) == (640, 360)
    picture = np.asarray(Image.open(tmp_path / name).convert("RGB")).astype(int)
    left, _, _, _ = frame.detections[0].corners
    edge = picture[round(frame.detections[0].y), round(left)]
    assert abs(edge - (250, 204, 21)).max() < 60
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_picture_that_cannot_be_is_an_error(game: Path, tmp_path: Path) -> None:
    frame = look(game, times=[1.0]).frames[0]
    with pytest.raises(SpecError, match=r"\.png or \.jpg"):
        draw_detections(game, frame, tmp_path / "found.gif")
    with pytest.raises(rp.StorageError, match="cannot be written"):
        draw_detections(game, frame, tmp_path / "nowhere" / "found.png")
    with pytest.raises(SpecError, match="no frame"):
        draw_detections(game, FrameDetections(time=1.0, pts=7), tmp_path / "found.png")
