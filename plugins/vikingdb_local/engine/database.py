"""Database: the SQLite behind the engine, the only place where anything is kept.

One connection behind one lock. A write is one transaction; what is held in memory is derived from what it committed.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

_TABLES = """
CREATE TABLE collections (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    resource_id  TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL UNIQUE,
    project      TEXT NOT NULL,
    definition   BLOB NOT NULL,               -- body of the request that created it
    embedder     TEXT,                        -- id of what made its vectors
    created_ms   INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL,
    seq          INTEGER NOT NULL DEFAULT 0,  -- number of its last write
    last_auto_id INTEGER NOT NULL
);
CREATE TABLE indexes (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    definition    BLOB NOT NULL,
    created_ms    INTEGER NOT NULL,
    UNIQUE (collection_id, name)
);
CREATE TABLE rows (
    n             INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, so a changed row has a new one
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    pk            NOT NULL,                   -- without a type: 1 and '1' are two keys
    fields        BLOB NOT NULL,              -- JSON
    vector        BLOB,                       -- little-endian float32
    expire_at     INTEGER,                    -- milliseconds since 1970
    seq           INTEGER NOT NULL,           -- the write it came with
    UNIQUE (collection_id, pk)
);
CREATE INDEX rows_by_expiry ON rows (collection_id, expire_at) WHERE expire_at IS NOT NULL;
"""


class Database:
    """A database in memory. Safe for many threads.

    Attributes:
        lock: held by whoever writes, and while what was written is published to readers.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.executescript(f"PRAGMA foreign_keys = ON; {_TABLES}")
        # Closes it when nobody holds the database any more, or at exit.
        self._finalizer = weakref.finalize(self, self._connection.close)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for a query or several that must agree."""
        with self.lock:
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection within a transaction: all of it is kept, or, if anything is raised, nothing."""
        with self.lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Forget everything."""
        with self.lock:
            self._finalizer()
