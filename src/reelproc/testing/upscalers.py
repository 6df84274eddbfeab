"""The promises of every upscaler: inherit :class:`UpscalerSuite`."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest

from reelproc.pixels.frame import Frame, PixelFormat, Window
from reelproc.pixels.placement import Rectangle
from reelproc.testing.pictures import Floats, Points, Scene, blob, centroid, flat, psnr, texture
from reelproc.upscalers import UPSCALERS
from reelproc.upscalers.base import Sample, Upscaler, UpscaleSpec, UpscaleWork

__all__ = ["UpscalerSuite"]


def _spec(
    width: int, height: int, *, source: tuple[int, int] = (48, 36), pix_fmt: PixelFormat = "yuv420p", bars: int = 0
) -> UpscaleSpec:
    place = Rectangle(0, bars, width, height - 2 * bars)
    return UpscaleSpec(*source, width, height, place, pix_fmt)


class UpscalerSuite:
    """Check that an upscaler keeps the promises of :class:`~reelproc.upscalers.base.Upscaler`.

    Set ``model`` to the registered name, or override the fixture ``upscaler``. The other class variables say how exact
    the results are.
    """

    model: ClassVar[str]
    """The name that ``Upscale(model=...)`` takes."""
    flat_levels: ClassVar[int] = 0
    """Levels by which a flat colour may change."""
    truth_db: ClassVar[float] = 35.0
    """PSNR that an enlarged smooth picture has at least, against the same picture drawn large."""
    place_px: ClassVar[float] = 0.05
    """Pixels of the result by which an object may be off its place."""
    chroma_share: ClassVar[float] = 1.0
    """Chroma's distance from grey over luma's; networks see RGB, which cannot show all YUV: give them less than 1."""

    @pytest.fixture
    def upscaler(self) -> Upscaler:
        """Return the upscaler to test."""
        return UPSCALERS.get(self.model)

    def _scene(self, luma: Points) -> Scene:
        def chroma(x: Floats, y: Floats) -> Floats:
            return 128 + self.chroma_share * (luma(x, y) - 128)

        return Scene(luma, chroma, chroma)

    def test_it_knows_its_name_and_what_it_is(self, upscaler: Upscaler) -> None:
        assert upscaler.name == self.model
        assert upscaler.description
        assert upscaler.scale is None or upscaler.scale > 0

    def test_it_tells_its_price(self, upscaler: Upscaler) -> None:
        small, large = _spec(96, 72), _spec(192, 144, source=(96, 72))
        assert 0 < upscaler.flop(small) < upscaler.flop(large)

    @pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
    @pytest.mark.parametrize("size", [(96, 72), (72, 54), (40, 30)])
    def test_the_canvas_has_the_size_asked_for(
        self, upscaler: Upscaler, pix_fmt: PixelFormat, size: tuple[int, int]
    ) -> None:
        frame = Scene(texture).frame(48, 36, pix_fmt)
        (out,) = upscaler.open(_spec(*size, pix_fmt=pix_fmt))([Sample(frame, Window(0, 0, 48, 36))])
        assert (out.width, out.height, out.pix_fmt) == (*size, pix_fmt)
        assert out.data.dtype == np.uint8

    def test_timestamps_go_over(self, upscaler: Upscaler) -> None:
        frame = Scene(texture).frame(48, 36)
        frame.index, frame.pts, frame.time_base, frame.start_pts = 5, 777, Fraction(1, 600), 7
        (out,) = upscaler.open(_spec(96, 72))([Sample(frame, Window(1, 1, 40, 30))])
        assert (out.index, out.pts, out.time_base, out.start_pts) == (5, 777, Fraction(1, 600), 7)

    @pytest.mark.parametrize("levels", [(16, 128, 128), (235, 128, 128), (81, 90, 240), (145, 54, 34)])
    def test_a_flat_colour_stays(self, upscaler: Upscaler, levels: tuple[int, int, int]) -> None:
        (out,) = upscaler.open(_spec(96, 72))([Sample(flat(48, 36, "yuv420p", levels), Window(3.3, 0, 40.2, 30.6))])
        for plane, level in zip(out.planes, levels, strict=True):
            assert np.abs(plane.astype(int) - level).max() <= self.flat_levels

    def test_what_lies_outside_the_destination_is_black(self, upscaler: Upscaler) -> None:
        frame = flat(48, 36, "yuv420p", (200, 90, 90))
        (out,) = upscaler.open(_spec(96, 100, bars=14))([Sample(frame, Window(0, 0, 48, 36))])
        for plane, level, bar in zip(out.planes, (16, 128, 128), (14, 7, 7), strict=True):
            assert (plane[:bar] == level).all()
            assert (plane[-bar:] == level).all()
            assert (plane[bar:-bar] != level).all()

    @pytest.mark.parametrize("size", [(48, 36), (45, 35)], ids=["even", "odd"])
    def test_a_smooth_picture_is_the_same_picture_larger(self, upscaler: Upscaler, size: tuple[int, int]) -> None:
        scene, whole = self._scene(lambda x, y: texture(x / 2, y / 2)), Window(0, 0, *size)
        (out,) = upscaler.open(_spec(2 * size[0], 2 * size[1], source=size))([Sample(scene.frame(*size), whole)])
        assert psnr(out, scene.frame(2 * size[0], 2 * size[1], window=whole), margin=4) > self.truth_db

    def test_fractions_of_a_pixel_are_kept(self, upscaler: Upscaler) -> None:
        """A window that moves by 0.3 px moves the object by that, brightness and colour alike."""
        frame = self._scene(blob(40.2, 30.4, 4.0)).frame(80, 60)
        work = upscaler.open(_spec(96, 72))
        for step in range(5):
            window = Window(15 + 0.3 * step, 12 + 0.7 * step, 48, 36)
            (out,) = work([Sample(frame.copy(), window)])
            wanted = ((40.2 - window.x) * 2, (30.4 - window.y) * 2)
            assert centroid(out.planes[0]) == pytest.approx(wanted, abs=self.place_px)
            for plane in out.planes[1:]:
                x, y = centroid(plane, 128 + self.chroma_share * (40 - 128))
                assert (2 * (x - 0.25), 2 * y) == pytest.approx(wanted, abs=2 * self.place_px)

    def test_windows_of_other_sizes_fill_the_canvas_too(self, upscaler: Upscaler) -> None:
        frame = self._scene(blob(40, 30, 3.0)).frame(80, 60)
        work = upscaler.open(_spec(96, 72))
        for zoom in (0.6, 0.8, 1.0):
            window = Window(40 - 24 * zoom, 30 - 18 * zoom, 48 * zoom, 36 * zoom)
            (out,) = work([Sample(frame.copy(), window)])
            assert centroid(out.planes[0]) == pytest.approx((48, 36), abs=2 * self.place_px)

    def test_a_batch_is_its_samples_one_by_one_in_order(self, upscaler: Upscaler) -> None:
        def moved(steps: int) -> Points:
            return lambda x, y: texture(x / 2 + 5 * steps, y / 2)

        frames = [self._scene(moved(n)).frame(48, 36) for n in range(4)]
        for n, frame in enumerate(frames):
            frame.pts = n
        windows = [Window(0.3 * n, 0.2 * n, 40, 30) for n in range(4)]
        samples = [Sample(f.copy(), w) for f, w in zip(frames, windows, strict=True)]
        work = upscaler.open(_spec(80, 60, source=(40, 30)))
        size = work.batch_size
        batched = [out for i in range(0, 4, size) for out in work(samples[i : i + size])]
        single = [out for f, w in zip(frames, windows, strict=True) for out in work([Sample(f.copy(), w)])]
        assert [out.pts for out in batched] == [0, 1, 2, 3]
        for one, two in zip(batched, single, strict=True):
            assert np.abs(one.data.astype(int) - two.data).max() <= (1 if size > 1 else 0)

    def test_work_is_repeatable_and_independent(self, upscaler: Upscaler) -> None:
        scene = Scene(texture)
        window = Window(2.2, 1.1, 40, 30)

        def make(work: UpscaleWork) -> Frame:
            return work([Sample(scene.frame(48, 36), window)])[0]

        one, two = upscaler.open(_spec(96, 72)), upscaler.open(_spec(60, 46))
        first = make(one)
        make(two)
        two.close()
        assert np.array_equal(make(one).data, first.data)

    def test_closing_twice_is_safe_and_another_can_be_opened(self, upscaler: Upscaler) -> None:
        work = upscaler.open(_spec(96, 72))
        work.close()
        work.close()
        frame = Scene(texture).frame(48, 36)
        assert len(upscaler.open(_spec(96, 72))([Sample(frame, Window(0, 0, 48, 36))])) == 1
