"""The original's framing with a network: it makes what reelproc makes, and its switches do what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reelproc as rp
from reelproc.errors import BackendError
from reelproc.jobs import run_job
from reelproc.upscalers.models import MODELS
from reelproc_lab import dataset
from reelproc_lab.original_programs.network import Switches, load_enhancer
from reelproc_lab.original_programs.runner import run_original
from reelproc_lab.verify import least_psnr

MODEL = MODELS["realesr-animevideov3"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset.match_clip(tmp_path_factory.mktemp("footage"), 1, 320, 180)


def test_it_shows_what_ours_shows_and_tells_the_network_from_the_host(source: Path, tmp_path: Path) -> None:
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=66, y=0, width=90, height=160)])
    stages = [crop, rp.Upscale(model=MODEL.name, backend="torch:cpu")]
    clip = rp.Clip(source=source, start=0.3, end=0.5, stages=stages)
    reel = rp.Reel(clips=[clip], output=rp.Output(width=180, height=320))
    theirs = run_original(rp.RenderJob(reel=reel, output=tmp_path / "theirs.mp4"))
    ours = run_job(rp.RenderJob(reel=reel, output=tmp_path / "ours.mp4"))
    assert theirs.frame_count == rp.probe(theirs.output, exact=True).frame_count == 6
    assert least_psnr(theirs.output, ours.output) > 30  # type: ignore[union-attr]
    assert {"load", "decode", "network", "stages", "encode"} <= set(theirs.phases)
    assert theirs.phases["network"] > 0


@pytest.mark.parametrize("switches", [Switches(channels_last=True), Switches(precision="bf16"), Switches(batch=3)])
def test_a_switch_does_not_change_the_picture(switches: Switches) -> None:
    pictures = [np.random.default_rng(n).integers(0, 256, (24, 32, 3), np.uint8) for n in range(3)]
    plain = load_enhancer(MODEL, Switches(), "cpu")(pictures)
    switched = load_enhancer(MODEL, switches, "cpu")(pictures)
    assert plain[0].shape == (96, 128, 3)
    assert np.abs(np.stack(plain).astype(int) - np.stack(switched)).mean() < 1.5


@pytest.mark.parametrize("switches", [Switches(cudnn_benchmark=True), Switches(tf32=True)])
def test_a_switch_of_cuda_is_refused_elsewhere(switches: Switches) -> None:
    with pytest.raises(BackendError, match="is a setting of CUDA devices, this is cpu; measure it on a GPU"):
        load_enhancer(MODEL, switches, "cpu")
