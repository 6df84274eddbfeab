"""The banner of a rated clip."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reelproc.errors import SpecError
from reelproc.pixels.colour import hex_to_rgb
from reelproc.pixels.frame import Frame
from reelproc.ratings import RATINGS
from reelproc.stages.banner import Banner
from reelproc.stages.base import StreamInfo, Target


def stream(width=1920, height=1080):
    return StreamInfo(width, height, Fraction(10))


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ({"rating": 4, "name": "Great Control Pass"}, "!  Great Control Pass"),
        ({"rating": 4, "tags": ("Pass", "Dribble", "Control")}, "!  Good Pass and Dribble"),
        ({"rating": 5, "tags": ("Pass",)}, "!!  Brilliant Pass"),
        ({"rating": 1}, "??  Blunder"),
        ({"rating": 2, "name": " \n ", "tags": (" ", "Save")}, "?  Mistake Save"),
        ({"rating": 3, "name": "two\nlines"}, "!?  two lines"),
    ],
)
def test_the_title_is_notation_and_name_or_word_and_first_two_tags(values, title):
    assert Banner(**values).title == title


def test_the_notes_are_their_first_hundred_characters():
    assert Banner(rating=1, notes="x" * 150).second_line == "x" * 100
    assert Banner(rating=1, notes="a\nb").second_line == "a b"


@pytest.mark.parametrize("rating", [1, 2, 3, 4, 5])
def test_the_plate_is_as_large_and_coloured_as_the_app_draws_it(rating):
    plate = Banner(rating=rating, name="x").picture(1920, 1.0)
    assert (plate.x, plate.y, plate.rgba.shape) == (192, 10, (50, 1536, 4))
    border = np.array((*hex_to_rgb(RATINGS[rating].color), 1), np.float32)
    for edge in (plate.rgba[:4], plate.rgba[-4:], plate.rgba[:, :4], plate.rgba[:, -4:]):
        assert np.allclose(edge, border)
    assert np.allclose(plate.rgba[4:-4, 4:100], 0.95)


def test_notes_make_it_eighty_pixels_high():
    assert Banner(rating=3, notes="x").picture(1920, 1.0).rgba.shape == (80, 1536, 4)


@pytest.mark.parametrize(
    ("size", "scale"), [((640, 360), 1), ((1920, 1080), 1), ((810, 1440), 1), ((1080, 1920), 1), ((3840, 2160), 2)]
)
def test_its_pixels_grow_only_on_frames_beyond_full_hd(size, scale):
    assert Banner(rating=1).pixel_scale(stream(*size)) == scale
    assert Banner(rating=1, scale=1.5).pixel_scale(stream(*size)) == 1.5


@pytest.mark.parametrize("name", ["A very long name " * 20, "W" * 300, "短い名前ではない" * 30, "⚽" * 200])
@pytest.mark.parametrize("width", [810, 320, 2])
def test_long_titles_stay_within_the_border(name, width):
    banner = Banner(rating=2, name=name, notes=name)
    plate = banner.picture(width, 1.0).rgba
    border = np.array((*hex_to_rgb(RATINGS[2].color), 1), np.float32)
    if width > 8:
        assert np.allclose(plate[:, :4], border)
        assert np.allclose(plate[:, -4:], border)
        assert (plate[4:-4, 20:-20, :3] < 0.5).any()


def test_of_a_name_that_is_one_endless_word_as_much_is_shown_as_fits():
    ink = Banner(rating=5, name="x" * 300).picture(406, 1.0).rgba[6:-6, 6:-6, 0] < 0.3
    columns = np.nonzero(ink.any(axis=0))[0]
    assert columns.max() - columns.min() > 0.8 * ink.shape[1], "not the notation and an ellipsis alone"


def test_the_letters_stand_in_the_middle():
    plate = Banner(rating=4, name="HHHHHH").picture(1920, 1.0).rgba
    rows, columns = np.nonzero(plate[6:-6, 6:-6, 0] < 0.3)
    assert (columns.min() + columns.max()) / 2 + 6 == pytest.approx(768, abs=6)
    assert (rows.min() + rows.max()) / 2 + 6 == pytest.approx(24.5, abs=1.5)


def test_it_is_shown_on_its_half_open_span_only():
    banner = Banner(rating=4, start_time=1, end_time=2)
    work = banner.open(stream(320, 180), Target())

    def shown(time):
        frame = Frame.empty(320, 180, "yuv420p")
        frame.data[:] = 50
        return bool((work(frame, time).data != 50).any())

    assert [shown(t) for t in (0.99, 1, 1.99, 2)] == [False, True, True, False]
    assert banner.active_spans(stream()) == ((Fraction(1), Fraction(2)),)


def test_without_times_it_is_shown_throughout():
    banner = Banner(rating=4)
    assert banner.active_spans(stream()) == ((Fraction(0), Fraction(10)),)
    frame = Frame.empty(320, 180, "yuv420p")
    frame.data[:] = 50
    work = banner.open(stream(320, 180), Target())
    for time in (-0.01, 0, 10.01):
        assert (work(frame.copy(), time).data != 50).any()


def test_white_shows_five_per_cent_of_what_is_under_it():
    frame = Frame.empty(1920, 1080, "yuv420p")
    frame.planes[0][:] = 16
    frame.planes[1][:] = 128
    frame.planes[2][:] = 128
    Banner(rating=1, name="x").open(stream(), Target())(frame, 0.0)
    assert frame.planes[0][35, 300] == round(16 + 219 * 0.95)


@pytest.mark.parametrize("values", [{"rating": 0}, {"rating": 6}, {"rating": 3, "start_time": 2, "end_time": 1}])
def test_what_makes_no_sense_is_refused(values):
    with pytest.raises(SpecError):
        Banner(**values)


def test_a_banner_survives_json():
    banner = Banner(rating=3, name="x", tags=("a", "b"), notes="n", start_time=1, end_time=2, scale=1.5)
    assert Banner.model_validate_json(banner.model_dump_json()) == banner
