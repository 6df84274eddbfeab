"""Enlarged pictures as planes: the same as Pillow's Lanczos, the same colours, whatever the format and the threads."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from reelproc.pixels.frame import Window
from reelproc.pixels.placement import Rectangle
from reelproc.upscalers import host_picture
from reelproc.upscalers.base import UpscaleSpec
from reelproc.upscalers.host_picture import planes_of


def smooth(height: int, width: int) -> np.ndarray:
    """(H, W, 3) bytes with edges that no filter's rounding hides."""
    small = np.random.default_rng(3).integers(30, 226, (height // 5, width // 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def spec_of(width: int, height: int, pix_fmt: str) -> UpscaleSpec:
    return UpscaleSpec(64, 64, width, height, Rectangle(0, 0, width, height), pix_fmt)


@pytest.mark.parametrize(
    ("window", "size"),
    [
        (Window(0, 0, 240, 400), (90, 150)),  # smaller, several strips
        (Window(0, 0, 240, 400), (240, 400)),  # as it is
        (Window(30.5, 41.25, 120, 200), (161, 267)),  # a part, larger, odd
        (Window(0, 0, 240, 400), (480, 401)),  # one axis each way
    ],
)
def test_equals_pillow(window, size):
    picture = smooth(400, 240)
    box = (window.x, window.y, window.x + window.width, window.y + window.height)
    wanted = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, box=box), int)
    (made,) = planes_of(picture, window, spec_of(*size, "rgb24"))
    inner = np.s_[6:-6, 6:-6]  # Pillow ends its filter at the box, we look beyond it
    assert np.abs(made - wanted)[inner].max() <= 2
    (swapped,) = planes_of(picture, window, spec_of(*size, "bgr24"))
    assert np.array_equal(swapped[..., ::-1], made)
    floats = (picture / np.float32(255)).astype(np.float32)
    (of_floats,) = planes_of(floats, window, spec_of(*size, "rgb24"))
    assert np.abs(of_floats.astype(int) - made).max() <= 1


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_flat_colours_become_their_levels(pix_fmt):
    # ITU-R BT.709: red is Y 63, Cb 102, Cr 240 in 8 bits
    red = np.zeros((120, 80, 3), np.float32)
    red[..., 0] = 1
    planes = planes_of(red, Window(0, 0, 80, 120), spec_of(51, 77, pix_fmt))
    assert [np.unique(plane).tolist() for plane in planes] == [[63], [102], [240]]
    assert planes[1].shape == ((39, 26) if pix_fmt == "yuv420p" else (77, 51))


def test_chroma_is_sited_left():
    # a red half beside a grey one: 40 columns of luma, from the left, and column 0 of the chroma begins at -1/4
    picture = np.full((64, 80, 3), 0.5, np.float32)
    picture[:, :40] = (1, 0, 0)
    _, _, red = planes_of(picture, Window(0, 0, 80, 64), spec_of(80, 64, "yuv420p"))
    row = (red[16].astype(float) - 128) / (240 - 128)
    assert row.sum() == pytest.approx(20.25, abs=0.05)


def test_threads_change_nothing(monkeypatch):
    picture, window, spec = smooth(900, 300), Window(0, 0, 300, 900), spec_of(200, 600, "yuv420p")
    monkeypatch.setattr(host_picture, "_threads", lambda: 1)
    alone = planes_of(picture, window, spec)
    monkeypatch.setattr(host_picture, "_threads", lambda: 4)
    assert all(np.array_equal(a, b) for a, b in zip(alone, planes_of(picture, window, spec), strict=True))
