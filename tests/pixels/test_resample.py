"""A window of a frame, sampled once: planes that belong together stay together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reelproc.errors import SpecError
from reelproc.pixels.frame import PIXEL_FORMATS, Frame, PixelFormat, Window
from reelproc.pixels.placement import Rectangle
from reelproc.pixels.resample import resample
from reelproc.pixels.scaling import FILTERS, Filter
from reelproc.testing.pictures import Scene, blob, centroid, flat, noise, psnr, texture


@pytest.mark.parametrize("pix_fmt", PIXEL_FORMATS)
@pytest.mark.parametrize("kernel", FILTERS)
@pytest.mark.parametrize("size", [(64, 48), (61, 45)])
def test_the_whole_frame_at_its_size_is_a_copy(pix_fmt: PixelFormat, kernel: Filter, size: tuple[int, int]) -> None:
    frame = noise(*size, pix_fmt)
    copy = resample(frame, Window(0, 0, *size), *size, filter=kernel)
    assert copy is not frame
    assert np.array_equal(copy.data, frame.data)


def test_an_even_window_at_its_size_is_cut_out_bit_for_bit() -> None:
    frame = noise(64, 48)
    cut = resample(frame, Window(10, 6, 30, 20), 30, 20)
    for plane, source, step in zip(cut.planes, frame.planes, (1, 2, 2), strict=True):
        assert np.array_equal(plane, source[6 // step : 26 // step, 10 // step : 40 // step])


def test_an_odd_window_moves_chroma_by_half_a_sample() -> None:
    frame = Scene(texture).frame(64, 48)
    window = Window(11, 7, 30, 20)
    cut = resample(frame, window, 30, 20)
    assert np.array_equal(cut.planes[0], frame.planes[0][7:27, 11:41])
    assert psnr(cut, Scene(texture).frame(30, 20, window=window), margin=3) > 45


@pytest.mark.parametrize("pix_fmt", PIXEL_FORMATS)
@pytest.mark.parametrize("kernel", ["lanczos", "bicubic"])
@pytest.mark.parametrize(
    ("window", "size"),
    [
        (Window(20.3, 10.7, 45.0, 80.0), (90, 160)),
        (Window(20.3, 10.7, 45.0, 80.0), (67, 121)),
        (Window(7.5, 3.25, 110.2, 101.9), (100, 90)),
    ],
)
def test_every_plane_shows_the_window_where_it_is(
    pix_fmt: PixelFormat, kernel: Filter, window: Window, size: tuple[int, int]
) -> None:
    slow = Scene(*(lambda x, y, k=k: texture(x / 2 + k, y / 2) for k in (0, 3, 7)))
    made = resample(slow.frame(161, 121, pix_fmt), window, *size, filter=kernel)
    assert psnr(made, slow.frame(*size, pix_fmt, window=window), margin=2) > (48 if kernel == "lanczos" else 44)


@pytest.mark.parametrize("kernel", FILTERS)
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5, 3.0])
def test_colour_stays_on_its_object_at_any_scale(kernel: Filter, scale: float) -> None:
    spot = Scene(blob(60.4, 50.8))
    window = Window(20.2, 11.3, 80, 80)
    made = resample(spot.frame(140, 120), window, round(80 * scale), round(80 * scale), filter=kernel)
    wanted = (60.4 - 20.2) * scale, (50.8 - 11.3) * scale
    for number, plane in enumerate(made.planes):
        x, y = centroid(plane)
        place = (x, y) if number == 0 else (2 * (x - 0.25), 2 * y)
        assert place == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("pix_fmt", PIXEL_FORMATS)
@pytest.mark.parametrize("kernel", FILTERS)
def test_a_flat_frame_stays_flat_and_keeps_its_colour(pix_fmt: PixelFormat, kernel: Filter) -> None:
    made = resample(flat(97, 55, pix_fmt, (81, 90, 240)), Window(3.3, 0, 80.1, 55), 120, 200, filter=kernel)
    assert np.array_equal(made.data, flat(120, 200, pix_fmt, (81, 90, 240)).data)


@pytest.mark.parametrize(
    ("pix_fmt", "black"), [("yuv420p", (16, 128, 128)), ("yuv444p", (16, 128, 128)), ("bgr24", (0, 0, 0))]
)
def test_what_the_destination_leaves_free_is_black(pix_fmt: PixelFormat, black: tuple[int, ...]) -> None:
    source = flat(40, 30, pix_fmt, (200, 60, 70))
    made = resample(source, Window(0, 0, 40, 30), 50, 60, destination=Rectangle(4, 10, 40, 30))
    wanted = flat(50, 60, pix_fmt, black)
    step = 2 if pix_fmt == "yuv420p" else 1
    for number, (plane, from_source) in enumerate(zip(wanted.planes, source.planes, strict=True)):
        s = step if number else 1
        plane[10 // s : 40 // s, 4 // s : 44 // s] = from_source
    assert np.array_equal(made.data, wanted.data)


def test_timestamps_go_over() -> None:
    frame = noise(16, 16)
    frame.index, frame.pts, frame.time_base, frame.start_pts = 7, 1234, Fraction(1, 90000), 34
    made = resample(frame, Window(1, 2, 8, 8), 20, 20)
    assert (made.index, made.pts, made.time_base, made.start_pts) == (7, 1234, Fraction(1, 90000), 34)


def test_a_frame_can_be_written_into() -> None:
    frame, out = noise(32, 32), Frame.empty(20, 20, "yuv420p")
    out.data[:] = 9
    window = Window(1.5, 2.5, 28, 28)
    assert resample(frame, window, 20, 20, out=out) is out
    assert np.array_equal(out.data, resample(frame, window, 20, 20).data)


@pytest.mark.parametrize(
    "window", [Window(0, 0, 0, 10), Window(-1, 0, 10, 10), Window(5, 5, 12, 5), Window(0, float("nan"), 5, 5)]
)
def test_a_window_beyond_the_frame_is_refused(window: Window) -> None:
    with pytest.raises(SpecError, match="within its 16x16 frame"):
        resample(noise(16, 16), window, 10, 10)


@pytest.mark.parametrize("place", [Rectangle(0, 0, 12, 10), Rectangle(-2, 0, 10, 10), Rectangle(0, 0, 0, 10)])
def test_a_destination_beyond_the_result_is_refused(place: Rectangle) -> None:
    with pytest.raises(SpecError, match="within the 10x10 result"):
        resample(noise(16, 16), Window(0, 0, 16, 16), 10, 10, destination=place)


def test_a_destination_on_odd_pixels_is_refused_where_chroma_is_halved() -> None:
    place = Rectangle(1, 0, 8, 8)
    with pytest.raises(SpecError, match="even pixels"):
        resample(noise(16, 16), Window(0, 0, 16, 16), 10, 10, destination=place)
    resample(noise(16, 16, "yuv444p"), Window(0, 0, 16, 16), 10, 10, destination=place)


@pytest.mark.parametrize("out", [Frame.empty(10, 12, "yuv420p"), Frame.empty(10, 10, "bgr24")])
def test_an_out_of_another_kind_is_refused(out: Frame) -> None:
    with pytest.raises(SpecError, match="out must be 10x10 yuv420p"):
        resample(noise(16, 16), Window(0, 0, 16, 16), 10, 10, out=out)
