"""A frame and the part of it that is seen."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from reelproc.pixels.frame import Window
from reelproc.pixels.view import View
from reelproc.testing.pictures import Scene, noise, psnr, texture


def test_a_window_is_cut_out_at_the_size_that_it_stands_for() -> None:
    scene = Scene(texture)
    window = Window(20.3, 10.6, 61.0, 51.0)
    cut = View(scene.frame(120, 90), window, (60, 50)).cut()
    assert (cut.width, cut.height) == (60, 50)
    assert psnr(cut, scene.frame(60, 50, window=window), margin=3) > 40


def test_a_frame_without_a_window_is_not_cut() -> None:
    frame = noise(16, 16)
    assert View(frame).cut() is frame


def test_timestamps_go_over() -> None:
    frame = noise(16, 16)
    frame.index, frame.pts, frame.time_base, frame.start_pts = 7, 1234, Fraction(1, 90000), 34
    made = View(frame, Window(1, 2, 8, 8), (8, 8)).cut()
    assert (made.index, made.pts, made.time_base, made.start_pts) == (7, 1234, Fraction(1, 90000), 34)


def test_a_window_of_a_window_is_one_window_of_the_frame() -> None:
    outer = View(noise(400, 300)).narrowed(Window(101.5, 50.25, 200, 100), (100, 50))
    inner = outer.narrowed(Window(20, 10, 50, 25), (50, 24))
    assert inner.window == Window(141.5, 70.25, 100, 50)
    assert inner.size == (50, 24)
    assert inner.frame is outer.frame


def test_an_excerpt_is_seen_as_the_picture_that_it_is_a_part_of() -> None:
    whole = noise(400, 300)
    excerpt = View(whole.part(40, 20, 200, 150), origin=(40, 20))
    window, size = Window(60.5, 31.25, 90, 80), (90, 80)
    assert excerpt.within(window) == Window(20.5, 11.25, 90, 80)
    seen = excerpt.narrowed(window, size)
    assert seen.origin == (0, 0)
    assert np.array_equal(seen.cut().data, View(whole, window, size).cut().data)
