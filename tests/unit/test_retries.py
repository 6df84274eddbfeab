"""The one retry policy: who is tried again, how long, and what ends it."""

from __future__ import annotations

import time

import pytest

from reelproc import retries
from reelproc.errors import JobCancelledError, StorageError
from reelproc.retries import retried


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


def test_after_the_deadline_the_last_error_is_raised_as_it_is() -> None:
    flaky = Flaky(10**6)
    begin = time.monotonic()
    with pytest.raises(StorageError, match="attempt") as caught:
        retried(flaky, deadline_seconds=0.3)
    assert time.monotonic() - begin < 1
    assert caught.value.transient
    assert flaky.calls > 2
    assert str(caught.value) == f"attempt {flaky.calls}"


def test_a_check_ends_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 1000.0)
    monkeypatch.setattr(retries, "LONGEST_PAUSE_SECONDS", 1000.0)
    begin = time.monotonic()

    def check() -> None:
        if time.monotonic() > begin + 0.1:
            raise JobCancelledError("stopped")

    with pytest.raises((JobCancelledError, StorageError)):
        retried(Flaky(10), check=check, deadline_seconds=10_000.0)
    assert time.monotonic() - begin < 2


def test_pauses_are_random_and_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    def pauses() -> list[float]:
        at: list[float] = []

        def fail() -> None:
            at.append(time.monotonic())
            raise StorageError("again", transient=True)

        with pytest.raises(StorageError):
            retried(fail, deadline_seconds=1.0)
        return [b - a for a, b in zip(at, at[1:], strict=False)]

    one, other = pauses(), pauses()
    assert one[:3] != other[:3]
    assert max(one[-3:]) > one[0]
