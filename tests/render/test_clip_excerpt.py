"""What a crop leaves out is not read; what is made of the rest is the same, bit for bit."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import reelproc as rp
from media_factory import damage_packet, numbered_video, run_ffmpeg
from reelproc.media.read.excerpt import Excerpt, ExcerptStep
from reelproc.render import clip_frames
from reelproc.render.clip_excerpt import excerpt_of
from reelproc.render.plan_reel import plan
from reelproc.render.range_renderer import RangeRenderer
from reelproc.results import PhaseClock
from reelproc.storage.sources import Sources
from reelproc.upscalers import UPSCALERS
from reelproc.upscalers.base import Upscaler, UpscaleSpec, UpscaleWork
from reelproc.upscalers.host_network import HostNetwork
from reelproc.upscalers.network_work import NetworkWork

FRAMES = 40
PATHS: dict[str, dict[str, Any]] = {
    "a pan to the right edge and back": {
        "keyframes": [(0, 0, 3, 90, 160), (0.7, 358.3, 50.5, 90, 160), (1.3, 20, 0, 90, 160)]
    },
    "a zoom": {"keyframes": [(0, 100, 20, 60, 100), (1.3, 140.7, 90, 120.4, 200.8)]},
    "a spline": {
        "keyframes": [(0, 300, 10, 90, 160), (0.4, 20, 90, 90, 160), (0.9, 200, 60, 90, 160)],
        "interpolation": "catmull-rom",
    },
    "one that stands still on fractions": {"keyframes": [(0, 33.37, 21.71, 99.5, 160.25)]},
    "one that leaves the frame": {"keyframes": [(-0.5, -80, -40, 100, 180), (1.5, 600, 300, 100, 180)]},
}  # fmt: skip
BEHIND: dict[str, list[Any]] = {
    "to a larger size": [],
    "to a smaller one": [rp.Upscale(model="area", width=30, height=54)],
    "by another filter and slowly": [rp.Speed(segments=[rp.SpeedSegment(start=0.2, end=0.6, speed=0.5)])],
    "with a crop of the crop": [rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=5.3, y=7, width=50, height=80)])],
    "and turned": [rp.Rotate(degrees=10)],
}


def frames_of(clip: rp.Clip, monkeypatch: pytest.MonkeyPatch, **output: Any) -> dict[bool, list[bytes]]:
    """Every frame that is made, from excerpts and from whole frames."""
    reel = rp.Reel(clips=[clip], output=rp.Output(**{"width": 180, "height": 320, **output}))
    planned = plan(reel, smart_copy=False)
    made = {}
    for excerpts in (True, False):
        if not excerpts:
            monkeypatch.setattr(clip_frames, "excerpt_of", lambda *_: None)
        else:
            first = planned.clips[0]
            assert excerpt_of(first, first.pts), "this path is to be read in part"
        end = planned.frame_count
        with RangeRenderer(planned, end, sources=Sources(), conceal=True, clock=PhaseClock()) as renderer:
            made[excerpts] = [renderer.frame(f).data.tobytes() for f in planned.frames(0, end)]
    return made


def crop(name: str) -> rp.Crop:
    path = dict(PATHS[name])
    keys = [
        rp.CropKeyframe(time=t, x=x, y=y, width=width, height=height)
        for t, x, y, width, height in path.pop("keyframes")
    ]
    return rp.Crop(keyframes=keys, **path)


class Blurs(HostNetwork):
    """A network that looks 33 pixels far, and sees black where the picture ends."""

    scale, flop_per_pixel, overlap = 2, 1.0, 34

    def enlarge(self, rgb: Any) -> Any:
        seen = cv2.boxFilter(rgb, -1, (67, 67), borderType=cv2.BORDER_CONSTANT)
        return (rgb // 2 + seen // 2).repeat(2, 0).repeat(2, 1)


class Blurred(Upscaler):
    name, description, scale, takes_context = "blurred", "for tests", 2, True

    def flop(self, spec: UpscaleSpec) -> float:
        return 1.0

    def open(self, spec: UpscaleSpec) -> UpscaleWork:
        return NetworkWork(spec, Blurs())


BLURRED = Blurred()


@pytest.mark.parametrize("context", [0, 24, 33])
@pytest.mark.parametrize("name", PATHS)
def test_a_network_is_shown_the_same_context_of_excerpts_as_of_whole_frames(
    noise: Path, name: str, context: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UPSCALERS, "_entries", dict(UPSCALERS._entries))
    UPSCALERS.register("blurred", f"{__name__}:BLURRED")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Blurs.__module__])
    clip = rp.Clip(source=noise, stages=[crop(name), rp.Upscale(model="blurred", context=context)])
    made = frames_of(clip, monkeypatch)
    assert made[True] == made[False]


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video in which every pixel differs from its neighbours."""
    path = tmp_path_factory.mktemp("noise") / "noise.mp4"
    run_ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size=448x252:rate=30,noise=alls=40:allf=t,trim=end_frame={FRAMES}"),
        *("-c:v", "libx264", "-crf", "10", "-g", "12", "-pix_fmt", "yuv420p", str(path)),
    )
    return path


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("name", PATHS)
def test_a_crop_of_excerpts_is_the_crop_of_whole_frames(
    name: str, behind: str, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = frames_of(rp.Clip(source=noise, stages=[crop(name), *BEHIND[behind]]), monkeypatch)
    assert len(made[True]) >= FRAMES
    assert made[True] == made[False]


@pytest.mark.parametrize("name", ["cursed-vfr.mp4", "fire2.mp4", "sample_edit_list.mp4", "vtest.avi"])
def test_real_footage_of_any_timing_turn_and_colour(name: str, footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = rp.probe(footage / name).require_video()
    width, height = video.width * 0.3, video.height * 0.3
    keys = [
        rp.CropKeyframe(time=0, x=0, y=0, width=width, height=height),
        rp.CropKeyframe(time=1, x=video.width * 0.61, y=video.height * 0.37, width=width, height=height),
    ]
    made = frames_of(rp.Clip(source=footage / name, start=0.5, end=1.5, stages=[rp.Crop(keyframes=keys)]), monkeypatch)
    assert made[True] == made[False]


def test_frames_that_cannot_be_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame stands alone: what a decoder makes of one that refers to a lost one varies from run to run."""
    video = numbered_video(tmp_path / "0.mp4", frame_count=FRAMES, width=448, height=252, gop_size=1, b_frames=0)
    for number in (7, 8, 20):
        path = tmp_path / f"{number}.mp4"
        damage_packet(video, path, number)
        video = replace(video, path=path)
    made = frames_of(rp.Clip(source=video.path, stages=[crop("a pan to the right edge and back")]), monkeypatch)
    assert len(made[True]) == FRAMES
    assert made[True][7] == made[True][8] == made[True][6] != made[True][9]
    assert made[True] == made[False]


def test_frames_that_are_packed_rgb_are_read_in_part_too(noise: Path) -> None:
    excerpt = Excerpt(100, 64, (ExcerptStep(0, 20, 10), ExcerptStep(5 * 512, 300, 188)))
    with (
        rp.open_video(noise, pix_fmt="bgr24", end=0.5) as whole,
        rp.open_video(noise, pix_fmt="bgr24", end=0.5, excerpt=excerpt) as part,
    ):
        for one, two in zip(whole, part, strict=True):
            x, y = excerpt.origin(two.pts)
            assert (x, y) == ((20, 10) if one.index < 5 else (300, 188))
            assert np.abs(one.image[y : y + 64, x : x + 100].astype(int) - two.image).max() <= 1
