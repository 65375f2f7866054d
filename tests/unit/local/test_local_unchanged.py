"""What is refused changes nothing: the whole database reads as before, at once and after it was closed and reopened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.wire import Clock
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import APIError
from vikingdb_core.transport import TransportSettings
from vikingdb_local.engine import rows
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import VikingDB

KEY = {"field_name": "id", "field_type": "int64", "is_primary_key": True}
FIELDS = [
    KEY,
    {"field_name": "genre", "field_type": "string"},
    {"field_name": "price", "field_type": "float32"},
    {"field_name": "mood", "field_type": "vector", "dim": 4},
]
PASSAGES = [{"field_name": "text", "field_type": "text"}]
EMBEDDED = {"dense": {"model_name": "bge-m3", "text_field": "text"}}
FLAT = {"index_type": "flat", "distance": "ip"}
UNLIKE_ANY = {"op": "must", "field": "price", "conds": [1.0]}


class Shelf:
    """A database in a folder, and a client of it that can be replaced by one that reads everything from disk."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self._endpoint = Endpoint.parse(f"local://{folder}?embedder=hash-v1")
        self.reopen()

    def reopen(self) -> None:
        self._transport = LocalTransport(self._endpoint, TransportSettings(), clock=self.clock)
        self.db = VikingDB(endpoint=str(self._endpoint), transport=self._transport, retry=1)

    def close(self) -> None:
        self._transport.close()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """Collection ``books`` with three rows and index ``by_mood``, which covers genre alone; ``passages`` with one."""
    made = Shelf(tmp_path / "database")
    admin = made.db.admin
    admin.create_collection(collection_name="books", fields=FIELDS)
    admin.create_index(collection_name="books", index_name="by_mood", vector_index=FLAT, scalar_index=["genre"])
    admin.create_collection(collection_name="passages", fields=PASSAGES, vectorize=EMBEDDED)
    admin.create_index(collection_name="passages", index_name="all", vector_index=FLAT)
    books(made.db).upsert({"data": [row(key) for key in (1, 2, 3)], "ttl": 86400})
    made.db.collection(collection_name="passages").upsert({"data": [{"text": "Boats wait for the tide."}]})
    yield made
    made.close()


def books(db: VikingDB) -> Any:
    return db.collection(collection_name="books")


def index(db: VikingDB) -> Any:
    return db.index(collection_name="books", index_name="by_mood")


def row(key: Any, **fields: Any) -> dict[str, Any]:
    return {"id": key, "genre": "sf", "price": 1.5, "mood": [0.1, 0.2, 0.3, 0.4], **fields}


def upsert(db: VikingDB, *data: dict[str, Any], **more: Any) -> None:
    books(db).upsert({"data": list(data), **more})


def picture(db: VikingDB) -> dict[str, Any]:
    """Everything a client can find out about a database, ids of requests apart."""
    seen: dict[str, Any] = {
        "collections": [each.model_dump() for each in db.admin.iter_collections()],
        "indexes": [each.model_dump() for each in db.admin.iter_indexes()],
    }
    for each in seen["indexes"]:
        name = each["collection_name"]
        handle = db.index(collection_name=name, index_name=each["index_name"])
        hits = handle.search_by_random({"limit": 1000}).result.data
        seen[f"hits of {name}"] = sorted((hit.id, hit.fields) for hit in hits)
        ids = [hit.id for hit in hits] + [7, 8, 9]
        fetched = db.collection(collection_name=name).fetch({"ids": ids}).result
        seen[f"rows of {name}"] = sorted((item.id, item.fields) for item in fetched.items)
        seen[f"absent of {name}"] = fetched.ids_not_exist
    seen["count"] = index(db).aggregate({"op": "count"}).result.agg
    seen["genres"] = index(db).aggregate({"op": "count", "field": "genre"}).result.agg
    return seen


def fail_in_the_middle(db: VikingDB) -> None:
    """The engine fails at the second of three rows."""
    put, calls = rows.put, []

    def fail_at_the_second(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise OSError("the disk is full")
        return put(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "put", fail_at_the_second)
        upsert(db, row(1, genre="noir"), row(8), row(9))


REFUSED: dict[str, tuple[Callable[[VikingDB], Any], str]] = {
    "deleting a collection that has indexes": (
        lambda db: db.admin.delete_collection(collection_name="books"),
        "OperationDenied.VikingdbCollection",
    ),
    "making a collection again, with other fields": (
        lambda db: db.admin.create_collection(collection_name="books", fields=[KEY], description="another"),
        "AlreadyExists.VikingdbCollection",
    ),
    "making an index again, over other fields": (
        lambda db: db.admin.create_index(collection_name="books", index_name="by_mood", vector_index=FLAT),
        "AlreadyExists.VikingdbIndex",
    ),
    "making a collection with a field that cannot be": (
        lambda db: db.admin.create_collection(collection_name="new", fields=[KEY, {**FIELDS[-1], "dim": 5}]),
        "InvalidParameter",
    ),
    "an upsert of 101 rows": (lambda db: upsert(db, *(row(key) for key in range(1, 102))), "InvalidParameter"),
    "an upsert of no rows": (lambda db: upsert(db), "InvalidParameter"),
    "a bad row among good ones": (
        lambda db: upsert(db, row(7), row(1, genre="noir"), row(8, mood=[1, 2]), row(9)),
        "InvalidParameter",
    ),
    "a row with an unknown field among good ones": (
        lambda db: upsert(db, row(7), row(1, genre="noir"), row(8, gnere="sf")),
        "InvalidParameter",
    ),
    "a row without a key among good ones": (lambda db: upsert(db, row(7), row(0)), "InvalidParameter"),
    "a good upsert with a bad ttl": (lambda db: upsert(db, row(1, genre="noir"), ttl=-1), "InvalidParameter"),
    "two texts to embed at once": (
        lambda db: db.collection(collection_name="passages").upsert({"data": [{"text": "one"}, {"text": "two"}]}),
        "InvalidParameter",
    ),
    "changing a row there is not, after one there is": (
        lambda db: books(db).update({"data": [{"id": 1, "genre": "noir"}, {"id": 9, "genre": "noir"}]}),
        "NotFound.VikingdbData",
    ),
    "deleting rows and all rows": (lambda db: books(db).delete({"ids": [1], "del_all": True}), "InvalidParameter"),
    "deleting 101 rows": (lambda db: books(db).delete({"ids": list(range(1, 102))}), "InvalidParameter"),
    "deleting a row by a key of another type": (lambda db: books(db).delete({"ids": [1, "2"]}), "InvalidParameter"),
    "a filter on a field the index does not cover": (
        lambda db: index(db).search_by_random({"filter": UNLIKE_ANY}),
        "InvalidParameter",
    ),
    "deleting an index there is not": (
        lambda db: db.admin.delete_index(collection_name="books", index_name="absent"),
        "NotFound.VikingdbIndex",
    ),
    "a fault of the engine in the middle of a write": (fail_in_the_middle, "InternalError"),
}


@pytest.mark.parametrize(("call", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing(call: Callable[[VikingDB], Any], code: str, shelf: Shelf) -> None:
    before = picture(shelf.db)
    shelf.clock.seconds += 60  # a time of change would show
    with pytest.raises(APIError) as caught:
        call(shelf.db)
    assert caught.value.code == code
    assert picture(shelf.db) == before
    shelf.close()
    shelf.reopen()
    assert picture(shelf.db) == before


def test_the_picture_shows_every_change_it_is_to_show(shelf: Shelf) -> None:
    pictures = [picture(shelf.db)]
    changes: list[Callable[[], Any]] = [
        lambda: upsert(shelf.db, row(1, mood=[0, 0, 0, 1])),
        lambda: upsert(shelf.db, row(7)),
        lambda: books(shelf.db).update({"data": [{"id": 7, "price": 2.0}]}),
        lambda: books(shelf.db).delete({"ids": [1]}),
        lambda: shelf.db.admin.create_collection(collection_name="new", fields=[KEY]),
        lambda: shelf.db.admin.create_index(collection_name="new", index_name="new"),
        lambda: shelf.db.admin.delete_index(collection_name="new", index_name="new"),
        lambda: shelf.db.admin.delete_collection(collection_name="new"),
    ]
    for change in changes:
        change()
        pictures.append(picture(shelf.db))
        assert pictures[-1] != pictures[-2]
