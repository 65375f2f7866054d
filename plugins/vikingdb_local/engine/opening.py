"""Opening: a connection to the SQLite file of a folder. Made whole, looked at before it is opened, never repaired."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from vikingdb_core.exceptions import ConfigError

from .cachefile import force_folder
from .journal import find_damage, journal_of

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
PRAGMA synchronous = FULL;
PRAGMA fullfsync = 1;
PRAGMA checkpoint_fullfsync = 1;
PRAGMA foreign_keys = ON;
"""
_JOURNAL = "PRAGMA journal_mode = WAL;"  # kept in the file: not before it is known to be ours

_MAGIC, _FORMAT_AT = b"SQLite format 3\0", slice(60, 64)
_UNTOUCHED = "It was left as it is"


def open_in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(f"PRAGMA foreign_keys = ON; {_TABLES}")
    return connection


def open_file(path: Path) -> sqlite3.Connection:
    """A connection to a database that no other process has open; it is made if there is none.

    Raises:
        ConfigError: another process has it open, or it is damaged or none of this engine. It was left as it is.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        _look_at(path)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"the folder {path.parent} cannot hold a database: {error}") from error
    try:
        connection.executescript(_DURABLY)
        _settle_format(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise ConfigError(
                f"{path} is open in another process; close it there, or serve both from one process"
            ) from error
        raise ConfigError(f"{path} cannot be opened: {error}. {_UNTOUCHED}") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ConfigError(f"{path} is damaged or no database: {error}. {_UNTOUCHED}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """Make a database under another name: an empty or half a file is then never a new one, but a damaged one."""
    journal = journal_of(path)
    if journal.exists() and journal.stat().st_size:
        raise ConfigError(
            f"{path} is missing, but there is {journal.name}, which holds writes to it. Put it back, or remove "
            "that one too to start anew"
        )
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.executescript(f"{_DURABLY} {_JOURNAL}")
            connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")
        try:
            os.link(new, path)
        except FileExistsError:
            return  # another process was sooner
        except OSError:  # not every file system has links
            new.replace(path)
        force_folder(path.parent)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _look_at(path: Path) -> None:
    """Refuse what SQLite would change or forget in opening it."""
    with path.open("rb") as file:
        head = file.read(_FORMAT_AT.stop)
    if not head.startswith(_MAGIC):
        what = "does not begin like a database" if head else "is empty"
        raise ConfigError(f"{path} is damaged or no database: it {what}. {_UNTOUCHED}")
    _check_format(int.from_bytes(head[_FORMAT_AT], "big"), path, or_else=0)  # 0: perhaps it is in the journal still
    journal = journal_of(path)
    # Twice: another process, which has it open, may be writing it. Then SQLite refuses to open it.
    if find_damage(journal) and (damage := find_damage(journal)):
        raise ConfigError(f"{journal} is damaged: {damage}. {_UNTOUCHED}")


def _settle_format(connection: sqlite3.Connection, path: Path) -> None:
    """Check the format, and make the tables that an older database lacks."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    _check_format(found, path)
    connection.executescript(_JOURNAL)
    if found == _LESSER_FORMAT:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")


def _check_format(found: int, path: Path, *, or_else: int = _FORMAT) -> None:
    if found not in (_FORMAT, _LESSER_FORMAT, or_else):
        raise ConfigError(f"{path} has format {found}, this engine reads format {_FORMAT}. {_UNTOUCHED}")
