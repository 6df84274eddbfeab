"""What backends share whose libraries take and give RGB bytes in this machine's memory."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from reelproc.errors import OutOfMemoryError
from reelproc.pixels.frame import Window
from reelproc.upscalers.base import UpscaleSpec
from reelproc.upscalers.host_picture import planes_of, rgb_of
from reelproc.upscalers.network_work import Cut, Enlarged, Network, placed
from reelproc.upscalers.picture_size import SizeNeeds
from reelproc.upscalers.tiling import smaller_tile, tiles

Image = NDArray[np.uint8]


class HostNetwork(Network):
    """A network that is called with one picture at a time.

    Attributes:
        tile: side of the tiles that it is given, pixels; None: whole pictures.
        overlap: pixels around a tile, even.
        needs: the sizes that :meth:`enlarge` takes.
    """

    tile: int | None = None
    overlap: int
    needs: SizeNeeds = SizeNeeds()

    @abstractmethod
    def enlarge(self, rgb: Image) -> Image:
        """Return (H, W, 3) RGB of a size that :attr:`needs` allows, ``scale`` times as large.

        Raises:
            MemoryError: it does not fit.
            BackendError: the network fails, or makes NaN.
        """

    def start(self, cuts: Sequence[Cut], spec: UpscaleSpec) -> Callable[[], Enlarged]:
        """See :class:`~reelproc.upscalers.network_work.Network`. All is done at once: it is called in a thread."""
        frames, seconds = [], 0.0
        for cut in cuts:
            rgb = rgb_of(cut.frame)
            begin = time.perf_counter()
            large = self.enlarge_fitting(rgb)
            seconds += time.perf_counter() - begin
            window = Window(*(side * self.scale for side in cut.window))
            frames.append(placed(cut, planes_of(large, window, spec), spec))
        return lambda: Enlarged(frames, seconds)

    def enlarge_fitting(self, rgb: Image) -> Image:
        """Return the same as :meth:`enlarge`, in tiles if it must be.

        Raises:
            OutOfMemoryError: not even the smallest tiles fit.
        """
        height, width = rgb.shape[:2]
        while True:
            try:
                return self._in_tiles(rgb)
            except MemoryError as error:
                tile = smaller_tile(width, height, self.tile)
                if tile is None:
                    raise OutOfMemoryError(
                        f"a {width}x{height} picture does not fit the memory of {self.device}, not even in tiles of "
                        f"{self.tile} pixels: {error}; free memory, or use a smaller network"
                    ) from error
                self.tile = tile

    def _in_tiles(self, rgb: Image) -> Image:
        height, width = rgb.shape[:2]
        if self.tile is None or self.tile >= max(width, height):
            return self._padded(rgb)
        s = self.scale
        whole = np.empty((height * s, width * s, 3), np.uint8)
        for t in tiles(width, height, self.tile, self.overlap, self.needs.multiple_of):
            part = rgb[t.read_y : t.read_y + t.read_height, t.read_x : t.read_x + t.read_width]
            large = self._padded(part)
            top, left = (t.y - t.read_y) * s, (t.x - t.read_x) * s
            whole[t.y * s : (t.y + t.height) * s, t.x * s : (t.x + t.width) * s] = large[
                top : top + t.height * s, left : left + t.width * s
            ]
        return whole

    def _padded(self, rgb: Image) -> Image:
        height, width = rgb.shape[:2]
        large = self.enlarge(np.ascontiguousarray(self.needs.padded(rgb)))
        return np.ascontiguousarray(large[: height * self.scale, : width * self.scale])
