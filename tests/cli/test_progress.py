"""What a command says while it works: a bar, lines, JSON lines, and the log."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from click.testing import CliRunner, Result

import reelproc as rp
from reelproc.cli import app
from reelproc.cli.progress import aside, progress_bar
from reelproc.testing import MockExecutor

Command = Callable[..., Result]
EXTRACT = ("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Command:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(a) for a in arguments])


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> MockExecutor:
    made = MockExecutor()
    monkeypatch.setattr(rp, "executor", lambda name: made)
    return made


def render(*dones: int) -> list[rp.Progress]:
    return [rp.Progress(phase="render", done=done, total=100) for done in dones]


# ---- on a terminal


def test_the_bar_shows_how_far_the_whole_job_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    with progress_bar(as_json=False) as show:
        show(rp.Progress(phase="probe", message="reading the sources"))
        for event in render(0, 50):
            show(event)
    assert "starting a worker" in stream.getvalue()
    assert "50%" in stream.getvalue()


def test_the_bar_never_falls_back_to_nothing_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each phase began its own bar at 0 %, the last of them for a moment before the end."""
    shown: list[float] = []
    from rich.progress import Progress as Bar

    class Watched(Bar):
        def update(self, task_id: Any, **fields: Any) -> None:
            super().update(task_id, **fields)
            shown.append(self.tasks[0].percentage)

        def reset(self, task_id: Any, **fields: Any) -> None:
            super().reset(task_id, **fields)
            shown.append(self.tasks[0].percentage)

    monkeypatch.setattr("rich.progress.Progress", Watched)
    monkeypatch.setattr(sys, "stderr", Terminal())
    events = [
        rp.Progress(phase="probe", total=1),
        *render(0, 50, 100),
        rp.Progress(phase="audio", total=0),
        rp.Progress(phase="assemble", message="joining"),
        rp.Progress(phase="done", done=100, total=100, message="out.mp4"),
    ]
    with progress_bar(as_json=False) as show:
        for event in events:
            show(event)
    assert shown == sorted(shown)
    assert shown[-1] == 100


def test_what_comes_before_and_after_a_job_has_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    with progress_bar(as_json=False) as show:
        show(rp.Progress(phase="draw", done=30, total=40, message="drawing"))
        show(rp.Progress(phase="render", done=0, total=100))
        show(rp.Progress(phase="sheet", message="drawing the contact sheet"))
    assert "contact sheet" in stream.getvalue()


def test_the_bar_keeps_what_a_phase_has_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    with progress_bar(as_json=False) as show:
        show(rp.Progress(phase="render", total=100, message="rendering"))
        for event in render(50, 90):
            show(event)
    last = [line for line in stream.getvalue().splitlines() if "82%" in line][-1]
    assert "rendering" in last


# ---- elsewhere


def lines(monkeypatch: pytest.MonkeyPatch, events: list[rp.Progress], seconds: float) -> list[str]:
    """What is said of ``events`` that come ``seconds`` apart, where there is no terminal."""
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    now = 0.0
    with progress_bar(as_json=False, clock=lambda: now) as show:
        for event in events:
            now += seconds
            show(event)
    return stream.getvalue().splitlines()


def test_without_a_terminal_each_tenth_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = lines(monkeypatch, [*render(*range(101)), rp.Progress(phase="done", done=1, total=1)], 10)
    assert said == [f"render: {percent} %" for percent in range(10, 100, 10)]


def test_without_a_terminal_a_short_job_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(monkeypatch, render(*range(101)), 0.02) == []


def test_without_a_terminal_lines_are_seconds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    said = lines(monkeypatch, render(*range(101)), 0.25)
    assert 3 <= len(said) <= 5


# ---- for machines


def test_with_json_progress_is_lines_of_json_on_standard_error(command: Command, executor: MockExecutor) -> None:
    ran = command(*EXTRACT, "--json")
    assert json.loads(ran.stdout)["output"] == "b.mp4"
    first, *events = map(json.loads, ran.stderr.splitlines())
    assert first == {
        "event": "job",
        "job": first["job"],
        "kind": "extract",
        "executor": "local",
        "output": "b.mp4",
    }
    assert {event["job"] for event in events} == {first["job"]}
    assert {event["event"] for event in events} == {"progress"}
    assert set(events[0]) == {"event", "job", "phase", "done", "total", "share", "message"}
    shares = [event["share"] for event in events]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_with_json_the_log_is_lines_of_json(command: Command, executor: MockExecutor) -> None:
    def warns(*_: object) -> None:
        logging.getLogger("reelproc.retries").warning("attempt 1 failed: https://me:pw@example.org/a?sig=b")

    executor.submit = lambda job, **_: (warns(), MockExecutor.submit(executor, job))[1]  # type: ignore[method-assign]
    logged = [event for event in map(json.loads, command(*EXTRACT, "--json").stderr.splitlines())
              if event["event"] == "log"]  # fmt: skip
    assert [(e["level"], e["logger"], e["message"]) for e in logged] == [
        ("WARNING", "reelproc.retries", "attempt 1 failed: https://example.org/a")
    ]
    ran = command(*EXTRACT)
    assert "warning reelproc.retries: attempt 1 failed: https://example.org/a" in ran.stderr


def test_who_does_not_read_standard_error_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipe is full: another line would wait for a reader for ever."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "w") as stream:
        os.set_blocking(writing, False)
        with pytest.raises(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bar(as_json=True, job="j") as show:
            show(rp.Progress(phase="render", done=1, total=2))


@pytest.mark.parametrize("as_json", [True, False])
def test_who_closes_standard_error_ends_nobody(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    monkeypatch.setattr(sys, "stderr", stream)
    aside("said to nobody", as_json=as_json)
    with pytest.raises(BrokenPipeError):
        stream.write("x")
        stream.flush()
    with suppress(BrokenPipeError):
        stream.close()


# ---- the job's name


def test_a_job_says_how_it_is_found_again(command: Command, executor: MockExecutor) -> None:
    ran = command(*EXTRACT)
    (handle,) = ran.stderr.splitlines()
    assert handle.startswith("job extract-")
    name = handle.split()[1].rstrip(";")
    assert handle.endswith(f"reelproc attach {name}")


def test_a_job_elsewhere_says_where(command: Command, executor: MockExecutor) -> None:
    assert "--executor mock" in command(*EXTRACT, "--executor", "mock").stderr


# ---- the log


@pytest.mark.parametrize(
    ("options", "shown"),
    [((), {"warning"}), (("-v",), {"warning", "info"}), (("-vv",), {"warning", "info", "debug"}),
     (("-v", "-v"), {"warning", "info", "debug"}), (("-vvv",), {"warning", "info", "debug"})],
)  # fmt: skip
@pytest.mark.parametrize("before", [True, False])
def test_v_says_more(
    command: Command, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], shown: set[str], before: bool
) -> None:
    log = logging.getLogger("reelproc.something")

    def probed(*_: object, **__: object) -> None:
        for say in (log.debug, log.info, log.warning):
            say("said")
        raise rp.ProbeError("no")

    monkeypatch.setattr("reelproc.media.probe.anywhere.probe_address", probed)
    ran = command(*options, "probe", "x.mp4") if before else command("probe", "x.mp4", *options)
    assert {line.split()[1] for line in ran.stderr.splitlines() if "reelproc.something: said" in line} == shown


def test_v_before_and_after_adds_up(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = []

    def probed(*_: object, **__: object) -> None:
        levels.append(logging.getLogger("reelproc").level)
        raise rp.ProbeError("no")

    monkeypatch.setattr("reelproc.media.probe.anywhere.probe_address", probed)
    command("-v", "probe", "-v", "x.mp4")
    command("probe", "x.mp4")
    assert levels == [logging.DEBUG, logging.WARNING]
    assert logging.getLogger("reelproc").level == logging.NOTSET


def test_a_command_leaves_the_logger_as_it_was(command: Command) -> None:
    command("jobs", "-vv")
    logger = logging.getLogger("reelproc")
    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    assert not any(type(handler).__module__.startswith("reelproc.cli") for handler in logger.handlers)
