"""The real model on real pictures (``pytest tests/detect --extras detect``)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reelproc as rp
from reelproc.detectors.base import DetectSpec
from reelproc.detectors.yolo import ULTRALYTICS
from reelproc.errors import BackendError, SpecError
from reelproc.executors.local.executor import LocalExecutor
from reelproc.results import Detection, DetectResult
from waiting import LONG

WALKERS = [(536, 228), (398, 222), (718, 142)]
"""Three pedestrians of vtest.avi at 14.0 s who stand free, by eye."""


@pytest.fixture(scope="module")
def found(footage: Path, model: str) -> DetectResult:
    return rp.detect_players(footage / "vtest.avi", times=[14.0, 4.0], model=model, confidence=0.3)


def near(detections: tuple[Detection, ...], x: float, y: float) -> bool:
    return any(abs(d.x - x) < 12 and abs(d.y - y) < 12 for d in detections)


def test_pedestrians_are_found_where_they_are_and_called_persons(found: DetectResult) -> None:
    frame = found.frames[0]
    assert frame.time == 14.0
    assert all(near(tuple(frame.detections), x, y) for x, y in WALKERS)
    assert {d.label for d in frame.detections} == {"person"}
    confidences = [d.confidence for d in frame.detections]
    assert confidences == sorted(confidences, reverse=True)
    assert min(confidences) >= 0.3
    for left, top, right, bottom in (d.corners for d in frame.detections):
        assert -1 <= left < right <= 769
        assert -1 <= top < bottom <= 577


def test_the_woman_in_light_blue_wears_light_blue(found: DetectResult) -> None:
    woman = min(found.frames[0].detections, key=lambda d: abs(d.x - 536) + abs(d.y - 228))
    red, green, blue = (int(woman.colours[0][k : k + 2], 16) for k in (1, 3, 5))
    assert blue > 200
    assert blue > red + 30
    assert green > 150


def test_the_packages_own_sample_picture(model: str) -> None:
    import cv2
    from ultralytics.utils import ASSETS

    image = cv2.imread(str(ASSETS / "bus.jpg"))
    assert image is not None
    work = ULTRALYTICS.open(DetectSpec(model, confidence=0.5))
    (people,) = work([image])
    assert near(people, 130, 655), "the man in the white coat, by eye"
    assert near(people, 285, 632), "the man in the black coat"
    height, width = image.shape[:2]
    assert all(0 <= d.x <= width and 0 <= d.y <= height and d.height > 300 for d in people)


def test_a_static_object_on_the_lawn_is_no_person(footage: Path, model: str) -> None:
    at_first = rp.detect_players(footage / "vtest.avi", times=[10.0], model=model, confidence=0.25)
    fallen = rp.detect_players(footage / "vtest.avi", times=[10.0], model=model, confidence=0.25, classes=["fall"])
    assert not near(tuple(at_first.frames[0].detections), 113, 523)
    assert any(abs(d.x - 113) < 12 and abs(d.y - 523) < 25 for d in fallen.frames[0].detections)


def test_classes_go_by_our_names(footage: Path, model: str) -> None:
    with pytest.raises(SpecError, match="no class 'Normal'; it has person, fall"):
        rp.detect_players(footage / "vtest.avi", times=[4], model=model, classes=["Normal"])


def test_the_same_model_is_loaded_once(footage: Path, model: str, found: DetectResult) -> None:
    before = ULTRALYTICS.loaded()
    again = rp.detect_players(footage / "vtest.avi", times=[14.0], model=model, confidence=0.3)
    assert ULTRALYTICS.loaded() == before
    assert again.frames[0] == found.frames[0]


def test_a_worker_keeps_the_model_between_jobs(footage: Path, model: str, tmp_path: Path) -> None:
    with LocalExecutor(folder=tmp_path, workers=1) as ex:
        jobs = [
            rp.DetectJob(source=footage / "vtest.avi", times=[time], model=model, confidence=0.3)
            for time in (14.0, 4.0)
        ]
        first, second = ex.map(jobs)
    assert isinstance(first, DetectResult)
    assert isinstance(second, DetectResult)
    assert second.phases["load"] < first.phases["load"] / 3


def test_a_checkpoint_that_is_no_model_is_a_backend_error(footage: Path, tmp_path: Path) -> None:
    (tmp_path / "rubbish.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(BackendError, match="cannot load"):
        rp.detect_players(footage / "vtest.avi", times=[4], model=tmp_path / "rubbish.pt", trust=True)


def test_a_changed_checkpoint_is_not_loaded(footage: Path, model: str, tmp_path: Path) -> None:
    changed = tmp_path / "person.pt"
    shutil.copyfile(model, changed)
    with changed.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BackendError, match="trust=True"):
        rp.detect_players(footage / "vtest.avi", times=[4], model=changed)


def test_nothing_is_printed_nor_written_into_the_home_and_opencv_keeps_its_threads(
    footage: Path, model: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "import cv2, reelproc as rp\n"
        "threads = cv2.getNumThreads()\n"
        f"rp.detect_players({str(footage / 'vtest.avi')!r}, times=[4], model={model!r})\n"
        "assert cv2.getNumThreads() == threads, 'OpenCV was changed'\n"
    )
    environment = {"HOME": str(home), "REELPROC_HOME": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    assert list(home.iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "home"]


THREADS = """
import os, sys
import numpy as np
os.environ.pop("OMP_NUM_THREADS", None)
from reelproc.detectors.base import DetectSpec
from reelproc.detectors.yolo import ULTRALYTICS
work = ULTRALYTICS.open(DetectSpec(sys.argv[1], image_size=64))
import torch
torch.set_num_threads(3)
inside = []
layer = work._model.model.model[0]
layer.register_forward_hook(lambda *_: inside.append(torch.get_num_threads()))
for _ in range(2):
    work([np.zeros((64, 64, 3), np.uint8)])
print(sorted(set(inside)), torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS"))
"""


def test_torchs_threads_are_those_that_were_before_in_a_detection_and_behind_it(model: str) -> None:
    """The package sets them to the cores less one, and OMP_NUM_THREADS to 1 for all child processes."""
    command = [sys.executable, "-c", THREADS, model]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout.splitlines()[-1:] == ["[3] 3 None"], done.stdout + done.stderr
