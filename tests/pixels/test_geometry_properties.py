"""Placement, windows and sampling for any sizes."""

from __future__ import annotations

from fractions import Fraction
from math import isclose

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reelproc.errors import SpecError
from reelproc.pixels.frame import PIXEL_FORMATS, Frame, PixelFormat, Window
from reelproc.pixels.placement import Fit, compose, even_near, fit, inside, whole
from reelproc.pixels.resample import resample
from reelproc.pixels.scaling import FILTERS, Filter
from reelproc.pixels.view import View
from reelproc.stages.base import StreamInfo, Target
from reelproc.stages.crop import Crop, CropKeyframe
from reelproc.testing.pictures import flat, noise

sides = st.integers(1, 5000)
even_sides = st.integers(1, 2000).map(lambda n: 2 * n)
aspects = st.fractions(Fraction(1, 4), Fraction(4), max_denominator=1281)
modes: st.SearchStrategy[Fit] = st.sampled_from(["contain", "cover", "stretch"])


@given(sides, sides, aspects, even_sides, even_sides, modes)
def test_a_placement_lies_within_picture_and_canvas_on_even_pixels(
    width: int, height: int, aspect: Fraction, target_width: int, target_height: int, mode: Fit
) -> None:
    window, place = fit(width, height, aspect, target_width, target_height, mode)
    assert window.x >= 0 <= window.y
    assert window.width > 0 < window.height
    assert window.x + window.width <= width + 1e-9
    assert window.y + window.height <= height + 1e-9
    assert all(v >= 0 and v % 2 == 0 for v in place)
    assert place.x + place.width <= target_width
    assert place.y + place.height <= target_height
    assert place.width > 0 < place.height


@given(sides, sides, aspects, even_sides, even_sides)
def test_contain_shows_everything_undistorted_and_touches_two_edges(
    width: int, height: int, aspect: Fraction, target_width: int, target_height: int
) -> None:
    window, place = fit(width, height, aspect, target_width, target_height, "contain")
    assert window == whole(width, height)
    assert place.width == target_width or place.height == target_height
    assert abs(target_width - place.width - 2 * place.x) <= 2
    assert abs(target_height - place.height - 2 * place.y) <= 2
    scale = min(target_width / (width * aspect), Fraction(target_height, height))
    # rounded to even, or stretched over bars of less than 2 pixels; never less than 2 itself
    assert abs(place.width - width * aspect * scale) < 2
    assert abs(place.height - height * scale) < 2


@given(sides, sides, aspects, even_sides, even_sides)
def test_cover_fills_the_canvas_undistorted_and_cuts_one_direction_equally(
    width: int, height: int, aspect: Fraction, target_width: int, target_height: int
) -> None:
    window, place = fit(width, height, aspect, target_width, target_height, "cover")
    assert place == (0, 0, target_width, target_height)
    assert window.width * float(aspect) / window.height == pytest.approx(target_width / target_height, rel=1e-9)
    assert window.width == pytest.approx(width) or window.height == pytest.approx(height)
    assert 2 * window.x + window.width == pytest.approx(width)
    assert 2 * window.y + window.height == pytest.approx(height)


@given(even_sides, even_sides, modes)
def test_a_picture_of_the_canvas_size_is_taken_as_it_is(width: int, height: int, mode: Fit) -> None:
    assert fit(width, height, Fraction(1), width, height, mode) == (whole(width, height), (0, 0, width, height))


@given(st.floats(0, 10000), st.integers(2, 5000))
def test_even_is_near_and_within_its_limit(value: float, limit: int) -> None:
    even = even_near(value, limit)
    assert even % 2 == 0
    assert 2 <= even <= limit
    assert abs(even - value) <= 1 or even in (2, limit, limit - 1)


coordinates = st.floats(-3000, 3000)
lengths = st.floats(2, 6000)


@given(coordinates, coordinates, lengths, lengths, sides, sides)
def test_a_window_brought_inside_keeps_its_shape_and_moves_no_further_than_it_must(
    x: float, y: float, width: float, height: float, frame_width: int, frame_height: int
) -> None:
    window = Window(x, y, width, height)
    moved = inside(window, frame_width, frame_height)
    assert moved.x >= 0 <= moved.y
    assert moved.x + moved.width <= frame_width * (1 + 1e-12)
    assert moved.y + moved.height <= frame_height * (1 + 1e-12)
    assert moved.width / moved.height == pytest.approx(width / height, rel=1e-9)
    if x >= 0 <= y and x + width <= frame_width and y + height <= frame_height:
        assert moved == pytest.approx(window)
    assert inside(moved, frame_width, frame_height) == pytest.approx(moved, abs=1e-6)


@given(
    st.lists(
        st.builds(
            CropKeyframe,
            time=st.integers(-20, 60).map(lambda n: n / 4),
            x=coordinates,
            y=coordinates,
            width=st.floats(50, 4000),
            height=st.floats(50, 4000),
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda k: k.time,
    ),
    st.integers(16, 2000),
    st.integers(16, 2000),
    st.floats(-1, 11),
)
def test_a_crop_stays_inside_with_an_even_size_no_larger_than_the_source_or_is_refused_as_oblong(
    keyframes: list[CropKeyframe], width: int, height: int, time: float
) -> None:
    crop, stream = Crop(keyframes=keyframes), StreamInfo(width, height, Fraction(10))
    widest, highest = max(k.width for k in keyframes), max(k.height for k in keyframes)
    within = min(1, width / widest, height / highest) * min(widest, highest)
    if not isclose(within, 2) and within < 2:
        with pytest.raises(SpecError, match="less oblong"):
            crop.resolve(stream, Target())
        return
    assume(within > 2)
    size = crop.resolve(stream, Target())
    assert size.width % 2 == size.height % 2 == 0
    assert 2 <= size.width <= width
    assert 2 <= size.height <= height
    work = crop.open(stream, Target())
    frame = Frame(np.empty(0, np.uint8), width, height, "yuv420p")
    window = whole(width, height) if work is None else work.view(View(frame), time).window
    assert window is not None
    assert window.x >= 0 <= window.y
    assert window.x + window.width <= width + 1e-6
    assert window.y + window.height <= height + 1e-6


@given(coordinates, coordinates, lengths, lengths, st.integers(2, 999), st.integers(2, 999))
def test_the_whole_of_a_window_is_the_window(
    x: float, y: float, width: float, height: float, nominal_width: int, nominal_height: int
) -> None:
    window = Window(x, y, width, height)
    assert compose(whole(nominal_width, nominal_height), window, nominal_width, nominal_height) == pytest.approx(window)


windows = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 1), st.floats(0.05, 1))
small = st.integers(2, 70)
formats: st.SearchStrategy[PixelFormat] = st.sampled_from(PIXEL_FORMATS)
kernels: st.SearchStrategy[Filter] = st.sampled_from(FILTERS)


def window_of(shares: tuple[float, float, float, float], width: int, height: int) -> Window:
    across, down = shares[2] * width, shares[3] * height
    return Window(shares[0] * (width - across), shares[1] * (height - down), across, down)


@settings(max_examples=60)
@given(small, small, small, small, windows, formats, kernels, st.tuples(*[st.integers(0, 255)] * 3))
def test_flat_stays_flat_whatever_is_done_to_it(
    width: int,
    height: int,
    out_width: int,
    out_height: int,
    shares: tuple[float, float, float, float],
    pix_fmt: PixelFormat,
    kernel: Filter,
    levels: tuple[int, int, int],
) -> None:
    frame = flat(width, height, pix_fmt, levels)
    made = resample(frame, window_of(shares, width, height), out_width, out_height, filter=kernel)
    assert np.array_equal(made.data, flat(out_width, out_height, pix_fmt, levels).data)


@settings(max_examples=60)
@given(small, small, small, small, windows, kernels)
def test_turning_the_picture_over_turns_the_result_over(
    width: int, height: int, out_width: int, out_height: int, shares: tuple[float, float, float, float], kernel: Filter
) -> None:
    """Nothing leans to one side."""
    frame = noise(width, height, "yuv444p")
    flipped = frame.copy()
    for plane, source in zip(flipped.planes, frame.planes, strict=True):
        plane[...] = source[::-1, ::-1]
    window = window_of(shares, width, height)
    other = Window(width - window.x - window.width, height - window.y - window.height, window.width, window.height)
    one = resample(frame, window, out_width, out_height, filter=kernel)
    two = resample(flipped, other, out_width, out_height, filter=kernel)
    for plane, turned in zip(one.planes, two.planes, strict=True):
        assert np.abs(plane.astype(int) - turned[::-1, ::-1]).max() <= 1
