"""Catalog: which collections and indexes a database has."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from vikingdb_vector import models as m

from ..errors import COLLECTION, INDEX, already_exists, denied, not_found, shown
from . import rows
from .caches import Caches, remove
from .collection import Collection
from .database import Database
from .defining import define_schema
from .defining_indexes import restore_index
from .derived import Derived
from .grouping import Grouping
from .indexing import Index
from .schema import Schema
from .tasks import Tasks
from .upkeep import Upkeep

DEFAULT_PROJECT = "default"
MAX_COLLECTIONS = 200
MAX_INDEXES = 200

_FIRST_AUTO_ID = 1 << 62
"""Generated ids are beyond 2**53, as the service's are: a client that reads them as floats is found out here."""


class Catalog:
    """Collections by name and by resource id. Safe for many threads.

    Attributes:
        database: where they are kept.
        tasks: what is done to them in the background.
    """

    def __init__(self, database: Database | None = None) -> None:
        self.database = database or Database()
        self._writes = Grouping(self.database)
        self.upkeep = Upkeep()
        self._caches = Caches(self.database)
        self._by_name = {collection.name: collection for collection in self._load()}
        # Both change something: not before everything could be read.
        self._caches.sweep()
        self.tasks = Tasks(self.database)

    def by_name(self, name: str, project: str | None) -> Collection:
        """A collection by its name, in a project (``default`` unless given).

        Raises:
            ServiceError: there is none.
        """
        collection = self._by_name.get(name)
        if collection is None or collection.project != (project or DEFAULT_PROJECT):
            raise not_found(COLLECTION, f"collection {shown(name)} not found in project {project or DEFAULT_PROJECT!r}")
        return collection

    def by_resource_id(self, resource_id: str, project: str | None) -> Collection:
        """A collection by its resource id, in a project if one is given.

        Raises:
            ServiceError: there is none.
        """
        for collection in self.collections():
            if collection.resource_id == resource_id and project in (None, "", collection.project):
                return collection
        raise not_found(COLLECTION, f"there is no collection with resource id {shown(resource_id)}")

    def collections(self) -> list[Collection]:
        """All of them, oldest first."""
        with self.database.lock:
            return list(self._by_name.values())

    def create(
        self,
        *,
        name: str,
        project: str,
        schema: Schema,
        embedder: str | None,
        definition: Mapping[str, Any],
        now_ms: int,
    ) -> Collection:
        """Add a collection.

        Raises:
            ServiceError: the name is taken, in whatever project; or there are too many.
        """
        with self.database.lock:
            if name in self._by_name:
                raise already_exists(
                    COLLECTION, f"collection {name!r} exists already; names are unique in all projects"
                )
            self._require_room()
            resource_id = f"vdb-{uuid.uuid4().hex[:16]}"
            with self.database.writing() as sql:
                cursor = sql.execute(
                    "INSERT INTO collections (resource_id, name, project, definition, embedder, created_ms, "
                    "updated_ms, last_auto_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (resource_id, name, project, orjson.dumps(definition), embedder, now_ms, now_ms, _FIRST_AUTO_ID),
                )
            assert cursor.lastrowid is not None
            collection = Collection(
                self.database,
                self._writes,
                id=cursor.lastrowid,
                name=name,
                resource_id=resource_id,
                project=project,
                schema=schema,
                embedder=embedder,
                definition=definition,
                created_ms=now_ms,
                updated_ms=now_ms,
                indexes={},
                derived=self._derived(cursor.lastrowid),
            )
            self._by_name[name] = collection
            return collection

    def adopt(self, other: Catalog, name: str) -> None:
        """Copy a collection of another database, with its rows and indexes: all of it or nothing.

        A collection of the name, in whatever project, is left as it is.

        Raises:
            ServiceError: there are too many.
        """
        with self.database.lock:
            if name in self._by_name:
                return
            self._require_room()
            with other.database.reading() as theirs, self.database.writing() as sql:
                source, seq, *kept = theirs.execute(
                    "SELECT id, seq, last_auto_id, resource_id, name, project, definition, embedder, created_ms, "
                    "updated_ms FROM collections WHERE name = ?",
                    (name,),
                ).fetchone()
                copy = sql.execute(
                    "INSERT INTO collections (seq, last_auto_id, resource_id, name, project, definition, embedder, "
                    "created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (seq, *kept),
                ).lastrowid
                assert copy is not None
                for row in rows.scan(theirs, source):
                    rows.put(sql, copy, seq, row.key, row.fields, row.vector, row.expire_at)
                sql.executemany(
                    "INSERT INTO indexes (collection_id, name, definition, is_enabled, created_ms) "
                    "VALUES (?, ?, ?, ?, ?)",
                    theirs.execute(
                        "SELECT ?, name, definition, is_enabled, created_ms FROM indexes WHERE collection_id = ? "
                        "ORDER BY id",
                        (copy, source),
                    ),
                )
            self._by_name[name] = next(self._load(name))

    def update(
        self,
        collection: Collection,
        change: Callable[[Collection], m.CreateCollectionRequest],
        now_ms: int,
    ) -> None:
        """Change a collection. Rows that are there get the fallbacks of added fields.

        Args:
            collection: which.
            change: from the collection as it is to a request that would create it as it is to be.
            now_ms: when.

        Raises:
            ServiceError: it is gone, or ``change`` refuses. Nothing was changed.
        """
        with self.database.lock:
            self._require(collection)
            request = change(collection)
            schema, definition = define_schema(request), request.to_wire()
            with self.database.writing() as sql:
                sql.execute(
                    "UPDATE collections SET definition = ?, updated_ms = ? WHERE id = ?",
                    (orjson.dumps(definition), now_ms, collection.id),
                )
                collection.reshape(sql, schema)
            collection.publish(schema, definition, now_ms)

    def delete(self, collection: Collection) -> None:
        """Remove a collection and its rows.

        Raises:
            ServiceError: it still has indexes, is protected, or is gone already.
        """
        with self.database.lock:
            self._require(collection)
            if collection.definition.get("DelProtection"):
                protected = f"collection {collection.name!r} is protected against deletion (DelProtection)"
                raise denied(COLLECTION, protected)
            if collection.indexes:
                raise denied(
                    COLLECTION,
                    f"collection {collection.name!r} has indexes: {', '.join(collection.indexes)}. Delete them first",
                )
            with self.database.writing() as sql:
                cached = self._caches.files_of(sql, collection.id)
                sql.execute("DELETE FROM collections WHERE id = ?", (collection.id,))
            del self._by_name[collection.name]
            remove(cached)
            collection.forget()

    def create_index(self, collection: Collection, index: Index) -> None:
        """Add an index.

        Raises:
            ServiceError: the collection has one of the name, or there are too many in all.
        """
        with self.database.lock:
            self._require(collection)
            if index.name in collection.indexes:
                raise already_exists(INDEX, f"collection {collection.name!r} has an index {index.name!r} already")
            if sum(len(other.indexes) for other in self._by_name.values()) >= MAX_INDEXES:
                raise denied(INDEX, f"there are {MAX_INDEXES} indexes, the most there can be; delete one first")
            with self.database.writing() as sql:
                sql.execute(
                    "INSERT INTO indexes (collection_id, name, definition, created_ms) VALUES (?, ?, ?, ?)",
                    (collection.id, index.name, orjson.dumps(index.definition), index.created_ms),
                )
            collection.indexes = {**collection.indexes, index.name: index}

    def update_index(self, collection: Collection, name: str, change: Callable[[Index], Index]) -> None:
        """Put a changed index in the place of one.

        Raises:
            ServiceError: there is none, or ``change`` refuses. Nothing was changed.
        """
        with self.database.lock:
            self._require(collection)
            changed = change(collection.index(name))
            with self.database.writing() as sql:
                sql.execute(
                    "UPDATE indexes SET definition = ?, is_enabled = ? WHERE collection_id = ? AND name = ?",
                    (orjson.dumps(changed.definition), changed.is_enabled, collection.id, name),
                )
            collection.indexes = {**collection.indexes, name: changed}

    def delete_index(self, collection: Collection, name: str) -> None:
        """Remove an index. The rows stay with the collection.

        Raises:
            ServiceError: it is protected, or there is none.
        """
        with self.database.lock:
            self._require(collection)
            if collection.index(name).definition["DelProtection"]:
                raise denied(INDEX, f"index {name!r} is protected against deletion (DelProtection)")
            with self.database.writing() as sql:
                sql.execute("DELETE FROM indexes WHERE collection_id = ? AND name = ?", (collection.id, name))
            collection.indexes = {other: index for other, index in collection.indexes.items() if other != name}

    def _load(self, only: str | None = None) -> Iterator[Collection]:
        """What the database holds, or of that name, oldest first. Rows are read when a collection is first searched."""
        with self.database.reading() as sql:
            found = sql.execute(
                "SELECT id, name, resource_id, project, definition, embedder, created_ms, updated_ms FROM collections "
                "WHERE name = COALESCE(?, name) ORDER BY id",
                (only,),
            ).fetchall()
            for number, name, resource_id, project, definition, embedder, created_ms, updated_ms in found:
                body = orjson.loads(definition)
                schema = define_schema(m.CreateCollectionRequest(**body))
                indexes = sql.execute(
                    "SELECT name, definition, created_ms, is_enabled FROM indexes WHERE collection_id = ? ORDER BY id",
                    (number,),
                ).fetchall()
                defined = [
                    restore_index(index, orjson.loads(kept), schema, ms, is_enabled=bool(is_enabled))
                    for index, kept, ms, is_enabled in indexes
                ]
                yield Collection(
                    self.database,
                    self._writes,
                    id=number,
                    name=name,
                    resource_id=resource_id,
                    project=project,
                    schema=schema,
                    embedder=embedder,
                    definition=body,
                    created_ms=created_ms,
                    updated_ms=updated_ms,
                    indexes={index.name: index for index in defined},
                    derived=self._derived(number),
                )

    def _require_room(self) -> None:
        if len(self._by_name) >= MAX_COLLECTIONS:
            raise denied(
                COLLECTION, f"there are {MAX_COLLECTIONS} collections, the most there can be; delete one first"
            )

    def _derived(self, number: int) -> Derived:
        return Derived(number, self._caches, self.upkeep)

    def close(self) -> None:
        """Keep what the next process would have to make again, and let go of the database."""
        try:
            self.tasks.close()
            self.upkeep.stop()
            for collection in self.collections():
                collection.keep()
        finally:
            self.database.close()

    def _require(self, collection: Collection) -> None:
        if self._by_name.get(collection.name) is not collection:
            raise not_found(COLLECTION, f"collection {collection.name!r} does not exist any more")
