"""Rates: kept with their spread and their machine, saved whole, learnt from runs, predicted where unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from reelproc.cost.calibration import Calibration, calibration_path
from reelproc.cost.estimate import estimate_work
from reelproc.cost.hardware_specs import ASSUMPTIONS, DEVICES, place
from reelproc.cost.measured_rates import Machine, SampleSpread, reference, this_host
from reelproc.cost.options import Pricing
from reelproc.cost.pipeline import loop
from reelproc.cost.rates import Rates
from reelproc.cost.work import Work
from reelproc.prices import PRICES
from reelproc_lab.typical_jobs import framed, overlaid

HERE = Machine(cpu="test", threads=2)


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert SampleSpread.of([5.0]) == SampleSpread(median=5, low=5, high=5, count=1)
    assert SampleSpread.of([3.0, 1.0]) == SampleSpread(median=2, low=1, high=3, count=2)
    assert SampleSpread.of([1, 2, 3, 4, 100]) == SampleSpread(median=3, low=2, high=4, count=5)


def test_samples_add_up_and_the_oldest_are_dropped() -> None:
    known = Calibration()
    for n in range(50):
        known = known.with_samples("local", HERE, {"pipe": [float(n)]})
    entry = known.entry("local", HERE)
    assert entry is not None
    assert entry.rates["pipe"] == tuple(float(n) for n in range(10, 50))
    assert entry.versions["reelproc"] == rp.__version__


def test_machines_are_not_mixed() -> None:
    other = Machine(cpu="other", threads=8)
    known = Calibration().with_samples("local", HERE, {"pipe": [1.0]}).with_samples("local", other, {"pipe": [9.0]})
    here, there = known.entry("local", HERE), known.entry("local", other)
    assert here is not None
    assert there is not None
    assert (here.rates["pipe"], there.rates["pipe"]) == ((1.0,), (9.0,))
    assert known.entry("local", Machine(cpu="third", threads=1)) is None


def test_a_calibration_is_saved_and_read_again(tmp_path: Path) -> None:
    known = Calibration().with_samples("local", HERE, {"pipe": [0.001]})
    file = known.save(tmp_path / "deep" / "calibration.json")
    assert Calibration.load(file) == known
    assert [p.name for p in file.parent.iterdir()] == ["calibration.json"]


def test_without_a_file_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_CALIBRATION", str(tmp_path / "none.json"))
    assert Calibration.load() == Calibration()
    with pytest.raises(rp.StorageError, match="reelproc calibrate"):
        Calibration.load(tmp_path / "none.json")


def test_a_broken_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    file.write_text('{"version": 7}')
    with pytest.raises(rp.SpecError, match=r"is no calibration.*remove it"):
        Calibration.load(file)


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REELPROC_CALIBRATION", "REELPROC_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert calibration_path() == tmp_path / "reelproc" / "calibration.json"
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    assert calibration_path() == tmp_path / "home" / "calibration.json"
    monkeypatch.setenv("REELPROC_CALIBRATION", str(tmp_path / "mine.json"))
    assert calibration_path() == tmp_path / "mine.json"


def test_the_packages_own_rates_name_their_machine_and_are_never_called_measured() -> None:
    assert reference().machine.cpu
    assert reference().machine.threads > 0
    rate = Rates(place("local"), Calibration())("encode.libx264.fast")
    assert rate.basis == "predicted"
    assert reference().machine.cpu in rate.why
    assert rate.low < rate.value < rate.high


def test_a_rate_of_this_machine_is_measured() -> None:
    known = Calibration().with_samples("local", this_host(), {"pipe": [0.001, 0.002, 0.003]})
    rate = Rates(place("local"), known)("pipe")
    assert (rate.basis, rate.value) == ("measured", 0.002)
    assert Rates(place("modal-cpu"), known)("pipe").basis == "predicted"


def test_a_network_on_a_gpu_is_predicted_from_its_published_peaks() -> None:
    rates = {name: Rates(place(name), Calibration())("network.default") for name in ("modal-t4", "modal-l4")}
    t4, l4 = rates["modal-t4"], rates["modal-l4"]
    assert t4.value == pytest.approx(1 / 65 / ASSUMPTIONS["efficiency"].value)  # arithmetic is what limits a T4
    assert l4.value == pytest.approx(1 / (300 * 288 / 1000) / ASSUMPTIONS["efficiency"].value)  # and memory an L4
    assert "predicted" == t4.basis == l4.basis
    assert DEVICES["T4"].source in t4.why
    # so an L4 is expected to be 1.33 times as fast, less than what it costs more by the GPU alone
    assert t4.value / l4.value == pytest.approx(1.33, abs=0.01)


def test_single_precision_does_without_matrix_units() -> None:
    rates = Rates(place("modal-t4"), Calibration())
    assert rates("network.fp32").value == pytest.approx(8 * rates("network.fp16").value)


def test_other_presets_and_codecs_follow_the_reference_machines_ratio() -> None:
    known = Calibration().with_samples("local", this_host(), {"encode.libx264.fast": [0.5], "decode.h264": [0.2]})
    rates = Rates(place("local"), known)
    measured, compared = reference().spread("encode.libx264.veryfast"), reference().spread("encode.libx264.fast")
    assert measured is not None
    assert compared is not None
    rate = rates("encode.libx264.veryfast")
    assert rate.value == pytest.approx(0.5 * measured.median / compared.median)
    assert rate.basis == "predicted"
    assert rates("encode.libx265.fast").value > 0.5
    assert rates("decode.hevc").value > 0
    assert not rates.unknown


def test_a_codec_or_preset_that_was_never_measured_is_said_to_be_unknown() -> None:
    rates = Rates(place("local"), Calibration().with_samples("local", this_host(), {"decode.h264": [0.2]}))
    assert rates("decode.dirac").value == pytest.approx(0.2)
    assert rates("encode.libx264.placebo").value > 0
    assert rates.unknown == ["decode.dirac", "encode.libx264.placebo"]


def test_what_nothing_is_known_of_counts_as_nothing_and_is_listed() -> None:
    rates = Rates(place("local"), Calibration())
    assert rates("stage.unheard-of").value == 0
    assert rates.unknown == ["stage.unheard-of"]


def test_nothing_is_known_of_other_hardware() -> None:
    with pytest.raises(rp.SpecError, match="nothing is known of hardware 'modal-b200'; there are: local, modal-t4"):
        place("modal-b200")


def _result(work: Work, hardware: str = "local", **phases: float) -> rp.RenderResult:
    cold = hardware != "local"
    return rp.RenderResult(
        output="x.mp4", frame_count=work.frames, duration_seconds=6, fps="30", width=810, height=1440,
        hardware=hardware, cold_start=cold or None, phases=phases, cores=4.0 if cold else None,
    )  # fmt: skip


def test_a_run_teaches_what_does_not_overlap_and_its_pace() -> None:
    work = framed(6, None)
    before = Rates(place("local"), Calibration().with_samples("local", this_host(), {"audio": [0.01]}))
    expected = loop(work.whole, before, beside=work.beside)  # the sound takes processors from the pictures, no more
    assert expected.cpu == pytest.approx(loop(work.whole, before).cpu + 0.06)
    wall = 1.5 * expected.ideal + expected.starting + 0.02 + 0.018
    result = _result(work, wall=wall, probe=0.02, audio=0.06, assemble=0.018)
    entry = Calibration().add(result, work).entry("local", this_host())
    assert entry is not None
    assert list(entry.rates["probe"]) == pytest.approx([0.02 / work.before["probe"]])
    assert list(entry.rates["audio"]) == pytest.approx([0.01])
    assert list(entry.rates["assemble"]) == pytest.approx([0.0001])
    assert list(entry.rates["pace"]) == pytest.approx([1.5])
    assert "startup" not in entry.rates


def test_a_run_on_a_busy_machine_teaches_nothing_that_is_called_measured() -> None:
    work = framed(6, None)
    known = Calibration().add(_result(work, wall=60.0, probe=0.2, audio=0.6), work, busy=True)
    assert known.entry("local", this_host()) is None
    entry = known.entry("local", this_host(), busy=True)
    assert entry is not None
    assert {"probe", "audio", "pace"} <= set(entry.rates)
    assert Rates(place("local"), known)("audio").basis == "predicted"


def test_a_cold_run_on_rented_hardware_teaches_its_start_its_transfers_and_its_network() -> None:
    work = framed(6)
    result = _result(
        work, "modal-t4", wall=30.0, startup=3.5, download=1.2, network=20.0, probe=0.02, audio=0.1, assemble=0.1
    )
    entry = Calibration().add(result, work).entry("modal-t4")
    assert entry is not None
    assert list(entry.rates["download"]) == pytest.approx([1.2 / work.source_megabytes])
    assert list(entry.rates["network.default"]) == pytest.approx([20.0 / work.whole.amounts["network.default"]])
    assert "pace.network" in entry.rates


def test_whole_runs_make_predicted_rates_measured() -> None:
    work = framed(6, None)
    known = Calibration()
    for _ in range(3):
        assert Rates(place("modal-cpu"), known).corrected() == 0
        known = known.add(_result(work, "modal-cpu", wall=12.0, startup=3.0, download=0.2, upload=0.2), work)
    assert Rates(place("modal-cpu"), known).corrected() == 3


def test_runs_without_a_network_do_not_make_a_network_measured() -> None:
    plain, known = framed(6, None), Calibration()
    for _ in range(3):
        known = known.add(_result(plain, "modal-t4", wall=12.0, startup=3.0, download=0.2, upload=0.2), plain)

    def basis(work: Work) -> set[str]:
        pricing = Pricing(PRICES)
        made = estimate_work(work, ["modal-t4"], chunks=[1], calibration=known, pricing=pricing)
        return {each.basis for each in made.options}

    assert basis(plain) == {"measured"}
    assert basis(framed(6)) == {"predicted"}


def test_a_result_of_another_job_is_refused() -> None:
    with pytest.raises(rp.SpecError, match="the result has 2700 frames, its job's work 180"):
        Calibration().add(_result(overlaid(90), wall=1.0), framed(6))
