"""Rented hardware is calibrated by whole runs there, through the executor that rents it; here on the loopback Modal."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner

import reelproc as rp
from media_factory import numbered_video, tone
from modal_service import LIVE, ModalService
from reelproc.cli import app
from reelproc.cost.calibration import Calibration

pytestmark = [pytest.mark.skip(reason="the loopback's containers cost nothing")] if LIVE else []


def test_runs_in_containers_make_their_estimates_measured(modal_service: ModalService, tmp_path: Path) -> None:
    footage = tmp_path / "two.mp4"
    numbered_video(footage, frame_count=60, width=320, height=180, gop_size=15, sound=tone(2.0))
    reel = rp.Reel(clips=[rp.Clip(source=footage, stages=[rp.Crop()])])
    assert rp.estimate(reel, "modal-cpu", chunks=(1,), calibration=Calibration()).options[0].basis == "predicted"
    file = tmp_path / "calibration.json"
    staging = modal_service.address(uuid.uuid4().hex)
    arguments = ["calibrate", "--source", str(footage), "--rounds", "1", "--out", str(file)]
    result = CliRunner().invoke(app, [*arguments, "--executor", "modal-cpu", "--staging", staging])
    assert result.exit_code == 0, result.output
    known = Calibration.load(file)
    entry = known.entry("modal-cpu")
    assert entry is not None
    assert {"startup", "download", "upload", "probe", "audio", "pace"} <= set(entry.rates)
    assert len(entry.rates["pace"]) >= 3
    made = rp.estimate(reel, "modal-cpu", chunks=(1,), calibration=known)
    assert {option.basis for option in made.options} == {"measured"}
    assert rp.estimate(reel, "modal-t4", chunks=(1,), calibration=known).options[0].basis == "predicted"
