"""Put a file under a key, as the app's scripts do before they call."""

from __future__ import annotations

import asyncio
import os

from reelproc import storage
from reelproc.compat.keys import Keys


def upload_to_r2_sync(
    user_id: str, key: str, path: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None
) -> str:
    """:func:`upload_to_r2` without asyncio."""
    address = Keys(root).output(user_id, key, "key")
    storage.publish(path, address, keep=True)
    return address


async def upload_to_r2(
    user_id: str, key: str, path: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None
) -> str:
    """Put the file ``path`` under ``key``, whole or not at all, verified; the file stays.

    Args:
        user_id: whose key it is.
        key: without the user's prefix; below ``games/``, for all users.
        path: of the file.
        root: where keys are; see :class:`~reelproc.compat.calls.CallOptions`.

    Returns:
        The address.

    Raises:
        SpecError: the key leads elsewhere, or there is no root.
        StorageError: the file cannot be read, or the key not be written.
    """
    return await asyncio.to_thread(upload_to_r2_sync, user_id, key, path, root=root)
