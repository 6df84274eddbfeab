"""The camera: inside the frame, within its bounds of speed and acceleration, no jitter, the player in view."""

from __future__ import annotations

import random
from math import hypot, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelproc.players.camera import Camera, Framing, crop_path, outside, spotlight_regions
from reelproc.players.path import greatest_acceleration, greatest_speed, grid, on_grid, smooth, steady
from reelproc.players.result import Sighting
from reelproc.results import Detection

ROUNDING = 0.02
"""Pixels: keyframes are rounded to hundredths."""

STEP = 0.1


@st.composite
def anybody(draw: st.DrawFn) -> list[Sighting]:
    """Boxes anywhere in (and over the edge of) a 1280x720 frame, at increasing times, with gaps."""
    times = sorted(draw(st.sets(st.integers(0, 60), min_size=1, max_size=30)))
    coordinate = st.floats(-50, 1400, allow_nan=False)
    return [
        Sighting(
            time=5 + time / 10,
            detection=Detection(
                x=draw(coordinate), y=draw(coordinate), width=30, height=draw(st.floats(5, 900)), confidence=0.5
            ),
        )
        for time in times
    ]


@given(
    sightings=anybody(),
    shape=st.floats(0.2, 5),
    share=st.floats(0.05, 1),
    speed=st.floats(0.1, 3),
    acceleration=st.floats(0.1, 10),
)
@settings(max_examples=150)
def test_whatever_was_seen_the_crop_is_steady_and_inside_the_frame(
    sightings: list[Sighting], shape: float, share: float, speed: float, acceleration: float
) -> None:
    framing = Camera(
        1280,
        720,
        Framing(aspect=shape, player_height=share, max_speed=speed, max_acceleration=acceleration),
    )
    keyframes = crop_path(sightings, 5.0, 6.0, framing, step=STEP)
    width, height = keyframes[0].width, keyframes[0].height
    assert {(k.width, k.height) for k in keyframes} == {(width, height)}
    assert width / height == pytest.approx(shape, rel=0.01)
    assert all(k.x >= 0 and k.x + width <= 1280.001 and k.y >= 0 and k.y + height <= 720.001 for k in keyframes)
    assert [k.time for k in keyframes] == pytest.approx(np.linspace(0, 6, 61).tolist())
    path = np.array([(k.x, k.y) for k in keyframes])
    assert greatest_speed(path, STEP) <= speed * width + ROUNDING / STEP
    assert greatest_acceleration(path, STEP) <= acceleration * width + 2 * ROUNDING / STEP**2


def test_boxes_that_jitter_do_not_move_the_crop() -> None:
    rng = random.Random(1)
    sightings = [
        Sighting(
            time=k / 10,
            detection=Detection(x=640 + rng.gauss(0, 5), y=360 + rng.gauss(0, 5), width=40, height=100, confidence=0.5),
        )
        for k in range(101)
    ]
    keyframes = crop_path(sightings, 0.0, 10.0, Camera(1280, 720, Framing()), step=STEP)
    shakes = [
        hypot(a.x - 2 * b.x + c.x, a.y - 2 * b.y + c.y)
        for a, b, c in zip(keyframes, keyframes[1:], keyframes[2:], strict=False)
    ]
    boxes = [s.detection for s in sightings]
    raw = [
        hypot(a.x - 2 * b.x + c.x, a.y - 2 * b.y + c.y) for a, b, c in zip(boxes, boxes[1:], boxes[2:], strict=False)
    ]
    assert max(shakes) < 0.5, "pixels from one step to the next"
    assert np.mean(shakes) < np.mean(raw) / 40


def test_a_single_box_that_jumps_moves_nothing() -> None:
    values = [(100.0,)] * 4 + [(900.0,)] + [(100.0,)] * 4
    times = np.arange(9) / 10
    assert on_grid(times, times.tolist(), values)[:, 0].tolist() == [100.0] * 9


def test_a_runner_stays_in_the_crop() -> None:
    def runner(time: float) -> Detection:
        x = 960 + 700 * sin(time)  # up to 700 pixels a second, six times their height
        return Detection(x=x, y=500 + 60 * sin(1.3 * time), width=50, height=110, confidence=0.6)

    sightings = [Sighting(time=k / 10, detection=runner(k / 10)) for k in range(81)]
    keyframes = crop_path(
        sightings, 0.0, 8.0, Camera(1920, 1080, Framing(player_height=0.25, max_speed=4, max_acceleration=8)), step=STEP
    )
    assert outside(sightings, 0.0, keyframes) == ()


def test_a_runner_who_is_too_fast_for_the_bounds_is_reported() -> None:
    sightings = [
        Sighting(time=k / 10, detection=Detection(x=60 + 60 * k, y=300, width=40, height=100, confidence=0.6))
        for k in range(21)
    ]
    keyframes = crop_path(sightings, 0.0, 2.0, Camera(1280, 720, Framing(max_speed=0.5)), step=STEP)
    spans = outside(sightings, 0.0, keyframes)
    assert spans
    assert all(span.start <= span.end for span in spans)


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=60), st.floats(0.05, 5))
def test_smoothing_stays_among_what_it_is_given(values: list[float], sigma: float) -> None:
    path = np.array(values)[:, None]
    made = smooth(path, STEP, sigma, low=min(values), high=max(values))
    assert made.shape == path.shape
    assert made.min() >= path.min() - 1e-6
    assert made.max() <= path.max() + 1e-6
    assert greatest_speed(made, STEP) <= greatest_speed(path, STEP) * (1 + 1e-9) + 1e-6


def test_a_path_within_its_bounds_is_smoothed_no_more_than_asked() -> None:
    path = np.stack([np.linspace(0, 10, 101), np.zeros(101)], axis=1)
    low, high = (-100.0, -100.0), (100.0, 100.0)
    made = steady(path, STEP, sigma=0.5, max_speed=2, max_acceleration=4, low=low, high=high)
    assert np.array_equal(made, smooth(path, STEP, 0.5, low=low, high=high))
    assert np.allclose(made, path, atol=1e-9), "straight on is straight on, from the first frame to the last"


def test_a_grid_has_both_ends_and_no_wider_steps() -> None:
    assert grid(1.0, 0.1).tolist() == pytest.approx([k / 10 for k in range(11)])
    assert len(grid(0.03, 0.1)) == 2
    assert np.diff(grid(0.95, 0.1)).max() <= 0.1


def test_the_spotlight_is_off_while_the_player_is_hidden() -> None:
    seen = [k / 10 for k in range(41) if not 1.0 < k / 10 < 2.5 and not 3.1 < k / 10 < 3.4]
    sightings = [
        Sighting(time=3 + t, detection=Detection(x=300 + 10 * t, y=200, width=40, height=100, confidence=0.6))
        for t in seen
    ]
    regions = spotlight_regions(sightings, 3.0, 4.0, Camera(640, 360, Framing()), step=STEP)
    assert [(r.start_time, r.end_time) for r in regions] == [(0.0, 1.05), (2.45, 4.0)]
    for keyframe in (k for r in regions for k in r.keyframes):
        assert keyframe.x == pytest.approx(300 + 10 * keyframe.time, abs=1.5)
        assert keyframe.y == pytest.approx(200, abs=0.01)
        assert (keyframe.radius_x, keyframe.radius_y) == (45.0, 65.0)
