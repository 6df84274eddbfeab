"""Stages compose: fused equals one stage rendered losslessly in 4:4:4 and the next applied to that.

The bound: a mean difference of luma of at most 1 level of 255 and a PSNR of at least 40 dB. The two are not equal to
the bit, since fused footage is sampled once and staged footage twice; sampling once is the sharper.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from reelproc.job_context import JobContext
from reelproc.jobs import run_job

CROP = rp.Crop(
    keyframes=[
        rp.CropKeyframe(time=0, x=100, y=20, width=270, height=480),
        rp.CropKeyframe(time=2, x=171.3, y=44.6, width=270, height=480),
    ],
    interpolation="catmull-rom",
)
SPOT = rp.HighlightRegion(
    start_time=0.2,
    end_time=1.5,
    keyframes=[rp.HighlightKeyframe(time=0, x=90, y=200, radius_x=50, radius_y=80, opacity=0.4),
               rp.HighlightKeyframe(time=1, x=150, y=220, radius_x=60, radius_y=90, opacity=0.4)],
)  # fmt: skip
SLOW = rp.Speed(segments=[rp.SpeedSegment(start=0.5, end=1.5, speed=0.5)])
FAST = rp.Speed(segments=[rp.SpeedSegment(start=0.5, end=1.5, speed=2)])
STILL = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=100.5, y=20.25, width=270, height=480)])
SMALL = rp.Upscale(model="lanczos", width=406, height=722)

PAIRS = {
    "crop, then scale": ([CROP], [SMALL]),
    "crop, then spotlight": ([CROP], [rp.Overlay(regions=[SPOT])]),
    "rotate, then crop": ([rp.Rotate(degrees=4)], [CROP]),
    "crop and scale, then spotlight": ([CROP, SMALL], [rp.Overlay(regions=[SPOT])]),
    "spotlight, then crop": ([rp.Overlay(regions=[SPOT])], [CROP]),
    "fast motion, then crop": ([FAST], [CROP]),
    "slow motion, then a still crop": ([SLOW], [STILL]),
    "crop, then speed": ([CROP], [SLOW]),
    "spotlight, then speed": ([rp.Overlay(regions=[SPOT])], [SLOW]),
}


def render(source: Path, stages: list[rp.Stage], output: Path, *, end: float | None = None) -> rp.RenderResult:
    # 10 frames per second: the rate of the source
    settings = rp.Output(width=None, height=None, fps=10, pix_fmt="yuv444p", crf=0, preset="ultrafast", audio=False)
    reel = rp.Reel.model_validate({"clips": [{"source": source, "end": end, "stages": stages}], "output": settings})
    result = run_job(rp.RenderJob(reel=reel, output=str(output)), JobContext())
    assert isinstance(result, rp.RenderResult)
    return result


def luma(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [f.to_ndarray()[0].astype(np.float64) for f in container.decode(video=0)]


@pytest.mark.parametrize("pair", PAIRS)
def test_fused_equals_staged(footage: Path, tmp_path: Path, pair: str) -> None:
    first, second = PAIRS[pair]
    fused = render(footage / "vtest.avi", [*first, *second], tmp_path / "fused.mp4", end=2)
    render(footage / "vtest.avi", first, tmp_path / "first.mp4", end=2)
    staged = render(tmp_path / "first.mp4", second, tmp_path / "staged.mp4")
    assert (fused.frame_count, fused.width, fused.height) == (staged.frame_count, staged.width, staged.height)
    for a, b in zip(luma(tmp_path / "fused.mp4"), luma(tmp_path / "staged.mp4"), strict=True):
        error = a - b
        assert np.abs(error).mean() <= 1
        assert 10 * np.log10(255**2 / max(np.square(error).mean(), 1e-9)) >= 40
