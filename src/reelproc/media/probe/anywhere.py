"""Look at a media file wherever it is."""

from __future__ import annotations

import os

from reelproc.media.info import MediaInfo
from reelproc.media.probe.probe import probe
from reelproc.storage.sources import temporary_sources


def probe_address(address: str | os.PathLike[str], *, exact: bool = False) -> MediaInfo:
    """Look at the file at ``address``; of a remote one no more is fetched than is looked at.

    Args:
        address: a path, or an address of any storage.
        exact: decode everything, to count the frames that can be shown.

    Raises:
        ProbeError: it is no media file.
        StorageError: it cannot be had.
    """
    with temporary_sources() as sources:
        source = sources[address]
        if exact:
            source.fetch()
        return probe(source, exact=exact)
