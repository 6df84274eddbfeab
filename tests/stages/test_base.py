"""The suite of all stages, run on each of ours."""

from __future__ import annotations

from fractions import Fraction

import reelproc as rp
from reelproc.pixels.frame import Window
from reelproc.stages import STAGES
from reelproc.stages.base import Stage, StreamInfo
from reelproc.testing import StageSuite

PLAYER = {"x": 48, "y": 27, "radius_x": 8, "radius_y": 16}


class TestCropInTheMiddle(StageSuite):
    def make(self) -> Stage:
        return rp.Crop()


class TestCropThatMoves(StageSuite):
    def make(self) -> Stage:
        boxes = [rp.CropKeyframe(time=t, x=x, y=3.3, width=27, height=48) for t, x in ((0, 2.5), (2, 60.25))]
        return rp.Crop(keyframes=boxes, interpolation="catmull-rom")

    def test_the_window_is_where_it_says(self) -> None:
        window_at = self.make().window_at(self.stream, self.target)
        assert window_at is not None
        assert window_at(0.0) == Window(2.5, 3.3, 27, 48)


class TestRotate(StageSuite):
    def make(self) -> Stage:
        return rp.Rotate(degrees=7.5)


class TestRotateByNothing(StageSuite):
    def make(self) -> Stage:
        return rp.Rotate()


class TestSpeed(StageSuite):
    def make(self) -> Stage:
        return rp.Speed(segments=[rp.SpeedSegment(start=0.5, end=1.2, speed=0.25)])


class TestUpscale(StageSuite):
    def make(self) -> Stage:
        return rp.Upscale(model="lanczos", width=128, height=72)


class TestUpscaleToTheOutputWithSquarePixels(StageSuite):
    stream = StreamInfo(72, 58, Fraction(2), sample_aspect_ratio=Fraction(16, 11))

    def make(self) -> Stage:
        return rp.Upscale(model="bicubic")


class TestUpscaleWithoutRepeats(StageSuite):
    def make(self) -> Stage:
        return rp.Upscale(model="area", width=48, height=48, dedupe=1)


class TestOverlay(StageSuite):
    def make(self) -> Stage:
        times = {"start_time": 0.5, "end_time": 1.2}
        return rp.Overlay.model_validate({"regions": [{**times, "keyframes": [{"time": 0.5, **PLAYER}]}]})


class TestOverlayOnTheGround(StageSuite):
    def make(self) -> Stage:
        times = {"start_time": 0.25, "end_time": 0.75}
        moves = [{"time": 0.25, **PLAYER}, {"time": 0.75, **PLAYER, "x": 20}]
        regions = [{**times, "keyframes": moves}]
        return rp.Overlay.model_validate({"regions": regions, "effect": "original", "fill": True, "shape": "ground"})


class TestText(StageSuite):
    def make(self) -> Stage:
        element = rp.TextElement(spec=rp.TextSpec(text="GOAL"))
        return rp.Text(regions=[rp.TextRegion(start_time=0.4, end_time=1, elements=[element])])


class TestBanner(StageSuite):
    def make(self) -> Stage:
        return rp.Banner(rating=5, name="Late winner", start_time=0.3, end_time=0.9)


def test_every_registered_stage_is_in_the_suite() -> None:
    assert {suite().make().stage for suite in StageSuite.__subclasses__()} >= set(STAGES.names())
