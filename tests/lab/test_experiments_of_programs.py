"""e3, e4 and e5, run for real on small footage; e6 as far as it goes without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc_lab as x
from reelproc.errors import SpecError
from reelproc_lab.dataset import match_clip


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(match_clip(tmp_path_factory.mktemp("footage"), 10.5, 320, 180))


def asked(name: str, folder: Path, footage: str) -> x.Outcome:
    return x.run(name, folder, x.Settings(footage=footage, repeats=1, warm_ups=0))


@pytest.fixture
def anything_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's first run is a cold one, which these questions leave out: here there is no second."""
    question = x.Question

    class Lenient(question):  # type: ignore[misc, valid-type]
        def __init__(self, **values: object) -> None:
            super().__init__(**(values | {"temperature": "any"}))

    for module in ("e3_overlay", "e4_framing", "e5_encoders"):
        monkeypatch.setattr(f"reelproc_lab.{module}.Question", Lenient)


@pytest.mark.usefixtures("anything_counts")
def test_e3_finds_both_programs_right_and_decides(footage: str, tmp_path: Path) -> None:
    outcome = asked("e3", tmp_path, footage)
    assert [r.status for r in outcome.records] == ["complete"] * 6, [r.error for r in outcome.records]
    assert {s.arm for s in outcome.summaries} == {"original", "reelproc", "reelproc, all encoded"}
    assert {s.frames for s in outcome.summaries} == {300}
    assert [d.status for d in outcome.decisions] == ["decided"] * 2
    assert not (tmp_path / "e3" / "work" / "outputs").exists()


@pytest.mark.usefixtures("anything_counts")
def test_e4_finds_both_programs_right_and_decides(footage: str, tmp_path: Path) -> None:
    outcome = asked("e4", tmp_path, footage)
    assert [r.status for r in outcome.records] == ["complete"] * 2, [r.error for r in outcome.records]
    assert all("sound ends at 3.000 s" in " ".join(r.checks) for r in outcome.records)
    assert outcome.decisions[0].chosen in ("original", "reelproc")


@pytest.mark.usefixtures("anything_counts")
def test_e5_measures_quality_and_records_that_there_is_no_nvenc(footage: str, tmp_path: Path) -> None:
    outcome = asked("e5", tmp_path, footage)
    by_arm = {(s.case, s.arm): s for s in outcome.summaries}
    assert len(by_arm) == 8
    for (_, arm), summary in by_arm.items():
        if "nvenc" in arm:
            assert (summary.complete, summary.failed) == (0, 1)
            assert "needs an NVIDIA GPU with its driver" in summary.errors[0]
        else:
            assert summary.complete == 1, summary.errors
            assert {"output_bytes", "encode_ms_per_frame", "ssim_mean", "ssim_least", "vmaf_harmonic_mean"} <= set(
                summary.quantities
            )
            assert 0.5 < summary.quantities["ssim_mean"].median <= 1
    assert all(d.status == "decided" and "nvenc" not in (d.chosen or "nvenc") for d in outcome.decisions)


def test_with_a_gpu_to_compare_every_program_runs_on_every_executor() -> None:
    for name, programs in (("e3", 3), ("e4", 2)):
        question = x.experiment(name, x.Settings(executors=("modal-t4", "modal-cpu"))).question
        assert (question.design, len(question.arms)) == ("factorial", 2 * programs)
        assert question.baseline == "original on modal-t4"
        assert all(case.job_kind for case in question.cases)


def test_e5_tries_the_encoders_beside_a_network_where_there_is_one() -> None:
    local, modal = (x.experiment("e5", x.Settings(executors=(w,))).question for w in ("local", "modal-l4"))
    assert [c.name for c in local.cases] == ["framed clip", "whole picture"]
    assert [c.name for c in modal.cases] == ["framed clip", "whole picture", "framed clip with AI"]


def test_e6_changes_the_program_the_card_and_each_switch_one_at_a_time() -> None:
    one = x.experiment("e6").question
    assert one.design == "one-at-a-time"
    changed = {one.changed(arm) for arm in one.arms}
    assert changed == {(), ("program",), ("switch",)}
    two = x.experiment("e6", x.Settings(executors=("modal-t4", "modal-l4"), full=True)).question
    assert {"original on modal-t4", "original on modal-l4", "reelproc on modal-t4", "reelproc on modal-l4"} <= {
        arm.name for arm in two.arms
    }
    assert [case.name for case in two.cases] == ["6 s", "30 s", "60 s"]
    with pytest.raises(SpecError, match="e6 is about networks"):
        x.experiment("e6", x.Settings(model="none"))
