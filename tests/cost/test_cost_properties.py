"""Costs grow with what is done, whatever the rates."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reelproc.cost.calibration import Calibration
from reelproc.cost.decision import MAX_EXTRA_COST, choose
from reelproc.cost.estimate import Estimate, estimate_work
from reelproc.cost.hardware_specs import place
from reelproc.cost.measured_rates import Machine, SampleSpread, this_host
from reelproc.cost.options import Option, Pricing
from reelproc.cost.pipeline import loop
from reelproc.cost.rates import Rates
from reelproc.cost.work import Work, added
from reelproc.prices import PRICES
from reelproc_lab import typical_jobs as typical

RATE = st.floats(0.0, 0.1)
KINDS = ("decode.h264", "pipe", "stage.scale", "encode.libx264.fast", "network.default")
SAMPLES = st.fixed_dictionaries({kind: RATE.map(lambda rate: [rate]) for kind in KINDS})
LONG = typical.reel_of(8)
UNHURRIED = settings(max_examples=40)
"""For those that estimate a reel of twelve segments many times."""


def known(samples: dict[str, list[float]], executor: str) -> Calibration:
    machine = this_host() if executor == "local" else Machine(cpu="rented", threads=8)
    return Calibration().with_samples(executor, machine, samples, {})


def estimated(work: Work, samples: dict[str, list[float]], executor: str, chunks: list[int]) -> Estimate:
    return estimate_work(work, [executor], chunks=chunks, calibration=known(samples, executor), pricing=Pricing(PRICES))


@given(seconds=st.floats(0, 1e5), more=st.floats(0, 1e5), gpu=st.sampled_from([None, *PRICES.gpus]))
def test_more_seconds_never_cost_less(seconds: float, more: float, gpu: str | None) -> None:
    rate = PRICES.usd_per_second(gpu=gpu, cores=4, memory_bytes=8 << 30)
    assert (seconds + more) * rate >= seconds * rate


@UNHURRIED
@given(samples=SAMPLES, executor=st.sampled_from(["modal-t4", "modal-l4"]))
def test_more_chunks_never_take_less_gpu_time(samples: dict[str, list[float]], executor: str) -> None:
    """The container that joins the chunks has none; sound and joining are its, so one container does more by those."""
    options = estimated(LONG, samples, executor, [1, 2, 4, 8]).options
    for start in ("cold", "warm"):
        one, *divided = (each for each in options if each.start == start)
        joining = one.phases["audio"] + one.phases["assemble"]
        assert divided[0].gpu_seconds >= one.gpu_seconds - joining - 1e-6
        for fewer, more in pairwise(divided):
            assert more.gpu_seconds >= fewer.gpu_seconds * 0.999


@UNHURRIED
@given(samples=SAMPLES, kind=st.sampled_from(KINDS), factor=st.floats(1, 10))
def test_a_slower_rate_never_makes_a_job_faster(samples: dict[str, list[float]], kind: str, factor: float) -> None:
    slower = samples | {kind: [samples[kind][0] * factor]}
    for executor in ("local", "modal-t4"):
        before = estimated(LONG, samples, executor, [1, 4]).options
        after = estimated(LONG, slower, executor, [1, 4]).options
        assert all(b.wall_seconds >= a.wall_seconds * 0.999 for a, b in zip(before, after, strict=True))


@UNHURRIED
@given(samples=SAMPLES, executor=st.sampled_from(["local", "modal-t4"]), few=st.integers(1, 11))
def test_some_of_the_segments_never_take_longer_than_all(
    samples: dict[str, list[float]], executor: str, few: int
) -> None:
    rates = Rates(place(executor), known(samples, executor))
    some, all_of_them = loop(LONG.part(range(few)), rates), loop(LONG.whole, rates)
    assert some.wall <= all_of_them.wall * 1.001


@UNHURRIED
@given(samples=SAMPLES)
def test_a_cold_start_is_never_faster_or_cheaper(samples: dict[str, list[float]]) -> None:
    made = estimated(LONG, samples, "modal-l4", [1, 2])
    for chunks in (1, 2):
        cold = made.option("modal-l4", chunks=chunks, start="cold")
        warm = made.option("modal-l4", chunks=chunks)
        assert cold.wall_seconds >= warm.wall_seconds
        assert cold.usd >= warm.usd


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_a_spread_is_in_order(values: list[float]) -> None:
    spread = SampleSpread.of(values)
    assert min(values) <= spread.low <= spread.median <= spread.high <= max(values)


AMOUNTS = st.dictionaries(st.sampled_from(KINDS), st.integers(0, 1000).map(float))


@given(a=AMOUNTS, b=AMOUNTS, c=AMOUNTS)
def test_amounts_add_up_in_any_order(a: dict[str, float], b: dict[str, float], c: dict[str, float]) -> None:
    assert added(a, b, c) == added(c, added(b, a))


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 1000)), min_size=1, max_size=12))
def test_what_is_chosen_is_affordable_and_no_affordable_one_is_faster(offers: list[tuple[float, float]]) -> None:
    options = [
        Option(
            executor=str(n), chunks=1, start="cold", wall_seconds=wall, wall_low=wall, wall_high=wall,
            billed_seconds=wall, gpu_seconds=0, usd=usd, usd_low=usd, usd_high=usd, idle_usd=0, basis="measured",
            why="",
        )
        for n, (usd, wall) in enumerate(offers)
    ]  # fmt: skip
    chosen = choose(options)
    limit = min(usd for usd, _ in offers) * (1 + MAX_EXTRA_COST)
    assert chosen.usd <= limit
    assert chosen.wall_seconds == min(wall for usd, wall in offers if usd <= limit)
