"""One plane: the filters, and that their arithmetic is exact."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reelproc.errors import SpecError
from reelproc.pixels import scaling
from reelproc.pixels.scaling import FILTERS, Bands, Filter, across, down, scale_planes


@pytest.fixture
def uncached() -> Iterator[None]:
    """For tests that change how matrices are cut."""
    forget()
    yield
    forget()


def forget() -> None:
    scaling._axis.cache_clear()
    scaling._pattern.cache_clear()


def random_plane(height: int = 90, width: int = 160) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width), dtype=np.uint8)


def scaled(
    plane: NDArray[np.uint8], window: tuple[float, float, float, float], width: int, height: int, kernel: Filter
) -> NDArray[np.uint8]:
    x, y, w, h = window
    out = np.empty((height, width), np.uint8)
    columns = across(plane.shape[1], x, w, width, kernel)
    rows = down(plane.shape[0], y, h, height, kernel)
    scale_planes([plane], columns, rows, [out])
    return out


def dense(bands: slice | Bands, length: int, *, upright: bool) -> NDArray[np.float64]:
    assert isinstance(bands, Bands)
    matrix = np.zeros((len(bands.weights) * scaling.STORED, length))
    for group, (first, weights) in enumerate(zip(bands.firsts, bands.weights, strict=True)):
        for number, block in enumerate(weights if upright else weights.swapaxes(1, 2)):
            row = group * scaling.STORED + number * scaling.BLOCK
            inputs = first + number * bands.advance + np.arange(block.shape[1])
            for i, index in enumerate(np.clip(inputs, 0, length - 1)):  # beyond the plane its edge is meant
                matrix[row : row + scaling.BLOCK, index] += block[:, i]
    return matrix[: bands.size]


@pytest.mark.parametrize("kernel", FILTERS)
@pytest.mark.parametrize("window", [(10.3, 7.9, 54.0, 60.0), (0.0, 0.0, 160.0, 90.0), (3.2, 1.1, 9.7, 5.0)])
@pytest.mark.parametrize("size", [(81, 91), (37, 17)])
def test_the_arithmetic_is_that_of_integers(
    kernel: Filter, window: tuple[float, float, float, float], size: tuple[int, int]
) -> None:
    """So no order of summation, no instruction set and no thread count can change a bit."""
    plane = random_plane()
    x, y, w, h = window
    columns = dense(across(160, x, w, size[0], kernel), 160, upright=False) * 2**14
    rows = dense(down(90, y, h, size[1], kernel), 90, upright=True) * 8 * 2**12
    assert np.array_equal(columns, np.rint(columns))
    assert np.array_equal(rows, np.rint(rows))
    assert (columns.sum(axis=1) == 2**14).all()
    assert (rows.sum(axis=1) == 2**12).all()
    middle = plane.astype(np.int64) @ columns.astype(np.int64).T
    eighths = np.rint(middle / 2**11).astype(np.int64)
    wanted = np.clip(np.rint(rows.astype(np.int64) @ eighths / 2**15), 0, 255)
    assert np.array_equal(scaled(plane, window, *size, kernel), wanted)


@pytest.mark.parametrize(("block", "limit"), [(4, 1), (16, 1 << 30), (48, 5000)])
def test_how_the_matrix_is_cut_changes_no_bit(
    uncached: None, monkeypatch: pytest.MonkeyPatch, block: int, limit: int
) -> None:
    wanted = scaled(random_plane(), (5.3, 2.2, 120, 80), 333, 222, "lanczos")
    forget()
    monkeypatch.setattr(scaling, "BLOCK", block)
    monkeypatch.setattr(scaling, "STORED", 4 * block)
    monkeypatch.setattr(scaling, "GEMM_LIMIT", limit)
    assert np.array_equal(scaled(random_plane(), (5.3, 2.2, 120, 80), 333, 222, "lanczos"), wanted)


@pytest.mark.parametrize(
    ("kernel", "pillow"), [("lanczos", Image.Resampling.LANCZOS), ("bicubic", Image.Resampling.BICUBIC)]
)
@pytest.mark.parametrize("size", [(120, 130), (31, 22), (54, 60)])
def test_it_agrees_with_pillow_within_a_level(kernel: Filter, pillow: Image.Resampling, size: tuple[int, int]) -> None:
    plane, window = random_plane() // 3 + 80, (40.3, 20.6, 54.0, 50.0)  # Pillow clips between its passes
    box = (window[0], window[1], window[0] + window[2], window[1] + window[3])
    wanted = np.asarray(Image.fromarray(plane).resize(size, pillow, box=box)).astype(int)
    assert np.abs(scaled(plane, window, *size, kernel) - wanted).max() <= 1


def test_area_is_the_mean_of_what_an_output_pixel_covers() -> None:
    plane = random_plane(60, 90)
    wanted = plane.reshape(20, 3, 30, 3).mean(axis=(1, 3))
    assert np.abs(scaled(plane, (0, 0, 90, 60), 30, 20, "area") - wanted).max() <= 0.6
    edge = np.zeros((8, 30), np.uint8)
    edge[:, 10:] = 200
    # pixels of 2.5: the fifth covers half a pixel of black and two of 200
    assert scaled(edge, (-1.5 + 1.5, 0, 30, 8), 12, 8, "area")[0].tolist() == [0, 0, 0, 0, *[200] * 8]
    assert scaled(edge, (0.5, 0, 25, 8), 10, 8, "area")[0].tolist() == [0, 0, 0, 40, *[200] * 6]


def test_area_between_pixels_is_linear() -> None:
    ramp = np.repeat(np.array([[10, 20, 40, 80, 160]], np.uint8), 4, axis=0)
    assert scaled(ramp, (0.5, 0, 4, 4), 4, 4, "area")[0].tolist() == [15, 30, 60, 120]


@pytest.mark.parametrize("kernel", FILTERS)
def test_whole_pixels_at_their_own_size_are_copied(kernel: Filter) -> None:
    plane = random_plane()
    assert across(160, 30.0000000001, 50, 50, kernel) == slice(30, 80)
    assert np.array_equal(scaled(plane, (30, 7, 50, 40), 50, 40, kernel), plane[7:47, 30:80])


@pytest.mark.parametrize("kernel", FILTERS)
@pytest.mark.parametrize("axis", [0, 1])
def test_one_direction_alone_may_be_scaled(kernel: Filter, axis: int) -> None:
    plane = random_plane()
    turned = np.ascontiguousarray(plane.T)
    one = scaled(plane, (10.25, 5, 60, 80), 60, 80, kernel)
    two = scaled(turned, (5, 10.25, 80, 60), 80, 60, kernel)
    # a row of weights is rounded to 14 bits, a column to 12
    assert np.abs(one.astype(int) - two.T).max() <= 1
    assert not np.array_equal(one, plane[5:85, 10:70])


@pytest.mark.parametrize("kernel", FILTERS)
def test_beyond_the_plane_its_edge_is_repeated(kernel: Filter) -> None:
    plane = random_plane(40, 40)
    padded = np.pad(plane, 20, mode="edge")
    window = (-1.3, 0.4, 42.0, 39.9)
    shifted = (window[0] + 20, window[1] + 20, window[2], window[3])
    difference = scaled(plane, window, 63, 60, kernel).astype(int) - scaled(padded, shifted, 63, 60, kernel)
    assert np.abs(difference).max() <= 1  # 20 more costs the float a bit


def test_ringing_ends_at_black_and_white() -> None:
    step = np.zeros((12, 40), np.uint8)
    step[:, 20:] = 255
    row = scaled(step, (0, 0, 40, 12), 100, 30, "lanczos")[15]
    assert row[:40].max() < 30
    assert row[60:].min() > 225


def test_a_tiny_plane_serves_any_size() -> None:
    assert (scaled(np.full((1, 1), 77, np.uint8), (0, 0, 1, 1), 50, 40, "lanczos") == 77).all()
    assert (scaled(np.full((200, 300), 77, np.uint8), (0, 0, 300, 200), 1, 1, "bicubic") == 77).all()


def test_an_unknown_filter_is_refused_by_name() -> None:
    with pytest.raises(SpecError, match="lanczos, bicubic, area, got 'nearest'"):
        across(10, 0.5, 5, 5, "nearest")  # type: ignore[arg-type]


def test_a_pan_by_whole_pixels_meets_its_weights_again() -> None:
    near, far = (across(300, start, 54.0, 81, "lanczos") for start in (40.3, 141.3))
    assert isinstance(near, Bands)
    assert isinstance(far, Bands)
    assert far.weights is near.weights
    assert far.firsts == tuple(first + 101 for first in near.firsts)
    assert across(300, 141.3, 54.0, 81, "lanczos") is far


@pytest.mark.parametrize("kernel", FILTERS)
def test_a_window_beside_the_plane_shows_its_nearest_edge(kernel: Filter) -> None:
    plane = random_plane(40, 40)
    for x, column in ((-900.0, 0), (700.3, 39)):
        column_alone = np.repeat(plane[:, column : column + 1], 40, axis=1)
        wanted = scaled(column_alone, (0, 0.4, 40, 39.0), 20, 60, kernel)
        assert np.array_equal(scaled(plane, (x, 0.4, 33.0, 39.0), 20, 60, kernel), wanted)
