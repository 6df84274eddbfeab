"""What the exports are doing at this moment, for those who watch. Nothing here needs to survive a restart."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import reelproc as rp

__all__ = ["Board"]


class Board:
    """The latest event of each export that runs. To be used in the event loop's thread."""

    def __init__(self) -> None:
        self._latest: dict[str, rp.Progress] = {}
        self._watchers: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def latest(self, export: str) -> rp.Progress | None:
        """Return its last progress; None if it does not run."""
        return self._latest.get(export)

    def post(self, export: str, event: rp.Progress | None) -> None:
        """Say what it does now, None when it has ended, and wake those who watch."""
        if event is None:
            self._latest.pop(export, None)
        else:
            self._latest[export] = event
        for watcher in self._watchers.pop(export, ()):
            if not watcher.done():
                watcher.set_result(None)

    def change(self, export: str) -> asyncio.Future[None]:
        """Done at the next :meth:`post`. Ask for it before looking at what is: so nothing is missed in between."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers[export].add(watcher)
        return watcher

    def forget(self, export: str, watcher: asyncio.Future[None]) -> None:
        """Forget a watcher that has gone."""
        watcher.cancel()
        self._watchers[export].discard(watcher)
        if not self._watchers[export]:
            del self._watchers[export]
