"""Scale a picture once that comes several times in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reelproc.pixels.frame import Frame
from reelproc.upscalers.base import Sample, UpscaleWork
from reelproc.upscalers.network_work import Cut, cut_out


class Deduplicated(UpscaleWork):
    """Other work, that gets only frames which differ from the last one it got.

    A frame is compared with the last one that was scaled, not with the one before it: small differences cannot add up.

    Args:
        work: what scales.
        levels: by how much a sample may differ, 0 to 255.
        restarts: timestamps of frames that are scaled whatever came before them.
    """

    def __init__(self, work: UpscaleWork, levels: int, restarts: frozenset[int] = frozenset()) -> None:
        self._work, self._levels, self._restarts = work, levels, restarts
        self.batch_size, self.works_ahead = work.batch_size, work.works_ahead
        self._last: Cut | None = None
        self._scaled: Frame | None = None

    @property
    def network_seconds(self) -> float:  # type: ignore[override]
        """Of the other work."""
        return self._work.network_seconds

    def __call__(self, samples: Sequence[Sample]) -> list[Frame]:
        """See :class:`~reelproc.upscalers.base.UpscaleWork`."""
        return self.submit(samples)()

    def submit(self, samples: Sequence[Sample]) -> Callable[[], list[Frame]]:
        """See :class:`~reelproc.upscalers.base.UpscaleWork`."""
        fresh: list[Sample] = []
        is_fresh: list[bool] = []
        for sample in samples:
            shown = cut_out(sample, self._work.reach)
            restarts = sample.frame.pts in self._restarts
            is_fresh.append(restarts or self._last is None or not self._alike(self._last, shown))
            if is_fresh[-1]:
                fresh.append(sample)
                self._last = shown
        ready = self._work.submit(fresh) if fresh else list[Frame]

        def wait() -> list[Frame]:
            made = iter(ready())
            frames = []
            for sample, new in zip(samples, is_fresh, strict=True):
                if new or self._scaled is None:
                    self._scaled = next(made)
                frame = self._scaled.copy()  # whoever gets it may draw on it
                frame.index, frame.pts = sample.frame.index, sample.frame.pts
                frames.append(frame)
            return frames

        return wait

    def _alike(self, last: Cut, shown: Cut) -> bool:
        import cv2

        if last.window != shown.window or last.size != shown.size:
            return False
        return cv2.norm(last.frame.data, shown.frame.data, cv2.NORM_INF) <= self._levels

    def close(self) -> None:
        """See :class:`~reelproc.upscalers.base.UpscaleWork`."""
        self._work.close()
