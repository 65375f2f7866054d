"""Caches: files beside the database from which a collection is served sooner than from its rows.

The database names the files that are current. One that is missing, damaged, or of another state than the database
knows is as good as none: everything in it can be made again from the rows.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .cachefile import DamagedCache, force_folder, read_cache, write_cache
from .database import Database

log = logging.getLogger("vikingdb.local")

ROWS = "rows"


@dataclass(frozen=True)
class Cached:
    """A current file, and what it is of."""

    path: Path
    about: Mapping[str, Any]


class Caches:
    """The cache files of a database. Of a database in memory there are none.

    Args:
        database: what names them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._folder = None if database.folder is None else database.folder / "cache"

    @property
    def are_kept(self) -> bool:
        return self._folder is not None

    def sweep(self) -> None:
        """Remove files that are not current, such as those an interrupted process left."""
        if self._folder is None or not self._folder.is_dir():
            return
        with self._database.reading() as sql:
            current = {name for (name,) in sql.execute("SELECT file FROM caches")}
        for path in self._folder.iterdir():
            if path.name not in current:
                remove([path])

    def find(self, sql: sqlite3.Connection, collection_id: int, kind: str) -> Cached | None:
        """The current file of a kind, unread."""
        found = sql.execute(
            "SELECT file, about FROM caches WHERE collection_id = ? AND kind = ?", (collection_id, kind)
        ).fetchone()
        if found is None or self._folder is None:
            return None
        return Cached(self._folder / found[0], orjson.loads(found[1]))

    def files_of(self, sql: sqlite3.Connection, collection_id: int) -> list[Path]:
        """All current files of a collection."""
        found = sql.execute("SELECT file FROM caches WHERE collection_id = ?", (collection_id,))
        return [self._folder / name for (name,) in found] if self._folder is not None else []

    def drop(self, collection_id: int, kind: str) -> None:
        """Let go of a file that nobody needs any more."""
        with self._database.writing() as sql:
            before = self.find(sql, collection_id, kind)
            sql.execute("DELETE FROM caches WHERE collection_id = ? AND kind = ?", (collection_id, kind))
        if before is not None:
            remove([before.path])

    def read_rows(self, cached: Cached) -> dict[str, Any] | None:
        """The parts of a segment, mapped into memory; ``None`` when the file cannot be used."""
        try:
            return read_cache(cached.path, cached.about)
        except DamagedCache as error:
            log.warning("the cache %s cannot be used and will be made again: %s", cached.path, error)
            return None

    def write_rows(self, collection_id: int, about: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
        """Keep the parts of a segment as the current file."""
        self.write(collection_id, ROWS, about, lambda path: write_cache(path, about, parts))

    def write(self, collection_id: int, kind: str, about: Mapping[str, Any], save: Callable[[Path], None]) -> Path:
        """Keep a file as the current one of its kind, in place of the one before.

        Args:
            collection_id: whose it is.
            kind: what it is.
            about: what state it is of.
            save: writes it where it is told.
        """
        assert self._folder is not None
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{collection_id}-{kind}-{secrets.token_hex(6)}.cache"
        try:
            save(path)
            force_folder(self._folder)
            with self._database.writing() as sql:
                before = self.find(sql, collection_id, kind)
                sql.execute(
                    "INSERT OR REPLACE INTO caches (collection_id, kind, file, about) VALUES (?, ?, ?, ?)",
                    (collection_id, kind, path.name, orjson.dumps(about)),
                )
        except BaseException:
            remove([path])
            raise
        if before is not None:
            remove([before.path])
        return path


def remove(paths: Iterable[Path]) -> None:
    """Remove files that are not current any more."""
    for path in paths:
        with suppress(OSError):  # on Windows a file that is mapped stays until the next sweep
            path.unlink()
