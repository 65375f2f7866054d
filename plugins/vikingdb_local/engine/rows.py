"""Rows: the statements on the table of rows. Each function works within the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from .segment import Row
from .values import Vector

Key = int | str

_COLUMNS = "n, pk, fields, vector, expire_at"
_ALIVE = "(expire_at IS NULL OR expire_at > ?)"
_VARIABLES = 500  # an SQLite built long ago allows 999 in a statement


def put(
    sql: sqlite3.Connection,
    collection_id: int,
    seq: int,
    key: Key,
    fields: Mapping[str, Any],
    vector: Vector | None,
    expire_at: int | None,
) -> Row:
    """Insert a row, in place of the one with its key."""
    packed = None if vector is None else vector.astype("<f4", copy=False).tobytes()
    cursor = sql.execute(
        "INSERT OR REPLACE INTO rows (collection_id, pk, fields, vector, expire_at, seq) VALUES (?, ?, ?, ?, ?, ?)",
        (collection_id, key, orjson.dumps(fields), packed, expire_at, seq),
    )
    assert cursor.lastrowid is not None
    return Row(cursor.lastrowid, key, fields, vector, expire_at)


def delete(sql: sqlite3.Connection, collection_id: int, keys: Iterable[Key]) -> None:
    sql.executemany("DELETE FROM rows WHERE collection_id = ? AND pk = ?", [(collection_id, key) for key in keys])


def delete_all(sql: sqlite3.Connection, collection_id: int) -> None:
    sql.execute("DELETE FROM rows WHERE collection_id = ?", (collection_id,))


def delete_expired(sql: sqlite3.Connection, collection_id: int, now_ms: int) -> list[Key]:
    """Delete rows whose time is over, and return their keys."""
    where = "collection_id = ? AND expire_at IS NOT NULL AND expire_at <= ?"
    keys = [key for (key,) in sql.execute(f"SELECT pk FROM rows WHERE {where}", (collection_id, now_ms))]
    if keys:
        sql.execute(f"DELETE FROM rows WHERE {where}", (collection_id, now_ms))
    return keys


def add_fields(sql: sqlite3.Connection, collection_id: int, values: Mapping[str, Any]) -> None:
    """Give every row the values, without making it a new one: nothing that was there has changed."""
    kept = sql.execute("SELECT n, fields FROM rows WHERE collection_id = ?", (collection_id,))
    while some := kept.fetchmany(_VARIABLES):
        changed = [(orjson.dumps({**orjson.loads(fields), **values}), n) for n, fields in some]
        sql.executemany("UPDATE rows SET fields = ? WHERE n = ?", changed)


def by_key(sql: sqlite3.Connection, collection_id: int, keys: Sequence[Key], now_ms: int) -> dict[Key, Row]:
    """Those of the rows that exist."""
    found: dict[Key, Row] = {}
    for some in _slices(keys):
        cursor = sql.execute(
            f"SELECT {_COLUMNS} FROM rows WHERE collection_id = ? AND pk IN ({_marks(some)}) AND {_ALIVE}",
            (collection_id, *some, now_ms),
        )
        found.update((row.key, row) for row in map(_read, cursor))
    return found


def documents(sql: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Fields by row number; rows that are gone are absent."""
    found: dict[int, dict[str, Any]] = {}
    for some in _slices(numbers):
        cursor = sql.execute(f"SELECT n, fields FROM rows WHERE n IN ({_marks(some)})", some)
        found.update((n, orjson.loads(fields)) for n, fields in cursor)
    return found


def scan(sql: sqlite3.Connection, collection_id: int, *, after: int = 0) -> Iterator[Row]:
    """Every row with a number beyond ``after``, oldest first."""
    cursor = sql.execute(
        f"SELECT {_COLUMNS} FROM rows WHERE n > ? AND +collection_id = ? ORDER BY n", (after, collection_id)
    )
    return map(_read, cursor)


def numbers(sql: sqlite3.Connection, collection_id: int) -> NDArray[np.int64]:
    """The numbers of all rows, in no order."""
    cursor = sql.execute("SELECT n FROM rows WHERE collection_id = ?", (collection_id,))
    return np.fromiter((n for (n,) in cursor), np.int64)


def measure(sql: sqlite3.Connection, collection_id: int, now_ms: int) -> tuple[int, int]:
    """How many rows there are, and how many bytes they take."""
    count, size = sql.execute(
        "SELECT COUNT(*), COALESCE(SUM(LENGTH(fields) + COALESCE(LENGTH(vector), 0)), 0) "
        f"FROM rows WHERE collection_id = ? AND {_ALIVE}",
        (collection_id, now_ms),
    ).fetchone()
    return count, size


def _read(record: tuple[int, Key, bytes, bytes | None, int | None]) -> Row:
    n, key, fields, packed, expire_at = record
    vector = None if packed is None else np.frombuffer(packed, "<f4").astype(np.float32)
    return Row(n, key, orjson.loads(fields), vector, expire_at)


def _slices(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _VARIABLES):
        yield items[start : start + _VARIABLES]


def _marks(items: Sequence[Any]) -> str:
    return ", ".join("?" * len(items))
