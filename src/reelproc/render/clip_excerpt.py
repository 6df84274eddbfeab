"""Find the part of its frames that a clip's first crop needs: the rest need not cross the decoder's pipe."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor

from reelproc.media.read.excerpt import Excerpt, PixelBounds, cover
from reelproc.pixels.resample import REACH_PIXELS
from reelproc.render.plan import PlannedClip
from reelproc.stages.crop import Crop
from reelproc.stages.upscale import Upscale

__all__ = ["excerpt_of"]


def excerpt_of(clip: PlannedClip, pts: Iterable[int]) -> Excerpt | None:
    """Return the part of the frames ``pts`` that the clip shows.

    Returns:
        None where the clip does not begin with a crop, or the crop takes nearly everything.
    """
    place = next((i for i, stage in enumerate(clip.stages) if stage.changes_pixels), None)
    crop = None if place is None else clip.stages[place]
    if place is None or not isinstance(crop, Crop):
        return None
    stream, clock = clip.streams[place], clip.clocks[place]
    window_at = crop.window_at(stream, clip.target)
    around = _context(clip, place + 1)
    across, down = (max(ceil(REACH_PIXELS * shrink), around) for shrink in _shrink(clip, place + 1))
    wanted = []
    for each in pts:
        window = window_at(float(clock(clip.frames.time(each) - clip.start)))
        wanted.append(
            (
                each,
                PixelBounds(
                    max(0, floor(window.x) - across),
                    max(0, floor(window.y) - down),
                    min(stream.width, ceil(window.x + window.width) + across),
                    min(stream.height, ceil(window.y + window.height) + down),
                ),
            )
        )
    return cover(wanted, stream.width, stream.height)


def _context(clip: PlannedClip, place: int) -> int:
    """Return how many pixels around its window a network is shown, to even ones; 0 where there is no network."""
    for stage in clip.stages[place:]:
        if isinstance(stage, Upscale):
            context = stage.context_pixels()
            return context + 2 if context else 0
        if stage.changes_pixels and not isinstance(stage, Crop):
            break
    return 0


def _shrink(clip: PlannedClip, place: int) -> tuple[float, float]:
    """Return by how much the window is made smaller at most where it is sampled, across and down; at least 1."""
    for stage, stream in zip(clip.stages[place:], clip.streams[place:], strict=False):
        if isinstance(stage, Upscale):
            window, destination = stage.placement(stream, clip.target)
            return max(1.0, window.width / destination.width), max(1.0, window.height / destination.height)
        if stage.changes_pixels and not isinstance(stage, Crop):
            break
    return 1.0, 1.0
