"""Pictures on planar YUV."""

from __future__ import annotations

import numpy as np
import pytest

from reelproc.pixels.blend import Sprite, halve, mix
from reelproc.pixels.colour import hex_to_rgb, rgb_to_yuv
from reelproc.pixels.frame import Frame


def test_mixing_nothing_keeps_every_code():
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)
    target = codes.copy()
    mix(target, np.ones((16, 16), np.float32), np.zeros((16, 16), np.float32))
    assert np.array_equal(target, codes)


def test_halving_takes_the_chroma_sites():
    """Chroma column j lies on luma column 2j: of luma column 2, half goes to 1; of 3, a quarter each to 1 and 2."""
    values = np.zeros((2, 8), np.float32)
    values[:, 2] = 1
    assert halve(values).tolist() == [[0, 0.5, 0, 0]]
    values[:] = 0
    values[:, 3] = 1
    assert halve(values).tolist() == [[0, 0.25, 0.25, 0]]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize(("x", "y"), [(4, 2), (5, 3), (-3, -1), (17, 9), (40, 40), (-40, 3)])
def test_an_opaque_picture_replaces_what_is_under_it_and_nothing_else(pix_fmt, x, y):
    frame = Frame.empty(21, 13, pix_fmt)
    frame.data[:] = 77
    picture = np.ones((6, 8, 4), np.float32)
    picture[..., :3] = hex_to_rgb("#00ff00")
    Sprite.from_rgba(picture, x=x, y=y, pix_fmt=pix_fmt).draw(frame.planes)
    expected = np.full((13, 21), 77)
    expected[max(y, 0) : max(y + 6, 0), max(x, 0) : max(x + 8, 0)] = 173
    assert np.array_equal(frame.planes[0], expected)
    step = 21 // frame.planes[1].shape[1] + (pix_fmt == "yuv420p")
    for i, code in ((1, 42), (2, 26)):
        inside = frame.planes[i] == code
        touched = frame.planes[i] != 77
        full = np.zeros((14, 24), bool)
        full[:13, :21] = expected == 173
        if step == 2:
            # a chroma sample may change only where one of its luma samples did, and lies wholly inside only if all did
            rows = full[0::2] | full[1::2]
            near = rows[:, 0::2] | rows[:, 1::2] | np.pad(rows[:, 1::2], ((0, 0), (1, 0)))[:, :-1]
            assert not (touched & ~near[:7, :11]).any()
            assert not (inside & ~near[:7, :11]).any()
        else:
            assert np.array_equal(inside, full[:13, :21])


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_strength_scales_the_alpha(pix_fmt):
    picture = np.ones((8, 8, 4), np.float32)
    values = []
    for strength in (0.0, 0.5, 1.0):
        frame = Frame.empty(8, 8, pix_fmt)
        frame.data[:] = 35
        Sprite.from_rgba(picture, x=0, y=0, pix_fmt=pix_fmt).draw(frame.planes, strength)
        values.append(int(frame.planes[0][4, 4]))
    assert values == [35, 135, 235]


def test_blending_in_yuv_is_blending_in_rgb():
    alpha = 0.3
    under, above = rgb_to_yuv(hex_to_rgb("#336699")), hex_to_rgb("#ffcc00")
    frame = Frame.empty(4, 4, "yuv444p")
    for plane, code in zip(frame.planes, under, strict=True):
        plane[:] = round(float(code))
    picture = np.full((4, 4, 4), alpha, np.float32)
    picture[..., :3] *= above
    Sprite.from_rgba(picture, x=0, y=0, pix_fmt="yuv444p").draw(frame.planes)
    mixed = [a * (1 - alpha) + b * alpha for a, b in zip(hex_to_rgb("#336699"), above, strict=True)]
    got = [int(plane[0, 0]) for plane in frame.planes]
    assert np.abs(np.array(got) - rgb_to_yuv(mixed)).max() <= 1
