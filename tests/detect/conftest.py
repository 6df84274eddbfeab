"""What the tests of the extra ``detect`` share: the real model, and a settings folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["YOLO_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def model(assets: Path) -> str:
    """The path of a small model for people, which calls them ``Normal``."""
    return str(assets / "weights" / "person-yolov8s.pt")


@pytest.fixture(scope="session", autouse=True)
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ultralytics keeps its settings in these tests."""
    folder = tmp_path_factory.mktemp("ultralytics")
    os.environ["YOLO_CONFIG_DIR"] = str(folder)
    return folder
