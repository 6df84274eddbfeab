"""What is logged shows no secret, and crosses from process to process."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from reelproc.errors import StorageError
from reelproc.logs import forward, log_again, shown_command, wanted_level
from reelproc.retries import retried


def test_a_command_can_be_given_to_a_shell_again() -> None:
    assert shown_command(["ffmpeg", "-i", "file:/a b/it's.mp4"]) == "ffmpeg -i 'file:/a b/it'\"'\"'s.mp4'"


@pytest.mark.parametrize(
    "secret", ["https://me:pw@example.org/a.mp4?X-Amz-Signature=abc", "http://127.0.0.1:4711/abcDEF_-123"]
)
def test_a_command_shows_no_secret(secret: str) -> None:
    shown = shown_command(["ffmpeg", "-i", secret])
    assert not any(part in shown for part in ("pw", "abc", "Signature"))


def test_nothing_is_shown_where_nobody_asks() -> None:
    code = "import reelproc, logging; logging.getLogger('reelproc.retries').warning('attempt 1 failed')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("", "")


def test_what_is_tried_again_is_a_warning(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reelproc.retries.FIRST_PAUSE_SECONDS", 0.0)
    failures = [StorageError("https://me:pw@example.org/a?sig=b is busy", transient=True)]

    def call() -> int:
        if failures:
            raise failures.pop()
        return 42

    assert retried(call) == 42
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("reelproc.retries", "WARNING")
    assert "attempt 1 failed" in record.getMessage()
    assert "https://example.org/a is busy" in record.getMessage()


@pytest.fixture
def forwarded() -> Any:
    logger = logging.getLogger("reelproc")
    before, level = list(logger.handlers), logger.level
    sent: list[dict[str, Any]] = []
    forward(lambda data: sent.append(json.loads(json.dumps(data))), logging.INFO)
    yield sent
    logger.handlers[:] = before
    logger.setLevel(level)


def test_a_record_is_the_same_in_the_other_process(forwarded: Any, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("reelproc.jobs").info("%s of %d", "one", 2)
    logging.getLogger("reelproc.jobs").debug("not asked for")
    (data,) = forwarded
    caplog.clear()
    logging.getLogger("reelproc").setLevel(logging.INFO)
    log_again({**data, "name": "reelproc.jobs"})
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == ("reelproc.jobs", logging.INFO, "one of 2")
    assert (record.filename, record.process) == ("test_logs.py", data["process"])


def test_forwarding_again_takes_the_place_of_the_former(forwarded: Any) -> None:
    second: list[Any] = []
    forward(second.append, logging.DEBUG)
    logging.getLogger("reelproc.jobs").warning("once")
    assert (len(forwarded), len(second)) == (0, 1)
    assert wanted_level() == logging.DEBUG


def test_an_exception_crosses_as_text(forwarded: Any) -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("reelproc.jobs").exception("it failed")
    assert "ZeroDivisionError: division by zero" in forwarded[0]["msg"]
