"""A few cases of each kind in every suite; ``nox -s fuzz`` runs thousands."""

from __future__ import annotations

import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import reelproc as rp
from fuzz import cases
from fuzz.cases import Bench
from fuzz.media import corpus
from media_factory import numbered_video
from waiting import LONG

BATCH = 10


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return corpus(tmp_path_factory.mktemp("seeds"))


@pytest.fixture
def bench(seeds: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cases, "GRACE", LONG)  # other tests run beside this one
    return Bench(tmp_path / "work", seeds, tmp_path / "home")


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        *(("media", n) for n in range(20, 50, BATCH)),
        *(("json", n) for n in range(0, 50, BATCH)),
        ("executor", 0),
        ("spans", 0),
        *(("loop", n) for n in range(80, 90, BATCH)),
    ],
)
def test_a_broken_file_or_a_wild_job_gives_a_result_or_a_typed_error(kind: str, first: int, bench: Bench) -> None:
    count = 2 if kind == "executor" else BATCH
    outcomes = {f"{kind}:{number}": bench.run(kind, number) for number in range(first, first + count)}
    assert not {case: outcome for case, outcome in outcomes.items() if outcome.startswith("BAD")}


def test_every_case_is_the_same_wherever_it_runs(seeds: dict[str, bytes]) -> None:
    from fuzz.media import mutant
    from fuzz.specs import wild_job

    for number in range(50):
        assert mutant(seeds, number) == mutant(seeds, number)
        assert wild_job(number, "a.mp4", "b.mp4") == wild_job(number, "a.mp4", "b.mp4")


def test_the_comparison_with_a_plain_loop_sees_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fuzz.footage import Footage
    from fuzz.plain_loop import compare

    made = numbered_video(tmp_path / "a.mp4", frame_count=20, fps=30, width=96, height=64)
    told = Footage(made.path, ("h264",), Fraction(30), is_whole=True, counts_times=False, beyond="")
    assert compare(told, random.Random(0)) == "the same"
    info = rp.probe(made.path, exact=True)
    wrong = info.replace(video=info.require_video().replace(average_rate=Fraction(25)))
    monkeypatch.setattr(rp, "probe", lambda *_, **__: wrong)
    with pytest.raises(AssertionError, match="the rate is said to be 25, it is 30"):
        compare(told, random.Random(0))


def test_the_long_run_reports_its_counts(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "fuzz", "--count", "8", "--grace", str(LONG), "--folder", str(tmp_path)],
        cwd=Path(__file__).parents[1] / "support",
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "8 cases in" in ran.stdout
    assert "0 findings" in ran.stdout
