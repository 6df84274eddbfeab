"""Find the part of each frame that a clip shows: the rest need not cross the decoder's pipe."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor

from reelproc.media.read.excerpt import Excerpt, PixelBounds, cover
from reelproc.pixels.resample import REACH_PIXELS
from reelproc.render.plan import PlannedClip


def excerpt_of(clip: PlannedClip, pts: Iterable[int]) -> Excerpt | None:
    """Return the part of the frames ``pts`` that the clip shows.

    Returns:
        None where the clip does not begin with a stage that marks a window, or the window holds nearly everything.
    """
    place = next((i for i, stage in enumerate(clip.stages) if stage.changes_pixels), None)
    if place is None:
        return None
    stream, clock = clip.streams[place], clip.clocks[place]
    window_at = clip.stages[place].window_at(stream, clip.target)
    if window_at is None:
        return None
    across, down = _reach(clip, place + 1)
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


def _reach(clip: PlannedClip, place: int) -> tuple[int, int]:
    """Return how many pixels beyond the window are looked at, across and down, by whatever samples or cuts it."""
    for stage, stream in zip(clip.stages[place:], clip.streams[place:], strict=False):
        reach = stage.reach(stream, clip.target)
        if reach is not None:
            return reach
        if stage.changes_pixels and stage.window_at(stream, clip.target) is None:
            break
    return REACH_PIXELS, REACH_PIXELS
