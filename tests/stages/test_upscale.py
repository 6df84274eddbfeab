"""The scaling stage: what size, which part, and where on the canvas."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reelproc.errors import SpecError
from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.view import View
from reelproc.stages.base import StreamInfo, Target, WindowWork
from reelproc.stages.crop import Crop, CropKeyframe
from reelproc.stages.upscale import Upscale
from reelproc.testing.pictures import Scene, flat, noise, psnr, texture

HD = StreamInfo(1920, 1080, Fraction(10))
AS_IT_COMES = Target()


def scaled(
    stage: Upscale, given: Frame | View, target: Target = AS_IT_COMES, stream: StreamInfo | None = None
) -> Frame:
    view = given if isinstance(given, View) else View(given)
    frame = view.frame
    info = stream or StreamInfo(frame.width, frame.height, Fraction(1), frame.pix_fmt)
    work = stage.open(info, target)
    assert work is not None
    assert isinstance(work, WindowWork)
    scaled = work.view(view, 0.0)
    assert scaled.window is None
    out = scaled.frame
    work.close()
    work.close()
    resolved = stage.resolve(info, target)
    assert (out.width, out.height, out.pix_fmt) == (resolved.width, resolved.height, resolved.pix_fmt)
    return out


def test_the_size_is_the_stages_own_before_the_outputs() -> None:
    own = Upscale(model="lanczos", width=540, height=960).resolve(HD, Target(810, 1440))
    outputs = Upscale(model="lanczos").resolve(HD, Target(810, 1440))
    assert (own.width, own.height) == (540, 960)
    assert (outputs.width, outputs.height) == (810, 1440)


def test_without_any_size_it_says_where_to_give_one() -> None:
    with pytest.raises(SpecError, match="give Upscale a width and a height, or the Output"):
        Upscale(model="lanczos").resolve(HD, Target())


@pytest.mark.parametrize("size", [{"width": 810}, {"height": 1440}])
def test_half_a_size_is_refused(size: dict[str, int]) -> None:
    with pytest.raises(SpecError, match="given together or not at all"):
        Upscale(model="lanczos", **size)


def test_an_unknown_model_is_refused_before_anything_runs() -> None:
    with pytest.raises(SpecError, match=r"no upscaler is called 'bilinear'; there are: .*area.*bicubic.*lanczos"):
        Upscale(model="bilinear").resolve(HD, Target(810, 1440))


def test_pixels_are_square_afterwards() -> None:
    anamorphic = StreamInfo(1440, 1080, Fraction(1), sample_aspect_ratio=Fraction(4, 3))
    stage = Upscale(model="lanczos", width=960, height=540)
    assert stage.resolve(anamorphic, Target()).sample_aspect_ratio == 1
    assert stage.placement(anamorphic, Target()).destination == (0, 0, 960, 540)


def test_the_stages_fit_comes_before_the_outputs() -> None:
    target = Target(810, 1440, "cover")
    assert Upscale(model="lanczos").placement(HD, target).window.width == 607.5
    assert Upscale(model="lanczos", fit="stretch").placement(HD, target).window.width == 1920


def test_contain_leaves_black_bars_and_cover_none() -> None:
    frame = flat(64, 36, "yuv420p", (200, 100, 90))
    bars = scaled(Upscale(model="lanczos", width=36, height=64), frame.copy())
    assert (bars.planes[0][22:42] == 200).all()
    assert (bars.planes[0][:22] == 16).all()
    assert (bars.planes[0][42:] == 16).all()
    assert (bars.planes[1][:11] == 128).all()
    cover = scaled(Upscale(model="lanczos", width=36, height=64, fit="cover"), frame)
    assert (cover.planes[0] == 200).all()


@pytest.mark.parametrize("model", ["lanczos", "bicubic", "area"])
def test_the_same_size_costs_nothing(model: str) -> None:
    frame = noise(64, 48)
    wanted = frame.data.copy()
    out = scaled(Upscale(model=model, width=64, height=48), frame)
    assert out is frame
    assert np.array_equal(out.data, wanted)


def test_a_crop_is_sampled_once_from_the_source() -> None:
    scene = Scene(lambda x, y: texture(x / 2, y / 2))
    crop = Crop(keyframes=[CropKeyframe(time=0, x=20.3, y=10.7, width=45, height=80)])
    stream, target = StreamInfo(160, 120, Fraction(1)), Target(90, 160)
    mark = crop.open(stream, target)
    assert mark is not None
    view = mark.view(View(scene.frame(160, 120)), 0.0)
    cut = view.cut()
    once = scaled(Upscale(model="lanczos"), view, target, crop.resolve(stream, target))
    twice = scaled(Upscale(model="lanczos"), cut, target)
    truth = scene.frame(90, 160, window=view.window)
    assert psnr(once, truth, margin=2) > psnr(twice, truth, margin=2)
    assert psnr(once, twice, margin=4) > 38


def test_a_crop_with_bars_shows_the_crop_between_them() -> None:
    scene = Scene(texture)
    crop = Crop(keyframes=[CropKeyframe(time=0, x=20, y=10, width=80, height=40)])
    stream, target = StreamInfo(160, 120, Fraction(1), "yuv444p"), Target(120, 160)
    mark = crop.open(stream, target)
    assert mark is not None
    out = scaled(
        Upscale(model="lanczos"),
        mark.view(View(scene.frame(160, 120, "yuv444p")), 0),
        target,
        crop.resolve(stream, target),
    )
    assert (out.planes[0][:50] == 16).all()
    assert (out.planes[0][110:] == 16).all()
    shown = Frame.empty(120, 60, "yuv444p")
    for plane, source in zip(shown.planes, out.planes, strict=True):
        plane[...] = source[50:110]
    window = mark.view(View(scene.frame(160, 120)), 0).window
    assert psnr(shown, scene.frame(120, 60, "yuv444p", window=window), margin=2) > 44


def test_cover_cuts_the_crop_not_the_frame_it_came_from() -> None:
    """In the crop's nominal pixels, which are larger than the source's where it zooms."""
    scene = Scene(texture)
    crop = Crop(
        keyframes=[
            CropKeyframe(time=0, x=20, y=10, width=80, height=40),
            CropKeyframe(time=1, x=0, y=0, width=160, height=80),
        ]
    )
    stream, target = StreamInfo(160, 120, Fraction(1)), Target(60, 120, "cover")
    mark = crop.open(stream, target)
    assert mark is not None
    view = mark.view(View(scene.frame(160, 120)), 0.0)
    assert view.size == (160, 80)
    out = scaled(Upscale(model="lanczos"), view, target, crop.resolve(stream, target))
    assert psnr(out, scene.frame(60, 120, window=Window(50, 10, 20, 40)), margin=2) > 44
