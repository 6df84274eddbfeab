"""The commands about seconds and dollars: what they print, for people and for machines, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import reelproc as rp
from media_factory import numbered_video, tone
from reelproc.cli import app
from reelproc.cost import busy_machine as quiet
from reelproc.cost import measure_runs as running
from reelproc.cost.calibration import Calibration
from reelproc.cost.measured_rates import this_host
from reelproc.prices import PRICES, read_prices
from reelproc.reel_file import write_reel

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command line in this process, for a user without a calibration."""
    monkeypatch.setenv("REELPROC_CALIBRATION", str(tmp_path / "calibration.json"))
    monkeypatch.delenv("REELPROC_PRICES", raising=False)

    def run(*arguments: str | Path, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin)

    return run


@pytest.fixture
def reel_json(tmp_path: Path) -> Path:
    """A reel of two seconds in a file beside its source."""
    numbered_video(tmp_path / "game.mp4", frame_count=60, sound=tone(2.0))
    file = tmp_path / "reel.json"
    write_reel(rp.Reel(clips=[rp.Clip(source="game.mp4")], output=rp.Output(width=384, height=216)), file)
    return file


def test_an_estimate_for_people(command: Command, reel_json: Path) -> None:
    result = command("estimate", reel_json)
    assert result.exit_code == 0, result.output
    assert "60 frames, 2.00 s; prices: Modal, read 2026-07 to 2026-09\n" in result.stdout
    for name in ("local", "modal-cpu", "modal-t4", "modal-l4"):
        assert f"\n{name} " in result.stdout
    assert "predicted" in result.stdout
    assert "recommended: local costs nothing" in result.stdout
    assert "on rented hardware: modal-cpu" in result.stdout
    assert "modal-l4 pays where it is more than 1.23 times as fast as modal-t4" in result.stdout
    assert "\n  modal-t4   startup 4.50, " in result.stdout
    assert "one segment to encode" in result.stderr


def test_an_estimate_for_machines(command: Command, reel_json: Path) -> None:
    result = command("estimate", reel_json, "--json", "--executor", "modal-t4", "--chunks", "1")
    made = rp.Estimate.model_validate_json(result.stdout)
    assert {option.executor for option in made.options} == {"modal-t4"}
    assert made.break_even.ratio == pytest.approx(1.23, abs=0.005)
    assert made.warnings == ()


def test_a_job_or_standard_input_will_do(command: Command, reel_json: Path, tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    source = str(tmp_path / "game.mp4")
    job.write_text(rp.ExtractJob(source=source, output="a.mp4", end=1, copy_codec=True).model_dump_json())
    assert json.loads(command("estimate", job, "--json").stdout)["frames"] == 30
    reel = rp.Reel(clips=[rp.Clip(source=source)])
    assert json.loads(command("estimate", "-", "--json", stdin=reel.model_dump_json()).stdout)["frames"] == 60


def test_a_region_and_a_price_file_change_dollars_and_nothing_else(
    command: Command, reel_json: Path, tmp_path: Path
) -> None:
    file = tmp_path / "prices.json"
    file.write_text(PRICES.with_rates({"T4": 0.1}, source="test", read="now").model_dump_json())
    arguments = ("estimate", reel_json, "--json", "--executor", "modal-t4", "--chunks", "1")
    listed, dear, far = (
        rp.Estimate.model_validate_json(command(*arguments, *more).stdout).option("modal-t4")
        for more in ((), ("--prices", file), ("--region", "narrow"))
    )
    assert listed.wall_seconds == dear.wall_seconds == far.wall_seconds
    assert dear.usd > 100 * listed.usd
    assert far.usd == pytest.approx(1.75 * listed.usd)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--executor", "cray"), "nothing is known of hardware 'cray'"),
        (("--chunks", "0,2"), "numbers from 1 up"),
        (("--chunks", "many"), "numbers from 1 up"),
        (("--region", "moon"), "no region is called 'moon'"),
        (("--calibration", "none.json"), "there is no calibration file none.json"),
        (("--prices", "none.json"), "there is no price file 'none.json'"),
    ],
)
def test_bad_input_is_a_message(command: Command, reel_json: Path, arguments: tuple[str, str], message: str) -> None:
    result = command("estimate", reel_json, *arguments)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_prices_are_shown_with_their_sources_and_printed_as_a_price_file(command: Command, tmp_path: Path) -> None:
    shown = command("prices").stdout
    assert "T4           0.00016400 (0.5904)  https://modal.com/pricing, 2026-07 to 2026-09" in shown
    file = tmp_path / "prices.json"
    file.write_text(command("prices", "--json").stdout)
    assert read_prices(file, PRICES) == PRICES


def test_the_closing_tables_are_printed(command: Command) -> None:
    text = command("costs").stdout
    assert "| framing with a network | 6 s, 540x960 to 810x1440 | modal-" in text
    assert "| one 15 s clip | modal-" in text
    tables = json.loads(command("costs", "--json", "--executor", "modal-t4", "--mode", "original").stdout)
    assert {row["executor"] for row in tables["placements"]} == {"modal-t4"}
    assert tables["break_even"]["ratio"] == pytest.approx(1.354, abs=0.001)


def test_calibrating_writes_the_file_that_estimates_read(
    command: Command, reel_json: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}

    def measured(source: Path, known: Calibration, **options: object) -> Calibration:
        given.update(options, source=source)
        return known.with_samples("local", this_host(), {kind: [0.01] for kind in KINDS})

    monkeypatch.setattr(running, "calibrate", measured)
    monkeypatch.setattr(quiet, "read_machine", lambda: quiet.Reading(load=0.1, share=1.0))
    result = command("calibrate", "--source", tmp_path / "game.mp4", "--rounds", "2", "--encoder", "libx265")
    assert result.exit_code == 0, result.output
    assert (given["source"], given["rounds"], given["encoders"]) == (tmp_path / "game.mp4", 2, ("libx265",))
    assert "pipe" in result.stdout
    assert Calibration.load(tmp_path / "calibration.json").entry("local", this_host()) is not None
    option = rp.Estimate.model_validate_json(command("estimate", reel_json, "--json").stdout).option("local")
    assert option.basis == "measured"
    again = command("calibrate", "--source", tmp_path / "game.mp4", "--out", tmp_path / "new.json", "--json")
    assert set(json.loads(again.stdout)["rates"]) == set(KINDS)


def test_a_busy_machine_is_refused_or_its_figures_stay_predicted(
    command: Command, reel_json: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(source: Path, known: Calibration, *, watch: quiet.Watch, **_: object) -> Calibration:
        watch.begin()
        return known.with_samples("local", this_host(), {kind: [0.01] for kind in KINDS}, busy=watch.busy is not None)

    monkeypatch.setattr(running, "calibrate", measured)
    monkeypatch.setattr(quiet, "read_machine", lambda: quiet.Reading(load=13.5, share=0.07))
    refused = command("calibrate", "--source", tmp_path / "game.mp4")
    assert refused.exit_code == 1
    assert "this machine is busy" in refused.stderr
    assert not (tmp_path / "calibration.json").exists()
    stored = command("calibrate", "--source", tmp_path / "game.mp4", "--anyway")
    assert stored.exit_code == 0, stored.output
    assert "count as predicted, not as measured" in stored.stderr
    option = rp.Estimate.model_validate_json(command("estimate", reel_json, "--json").stdout).option("local")
    assert option.basis == "predicted"


KINDS = (
    "decode.h264", "pipe", "encode.libx264.fast", "repeat.libx264.fast", "open", "segment",
    "pace", "probe", "audio", "assemble", "startup", "copy", "stage.scale",
)  # fmt: skip
