"""What the server must not forget, in one SQLite file: sources and exports.

One connection, behind a lock, writes and reads: SQLite has one writer anyhow, and every statement here takes well
under a millisecond. What ``with self._db`` encloses is one transaction, on the disk (``synchronous=FULL``) when it
ends: an export that was answered with 202 survives a power cut.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from backend.refused import Refused
from backend.rows import Export, Source

__all__ = ["Store"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, bytes INTEGER NOT NULL,
    seconds REAL NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, fps REAL NOT NULL, sound INTEGER NOT NULL,
    created REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sources_of_user ON sources (user, created);
CREATE TABLE IF NOT EXISTS exports (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, key TEXT, request TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL,
    job TEXT NOT NULL, frames INTEGER NOT NULL, seconds REAL NOT NULL,
    status TEXT NOT NULL DEFAULT 'queued', cancel INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT, result TEXT, created REAL NOT NULL, started REAL, ended REAL, UNIQUE (user, key)
) STRICT;
CREATE INDEX IF NOT EXISTS exports_by_status ON exports (status, created);
CREATE INDEX IF NOT EXISTS exports_of_user ON exports (user, created);
"""
_ACTIVE = "status IN ('queued', 'running')"


Row = TypeVar("Row", Source, Export)


class Store:
    """The database.

    Args:
        path: its file.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA wal_autocheckpoint=50")  # pages: a short log, since a full disk holds it, too
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._db.close()

    # ---- sources

    def add_source(self, source: Source, *, max_user_bytes: int | None = None) -> None:
        """Remember a video; a sample takes the place of the one of the same id.

        Raises:
            Refused: 413, the user's uploads would be more than ``max_user_bytes`` together.
        """
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            query = "SELECT coalesce(sum(bytes), 0) FROM sources WHERE user = ?"
            (used,) = self._db.execute(query, (source.user,)).fetchone()
            if max_user_bytes is not None and used + source.bytes > max_user_bytes:
                message = f"your videos may be {max_user_bytes} bytes together and are {used}; delete some of them"
                raise Refused(413, "QuotaExceeded", message)
            self._insert("sources", asdict(source))

    def source(self, user: str, id: str) -> Source | None:
        """Return a video that ``user`` may use."""
        return _one(Source, self._read("SELECT * FROM sources WHERE id = ? AND user IN (?, '')", id, user))

    def sources(self, user: str) -> list[Source]:
        """All videos that ``user`` may use, the newest first, samples last."""
        rows = self._read("SELECT * FROM sources WHERE user IN (?, '') ORDER BY user = '', created DESC", user)
        return [_made(Source, row) for row in rows]

    def source_paths(self) -> set[str]:
        """Where all sources lie."""
        return {row["path"] for row in self._read("SELECT path FROM sources")}

    def remove_source(self, user: str, id: str) -> Source | None:
        """Forget an upload of ``user``; None where there is none of that id.

        Raises:
            Refused: 409, an export that waits or runs needs it.
        """
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            source = _one(Source, self._rows("SELECT * FROM sources WHERE id = ? AND user = ?", id, user))
            if source is None:
                return None
            if self._rows(f"SELECT 1 FROM exports WHERE {_ACTIVE} AND instr(job, ?)", id):
                raise Refused(409, "InUse", "an export needs this video; wait for it, or cancel it")
            self._db.execute("DELETE FROM sources WHERE id = ?", (id,))
            return source

    def forget_samples(self) -> None:
        """Forget all samples: at the start, when the folder is looked at again."""
        with self._lock, self._db:
            self._db.execute("DELETE FROM sources WHERE user = ''")

    # ---- exports

    def add_export(self, export: Export, *, limit: int, user_limit: int) -> Export:
        """Put an export at the end of the queue; one that was added before under the same key is given back instead.

        Raises:
            Refused: 503 or 429, the queue or the user's part of it is full; 409, the key belongs to another request.
        """
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            query = "SELECT * FROM exports WHERE user = ? AND key = ?"
            known = _one(Export, self._rows(query, export.user, export.key))
            if known is not None:
                if known.request != export.request:
                    raise Refused(409, "KeyInUse", "this Idempotency-Key belongs to another export; use a new one")
                return known
            query = f"SELECT count(*), coalesce(sum(user = ?), 0) FROM exports WHERE {_ACTIVE}"
            waiting, own = self._rows(query, export.user)[0]
            if waiting >= limit:
                raise Refused(503, "QueueFull", f"{waiting} exports wait already; try again later", retry_after=30)
            if own >= user_limit:
                message = f"{own} of your exports wait already; wait for one, or cancel one"
                raise Refused(429, "TooManyExports", message, retry_after=10)
            self._insert("exports", asdict(export))
            return export

    def export(self, user: str, id: str) -> Export | None:
        """Return an export of ``user``."""
        return _one(Export, self._read("SELECT * FROM exports WHERE id = ? AND user = ?", id, user))

    def exports(self, user: str, limit: int) -> list[Export]:
        """Return the exports of ``user``, the newest first."""
        rows = self._read("SELECT * FROM exports WHERE user = ? ORDER BY created DESC LIMIT ?", user, limit)
        return [_made(Export, row) for row in rows]

    def statuses(self) -> dict[str, str]:
        """Return the status of every export, by its id."""
        return {row["id"]: row["status"] for row in self._read("SELECT id, status FROM exports")}

    def position(self, export: Export) -> int:
        """How many exports are ahead of one that waits."""
        query = "SELECT count(*) FROM exports WHERE status = 'queued' AND created < ?"
        return int(self._read(query, export.created)[0][0])

    def claim(self) -> Export | None:
        """Take the next export from the queue, for the caller to run: the oldest of whoever has the fewest running."""
        query = """
            UPDATE exports SET status = 'running', started = coalesce(started, ?) WHERE id = (
                SELECT id FROM exports AS e WHERE status = 'queued' ORDER BY
                    (SELECT count(*) FROM exports WHERE status = 'running' AND user = e.user), created LIMIT 1
            ) RETURNING *"""
        with self._lock, self._db:
            return _one(Export, self._rows(query, time.time()))

    def begin_attempt(self, id: str) -> None:
        """Count that an export is given to the executor."""
        self._write("UPDATE exports SET attempts = attempts + 1 WHERE id = ?", id)

    def attempts(self, id: str) -> int:
        """How often an export was given to the executor."""
        return int(self._read("SELECT attempts FROM exports WHERE id = ?", id)[0][0])

    def request_cancel(self, id: str) -> bool:
        """Mark an export as to be stopped; one that waits ends at once, and that is True."""
        with self._lock, self._db:
            self._db.execute(f"UPDATE exports SET cancel = 1 WHERE id = ? AND {_ACTIVE}", (id,))
            query = "UPDATE exports SET status = 'cancelled', ended = ? WHERE id = ? AND status = 'queued'"
            return self._db.execute(query, (time.time(), id)).rowcount > 0

    def is_cancel_requested(self, id: str) -> bool:
        """Whether somebody wants the export stopped."""
        return bool(self._read("SELECT 1 FROM exports WHERE id = ? AND cancel", id))

    def finish(
        self,
        id: str,
        status: str,
        *,
        result: str | None = None,
        error: dict[str, Any] | None = None,
    ) -> bool:
        """Write down how an export ended, once: False where it had ended before."""
        query = f"UPDATE exports SET status = ?, result = ?, error = ?, ended = ? WHERE id = ? AND {_ACTIVE}"
        return self._write(query, status, result, json.dumps(error) if error else None, time.time(), id) > 0

    def remove_export(self, user: str, id: str) -> bool:
        """Forget an export that has ended.

        Raises:
            Refused: 409, it has not.
        """
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            export = _one(Export, self._rows("SELECT * FROM exports WHERE id = ? AND user = ?", id, user))
            if export is None:
                return False
            if not export.over:
                raise Refused(409, "StillRunning", "the export has not ended; cancel it first")
            self._db.execute("DELETE FROM exports WHERE id = ?", (id,))
            return True

    def requeue(self) -> int:
        """At the start: exports that ran when the last server ended wait again, in front. Returns how many."""
        return self._write("UPDATE exports SET status = 'queued' WHERE status = 'running'")

    # ---- SQL

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        self._db.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._db.execute(query, values).fetchall()

    def _read(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._rows(query, *values)

    def _write(self, query: str, *values: Any) -> int:
        with self._lock, self._db:
            return self._db.execute(query, values).rowcount


def _made(kind: type[Row], row: sqlite3.Row) -> Row:
    return kind(**{field.name: row[field.name] for field in fields(kind)})


def _one(kind: type[Row], rows: list[sqlite3.Row]) -> Row | None:
    return _made(kind, rows[0]) if rows else None
