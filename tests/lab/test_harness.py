"""The harness: questions, rounds, what is written down, figures and decisions. Nothing here renders anything."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reelproc_lab as x
from reelproc.errors import DecodeError, SpecError
from reelproc.results import Progress
from reelproc_lab.bench import TimedOut
from reelproc_lab.harness import schedule
from reelproc_lab.record import RunFile
from reelproc_lab.report import markdown, sections, table_markdown
from reelproc_lab.tracking import placements, read_outcomes, tracking, tracking_table

Seconds = Callable[[str, int], float]


def question(**changes: Any) -> x.Question:
    arms = [x.Arm(name=name, factors={"executor": name}) for name in ("cpu", "t4")]
    asked: dict[str, Any] = {
        "name": "toy",
        "title": "A toy",
        "question": "Which?",
        "hypothesis": "cpu",
        "rule": x.CheapestThenFaster(),
        "arms": arms,
        "baseline": "t4",
    }
    return x.Question(**(asked | changes))


class Lab:
    """A machine whose runs take as long as it is told."""

    def __init__(self, seconds: Seconds, rates: dict[str, float], fail: Callable[[str, int], Exception | None]) -> None:
        self.seconds, self.rates, self.fail = seconds, rates, fail
        self.order: list[tuple[str, str]] = []

    def __call__(self, bench: x.Bench, case: x.Case, arm: x.Arm) -> x.Measurement:
        number = sum(name == arm.name for _, name in self.order)
        self.order.append((case.name, arm.name))
        seconds = self.seconds(arm.name, number)
        measurement = x.Measurement(client_seconds=seconds, usd_billed=seconds * self.rates.get(arm.name, 1.0))
        if error := self.fail(arm.name, number):
            if isinstance(error, TimedOut):
                error.measurement = measurement
            raise error
        return measurement


def lab(
    seconds: dict[str, float] | Seconds,
    rates: dict[str, float] | None = None,
    fail: Callable[[str, int], Exception | None] = lambda *_: None,
) -> Lab:
    return Lab(seconds if callable(seconds) else lambda name, _: seconds[name], rates or {}, fail)


def ask(folder: Path, measure: Lab, repeats: int = 3, warm_ups: int = 0, **changes: Any) -> x.Outcome:
    experiment = x.Experiment(question(**changes), measure, repeats=repeats, warm_ups=warm_ups)
    return x.run_experiment(experiment, folder)


# ---- one change at a time


def test_arms_that_differ_from_the_baseline_in_two_factors_are_refused() -> None:
    arms = [x.Arm(name="a", factors={"gpu": "T4", "chunks": 1}), x.Arm(name="b", factors={"gpu": "L4", "chunks": 2})]
    with pytest.raises(SpecError, match="one change at a time: 'b' differs from the baseline in gpu, chunks"):
        question(arms=arms, baseline="a")
    assert question(arms=arms, baseline="a", design="factorial").changed(arms[1]) == ("gpu", "chunks")


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ([{"name": "a", "factors": {"n": 1}}, {"name": "b", "factors": {"n": 1}}], "differs from the baseline in noth"),
        ([{"name": "a", "factors": {"n": 1}}, {"name": "a", "factors": {"n": 2}}], "arms have names of their own"),
        ([{"name": "a", "factors": {"n": 1}}, {"name": "b", "factors": {"m": 2}}], "name the same factors"),
        ([{"name": "b", "factors": {}}], "the baseline 'a' is none of the arms"),
    ],
)
def test_arms_that_make_no_comparison_are_refused(arms: list[Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        question(arms=[x.Arm(**arm) for arm in arms], baseline="a")


# ---- rounds


def test_arms_are_interleaved_and_their_order_is_rotated(tmp_path: Path) -> None:
    arms = [x.Arm(name=name, factors={"n": name}) for name in "abc"]
    machine = lab(dict.fromkeys("abc", 1.0))
    ask(tmp_path, machine, arms=arms, baseline="a", cases=[x.Case(name="1"), x.Case(name="2")])
    names = ["".join(name for _, name in machine.order[i : i + 3]) for i in range(0, 18, 3)]
    assert names == ["abc", "abc", "bca", "bca", "cab", "cab"]


def test_warm_ups_are_written_down_and_do_not_count(tmp_path: Path) -> None:
    outcome = ask(tmp_path, lab(lambda _, number: 100.0 if number == 0 else 1.0), warm_ups=1, repeats=2)
    assert [r.warm_up for r in outcome.records] == [True, True, False, False, False, False]
    assert [s.client_seconds.median for s in outcome.summaries if s.client_seconds] == [1.0, 1.0]


def test_a_second_run_does_what_is_missing_and_appends(tmp_path: Path) -> None:
    first = lab({"cpu": 1.0, "t4": 1.0}, fail=lambda name, n: DecodeError("torn") if (name, n) == ("cpu", 1) else None)
    assert [r.status for r in ask(tmp_path, first).records].count("error") == 1
    before = (tmp_path / "runs.jsonl").read_bytes()
    second = lab({"cpu": 1.0, "t4": 1.0})
    outcome = ask(tmp_path, second, repeats=4)
    assert second.order == [("all", "cpu"), ("all", "t4"), ("all", "cpu")], "the lost run, and a round that is turned"
    assert (tmp_path / "runs.jsonl").read_bytes().startswith(before)
    assert {s.arm: (s.complete, s.failed, s.errors) for s in outcome.summaries} == dict.fromkeys(
        ("cpu", "t4"), (4, 0, ())
    )
    assert "1 of the runs failed and were done again" in markdown(sections(outcome))
    assert list(schedule(outcome.question, 4, outcome.records)) == []


def test_an_interruption_keeps_what_was_measured(tmp_path: Path) -> None:
    def stop(name: str, number: int) -> Exception | None:
        if (name, number) == ("cpu", 1):
            raise KeyboardInterrupt
        return None

    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path, lab({"cpu": 1.0, "t4": 1.0}, fail=stop))
    assert len(RunFile(tmp_path / "runs.jsonl").read()) == 3
    assert {s.complete for s in ask(tmp_path, lab({"cpu": 1.0, "t4": 1.0})).summaries} == {3}


def test_runs_of_another_question_in_the_folder_are_an_error(tmp_path: Path) -> None:
    ask(tmp_path, lab({"cpu": 1.0, "t4": 1.0}))
    with pytest.raises(SpecError, match="another question: it differs in rule"):
        ask(tmp_path, lab({"cpu": 1.0, "t4": 1.0}), rule=x.RecordOnly())


def test_the_question_is_written_before_the_first_run(tmp_path: Path) -> None:
    def measure(bench: x.Bench, case: x.Case, arm: x.Arm) -> x.Measurement:
        assert json.loads((tmp_path / "question.json").read_text())["rule"]["rule"] == "cheapest-then-faster"
        return x.Measurement(client_seconds=1.0)

    x.run_experiment(x.Experiment(question(), measure), tmp_path)


def test_a_line_that_a_killed_process_left_half_written_is_not_a_run(tmp_path: Path) -> None:
    ask(tmp_path, lab({"cpu": 1.0, "t4": 1.0}), repeats=1)
    file = tmp_path / "runs.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    assert len(RunFile(file).read()) == 1
    outcome = ask(tmp_path, lab({"cpu": 1.0, "t4": 1.0}), repeats=1)
    assert len(outcome.records) == len(file.read_bytes().splitlines()) == 2
    file.write_bytes(b"{}\n" + whole)
    with pytest.raises(SpecError, match=r"line 1 of .* is no run of this version"):
        RunFile(file).read()


def test_progress_counts_runs(tmp_path: Path) -> None:
    events: list[Progress] = []
    experiment = x.Experiment(question(), lab({"cpu": 1.0, "t4": 1.0}), repeats=2, warm_ups=1)
    x.run_experiment(experiment, tmp_path, progress=events.append)
    assert [event.done for event in events] == [0, 1, 2, 3, 4, 5, 6]
    assert events[0].message == "toy: all, cpu (warm-up)"


def test_each_run_says_where_and_with_what_it_was_made(tmp_path: Path) -> None:
    record = ask(tmp_path, lab({"cpu": 1.0, "t4": 1.0})).records[0]
    assert record.environment.cores >= 1
    assert {"numpy", "av"} <= set(record.environment.packages)
    assert record.started.endswith("+00:00")


# ---- failures are results


def test_a_failed_arm_is_written_down_and_the_others_go_on(tmp_path: Path) -> None:
    outcome = ask(
        tmp_path, lab({"cpu": 1.0, "t4": 2.0}, fail=lambda name, _: OSError("disk") if name == "cpu" else None)
    )
    failed, whole = outcome.summaries
    assert (failed.failed, failed.complete, whole.complete) == (3, 0, 3)
    assert failed.errors == ("StorageError: the system refused: disk",)
    assert outcome.missing == 1


@pytest.mark.parametrize(
    ("limit_usd", "status"), [(0.0157, "undecided"), (0.037, "undecided"), (0.039, "decided"), (0.9, "decided")]
)
def test_a_time_limit_is_a_floor_on_the_cost(tmp_path: Path, limit_usd: float, status: str) -> None:
    """The original ended its CPU overlay at 600 s and $0.0157, when its T4 took $0.0456, and called the CPU dearer."""
    machine = lab(
        {"cpu": 600.0, "t4": 278.0},
        {"cpu": limit_usd / 600, "t4": 0.000164},
        fail=lambda name, _: TimedOut("late") if name == "cpu" else None,
    )
    outcome = ask(tmp_path, machine)
    cpu = outcome.summaries[0]
    assert cpu.floor
    assert cpu.usd_billed is not None
    assert cpu.usd_billed.median == pytest.approx(limit_usd)
    (decision,) = outcome.decisions
    assert decision.status == status
    assert "did not finish in 600 s" in decision.reason
    again = lab({"cpu": 1.0, "t4": 1.0})
    ask(tmp_path, again)
    assert again.order == [], "it is a result, so it is not missing"


def test_there_is_no_decision_without_a_baseline(tmp_path: Path) -> None:
    outcome = ask(tmp_path, lab({"cpu": 1.0, "t4": 2.0}, fail=lambda n, _: DecodeError("x") if n == "t4" else None))
    assert [(d.status, d.chosen) for d in outcome.decisions] == [("undecided", None)]
    assert "there is no baseline: DecodeError: x" in outcome.decisions[0].reason


# ---- figures


def test_the_interval_of_a_median_holds_it_as_often_as_it_says() -> None:
    rng = random.Random(1)
    for count in (3, 6, 9, 15):
        tries = [x.spread(rng.expovariate(1.0) for _ in range(count)) for _ in range(2000)]
        held = statistics.mean(t.low <= 0.693 <= t.high for t in tries)
        assert held == pytest.approx(tries[0].coverage, abs=0.02)
        assert count < 6 or tries[0].coverage >= 0.95


def test_arms_are_compared_within_a_round(tmp_path: Path) -> None:
    """A machine that gets slower and slower slows both: their ratio does not move."""
    outcome = ask(tmp_path, lab(lambda name, number: (1 + number) * (2.0 if name == "cpu" else 1.0)), repeats=6)
    ratio = outcome.summaries[0].time_ratio
    assert ratio is not None
    assert (ratio.low, ratio.median, ratio.high, ratio.count) == (2.0, 2.0, 2.0, 6)


def test_cold_runs_are_told_apart(tmp_path: Path) -> None:
    count = 0

    def measure(bench: x.Bench, case: x.Case, arm: x.Arm) -> x.Measurement:
        nonlocal count
        count += 1
        return x.Measurement(client_seconds=9.0 if count < 3 else 1.0, cold=count < 3)

    outcome = x.run_experiment(x.Experiment(question(temperature="warm"), measure, repeats=2, warm_ups=1), tmp_path)
    rows = {(s.arm, s.temperature): s for s in outcome.summaries}
    assert {key: s.client_seconds.median for key, s in rows.items() if s.client_seconds} == {
        ("cpu", "warm"): 1.0, ("cpu", "cold"): 9.0, ("t4", "warm"): 1.0, ("t4", "cold"): 9.0,
    }  # fmt: skip
    assert [rows["cpu", t].counts for t in ("warm", "cold")] == [True, False]


# ---- rules


@pytest.mark.parametrize(
    ("cpu_usd", "chosen"),
    [(0.50, "cpu"), (0.83, "cpu"), (0.84, "t4"), (0.99, "t4"), (1.01, "t4"), (2.0, "t4")],
)
def test_for_a_fifth_more_the_faster_is_taken(tmp_path: Path, cpu_usd: float, chosen: str) -> None:
    outcome = ask(tmp_path, lab({"cpu": 10.0, "t4": 1.0}, {"cpu": cpu_usd / 10, "t4": 1.0}))
    assert outcome.decisions[0].chosen == chosen


@pytest.mark.parametrize(
    ("seconds", "usd", "chosen"),
    [
        ({1: 8.0, 2: 4.0, 4: 2.0, 8: 1.0}, {1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0}, "8"),
        ({1: 8.0, 2: 4.0, 4: 2.0, 8: 1.0}, {1: 1.0, 2: 1.04, 4: 1.3, 8: 2.0}, "2"),
        ({1: 8.0, 2: 4.0, 4: 3.0, 8: 3.5}, {1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0}, "4"),
        ({1: 8.0, 2: 7.9, 4: 7.8, 8: 7.7}, {1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0}, "1"),
        ({1: 8.0, 2: 4.0, 4: 2.0, 8: 1.0}, {1: 1.0, 2: 3.0, 4: 4.0, 8: 5.0}, "1"),
    ],
)
def test_the_most_chunks_at_no_more_cost(
    tmp_path: Path, seconds: dict[int, float], usd: dict[int, float], chosen: str
) -> None:
    arms = [x.Arm(name=str(n), factors={"chunks": n}) for n in (1, 2, 4, 8)]
    machine = lab({str(n): s for n, s in seconds.items()}, {str(n): usd[n] / seconds[n] for n in usd})
    outcome = ask(tmp_path, machine, arms=arms, baseline="1", rule=x.MostChunks())
    assert outcome.decisions[0].chosen == chosen


def test_a_faster_encoder_needs_the_quality() -> None:
    def arm(name: str, seconds: float, ssim: float, size: float, *, baseline: bool = False) -> x.ArmSummary:
        return x.ArmSummary(
            case="all", arm=name, baseline=baseline, temperature="any", counts=True, complete=1,
            client_seconds=x.spread([seconds]),
            quantities={"ssim": x.spread([ssim]), "output_bytes": x.spread([size])},
        )  # fmt: skip

    rule = x.QualityFloor(quantity="ssim", loss=0.005, more_bytes=0.25)
    arms = [arm("x264", 10, 0.980, 100, baseline=True), arm("nvenc", 2, 0.978, 120), arm("ultrafast", 1, 0.95, 100)]
    assert rule.decide([arms])[0].chosen == "nvenc"
    assert rule.decide([[arms[0], arm("nvenc", 2, 0.978, 130)]])[0].chosen == "x264"


def test_a_reader_that_loses_frames_of_one_file_is_out() -> None:
    def arm(case: str, name: str, seconds: float, dropped: float) -> x.ArmSummary:
        return x.ArmSummary(
            case=case, arm=name, baseline=name == "opencv", temperature="any", counts=True, complete=1,
            client_seconds=x.spread([seconds]), quantities={"dropped": x.spread([dropped])},
        )  # fmt: skip

    files = [
        [arm("a", "opencv", 1, 0), arm("a", "pipe", 2, 0), arm("a", "pyav", 3, 0)],
        [arm("b", "opencv", 1, 7), arm("b", "pipe", 2, 0), arm("b", "pyav", 3, 0)],
    ]
    (decision,) = x.AllFrames().decide(files)
    assert decision.chosen == "pipe"
    assert "opencv fails on 1 of 2 (b)" in decision.reason
    assert x.AllFrames().decide(files[:1])[0].chosen == "opencv", "where the baseline does not fail, it stays"


@pytest.mark.parametrize("rule", [x.RecordOnly(), x.CheapestThenFaster(), x.MostChunks(), x.AllFrames()])
def test_every_rule_says_itself_in_words(rule: Any) -> None:
    assert rule.words.endswith(".")
    assert question(rule=rule).model_copy() == x.Question.model_validate_json(question(rule=rule).model_dump_json())


# ---- tables over all experiments


def placed(
    tmp_path: Path, seconds: dict[str, float], rates: dict[str, float], **options: Any
) -> dict[str, tuple[str, str]]:
    cases = [x.Case(name="spot", job_kind="overlay")]
    outcome = ask(tmp_path / "toy", lab(seconds, rates, **options), cases=cases)
    assert read_outcomes(tmp_path)["toy"].decisions == outcome.decisions
    return {p.job_kind: (p.default, p.reason) for p in placements(read_outcomes(tmp_path))}


def test_a_decision_among_executors_places_the_kind_of_job(tmp_path: Path) -> None:
    found = placed(tmp_path, {"cpu": 4.0, "t4": 3.0}, {"cpu": 0.01, "t4": 0.1})
    assert found["overlay"] == ("cpu", "toy: cpu 4.00 s, $0.040000: the cheapest, against t4 3.00 s, $0.300000")
    assert found["extract"][0] == "undecided"
    assert "reelproc experiment e1 --executor modal-cpu --executor modal-t4" in found["extract"][1]


def test_a_decision_about_something_else_says_how(tmp_path: Path) -> None:
    arms = [x.Arm(name=name, factors={"chunks": n}) for n, name in enumerate(("1 chunk", "2 chunks"))]
    cases = [x.Case(name="spot", job_kind="overlay")]
    machine = lab({"1 chunk": 2.0, "2 chunks": 1.0}, {"1 chunk": 1.0, "2 chunks": 2.0})
    ask(tmp_path / "toy", machine, arms=arms, baseline="1 chunk", cases=cases, rule=x.MostChunks())
    found = {p.job_kind: p for p in placements(read_outcomes(tmp_path))}
    assert found["overlay"].default == "undecided"
    assert found["overlay"].how.startswith("2 chunks (toy: 2 chunks 1.00 s, $2.000000: the most at no more cost")


def test_what_was_not_decided_places_nothing_and_says_why(tmp_path: Path) -> None:
    found = placed(tmp_path, {"cpu": 1.0, "t4": 1.0}, {}, fail=lambda n, _: DecodeError("x") if n == "t4" else None)
    assert found["overlay"] == ("undecided", "toy: there is no baseline: DecodeError: x")


def test_the_tracking_table_has_all_nine_and_the_originals_words(tmp_path: Path) -> None:
    ask(tmp_path / "toy", lab({"cpu": 1.0, "t4": 1.0}, fail=lambda *_: DecodeError("x")))
    rows = {row.experiment: row for row in tracking(read_outcomes(tmp_path))}
    assert list(rows) == [*(f"e{n}" for n in range(1, 10)), "toy"]
    assert rows["e3"].status == "NOT RUN"
    assert rows["e3"].original == ("DONE", "CPU overlay TIMED OUT (>10min)", "Keep overlay on GPU")
    assert rows["toy"].status == "FAILED"
    text = table_markdown(tracking_table(list(rows.values())))
    assert text.splitlines()[0].startswith("| experiment | status | result | decision |")
    assert len(text.splitlines()) == 12
