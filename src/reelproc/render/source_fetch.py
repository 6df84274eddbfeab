"""Decide whether a remote source is read by ranges or downloaded whole."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from reelproc.media.info import MediaInfo
from reelproc.storage.source import Source
from reelproc.timing import exact

DOWNLOAD_WHOLE_ABOVE = Fraction(1, 2)
"""Share of a source: who needs this much of it downloads it, several parts at a time; else it is read by ranges."""


def is_fetched_whole(wanted: Fraction, duration: Fraction) -> bool:
    """Tell whether a source of which ``wanted`` of its ``duration`` seconds are needed is downloaded whole."""
    return wanted >= duration * DOWNLOAD_WHOLE_ABOVE


def fetch_whole_if_worth_it(source: Source, info: MediaInfo, spans: Sequence[tuple[float, float | None]]) -> None:
    """Download the rest of a source that is read by ranges, where most of it is needed.

    Args:
        source: what is read.
        info: what was probed of it.
        spans: what is needed, seconds from start to end; None: to its end.

    Raises:
        StorageError: it cannot be had.
    """
    if source.path is None:
        wanted = sum((info.duration if end is None else exact(end)) - exact(start) for start, end in spans)
        if is_fetched_whole(Fraction(wanted), info.duration):
            source.fetch()
