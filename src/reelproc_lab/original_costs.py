"""The arithmetic of the app's cost experiments, and the runs that they recorded.

``cost = seconds x rate``, with one rate for each kind of container. It is kept so that its figures can be reproduced,
and set beside ours. Two of its sentences do not hold, and are not followed here:

- Its price of a CPU container is that of two cores; their 4 GiB of memory, which Modal bills as well, are left out.
- "GPU must complete in <1/6.3 the time to be more expensive" is the wrong way round: a GPU that costs 6.3 times as much
  a second is more expensive where it takes *more* than 1/6.3 of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reelproc import SpecError
from reelproc.prices import PRICES
from reelproc_lab.price_modes import prices_in


def original_usd(seconds: float, gpu: str | None = None) -> float:
    """Return the price by the original experiments' formula.

    Args:
        seconds: of a run, from the client's side.
        gpu: the GPU's name; None: a container of two cores.

    >>> round(original_usd(143.8, "T4"), 4)
    0.0236
    """
    return seconds * prices_in("original", PRICES).usd_per_second(gpu=gpu)


@dataclass(frozen=True, slots=True)
class OriginalRun:
    """One recorded run.

    Attributes:
        name: short.
        what: what was done.
        gpu: the container's; None: two cores.
        seconds: from the client's side: queue, start, transfer and encoding are in it.
        frames: of the result; 0 where they do not count.
        hardware: what was decided to use for this kind of job.
        reason: why, in the experiments' words.
    """

    name: str
    what: str
    gpu: str | None
    seconds: float
    frames: int
    hardware: str
    reason: str

    @property
    def usd(self) -> float:
        """Of the run."""
        return original_usd(self.seconds, self.gpu)

    @property
    def usd_per_frame(self) -> float:
        """Of each frame.

        Raises:
            SpecError: the run has no count of frames.
        """
        if not self.frames:
            raise SpecError(f"the original run {self.name!r} is not counted in frames")
        return self.usd / self.frames


RUNS = {
    run.name: run
    for run in (
        OriginalRun(
            "upscale", "180 frames, 540x960 to 810x1440, Real-ESRGAN", "T4", 143.8, 180, "modal-t4",
            "L4 slower, optimizations slower",
        ),
        OriginalRun(
            "overlay", "2700 frames of 1080p, 3 of 90 s highlighted", "T4", 47.6, 2700, "modal-t4", "CPU times out"
        ),
        OriginalRun(
            "overlay-full", "2700 frames of 1080p, all highlighted", "T4", 278.0, 2700, "modal-t4", "CPU times out"
        ),
        OriginalRun("frame", "180 frames, crop and scale by FFmpeg", None, 10.9, 180, "", "no such path exists"),
        OriginalRun("extract", "one clip cut out", None, 4.0, 0, "modal-cpu", "FFmpeg-only"),
        OriginalRun("compile", "clips joined, with banners", None, 15.4, 0, "modal-cpu", "FFmpeg-only"),
    )
}  # fmt: skip
"""By name."""


def original_run(name: str) -> OriginalRun:
    """Return the recorded run called ``name``.

    Raises:
        SpecError: there is none.
    """
    if name not in RUNS:
        raise SpecError(f"no original run is called {name!r}; there are: {', '.join(RUNS)}")
    return RUNS[name]


def original_workflow(
    clips: int, seconds: float = 15.0, *, overlay: Literal["overlay", "overlay-full"] = "overlay"
) -> float:
    """USD for cutting, upscaling and highlighting some clips, as the experiments add it up.

    Args:
        clips: how many.
        seconds: of each, at 30 frames per second.
        overlay: which of the two overlay prices. Theirs is the first, of a run with 3 of 90 s highlighted.

    >>> round(original_workflow(1), 3), round(original_workflow(8), 3)
    (0.06, 0.483)
    """
    frames = round(seconds * 30)
    each = RUNS["upscale"].usd_per_frame * frames + RUNS[overlay].usd_per_frame * frames + RUNS["extract"].usd
    return clips * each
