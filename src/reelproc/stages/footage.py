"""Scale coordinates that were made on footage of another size than a stage's input."""

from __future__ import annotations

from reelproc.stages.base import StreamInfo

MADE_FOR = "if its coordinates were made on footage of another size, name that size with video_width and video_height"

_BENT = 0.05
"""How far the shape of footage may differ: coded sizes differ from shown ones by a few lines, proxies by rounding."""


def check_footage(video_width: int | None, video_height: int | None) -> None:
    """Check that a size has both its sides, or neither.

    Raises:
        ValueError: one is missing.
    """
    if (video_width is None) != (video_height is None):
        raise ValueError(
            f"video_width and video_height are given together or not at all, got {video_width} and {video_height}"
        )


def scale_from(video_width: int | None, video_height: int | None, stream: StreamInfo) -> tuple[float, float]:
    """Return by what coordinates made on such footage are multiplied; sizes of None: they are the stream's own."""
    if video_width is None or video_height is None:
        return 1.0, 1.0
    return stream.width / video_width, stream.height / video_height


def bent(video_width: int | None, video_height: int | None, stream: StreamInfo) -> str:
    """Say that coordinates made on such footage are scaled to a picture of another shape; else "".

    >>> from fractions import Fraction
    >>> bent(1920, 1080, StreamInfo(540, 960, Fraction(1)))
    'was made on 1920x1080, but its input has another shape, 540x960: it is scaled by 0.281 across and 0.889 down'
    """
    across, down = scale_from(video_width, video_height, stream)
    shapes = (1.0, float(stream.sample_aspect_ratio))  # of the pixels as they are stored, and as they are shown
    if any(abs(across * shape / down - 1) <= _BENT for shape in shapes):
        return ""
    return (
        f"was made on {video_width}x{video_height}, but its input has another shape, {stream.width}x{stream.height}: "
        f"it is scaled by {across:.3g} across and {down:.3g} down"
    )
