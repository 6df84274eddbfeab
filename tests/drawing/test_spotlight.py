"""The spotlight's arithmetic in YUV against the same in R'G'B'."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reelproc.drawing import ellipse
from reelproc.pixels.colour import RGB_TO_YUV, YUV_BLACK, YUV_TO_RGB
from reelproc.pixels.frame import Frame
from reelproc.stages.base import StreamInfo, Target
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay

SIZE = 64
INSIDE = (slice(24, 40), slice(24, 40))
"""Well within the ellipse of these tests."""
OUTSIDE = (slice(0, 6), slice(0, SIZE))
"""Well without."""


def overlay(effect, opacity):
    place = HighlightKeyframe(time=0, x=32, y=32, radius_x=20, radius_y=20, opacity=opacity)
    return Overlay(effect=effect, regions=[HighlightRegion(start_time=0, end_time=9, keyframes=[place])])


def apply(stage, frame):
    return stage.open(StreamInfo(SIZE, SIZE, Fraction(9), frame.pix_fmt), Target())(frame.copy(), 1.0)


def frame_of(rgb):
    """A yuv444p frame of (H, W, 3) R'G'B' in [0, 1]."""
    frame = Frame.empty(SIZE, SIZE, "yuv444p")
    codes = rgb @ RGB_TO_YUV.T + np.array(YUV_BLACK)
    for plane, code in zip(frame.planes, np.moveaxis(codes, -1, 0), strict=True):
        plane[:] = np.rint(code)
    return frame


def rgb_of(frame):
    """(H, W, 3) R'G'B' of a yuv444p frame, unclipped."""
    return (np.stack(frame.planes, axis=-1).astype(float) - np.array(YUV_BLACK)) @ YUV_TO_RGB.T


def codes_of(rgb):
    return rgb @ RGB_TO_YUV.T + np.array(YUV_BLACK)


def worst(frame, codes, where):
    got = np.stack(frame.planes, axis=-1).astype(float)
    return float(np.abs(got - codes)[where].max())


@pytest.fixture
def colours():
    return np.random.default_rng(7).random((SIZE, SIZE, 3))


@pytest.mark.parametrize("opacity", [0.01, 0.15, 0.5, 0.999, 1.0])
def test_dimming_is_the_rgb_formula_to_one_code(colours, opacity):
    frame = frame_of(colours)
    after = apply(overlay("dark_overlay", opacity), frame)
    assert worst(after, codes_of(rgb_of(frame) * (1 - opacity)), OUTSIDE) <= 0.51
    assert worst(after, codes_of(rgb_of(frame)), INSIDE) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("opacity", [0.01, 0.15, 0.5, 1.0])
def test_brightening_is_the_rgb_formula_with_its_clip_to_one_code(colours, opacity):
    frame = frame_of(colours)
    before = rgb_of(frame)
    expected = np.minimum(before * (1 + opacity), np.maximum(before, 1))
    after = apply(overlay("brightness_boost", opacity), frame)
    assert worst(after, np.clip(codes_of(expected), 0, 255), INSIDE) <= 1
    assert worst(after, codes_of(before), OUTSIDE) == pytest.approx(0, abs=1e-9)


def subsampled(frame):
    """A yuv420p frame of a yuv444p one whose chroma is the same within every 2 x 2 block."""
    small = Frame.empty(SIZE, SIZE, "yuv420p")
    small.planes[0][:] = frame.planes[0]
    for i in (1, 2):
        small.planes[i][:] = frame.planes[i][::2, ::2]
    return small


@pytest.mark.parametrize("opacity", [0.15, 1.0])
@pytest.mark.parametrize("colour", [(0.9, 0.2, 0.1), (0.2, 0.95, 0.3), (0.99, 0.97, 0.6), (1, 1, 1), (0, 0, 0)])
def test_brightening_a_flat_colour_in_420_clips_like_444(colour, opacity):
    frame = frame_of(np.full((SIZE, SIZE, 3), colour))
    expected = apply(overlay("brightness_boost", opacity), frame)
    got = apply(overlay("brightness_boost", opacity), subsampled(frame))
    for want, have in zip(expected.planes, got.planes, strict=True):
        step = want.shape[0] // have.shape[0]
        difference = want[::step, ::step].astype(int) - have
        middle = slice(24 // step, 40 // step)
        assert np.abs(difference[middle, middle]).max() <= 1


def test_brightening_420_without_clipping_is_linear_to_one_code():
    frame = subsampled(frame_of(np.random.default_rng(3).random((SIZE, SIZE, 3)) * 0.3 + 0.2))
    after = apply(overlay("brightness_boost", 0.2), frame)
    for before, plane, black in zip(frame.planes, after.planes, YUV_BLACK, strict=True):
        expected = black + (before.astype(float) - black) * 1.2
        middle = slice(24 * plane.shape[0] // SIZE, 40 * plane.shape[0] // SIZE)
        assert np.abs(expected - plane)[middle, middle].max() <= 0.51


def test_a_band_more_or_less_makes_no_seam():
    """Bands of rows are an affair of the cache: a tall ellipse is brightened alike in all of them."""
    height = 200
    frame = Frame.empty(SIZE, height, "yuv420p")
    for plane in frame.planes:
        plane[:] = np.linspace(140, 230, plane.shape[1]).astype(np.uint8)[None, :]
    place = HighlightKeyframe(time=0, x=32, y=100, radius_x=1e5, radius_y=1e5, opacity=0.5)
    stage = Overlay(effect="brightness_boost", regions=[HighlightRegion(start_time=0, end_time=9, keyframes=[place])])
    after = stage.open(StreamInfo(SIZE, height, Fraction(9)), Target())(frame, 1.0)
    for plane in after.planes:
        assert (plane == plane[0]).all()


@pytest.mark.parametrize("effect", ["brightness_boost", "dark_overlay", "original"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize(("width", "height"), [(640, 360), (333, 221)])
def test_how_an_ellipse_is_cut_into_pieces_changes_nothing(monkeypatch, effect, pix_fmt, width, height):
    """Columns as well: chroma is made of luma on both sides of it, also where the inside begins."""
    frame = Frame.empty(width, height, pix_fmt)
    frame.data[...] = np.random.default_rng(4).integers(16, 236, frame.data.shape)
    place = HighlightKeyframe(time=0, x=width * 0.4, y=height * 0.6, radius_x=150.3, radius_y=160.7, opacity=0.4)
    regions = [HighlightRegion(start_time=0, end_time=9, keyframes=[place])]
    stage = Overlay(effect=effect, regions=regions, fill=effect != "dark_overlay", fill_opacity=0.3)
    results = []
    for rows, columns in ((7, 4), (32, 32), (96, 1 << 20)):
        monkeypatch.setattr(ellipse, "_BAND_PAIRS", rows)
        monkeypatch.setattr(ellipse, "_INSIDE_PAIRS", columns)
        work = stage.open(StreamInfo(width, height, Fraction(9), pix_fmt), Target())
        results.append(work(frame.copy(), 1.0).data)
    assert (results[0] != frame.data).any()
    for result in results[1:]:
        assert np.array_equal(result, results[0])


def test_super_white_is_not_pulled_down_by_a_faint_boost():
    """Else the end of a fade would jump."""
    frame = Frame.empty(SIZE, SIZE, "yuv420p")
    frame.planes[0][:] = 245
    frame.planes[1][:] = 128
    frame.planes[2][:] = 128
    after = apply(overlay("brightness_boost", 0.001), frame)
    assert (after.planes[0] == 245).all()
