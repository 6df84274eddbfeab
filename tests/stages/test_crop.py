"""The moving crop: its size, its window, and that a slow pan does not jitter."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reelproc.errors import SpecError
from reelproc.keyframes import Interpolation
from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.view import View
from reelproc.stages.base import StreamInfo, Target, WindowWork
from reelproc.stages.crop import Crop, CropKeyframe
from reelproc.stages.upscale import Upscale
from reelproc.testing.pictures import Scene, blob, centroid, noise

HD = StreamInfo(1920, 1080, Fraction(10))
PORTRAIT = Target(810, 1440)


def key(time: float, x: float, y: float, width: float, height: float) -> CropKeyframe:
    return CropKeyframe(time=time, x=x, y=y, width=width, height=height)


def window_of(crop: Crop, time: float = 0.0, stream: StreamInfo = HD, target: Target = PORTRAIT) -> Window:
    """What the crop marks on a frame of the stream."""
    work = crop.open(stream, target)
    assert work is not None
    assert isinstance(work, WindowWork)
    frame = Frame.empty(stream.width, stream.height, "yuv420p")
    view = work.view(View(frame), time)
    assert view.frame is frame
    resolved = crop.resolve(stream, target)
    assert view.size == (resolved.width, resolved.height)
    assert view.window is not None
    return view.window


def test_the_size_is_that_of_the_window() -> None:
    resolved = Crop(keyframes=[key(0, 690, 60, 540, 960)]).resolve(HD, PORTRAIT)
    assert resolved == HD.sized(540, 960)


def test_the_size_is_the_largest_along_the_path() -> None:
    zoom = Crop(keyframes=[key(0, 0, 0, 540, 960), key(1, 0, 0, 600, 800), key(2, 0, 0, 270, 480)])
    resolved = zoom.resolve(HD, PORTRAIT)
    assert (resolved.width, resolved.height) == (600, 960)


def test_the_size_counts_the_overshoot_of_a_spline() -> None:
    keys = [key(0, 0, 0, 300, 300), key(1, 0, 0, 600, 600), key(2, 0, 0, 600, 600), key(3, 0, 0, 300, 300)]
    linear = Crop(keyframes=keys).resolve(HD, PORTRAIT)
    spline = Crop(keyframes=keys, interpolation="catmull-rom").resolve(HD, PORTRAIT)
    assert linear.width == 600
    assert spline.width == spline.height == 638  # 600 + 300 / 8 = 637.5


@pytest.mark.parametrize(
    ("size", "even"), [((541, 961), (542, 962)), ((540.4, 959.6), (540, 960)), ((607.5, 1080), (608, 1080))]
)
def test_the_size_is_made_even_and_the_shape_kept(size: tuple[float, float], even: tuple[int, int]) -> None:
    resolved = Crop(keyframes=[key(0, 0, 0, *size)]).resolve(HD, PORTRAIT)
    assert (resolved.width, resolved.height) == even
    shown = even[0] * resolved.sample_aspect_ratio / even[1]
    assert float(shown) == pytest.approx(size[0] / size[1], rel=1e-6)


def test_without_keyframes_it_is_the_largest_centred_window_of_the_outputs_shape() -> None:
    crop = Crop()
    assert window_of(crop) == Window(656.25, 0, 607.5, 1080)
    assert window_of(crop, stream=StreamInfo(800, 1600, Fraction(1))) == pytest.approx((0, 88.888889, 800, 1422.222222))
    square = Target(720, 720)
    assert window_of(crop, target=square) == Window(420, 0, 1080, 1080)


def test_without_keyframes_pixels_that_are_not_square_count() -> None:
    anamorphic = StreamInfo(1440, 1080, Fraction(1), sample_aspect_ratio=Fraction(4, 3))
    assert window_of(Crop(), stream=anamorphic) == Window(492.1875, 0, 455.625, 1080)


def test_without_keyframes_and_an_output_size_nothing_is_cut() -> None:
    odd = StreamInfo(161, 121, Fraction(1))
    assert Crop().resolve(odd, Target()) == odd
    assert Crop().open(odd, Target()) is None


def test_a_window_of_the_whole_frame_costs_nothing() -> None:
    assert Crop(keyframes=[key(0, 0, 0, 1920, 1080)]).open(HD, PORTRAIT) is None


def test_a_window_that_leaves_the_frame_is_moved_back() -> None:
    assert window_of(Crop(keyframes=[key(0, -40, 500, 540, 960)])) == Window(0, 120, 540, 960)
    assert window_of(Crop(keyframes=[key(0, 5000, -9000, 540, 960)])) == Window(1380, 0, 540, 960)


def test_a_window_larger_than_the_frame_is_shrunk_and_keeps_its_shape() -> None:
    crop = Crop(keyframes=[key(0, 600, -100, 810, 1440)])
    assert window_of(crop) == Window(701.25, 0, 607.5, 1080)
    assert (crop.resolve(HD, PORTRAIT).width, crop.resolve(HD, PORTRAIT).height) == (608, 1080)


def test_an_odd_source_gives_an_even_size_no_larger() -> None:
    odd = StreamInfo(161, 121, Fraction(1))
    resolved = Crop(keyframes=[key(0, 0, 0, 161, 121)]).resolve(odd, Target())
    assert (resolved.width, resolved.height) == (160, 120)


def test_keyframes_may_come_in_any_order() -> None:
    keys = [key(2, 40, 0, 540, 960), key(0, 20, 0, 540, 960), key(1, 30, 0, 540, 960)]
    assert Crop(keyframes=keys) == Crop(keyframes=sorted(keys, key=lambda k: k.time))
    assert window_of(Crop(keyframes=keys), 0.5).x == 25


def test_two_keyframes_at_one_time_are_refused() -> None:
    with pytest.raises(SpecError, match=r"keyframes: two keyframes at 1.5 s"):
        Crop(keyframes=[key(1.5, 0, 0, 540, 960), key(0, 0, 0, 540, 960), key(1.5, 9, 0, 540, 960)])


def test_a_spline_that_swings_below_nothing_is_refused() -> None:
    keys = [key(0, 0, 0, 900, 900), key(1, 0, 0, 10, 10), key(2, 0, 0, 10, 10), key(3, 0, 0, 900, 900)]
    Crop(keyframes=keys).resolve(HD, PORTRAIT)
    with pytest.raises(SpecError, match="catmull-rom path the crop window shrinks to -"):
        Crop(keyframes=keys, interpolation="catmull-rom").resolve(HD, PORTRAIT)


def test_a_window_of_which_the_picture_holds_next_to_nothing_is_refused() -> None:
    """Its shape is kept where it is larger than the picture."""
    with pytest.raises(SpecError, match=r"has 1920 x 0\.00192 of its shape within the 1920x1080 picture"):
        Crop(keyframes=[key(0, 0, 0, 1e7, 10)]).resolve(HD, PORTRAIT)


def test_the_window_holds_outside_the_keyframes_and_negative_times_count() -> None:
    crop = Crop(keyframes=[key(-1, 0, 0, 540, 960), key(1, 100, 0, 540, 960)])
    assert [window_of(crop, t).x for t in (-5, 0, 0.5, 9)] == [0, 50, 75, 100]


def test_a_crop_of_a_crop_is_one_window() -> None:
    view = View(noise(400, 300))
    outer = Crop(keyframes=[key(0, 101.5, 50.25, 200, 100)])
    inner = Crop(keyframes=[key(0, 20, 10, 100.5, 50)])
    stream = StreamInfo(400, 300, Fraction(1))
    between = outer.resolve(stream, Target())
    for crop, info in ((outer, stream), (inner, between)):
        work = crop.open(info, Target())
        assert work is not None
        view = work.view(view, 0.0)
    assert view.window == Window(121.5, 60.25, 100.5, 50)
    assert view.size == (100, 50)


@pytest.mark.parametrize("interpolation", ["linear", "catmull-rom"])
@pytest.mark.parametrize("to_output", [False, True])
def test_a_slow_pan_moves_by_the_same_fraction_of_a_pixel_every_frame(
    interpolation: Interpolation, to_output: bool
) -> None:
    """0.13 px across and 0.07 px down: truncation to whole pixels would stand still for 7 frames, then jump."""
    spot = Scene(blob(100.3, 70.8))
    stream, target = StreamInfo(200, 160, Fraction(2)), Target(135, 240)
    crop = Crop(keyframes=[key(0, 50, 20, 67.5, 120), key(1, 53.9, 22.1, 67.5, 120)], interpolation=interpolation)
    work, between = crop.open(stream, target), crop.resolve(stream, target)
    scaler = Upscale(model="lanczos", width=136, height=240, fit="stretch").open(between, target)
    assert work is not None
    places = []
    scale = np.array([136 / 67.5, 2.0]) if to_output else np.array([between.width / 67.5, 1.0])
    for n in range(31):
        view = work.view(View(spot.frame(200, 160)), n / 30)
        shown = (scaler.view(view, n / 30) if to_output else view).cut()
        places.append(np.array(centroid(shown.planes[0])) / scale)
    wanted = np.array([[100.3, 70.8] - np.array(window_of(crop, n / 30, stream, target)[:2]) for n in range(31)])
    assert np.abs(np.array(places) - wanted).max() < 0.05
    if interpolation == "linear":
        steps = np.diff(places, axis=0)
        assert np.abs(steps - [-0.13, -0.07]).max() < 0.03


def test_a_zoom_keeps_its_centre() -> None:
    spot = Scene(blob(100, 80))
    stream = StreamInfo(200, 160, Fraction(2))
    crop = Crop(keyframes=[key(0, 60, 20, 80, 120), key(1, 73.3, 40, 53.4, 80)])
    work = crop.open(stream, Target())
    assert work is not None
    for n in range(11):
        cut = work(spot.frame(200, 160), n / 10)
        assert (cut.width, cut.height) == (80, 120)
        assert centroid(cut.planes[0]) == pytest.approx((40, 60), abs=0.1)


def test_closing_twice_is_safe() -> None:
    work = Crop().open(HD, PORTRAIT)
    assert work is not None
    work.close()
    work.close()
