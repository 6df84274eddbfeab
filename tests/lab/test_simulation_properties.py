"""The simulated day keeps its books, whatever the fleet; the replay is what its parameters say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelproc.errors import SpecError
from reelproc_lab.simulation.fleet import (
    EVENING,
    Day,
    Fleet,
    arrivals,
    percentile,
    simulate_day,
    split_frames,
)
from reelproc_lab.simulation.parameters import PARAMETERS, Parameter, Parameters
from reelproc_lab.simulation.replay import RECORDED, one_against_one, replay
from reelproc_lab.simulation.sweep import frontier, knee, likely_fleet, sweep


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    limit = draw(st.integers(1, 12))
    return Fleet(
        jobs_per_day=draw(st.floats(20, 400)),
        job_frames=draw(st.lists(st.integers(1, 900), min_size=1, max_size=4)),
        seconds_per_frame=draw(st.floats(0.01, 0.5)),
        chunk_seconds=draw(st.floats(0, 5)),
        join_seconds=draw(st.floats(0, 5)),
        scaledown_seconds=draw(st.floats(0, 600)),
        limit=limit,
        warm_pool=draw(st.integers(0, limit)),
        chunks=draw(st.integers(1, 9)),
        usd_per_second=0.0002,
        coordinator_usd_per_second=0.00001,
    )


@settings(max_examples=60)
@given(fleets(), st.integers(0, 1000))
def test_a_day_keeps_its_books(fleet: Fleet, seed: int) -> None:
    day = simulate_day(fleet, seed=seed)
    rng = random.Random(seed)
    jobs = [rng.choice(fleet.job_frames) for _ in arrivals(fleet, rng)]
    shares = [split_frames(frames, fleet.chunks) for frames in jobs]
    assert (day.jobs, day.tasks) == (len(jobs), sum(map(len, shares)))
    work = sum(jobs) * fleet.seconds_per_frame + day.tasks * fleet.chunk_seconds
    assert day.busy_seconds == pytest.approx(work, rel=1e-6, abs=0.2)
    assert day.paid_seconds >= day.busy_seconds - 0.2
    assert day.paid_seconds >= fleet.warm_pool * 86_400 - 0.2
    assert fleet.warm_pool <= day.most_containers <= fleet.limit
    assert day.most_containers <= fleet.warm_pool + day.starts
    assert day.longest_line == 0 or day.most_containers == fleet.limit
    least = min(max(each) for each in shares) * fleet.seconds_per_frame + fleet.chunk_seconds
    assert least - 0.01 <= day.wall_median <= day.wall_p95 <= day.wall_p99
    assert day.usd >= day.paid_seconds * fleet.usd_per_second - 0.001
    assert day.simulated is True


@settings(max_examples=15)
@given(fleets(), st.integers(0, 1000))
def test_equal_seeds_give_equal_days(fleet: Fleet, seed: int) -> None:
    assert simulate_day(fleet, seed=seed) == simulate_day(fleet, seed=seed)


def test_a_pool_as_large_as_the_limit_never_starts_a_container() -> None:
    day = simulate_day(Fleet(jobs_per_day=500, limit=6, warm_pool=6, chunks=3, usd_per_second=1.0))
    assert (day.starts, day.cold_share, day.most_containers) == (0, 0.0, 6)


def test_where_nothing_may_wait_every_chunk_is_cold() -> None:
    fleet = Fleet(jobs_per_day=50, job_frames=[1], seconds_per_frame=0.01, scaledown_seconds=0, usd_per_second=1.0)
    assert simulate_day(fleet).cold_share > 0.95


@given(st.integers(1, 5000), st.integers(1, 64))
def test_frames_are_divided_evenly_and_completely(frames: int, chunks: int) -> None:
    shares = split_frames(frames, chunks)
    assert sum(shares) == frames
    assert len(shares) == min(frames, chunks)
    assert max(shares) - min(shares) <= 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(v <= found for v in values) >= share * len(values) - 1e-9


def test_arrivals_follow_the_hours() -> None:
    weights = [0.0] * 24
    weights[18], weights[19] = 1.0, 3.0
    times = list(arrivals(Fleet(jobs_per_day=4000, by_hour=weights, usd_per_second=0), random.Random(1)))
    assert times == sorted(times)
    at = [int(t // 3600) for t in times]
    assert set(at) == {18, 19}
    assert abs(len(times) - 4000) < 5 * 4000**0.5
    assert at.count(19) == pytest.approx(3 * at.count(18), rel=0.2)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"by_hour": [1.0] * 23}, "24 weights"),
        ({"by_hour": [0.0] * 24}, "not all 0"),
        ({"warm_pool": 7, "limit": 6}, "within the limit, got 7 of 6"),
        ({"start_seconds": (9.0, 5.0)}, "in order"),
    ],
)
def test_an_impossible_fleet_is_refused(bad: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Fleet(**({"usd_per_second": 1.0} | bad))  # type: ignore[arg-type]


def test_a_day_without_jobs_says_so() -> None:
    with pytest.raises(SpecError, match="no job arrived"):
        simulate_day(Fleet(jobs_per_day=1e-6, usd_per_second=1.0))


def test_chunks_cost_more_and_take_less() -> None:
    days = sweep(likely_fleet(jobs_per_day=2000), chunks=(1, 2, 4), pools=(0,))
    assert [d.chunks for d in days] == [1, 2, 4]
    assert len({d.jobs for d in days}) == 1  # the same jobs
    assert days[0].usd_per_job < days[1].usd_per_job < days[2].usd_per_job
    assert days[0].wall_p95 > days[1].wall_p95 > days[2].wall_p95


def made(usd: float, wall: float) -> Day:
    day = simulate_day(Fleet(jobs_per_day=20, usd_per_second=1.0))
    return day.model_copy(update={"usd_per_job": usd, "wall_p95": wall})


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(1, 100)), min_size=1, max_size=12))
@settings(max_examples=40)
def test_nothing_beats_a_point_of_the_frontier_and_the_knee_is_one(points: list[tuple[float, float]]) -> None:
    days = [made(*point) for point in points]
    line = frontier(days)
    assert knee(days) in line
    for day in line:
        assert not any(d.usd_per_job <= day.usd_per_job and d.wall_p95 < day.wall_p95 for d in days)


def test_the_knee_is_where_a_shorter_wait_gets_dear() -> None:
    days = [made(1, 100), made(1.2, 40), made(1.4, 30), made(3, 25), made(9, 20)]
    assert knee(days).usd_per_job == 1.4


# ---- the replay


def test_every_parameter_says_where_it_comes_from_and_lies_within_its_bounds() -> None:
    assert all(len(p.source) > 10 and p.low <= p.value <= p.high for p in PARAMETERS)
    with pytest.raises(SpecError, match="between its bounds"):
        Parameter(name="x", value=3, low=0, high=2, source="made up for a test")


def test_the_runs_that_it_was_fitted_to_are_met_and_told_apart() -> None:
    found = {r.name: r for r in replay(draws=200)}
    fitted = [r for r in found.values() if r.verdict == "fitted"]
    assert {r.name for r in fitted} == {r.name for r in RECORDED if r.fitted}
    assert abs(found["AI framing, 180 frames, T4, third run"].residual_share) < 0.01
    assert abs(found["overlay, all 90 s, T4"].residual_share) < 0.01


def test_what_the_model_does_not_explain_is_said() -> None:
    verdicts = {r.name: r.verdict for r in replay()}
    assert verdicts["AI framing, 449 frames, 8 T4"] == "not explained"
    assert verdicts["overlay, all 90 s, 2 cores"] == "not explained"
    assert verdicts["AI framing, 449 frames, 2 T4"] == "explained"


@given(st.floats(1.5, 4.0))
@settings(max_examples=20)
def test_a_slower_host_slows_what_has_a_host_in_it_and_nothing_else(slowness: float) -> None:
    plain = {r.name: r.simulated_seconds for r in replay(draws=40)}
    slow = {r.name: r.simulated_seconds for r in replay(Parameters().changed(host_slowness=slowness + 1.97), draws=40)}
    for name, seconds in plain.items():
        framed_by_ai = name.startswith(("AI", "the same"))
        assert slow[name] > seconds if framed_by_ai else slow[name] == seconds


def test_equal_seeds_give_equal_intervals_and_an_unknown_parameter_is_refused() -> None:
    assert replay(seed=3, draws=100) == replay(seed=3, draws=100) != replay(seed=4, draws=100)
    with pytest.raises(SpecError, match="no parameter is called 'luck'"):
        Parameters().changed(luck=1.0)


def test_a_faster_card_is_often_the_slower_run_but_seldom_by_two_thirds() -> None:
    chance = one_against_one()
    assert chance.median < 1
    assert 0.1 < chance.at_least_116 < 0.4
    assert chance.at_least_167 < 0.02


def test_the_hours_of_the_evening_are_a_day() -> None:
    assert len(EVENING) == 24
    assert max(EVENING) == EVENING[19]
