"""A calibration measures this machine: all that an estimate of a reel asks for, and no less."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video, tone
from reelproc.cost.busy_machine import Reading, Watch
from reelproc.cost.calibration import Calibration
from reelproc.cost.hardware_specs import place
from reelproc.cost.measure_kinds import measure_reading
from reelproc.cost.measure_runs import calibrate
from reelproc.cost.measured_rates import this_host
from reelproc.cost.rates import Rates

QUIET = Reading(load=0.1, share=1.0)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with sound, a key frame every half second, so that a part of it can be copied."""
    path = tmp_path_factory.mktemp("calibrate") / "two.mp4"
    numbered_video(path, frame_count=60, width=320, height=180, gop_size=15, sound=tone(2.0))
    return path


@pytest.fixture(scope="module")
def known(footage: Path) -> Calibration:
    """One round of all measurements, on a machine that is said to be quiet, whatever else runs on it."""
    return calibrate(footage, Calibration(), rounds=1, encoders=("libx264:ultrafast",), watch=Watch(read=lambda: QUIET))


def test_all_that_a_reel_needs_is_measured(known: Calibration, footage: Path) -> None:
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=100, y=10, width=90, height=160)])
    key = rp.HighlightKeyframe(time=0, x=400, y=700, radius_x=80, radius_y=90)
    light = rp.Overlay(regions=[rp.HighlightRegion(start_time=0, end_time=1, keyframes=[key])], stroke_width=3)
    clip = rp.Clip(source=footage, stages=[crop, rp.Upscale(model="lanczos"), light])
    made = rp.estimate(rp.Reel(clips=[clip]), "local", chunks=(1,), calibration=known)
    assert {option.basis for option in made.options} == {"measured"}
    assert made.warnings == ()
    option = made.option("local")
    assert 0 < option.wall_low <= option.wall_seconds <= option.wall_high


def test_every_rate_is_a_time(known: Calibration) -> None:
    entry = known.entry("local", this_host())
    assert entry is not None
    positive = {"decode.h264", "encode.libx264.fast", "encode.libx264.ultrafast", "stage.dim", "audio", "pace", "copy"}
    for kind in positive:
        assert min(entry.rates[kind]) > 0, kind
    rates = Rates(place("local"), known)
    assert rates("encode.libx264.ultrafast").value < rates("encode.libx264.fast").value
    assert entry.versions["ffmpeg"]


def test_footage_that_will_not_do_is_refused(tmp_path: Path) -> None:
    short = tmp_path / "short.mp4"
    numbered_video(short, frame_count=20, width=320, height=180)
    with pytest.raises(rp.SpecError, match="has only 20 frames; calibrate with footage of 48 or more"):
        measure_reading(short, 1, lambda: None)
    small = tmp_path / "small.mp4"
    numbered_video(small, frame_count=60, width=96, height=64)
    with pytest.raises(rp.SpecError, match="frames of 96x64; calibrate with larger ones"):
        measure_reading(small, 1, lambda: None)


def test_a_machine_that_gets_busy_is_refused_and_its_figures_are_not_called_measured(footage: Path) -> None:
    readings = [QUIET] * 4 + [Reading(load=13.5, share=0.4)] * 10_000
    with pytest.raises(rp.BackendError, match="other processes leave 40% of its cores") as caught:
        calibrate(footage, Calibration(), rounds=1, watch=Watch(read=iter(readings).__next__))
    assert caught.value.transient
    stored = calibrate(footage, Calibration(), rounds=1, watch=Watch(anyway=True, read=iter(readings).__next__))
    assert stored.entry("local", this_host()) is None
    clip = rp.Clip(source=footage, stages=[rp.Crop()])
    made = rp.estimate(rp.Reel(clips=[clip]), "local", chunks=(1,), calibration=stored)
    assert {option.basis for option in made.options} == {"predicted"}
    assert "taken while the machine was busy" in Rates(place("local"), stored)("pipe").why
