"""Rotation about the centre: direction, place, borders, colour."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from reelproc.pixels.frame import PIXEL_FORMATS, Frame, PixelFormat
from reelproc.stages.base import StreamInfo, Target, WindowWork
from reelproc.stages.rotate import Rotate
from reelproc.testing.pictures import Scene, blob, centroid, flat, noise, psnr, texture


def turned(frame: Frame, degrees: float, aspect: Fraction = Fraction(1)) -> Frame:
    stream = StreamInfo(frame.width, frame.height, Fraction(1), frame.pix_fmt, aspect)
    work = Rotate(degrees=degrees).open(stream, Target())
    assert work is not None
    assert not isinstance(work, WindowWork)
    out = work(frame, 0.0)
    work.close()
    work.close()
    return out


@pytest.mark.parametrize("degrees", [0.0, 360.0, -720.0])
def test_a_full_turn_costs_nothing(degrees: float) -> None:
    assert Rotate(degrees=degrees).open(StreamInfo(64, 48, Fraction(1)), Target()) is None


def test_the_size_stays() -> None:
    stream = StreamInfo(64, 48, Fraction(1))
    assert Rotate(degrees=10).resolve(stream, Target(810, 1440)) == stream


@pytest.mark.parametrize("pix_fmt", PIXEL_FORMATS)
@pytest.mark.parametrize("degrees", [90.0, 180.0, 270.0, -90.0, 450.0])
def test_right_angles_are_exact(pix_fmt: PixelFormat, degrees: float) -> None:
    frame = noise(48, 48, pix_fmt)
    quarters = round(degrees / 90)
    out = turned(frame.copy(), degrees)
    # chroma of yuv420p sits left of the middle, so it cannot go over sample by sample
    planes = 1 if pix_fmt == "yuv420p" else len(frame.planes)
    for plane, source in list(zip(out.planes, frame.planes, strict=True))[:planes]:
        assert np.array_equal(plane, np.rot90(source, quarters))


def test_upside_down_is_exact_on_any_canvas() -> None:
    frame = noise(64, 35)
    assert np.array_equal(turned(frame.copy(), 180).planes[0], frame.planes[0][::-1, ::-1])


def test_on_its_side_a_wide_picture_loses_its_ends_and_gets_black_sides() -> None:
    frame = noise(60, 40)
    luma = turned(frame.copy(), 90).planes[0]
    assert np.array_equal(luma[:, 10:50], np.rot90(frame.planes[0][:, 10:50]))
    assert (luma[:, :10] == 16).all()
    assert (luma[:, 50:] == 16).all()


@pytest.mark.parametrize("pix_fmt", PIXEL_FORMATS)
@pytest.mark.parametrize("degrees", [10.0, -33.3, 90.0, 135.0, 180.0])
def test_positive_turns_are_counter_clockwise_and_colour_goes_along(pix_fmt: PixelFormat, degrees: float) -> None:
    width, height = 160, 120
    # before a background that is black, as what turns in from outside is
    black = (0, 0, 0) if pix_fmt in ("bgr24", "rgb24") else (16, 128, 128)
    scene = Scene(*(blob(110, 50, background=level) for level in black))
    out = turned(scene.frame(width, height, pix_fmt), degrees)
    a = math.radians(degrees)
    dx, dy = 110 - width / 2, 50 - height / 2
    # on the screen y points down
    wanted = (width / 2 + dx * math.cos(a) + dy * math.sin(a), height / 2 - dx * math.sin(a) + dy * math.cos(a))
    planes = [out.image[..., c] for c in range(3)] if pix_fmt in ("bgr24", "rgb24") else out.planes
    for number, (plane, level) in enumerate(zip(planes, black, strict=True)):
        x, y = centroid(plane, level)
        if pix_fmt == "yuv420p" and number:
            x, y = 2 * (x - 0.25), 2 * y
        assert (x, y) == pytest.approx(wanted, abs=0.15)


def test_there_and_back_again_is_nearly_the_same() -> None:
    scene = Scene(lambda x, y: texture(x / 2, y / 2))
    frame = scene.frame(200, 200)
    assert psnr(turned(turned(frame.copy(), 7), -7), frame, margin=30) > 42


@pytest.mark.parametrize(
    ("pix_fmt", "black"), [("yuv420p", (16, 128, 128)), ("yuv444p", (16, 128, 128)), ("rgb24", (0, 0, 0))]
)
def test_corners_are_black_and_the_middle_keeps_its_colour(pix_fmt: PixelFormat, black: tuple[int, ...]) -> None:
    levels = (100, 90, 200)
    out = turned(flat(120, 80, pix_fmt, levels), 30)
    if pix_fmt == "rgb24":
        assert tuple(out.image[0, 0]) == black
        assert (out.image[20:60, 40:80] == levels).all()
        return
    for plane, dark, level in zip(out.planes, black, levels, strict=True):
        assert plane[0, 0] == plane[-1, -1] == dark
        rows, columns = plane.shape
        assert (plane[rows // 4 : -rows // 4, columns // 3 : -columns // 3] == level).all()


def test_pixels_that_are_not_square_are_turned_as_they_are_seen() -> None:
    out = turned(Scene(blob(120, 40)).frame(160, 80, "yuv444p"), 90, Fraction(1, 2))
    # 40 pixels of half the width right of the centre are 20 up when turned
    assert centroid(out.planes[0]) == pytest.approx((80, 20), abs=0.1)


def test_timestamps_go_over() -> None:
    frame = noise(32, 32)
    frame.index, frame.pts, frame.time_base, frame.start_pts = 3, 99, Fraction(1, 25), 9
    out = turned(frame, 5)
    assert (out.index, out.pts, out.time_base, out.start_pts) == (3, 99, Fraction(1, 25), 9)
