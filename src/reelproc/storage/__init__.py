"""Where sources come from and results go: one :class:`Storage` per scheme of address, behind a few functions."""

from __future__ import annotations

from reelproc.storage.base import (
    Storage,
    TransferCallback,
    copy,
    identity,
    join,
    local_output,
    no_progress,
    open_source,
    publish,
    remove,
    resolve,
    same,
    scheme_of,
    storages,
)

__all__ = [
    "Storage",
    "TransferCallback",
    "copy",
    "identity",
    "join",
    "local_output",
    "no_progress",
    "open_source",
    "publish",
    "remove",
    "resolve",
    "same",
    "scheme_of",
    "storages",
]
