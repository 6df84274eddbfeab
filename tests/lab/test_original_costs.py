"""The arithmetic of the highlight app's cost experiments reproduces their figures."""

from __future__ import annotations

import pytest

import reelproc as rp
from reelproc.cost.decision import break_even
from reelproc.cost.estimate import estimate_work
from reelproc.cost.options import Pricing
from reelproc.prices import PRICES
from reelproc_lab.original_costs import RUNS, original_run, original_usd, original_workflow
from reelproc_lab.price_modes import prices_in
from reelproc_lab.typical_jobs import framed


def test_an_upscaled_clip_on_a_t4() -> None:
    assert original_usd(143.8, "T4") == pytest.approx(0.0236, abs=5e-5)
    assert RUNS["upscale"].usd_per_frame == pytest.approx(0.000131, abs=5e-7)


@pytest.mark.parametrize(
    ("seconds", "gpu", "usd"), [(166.9, "T4", 0.0274), (167.1, "L4", 0.0371), (193.4, "L4", 0.0429)]
)
def test_the_other_configurations_of_the_same_table(seconds: float, gpu: str, usd: float) -> None:
    assert original_usd(seconds, gpu) == pytest.approx(usd, abs=5e-5)


def test_an_overlay_of_which_three_of_ninety_seconds_are_highlighted() -> None:
    assert RUNS["overlay"].usd_per_frame == pytest.approx(0.0000029, abs=5e-8)


def test_an_overlay_that_is_highlighted_throughout_costs_six_times_that() -> None:
    assert RUNS["overlay-full"].usd_per_frame == pytest.approx(0.0000169, abs=5e-8)
    assert RUNS["overlay-full"].usd == pytest.approx(0.0456, abs=5e-5)


def test_extraction_and_compilation() -> None:
    assert RUNS["extract"].usd == pytest.approx(0.0001, abs=5e-6)
    assert RUNS["compile"].usd == pytest.approx(0.0004, abs=5e-6)


def test_the_workflows() -> None:
    assert original_workflow(1) == pytest.approx(0.060, abs=5e-4)
    assert original_workflow(8) == pytest.approx(0.483, abs=5e-4)


def test_a_clip_with_all_of_it_highlighted_costs_a_tenth_more_than_they_say() -> None:
    assert original_workflow(1, overlay="overlay-full") / original_workflow(1) == pytest.approx(1.10, abs=0.01)


def test_the_original_rates_leave_cores_and_memory_out() -> None:
    theirs = prices_in("original", PRICES)
    assert theirs.usd_per_second(gpu="T4", cores=4, memory_bytes=16 << 30) == 0.000164
    assert theirs.usd_per_second(cores=2, memory_bytes=4 << 30) == 0.0000262
    # what Modal bills for those two cores and their 4 GiB is a third more
    assert PRICES.usd_per_second(cores=2, memory_bytes=4 << 30) / 0.0000262 == pytest.approx(1.339, abs=0.001)


def test_the_original_rates_know_no_regions() -> None:
    with pytest.raises(rp.SpecError, match="'broad'"):
        prices_in("original", PRICES).usd_per_second(gpu="T4", region="broad")


def test_an_estimate_at_the_original_rates_bills_the_gpu_alone() -> None:
    """In every option, whatever cores and memory its container has."""
    work, known = framed(6), rp.Calibration()
    pricing = Pricing(prices_in("original", PRICES))
    made = estimate_work(work, ["modal-t4"], chunks=(1,), calibration=known, pricing=pricing)
    assert made.break_even.ratio == pytest.approx(1.354, abs=0.001)
    assert [o.usd for o in made.options] == pytest.approx([o.billed_seconds * 0.000164 for o in made.options])


def test_their_break_even_is_the_ratio_of_the_gpus_alone() -> None:
    assert break_even(prices_in("original", PRICES)).ratio == pytest.approx(1.35, abs=0.005)


def test_with_cores_and_memory_the_l4_pays_sooner() -> None:
    assert break_even(PRICES).ratio == pytest.approx(1.23, abs=0.005)


def test_a_gpu_is_dearer_where_it_takes_more_than_the_inverse_of_the_ratio() -> None:
    """The experiments say "less than 1/6.3", which is the wrong way round."""
    on_cpu = original_usd(63.0)
    assert original_usd(9.0, "T4") < on_cpu < original_usd(11.0, "T4")


def test_what_is_not_counted_in_frames_has_no_price_of_one() -> None:
    with pytest.raises(rp.SpecError, match="not counted in frames"):
        _ = original_run("extract").usd_per_frame
    with pytest.raises(rp.SpecError, match="no original run is called 'x'"):
        original_run("x")
