"""The one retry policy: who is tried again, how long, and what ends it."""

from __future__ import annotations

import math
import pickle

import pytest

from clock import Clock
from reelproc import retries
from reelproc.errors import JobCancelledError, StorageError
from reelproc.retries import asked_pause, retried


class Flaky:
    """Fails ``times`` times, then returns how often it was called."""

    def __init__(self, times: int, *, transient: bool = True) -> None:
        self.times = times
        self.calls = 0
        self.transient = transient

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.times:
            raise StorageError(f"attempt {self.calls}", transient=self.transient)
        return self.calls


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.01)


def test_what_can_be_helped_is_tried_again() -> None:
    assert retried(Flaky(3)) == 4


def test_what_cannot_be_helped_is_raised_at_once() -> None:
    flaky = Flaky(3, transient=False)
    with pytest.raises(StorageError, match="attempt 1"):
        retried(flaky)
    assert flaky.calls == 1


def test_other_errors_are_none_of_its_business() -> None:
    def fail() -> None:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        retried(fail)


def test_after_the_deadline_the_last_error_is_raised_as_it_is(clock: Clock) -> None:
    flaky, begin = Flaky(10**6), clock.now
    with pytest.raises(StorageError, match="attempt") as caught:
        retried(flaky, deadline_seconds=30)
    assert 30 - retries.LONGEST_PAUSE_SECONDS < clock.now - begin < 30
    assert caught.value.transient
    assert flaky.calls > 2
    assert str(caught.value) == f"attempt {flaky.calls}"


def test_a_check_ends_a_pause(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 1000.0)
    monkeypatch.setattr(retries, "LONGEST_PAUSE_SECONDS", 1000.0)
    begin = clock.now

    def check() -> None:
        if clock.now > begin + 0.1:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        retried(Flaky(10**6), check=check, deadline_seconds=10_000.0)
    assert clock.now - begin < 0.3, "ten looks a second"


def test_pauses_are_random_and_grow(clock: Clock) -> None:
    def pauses() -> list[float]:
        at: list[float] = []

        def fail() -> None:
            at.append(clock.now)
            raise StorageError("again", transient=True)

        with pytest.raises(StorageError):
            retried(fail, deadline_seconds=10.0)
        return [b - a for a, b in zip(at, at[1:], strict=False)]

    one, other = pauses(), pauses()
    assert one[:3] != other[:3]
    assert max(one[-3:]) > one[0]


@pytest.mark.parametrize(("asked", "least"), [(None, 0), (0.0, 0), (0.5, 0.5), (7.0, 7), (3600.0, 20), (math.inf, 20)])
def test_a_server_is_left_alone_as_long_as_it_asks_up_to_a_cap(clock: Clock, asked: float | None, least: float) -> None:
    at: list[float] = []

    def call() -> int:
        at.append(clock.now)
        if len(at) == 1:
            raise StorageError("busy", transient=True, retry_after_seconds=asked)
        return 42

    assert retried(call) == 42
    assert least <= at[1] - at[0] <= least + retries.FIRST_PAUSE_SECONDS + 1e-6


def test_who_asks_for_longer_than_the_deadline_leaves_is_not_asked_again(clock: Clock) -> None:
    calls: list[float] = []

    def fail() -> None:
        calls.append(clock.now)
        raise StorageError("busy", transient=True, retry_after_seconds=7200)

    with pytest.raises(StorageError, match="busy; it asks not to be asked again for 7200 s"):
        retried(fail)
    assert 2 <= len(calls) <= 3, "twenty seconds between them, and none behind the deadline"


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        (None, None, None),
        ("120", None, 120.0),
        (" 0 ", None, 0.0),
        ("9" * 400, None, math.inf),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT", 30.0),
        ("Friday, 31-Dec-99 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT", 30.0),
        ("Fri Dec 31 23:59:59 1999", "Fri, 31 Dec 1999 23:59:29 GMT", 30.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "Sat, 01 Jan 2000 00:00:59 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None, 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "yesterday", 0.0),
        ("soon", None, None),
        ("-5", None, None),
        ("1.5", None, None),
        ("Fri, 99 Dec 1999 23:59:59 GMT", None, None),
        ("", None, None),
    ],
)
def test_seconds_and_dates_are_read(retry_after: str | None, date: str | None, seconds: float | None) -> None:
    assert asked_pause(retry_after, date) == seconds


def test_what_a_server_asks_survives_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(StorageError("busy", transient=True, retry_after_seconds=7.5)))
    assert (error.transient, error.retry_after_seconds) == (True, 7.5)
    assert str(error) == "busy; it asks not to be asked again for 7.5 s"
