"""Database: the SQLite behind the engine, the only place where anything is kept.

One connection behind one lock. A write is one transaction; what is held in memory is derived from what it committed.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vikingdb_core.exceptions import ConfigError

_TABLES = """
CREATE TABLE IF NOT EXISTS collections (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    resource_id  TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL UNIQUE,
    project      TEXT NOT NULL,
    definition   BLOB NOT NULL,               -- body of a request that would create it as it is
    embedder     TEXT,                        -- id of what made its vectors
    created_ms   INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL,
    seq          INTEGER NOT NULL DEFAULT 0,  -- number of its last write
    last_auto_id INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS indexes (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    definition    BLOB NOT NULL,
    is_enabled    INTEGER NOT NULL DEFAULT 1,
    created_ms    INTEGER NOT NULL,
    UNIQUE (collection_id, name)
);
CREATE TABLE IF NOT EXISTS rows (
    n             INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, so a changed row has a new one
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    pk            NOT NULL,                   -- without a type: 1 and '1' are two keys
    fields        BLOB NOT NULL,              -- JSON
    vector        BLOB,                       -- little-endian float32
    expire_at     INTEGER,                    -- milliseconds since 1970
    seq           INTEGER NOT NULL,           -- the write it came with
    UNIQUE (collection_id, pk)
);
CREATE TABLE IF NOT EXISTS caches (
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL,              -- rows, or a graph
    file          TEXT NOT NULL,              -- name of the current file below cache/
    about         BLOB NOT NULL,              -- what state it is of
    PRIMARY KEY (collection_id, kind)
);
CREATE TABLE IF NOT EXISTS tasks (
    n           INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    type        TEXT NOT NULL,
    status      TEXT NOT NULL,
    collection  TEXT NOT NULL,                -- the names of a collection, which may be gone by now
    project     TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    config      BLOB NOT NULL,                -- TaskConfig of the request that made it
    progress    BLOB NOT NULL,                -- JSON
    created_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS rows_by_expiry ON rows (collection_id, expire_at) WHERE expire_at IS NOT NULL;
"""


_FORMAT, _LESSER_FORMAT = 3, 2
"""Format of the tables, in a database's ``user_version``; and the one that is the same without caches and tasks."""

# One process owns the file: its arrays would not follow what another one writes. SQLite keeps others out by itself.
# A commit is on the disk before it is acknowledged; on macOS that takes fullfsync.
_DURABLY = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA fullfsync = 1;
PRAGMA checkpoint_fullfsync = 1;
PRAGMA foreign_keys = ON;
"""


class Database:
    """A database, in a folder or in memory. Safe for many threads; a folder belongs to one process at a time.

    Args:
        folder: where it is kept; made if it does not exist. ``None`` keeps it in memory.

    Attributes:
        folder: where it is kept, or ``None``.
        lock: held by whoever writes, and while what was written is published to readers.

    Raises:
        ConfigError: another process has the folder open, or what is in it is no database of this engine. Nothing
            was changed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self._connection = _in_memory() if folder is None else _in_folder(folder)
        # Closes it when nobody holds the database any more, or at exit.
        self._finalizer = weakref.finalize(self, self._connection.close)
        self._along: Callable[[sqlite3.Connection], None] | None = None

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
                if self._along is not None:
                    self._along(self._connection)
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def along(self, write: Callable[[sqlite3.Connection], None]) -> Iterator[None]:
        """Let the transaction within the block write something more: both are kept, or neither."""
        with self.lock:
            self._along = write
            try:
                yield
            finally:
                self._along = None

    def close(self) -> None:
        """Let go of the folder, or forget everything."""
        with self.lock:
            self._finalizer()


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(f"PRAGMA foreign_keys = ON; {_TABLES}")
    return connection


def _in_folder(folder: Path) -> sqlite3.Connection:
    path = folder / "data.sqlite"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"the folder {folder} cannot hold a database: {error}") from error
    try:
        connection.executescript(_DURABLY)
        _settle_format(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise ConfigError(
                f"{path} is open in another process; close it there, or serve both from one process"
            ) from error
        raise ConfigError(f"{path} cannot be opened: {error}. It was left as it is") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ConfigError(f"{path} is damaged or no database: {error}. It was left as it is") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _settle_format(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new database, or those that an older one lacks; check its format."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    is_new = found == 0 and connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,)
    if is_new or found == _LESSER_FORMAT:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")
    elif found != _FORMAT:
        raise ConfigError(f"{path} has format {found}, this engine reads format {_FORMAT}. It was left as it is")
