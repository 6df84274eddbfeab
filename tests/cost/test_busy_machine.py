"""A machine that others use is not measured: its readings are judged before and while it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

import reelproc as rp
from reelproc.cost.busy_machine import Reading, Watch, is_loaded, read_machine


def watch(readings: Iterable[Reading], *, anyway: bool = False) -> Watch:
    return Watch(anyway=anyway, read=iter(readings).__next__)


QUIET = Reading(load=0.2, share=0.99)


def test_a_quiet_machine_may_be_measured() -> None:
    looking = watch(itertools.repeat(QUIET))
    looking.begin()
    for _ in range(20):
        looking.look()
    assert looking.busy is None


def test_a_system_without_a_load_average_is_judged_by_its_pulses() -> None:
    watch(itertools.repeat(Reading(load=None, share=0.95))).begin()
    with pytest.raises(rp.BackendError, match="leave 50% of its cores"):
        watch(itertools.repeat(Reading(load=None, share=0.5))).begin()


def test_a_loaded_machine_is_refused_with_the_remedy() -> None:
    with pytest.raises(rp.BackendError, match=r"load average is 14 per core, above 0\.5.*Wait .*--anyway") as caught:
        watch(itertools.repeat(Reading(load=13.5, share=0.9))).begin()
    assert caught.value.transient


def test_a_core_that_another_process_uses_is_noticed() -> None:
    with pytest.raises(rp.BackendError, match="other processes leave 67% of its cores, less than 80%"):
        watch(itertools.repeat(Reading(load=0.5, share=2 / 3))).begin()


def test_a_moments_disturbance_is_none() -> None:
    looking = watch([QUIET, Reading(load=0.2, share=0.3), QUIET, Reading(load=0.2, share=0.3), QUIET])
    looking.begin()
    looking.look()
    looking.look()
    assert looking.busy is None


def test_the_load_that_the_measurement_makes_itself_is_not_held_against_it() -> None:
    looking = watch([QUIET] * 3 + [Reading(load=3.0, share=0.99)] * 10)
    looking.begin()
    for _ in range(5):
        looking.look()
    looking.begin()
    assert looking.busy is None


def test_who_measures_anyway_is_told_why_not_to() -> None:
    looking = watch(itertools.repeat(Reading(load=13.5, share=0.9)), anyway=True)
    looking.begin()
    looking.look()
    assert looking.busy == "its load average is 14 per core, above 0.5"


def test_a_load_average_counts_for_each_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert is_loaded(4.1)
    assert not is_loaded(3.9)


def test_the_machine_can_be_read() -> None:
    reading = read_machine()
    assert 0 < reading.share <= 1
    assert reading.load is None or reading.load >= 0
