"""Collection: one collection's rows, written through the database and read from arrays derived from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any, TypeVar

from vikingdb_core.hints import suggest

from ..errors import COLLECTION, DATA, INDEX, not_found, shown
from . import rows
from .database import Database
from .derived import Derived
from .graph import SEARCH_BREADTH
from .grouping import Grouping
from .indexing import Index
from .rows import Key
from .schema import Schema
from .scoring import Rows
from .segment import Row, Segment, Snapshot
from .values import Vector

Found = TypeVar("Found")


@dataclass(frozen=True)
class NewRow:
    """A row to insert. ``key`` is ``None`` where the engine makes it."""

    key: Key | None
    fields: Mapping[str, Any]
    vector: Vector | None


@dataclass(frozen=True)
class Patch:
    """Fields of an existing row to change; ``vector`` is ``None`` where it stays."""

    key: Key
    fields: Mapping[str, Any]
    vector: Vector | None


@dataclass
class _Change:
    """What a transaction did, for the arrays to follow."""

    seq: int
    removed: list[Key] = field(default_factory=list)
    added: list[Row] = field(default_factory=list)
    emptied: bool = False


class _Write:
    """A change of one collection's rows, for :class:`Grouping` to carry out."""

    def __init__(
        self, collection: Collection, write: Callable[[sqlite3.Connection, _Change], None], now_ms: int
    ) -> None:
        self._collection, self._write, self._now_ms = collection, write, now_ms
        self._change: _Change | None = None

    def apply(self, sql: sqlite3.Connection) -> None:
        change = _Change(self._collection._next_seq(sql))
        change.removed += rows.delete_expired(sql, self._collection.id, self._now_ms)
        self._write(sql, change)
        self._change = change

    def publish(self) -> None:
        assert self._change is not None
        self._collection._publish(self._change)
        self._collection.follow(self._now_ms)

    def forget(self) -> None:
        self._collection.forget()


class StaleSchema(Exception):
    """The schema changed after rows had been checked against it; they have to be checked again."""


class Collection:
    """A collection. Safe for many threads: writers take turns, readers work on snapshots.

    Attributes:
        id: its number in the database.
        name, resource_id, project: what it is addressed by.
        schema: what its rows look like.
        embedder: id of what made its vectors, or ``None``.
        definition: the body that would create it as it is.
        indexes: by name, in order of creation. Replaced, never changed, under the database's lock.
    """

    def __init__(
        self,
        database: Database,
        writes: Grouping,
        *,
        id: int,
        name: str,
        resource_id: str,
        project: str,
        schema: Schema,
        embedder: str | None,
        definition: Mapping[str, Any],
        created_ms: int,
        updated_ms: int,
        indexes: Mapping[str, Index],
        derived: Derived,
    ) -> None:
        self._database, self._writes = database, writes
        self._derived = derived
        self.id = id
        self.name = name
        self.resource_id = resource_id
        self.project = project
        self.schema = schema
        self.embedder = embedder
        self.definition = definition
        self.created_ms = created_ms
        self.updated_ms = updated_ms
        self.indexes = indexes
        self._segment: Segment | None = None
        self._snapshot: Snapshot | None = None
        self._in_step: tuple[Any, ...] = ()
        """For which write, schema, indexes and graphs nothing had fallen behind."""

    def index(self, name: str) -> Index:
        """An index by name.

        Raises:
            ServiceError: there is none.
        """
        index = self.indexes.get(name)
        if index is None:
            hint = suggest(name, self.indexes)
            raise not_found(INDEX, f"index {shown(name)} not found in collection {self.name!r}.{hint}")
        return index

    def upsert(self, new: Sequence[NewRow], expire_at: int | None, now_ms: int, schema: Schema) -> None:
        """Insert rows, all or none, replacing those whose key exists. Of two with one key the last is kept.

        Raises:
            StaleSchema: ``schema``, by which the rows were made, is not the collection's any more.
        """

        def write(sql: sqlite3.Connection, change: _Change) -> None:
            if schema is not self.schema:
                raise StaleSchema
            first_id = self._take_ids(sql, sum(row.key is None for row in new))
            latest: dict[Key, tuple[Mapping[str, Any], Vector | None]] = {}
            for row in new:
                key, fields = row.key, row.fields
                if key is None:
                    key, first_id = first_id, first_id + 1
                    fields = {self.schema.primary_key.name: key, **fields}
                latest[key] = (fields, row.vector)
            change.added += [
                rows.put(sql, self.id, change.seq, key, fields, vector, expire_at)
                for key, (fields, vector) in latest.items()
            ]

        self._write(write, now_ms)

    def update(self, patches: Sequence[Patch], expire_at: int | None, now_ms: int, *, keep_expiry: bool) -> None:
        """Change fields of rows, all or none. With ``keep_expiry`` they end when they would have.

        Raises:
            ServiceError: a row does not exist.
        """

        def write(sql: sqlite3.Connection, change: _Change) -> None:
            current = rows.by_key(sql, self.id, [patch.key for patch in patches], now_ms)
            for patch in patches:
                row = current.get(patch.key)
                if row is None:
                    raise not_found(
                        DATA,
                        f"collection {self.name!r} has no row {shown(patch.key)}; none was changed. Insert with upsert",
                    )
                vector = row.vector if patch.vector is None else patch.vector
                expires = row.expire_at if keep_expiry else expire_at
                fields = {**row.fields, **patch.fields}
                current[patch.key] = rows.put(sql, self.id, change.seq, patch.key, fields, vector, expires)
            change.added += current.values()

        self._write(write, now_ms)

    def delete(self, keys: Sequence[Key], now_ms: int) -> None:
        """Delete rows; keys without a row are no error."""

        def write(sql: sqlite3.Connection, change: _Change) -> None:
            rows.delete(sql, self.id, keys)
            change.removed += keys

        self._write(write, now_ms)

    def delete_all(self, now_ms: int) -> None:
        """Delete every row."""

        def write(sql: sqlite3.Connection, change: _Change) -> None:
            rows.delete_all(sql, self.id)
            change.emptied = True

        self._write(write, now_ms)

    def fetch(self, keys: Sequence[Key], now_ms: int) -> dict[Key, Row]:
        """Those of the rows that exist, as the database has them."""
        with self._database.reading() as sql:
            return rows.by_key(sql, self.id, keys, now_ms)

    def measure(self, now_ms: int) -> tuple[int, int]:
        """How many rows there are, and how many bytes they take."""
        with self._database.reading() as sql:
            return rows.measure(sql, self.id, now_ms)

    def reshape(self, sql: sqlite3.Connection, schema: Schema) -> None:
        """Give every row the fallbacks of the fields that ``schema`` adds, within the caller's transaction."""
        added = {name: field.fallback for name, field in schema.fields.items() if name not in self.schema.fields}
        values = {name: value for name, value in added.items() if value is not None}
        if values:
            rows.add_fields(sql, self.id, values)

    def publish(self, schema: Schema, definition: Mapping[str, Any], now_ms: int) -> None:
        """Let everyone see a changed definition that was committed. Arrays that no longer fit are built anew."""
        if schema.fingerprint != self.schema.fingerprint:
            self.forget()  # first: who sees the new schema must not meet arrays of the old one
        self.schema, self.definition, self.updated_ms = schema, definition, now_ms

    def forget(self) -> None:
        """Let go of the arrays: they are built anew when next asked for."""
        self._snapshot = self._segment = None
        self._in_step = ()

    def snapshot(self) -> Snapshot:
        """The rows as of the last write."""
        snapshot = self._snapshot
        if snapshot is None:
            with self._database.lock:
                snapshot = self._snapshot or self._rebuild()
        return snapshot

    def nearby(self, index: Index, snapshot: Snapshot, rows: Rows, query: Vector, most: int, scale: float) -> Rows:
        """Those of ``rows`` among which the nearest are: fewer if the index has a graph, else all of them.

        ``scale`` times as many candidates are kept as the index would.
        """
        graph = self._derived.graphs.get(index.distance) if index.is_approximate and index.distance else None
        breadth = int(scale * (index.search_breadth or SEARCH_BREADTH))
        found = graph.candidates(snapshot, rows, query, most, breadth) if graph is not None else None
        return rows if found is None else found

    def follow(self, now_ms: int) -> None:
        """Let what searches are served from be brought into step, in the background."""
        snapshot = self._snapshot
        state = (snapshot.seq if snapshot is not None else -1, self.schema, self.indexes, self._derived.graphs)
        if self._in_step and all(map(is_, state, self._in_step)):
            return
        if self._derived.follow(lambda: self._snapshot, self.indexes.values(), now_ms):
            self._in_step = state

    def keep(self) -> None:
        """Keep what the next process would have to make again."""
        self._derived.keep(self._snapshot)

    def read(
        self, look: Callable[[Snapshot], Found], numbers: Callable[[Found], Sequence[int]]
    ) -> tuple[Found, dict[int, dict[str, Any]]]:
        """Look for rows in a snapshot, and read the fields of those found as of the same moment.

        Args:
            look: finds something in a snapshot.
            numbers: the numbers of the rows whose fields are wanted.
        """
        for _ in range(3):
            found = look(self.snapshot())
            wanted = numbers(found)
            if not wanted:  # nothing to wait for a writer for
                return found, {}
            with self._database.reading() as sql:
                documents = rows.documents(sql, wanted)
            # A changed row has a new number: when every number is there, nothing found has changed since.
            if len(documents) == len(wanted):
                return found, documents
        with self._database.reading() as sql:  # writers keep overtaking: let them wait
            found = look(self.snapshot())
            return found, rows.documents(sql, numbers(found))

    def _write(self, write: Callable[[sqlite3.Connection, _Change], None], now_ms: int) -> None:
        self._writes.write(_Write(self, write, now_ms))

    def _next_seq(self, sql: sqlite3.Connection) -> int:
        if sql.execute("UPDATE collections SET seq = seq + 1 WHERE id = ?", (self.id,)).rowcount != 1:
            raise not_found(COLLECTION, f"collection {self.name!r} does not exist any more")
        return self._seq(sql)

    def _seq(self, sql: sqlite3.Connection) -> int:
        found = sql.execute("SELECT seq FROM collections WHERE id = ?", (self.id,)).fetchone()
        return int(found[0]) if found else 0

    def _take_ids(self, sql: sqlite3.Connection, count: int) -> int:
        """The first of so many ids never given before."""
        (last,) = sql.execute("SELECT last_auto_id FROM collections WHERE id = ?", (self.id,)).fetchone()
        sql.execute("UPDATE collections SET last_auto_id = ? WHERE id = ?", (last + count, self.id))
        return int(last) + 1

    def _publish(self, change: _Change) -> None:
        """Let readers see a committed write."""
        segment = self._segment
        if segment is None or segment.is_mostly_dead:
            self.forget()
            return
        if change.emptied:
            segment = self._segment = Segment(self.schema)
        for key in change.removed:
            segment.kill(key, change.seq)
        for row in change.added:
            segment.append(row, change.seq)
        self._snapshot = segment.snapshot(change.seq)

    def _rebuild(self) -> Snapshot:
        with self._database.reading() as sql:
            seq = self._seq(sql)
            segment = self._derived.restore(sql, self.schema, seq)
        self._segment, self._snapshot = segment, segment.snapshot(seq)
        return self._snapshot
