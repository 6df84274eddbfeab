"""Where sources come from and results go: one :class:`Storage` per scheme of address, behind four functions."""

from __future__ import annotations

from reelproc.storage.base import Storage, identity, local_output, publish, resolve, scheme_of, storages
from reelproc.storage.local import cache_folder

__all__ = [
    "Storage",
    "cache_folder",
    "identity",
    "local_output",
    "publish",
    "resolve",
    "scheme_of",
    "storages",
]
