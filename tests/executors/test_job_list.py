"""The jobs of this machine: listed as they are, and removed unless they run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import reelproc as rp
from reelproc.cli import app
from reelproc.errors import EncodeError, JobCancelledError, ReelprocError
from reelproc.executors.local.job_folder import JobFolder, JobRequest
from reelproc.executors.local.job_list import listed, remove

Command = Callable[..., Result]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "jobs"


@pytest.fixture
def command() -> Command:
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(a) for a in arguments])


def job_folder(root: Path, name: str, *, age: float = 0.0) -> JobFolder:
    """A job that its owner has begun, the owner being this process."""
    folder = JobFolder(root, name)
    assert folder.lock()
    job = rp.ExtractJob(source="game.mp4", output=f"{name}.mp4", end=1)
    folder.begin(JobRequest(id=name, identity="x", job=job, cwd=str(root)))
    path = folder.path / "job.json"
    os.utime(path, (path.stat().st_mtime - age,) * 2)
    return folder


def ended(root: Path, name: str, outcome: ReelprocError | None = None, *, age: float = 0.0) -> JobFolder:
    folder = job_folder(root, name, age=age)
    folder.append()
    job = rp.ExtractJob(source="game.mp4", output=f"{name}.mp4", end=1)
    folder.end(outcome or job.plausible_result())
    folder.unlock()
    return folder


@pytest.fixture
def jobs(root: Path) -> dict[str, JobFolder]:
    folders = {
        "done": ended(root, "done", age=50),
        "failed": ended(root, "failed", EncodeError("full"), age=40),
        "stopped": ended(root, "stopped", JobCancelledError("stopped"), age=30),
        "waits": job_folder(root, "waits", age=20),
        "runs": job_folder(root, "runs", age=10),
        "cut": job_folder(root, "cut"),
    }
    for name in ("runs", "cut"):
        folders[name].append()
    folders["cut"].unlock()
    return folders


STATES = {
    "cut": "interrupted",
    "runs": "running",
    "waits": "queued",
    "stopped": "cancelled",
    "failed": "error",
    "done": "complete",
}


def test_every_job_is_listed_with_its_state_the_newest_first(root: Path, jobs: dict[str, JobFolder]) -> None:
    (jobs["cut"].path / "segments").mkdir()
    (jobs["cut"].path / "segments" / "a.mp4").write_bytes(b"x" * 1000)
    entries = listed(root)
    assert [(entry.id, entry.state) for entry in entries] == list(STATES.items())
    assert {(entry.kind, entry.output == f"{entry.id}.mp4") for entry in entries} == {("extract", True)}
    assert entries[0].size_bytes > 1000
    assert 50 <= entries[-1].age_seconds < 3600


def test_to_look_at_a_job_takes_it_from_nobody(root: Path, jobs: dict[str, JobFolder]) -> None:
    listed(root)
    assert JobFolder(root, "cut").lock()
    assert not JobFolder(root, "runs").lock()


def test_a_job_that_cannot_be_read_is_listed_all_the_same(root: Path) -> None:
    (root / "odd").mkdir(parents=True)
    (root / "odd" / "job.json").write_text("{")
    (entry,) = listed(root)
    assert (entry.id, entry.state) == ("odd", "unreadable")


def test_a_running_job_is_never_removed(root: Path, jobs: dict[str, JobFolder]) -> None:
    assert not remove(root, "runs")
    assert jobs["runs"].path.exists()
    assert remove(root, "cut")
    assert not jobs["cut"].path.exists()
    assert not remove(root, "cut")


def test_the_list_is_for_people_and_machines(root: Path, jobs: dict[str, JobFolder], command: Command) -> None:
    shown = command("jobs").stdout.splitlines()
    assert [line.split()[0] for line in shown[1:]] == list(STATES.values())
    assert shown[1].endswith("cut  cut.mp4")
    answer = json.loads(command("jobs", "--json").stdout)
    assert answer == json.loads(command("jobs", "list", "--json").stdout)
    assert {entry["id"]: entry["state"] for entry in answer["jobs"]} == STATES


def test_no_jobs_are_said_to_be_none(root: Path, command: Command) -> None:
    assert f"there are no jobs in {root}" in command("jobs").stdout


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ((), {"waits", "runs", "cut"}),
        (("--interrupted",), {"waits", "runs"}),
        (("--older", str(45 / 86400)), {"failed", "stopped", "waits", "runs", "cut"}),
    ],
)
def test_clean_removes_what_has_ended(
    root: Path, jobs: dict[str, JobFolder], command: Command, options: tuple[str, ...], left: set[str]
) -> None:
    ran = command("jobs", "clean", *options, "--json")
    assert set(json.loads(ran.stdout)["jobs"]) == set(STATES) - left
    assert {entry.id for entry in listed(root)} == left


def test_rm_removes_what_is_named_and_refuses_what_runs(
    root: Path, jobs: dict[str, JobFolder], command: Command
) -> None:
    ran = command("jobs", "rm", "cut", "runs")
    assert (ran.exit_code, "job runs is running; stop it first: reelproc attach runs --cancel" in ran.stderr) == (
        2,
        True,
    )
    assert jobs["cut"].path.exists(), "all or nothing"
    assert command("jobs", "rm", "cut", "cut").exit_code == 0
    assert not jobs["cut"].path.exists()
    ran = command("jobs", "rm", "cut", "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["error"]["type"]) == (2, "ObjectNotFoundError")
