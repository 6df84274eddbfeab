"""The one definition of colour."""

from __future__ import annotations

import numpy as np
import pytest

from reelproc.pixels.colour import BLACK, RGB_TO_YUV, YUV_BLACK, YUV_TO_RGB, hex_to_rgb, rgb_to_yuv


@pytest.mark.parametrize(
    ("colour", "codes"),
    [
        ("#000000", (16, 128, 128)),
        ("#ffffff", (235, 128, 128)),
        ("#ff0000", (63, 102, 240)),
        ("#00ff00", (173, 42, 26)),
        ("#0000ff", (32, 240, 118)),
        ("#808080", (126, 128, 128)),
    ],
)
def test_colours_are_bt709_limited_range(colour, codes):
    """Codes as of ITU-R BT.709 colour bars at 100 %."""
    assert tuple(rgb_to_yuv(hex_to_rgb(colour)).round().astype(int)) == codes


def test_the_way_back_is_the_inverse():
    np.testing.assert_allclose(YUV_TO_RGB @ RGB_TO_YUV, np.eye(3), atol=1e-12)
    assert BLACK["yuv420p"] == BLACK["yuv444p"] == YUV_BLACK
