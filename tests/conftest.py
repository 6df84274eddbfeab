"""Fixtures that every suite shares, and what a skip means."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from clock import Clock
from cpu_times import CpuTimes
from faulty_s3 import S3Service

if TYPE_CHECKING:
    from modal_service import ModalService
    from people_factory import BlobDetector

REPOSITORY = Path(__file__).resolve().parent.parent
STAND_INS = REPOSITORY / "tests" / "executors" / "stand_ins"
NO_SKIPS = os.environ.get("REELPROC_NO_SKIPS") == "1"
HEAVY = ("ai", "detect", "browser")
"""Extras too heavy for everybody (``browser``: Chromium): their tests are in the folder of that name, and run where
``--extras`` names it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--extras ai,detect``: run the tests of these extras too."""
    parser.addoption("--extras", default="", help=f"heavy extras whose tests run too, of {', '.join(HEAVY)}")
    parser.addoption("--cpu-times", type=Path, help="write the CPU seconds of each test and fixture to this file")


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is left out."""
    named = config.getoption("extras").split(",")
    return "extras: " + ", ".join(f"{extra} {'runs' if extra in named else 'left out'}" for extra in HEAVY)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the folders of extras alone that were not named, and jobs' runners, of which one kills its process."""
    named = config.getoption("extras").split(",")
    left_out = [REPOSITORY / "tests" / extra for extra in HEAVY if extra not in named]
    return True if collection_path in (*left_out, STAND_INS) else None


def pytest_configure(config: pytest.Config) -> None:
    """Time no example: machines are shared. Where ``CI`` is set, Hypothesis draws the same ones each time."""
    if path := config.getoption("cpu_times"):
        config.pluginmanager.register(CpuTimes(path), "cpu-times")
    settings.register_profile("untimed", settings.default, deadline=None)
    settings.load_profile("untimed")
    _take_interrupts()


def _take_interrupts() -> None:
    """Take SIGINT where the suite runs in the background too: children inherit that it is ignored; tests send it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder with the shared footage and weights."""
    folder = Path(os.environ.get("REELPROC_TEST_ASSETS", REPOSITORY.parent / "shared"))
    if not (folder / "footage" / "oracle.json").is_file():
        pytest.skip(
            f"no test assets at {folder}: footage and weights, which are not in the repository; "
            "set REELPROC_TEST_ASSETS to the folder that holds footage/oracle.json"
        )
    return folder


@pytest.fixture
def s3(s3_process: S3Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[S3Service]:
    """An empty bucket on a server of the tests' own, to which the environment points, behind a proxy with no faults."""
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    with s3_process.fresh() as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture(scope="session")
def s3_process() -> Iterator[S3Service]:
    """The server behind ``s3``, started once."""
    with S3Service() as service:
        yield service


@pytest.fixture(scope="session")
def modal_process() -> Iterator[ModalService]:
    """Our app, deployed once."""
    from modal_service import deployed

    with deployed() as service:
        yield service


@pytest.fixture(scope="module")
def modal_containers(modal_process: ModalService) -> Iterator[ModalService]:
    """The same; containers that a module leaves waiting for work end with it."""
    yield modal_process
    if modal_process.server is not None:
        modal_process.server.kill_containers()


@pytest.fixture
def modal_service(
    modal_containers: ModalService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ModalService]:
    """Our app on Modal (the loopback one; see modal_service.py), to which the environment points."""
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    for name, value in modal_containers.environment.items():
        monkeypatch.setenv(name, value)
    yield modal_containers
    if modal_containers.server is not None:
        modal_containers.server.faults.clear()


@pytest.fixture
def blobs(monkeypatch: pytest.MonkeyPatch) -> BlobDetector:
    """A detector of coloured people, known by the name ``blobs`` in this process for the length of a test."""
    from people_factory import BLOBS
    from reelproc.detectors import DETECTORS

    monkeypatch.setattr(DETECTORS, "_entries", dict(DETECTORS._entries))
    DETECTORS.register("blobs", "people_factory:BLOBS")
    BLOBS.opened = BLOBS.images = 0
    return BLOBS


@pytest.fixture(autouse=True)
def _logger_as_it_was() -> Iterator[None]:
    """Give the package's logger back as it was: what a test asks it to say is no other test's."""
    logger = logging.getLogger("reelproc")
    level, handlers = logger.level, list(logger.handlers)
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which retries pause and give up: they take no time."""
    from reelproc import retries

    clock = Clock()
    monkeypatch.setattr(retries, "time", clock)
    return clock


@pytest.fixture(scope="session")
def footage(assets: Path) -> Path:
    """The folder with the shared footage."""
    return assets / "footage"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Where skips are failures (CI sets REELPROC_NO_SKIPS=1), make them so."""
    report = yield
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skips are failures here (REELPROC_NO_SKIPS=1): {reason}"
    return report
