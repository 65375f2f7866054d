"""Scenarios: what a program does with the database, in steps that any client can take, sync or async.

A step is a function of the client that makes one call. A scenario yields steps, is sent what each returned or thrown
what it raised, and returns nothing: what is compared is what it saw.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import numpy as np
import pytest

from vikingdb_core.exceptions import APIError, InvalidRequest
from vikingdb_core.filters import F
from vikingdb_vector.exceptions import (
    CollectionAlreadyExists,
    CollectionNotFound,
    DataNotFound,
    IndexNotFound,
    InvalidParameter,
    OperationDenied,
)

Step: TypeAlias = Callable[[Any], Any]
Scenario: TypeAlias = Generator[Step, Any, None]

FIELDS: list[dict[str, Any]] = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "title", "field_type": "text"},
    {"field_name": "genre", "field_type": "string"},
    {"field_name": "year", "field_type": "int64"},
    {"field_name": "price", "field_type": "float32", "default_value": 1.5},
    {"field_name": "tags", "field_type": "list<string>"},
    {"field_name": "sold", "field_type": "bool"},
    {"field_name": "at", "field_type": "date_time", "default_value": "2026-01-01T00:00:00+08:00"},
    {"field_name": "place", "field_type": "geo_point", "default_value": "116.4,39.9"},
    {"field_name": "vec", "field_type": "vector", "dim": 4},
]
TITLES = ["the sea and the old man", "三体", "sea of tranquility", "老人与海", "dune", "the left hand of darkness"]
BOOKS: list[dict[str, Any]] = [
    {
        "id": number + 1,
        "title": title,
        "genre": "ab"[number % 2],
        "year": 1950 + 10 * number,
        "tags": ["paper", f"t{number}"],
        "sold": number % 3 == 0,
        "vec": [float(number == place) + 0.1 * number for place in range(4)],
    }
    for number, title in enumerate(TITLES)
]
NAME = "books"
PLACE = {"collection_name": NAME}
VECTORS = {"index_type": "hnsw", "distance": "ip"}


def still(step: Step) -> Step:
    """The step, before which nothing is reopened: it waits for what ends with the process."""
    step.is_still = True  # type: ignore[attr-defined]
    return step


def rows(db: Any) -> Any:
    return db.collection(**PLACE, primary_key="id")


def index(db: Any) -> Any:
    return db.index(**PLACE, index_name="i")


def library() -> Scenario:
    """A collection with its rows and an index."""
    yield lambda db: db.admin.create_collection(**PLACE, fields=FIELDS, full_text=[{"field": "title"}])
    yield lambda db: db.admin.create_index(
        **PLACE,
        index_name="i",
        vector_index=VECTORS,
        scalar_index=["genre", "year", "price", "tags", "sold", "at", "place", "id"],
    )
    yield lambda db: db.admin.wait_until_ready(**PLACE, index_name="i")
    yield lambda db: rows(db).upsert({"data": BOOKS})


def definitions() -> Scenario:
    yield from library()
    found = yield lambda db: db.admin.get_collection(**PLACE)
    assert found.result.collection_name == NAME
    with pytest.raises(CollectionAlreadyExists):
        yield lambda db: db.admin.create_collection(**PLACE, fields=FIELDS)
    yield lambda db: db.admin.update_collection(**PLACE, fields=[{"field_name": "shelf", "field_type": "string"}])
    yield lambda db: db.admin.update_index(**PLACE, index_name="i", description="widened")
    yield lambda db: db.admin.get_index(**PLACE, index_name="i")
    yield lambda db: db.admin.disable_index(**PLACE, index_name="i")
    with pytest.raises(OperationDenied):
        yield lambda db: index(db).search_by_random()
    yield lambda db: db.admin.enable_index(**PLACE, index_name="i")
    listed = yield lambda db: db.admin.list_indexes(filter={"collection_name": [NAME]})
    assert [each.index_name for each in listed.result.indexes] == ["i"]
    with pytest.raises(OperationDenied):
        yield lambda db: db.admin.delete_collection(**PLACE)
    yield lambda db: db.admin.delete_index(**PLACE, index_name="i")
    yield lambda db: db.admin.delete_collection(**PLACE)
    with pytest.raises(CollectionNotFound):
        yield lambda db: rows(db).fetch({"ids": [1]})


def changing_rows() -> Scenario:
    yield from library()
    found = yield lambda db: rows(db).fetch({"ids": [1, 2, 99]})
    assert (len(found.result.items), found.result.ids_not_exist) == (2, [99])
    assert found.result.items[1].fields["title"] == "三体"
    yield lambda db: rows(db).update({"data": [{"id": 1, "price": 9.25}]})
    with pytest.raises(DataNotFound):
        yield lambda db: rows(db).update({"data": [{"id": 2, "price": 1.0}, {"id": 77, "price": 1.0}]})
    yield lambda db: rows(db).upsert({"data": [{**BOOKS[2], "vec": np.array([4, 3, 2, 1], np.float32)}]})
    yield lambda db: rows(db).delete({"ids": [4, 99]})
    found = yield lambda db: rows(db).fetch({"ids": [1, 2, 3, 4]})
    assert [item.fields["price"] for item in found.result.items] == [9.25, 1.5, 1.5]
    assert found.result.items[2].fields["vec"] == [4, 3, 2, 1]
    found = yield lambda db: index(db).fetch({"ids": [1, 3], "output_fields": ["genre"]})
    assert found.result.items[0].fields["genre"] == "a"
    yield lambda db: rows(db).delete({"del_all": True})
    found = yield lambda db: index(db).aggregate({"op": "count"})
    assert found.result.total == 0


def searching() -> Scenario:
    yield from library()
    found = yield lambda db: index(db).search_by_vector({"dense_vector": [1, 0, 0, 0], "limit": 3})
    assert [hit.id for hit in found.result.data] == [1, 6, 5]
    yield lambda db: index(db).search_by_vector(
        {"dense_vector": [0, 1, 0, 0], "filter": (F("year") >= 1970) & (F("genre") == "a"), "offset": 1}
    )
    yield lambda db: index(db).search_by_vector(
        {"dense_vector": [0, 0, 1, 0], "output_fields": ["title"], "advance": {"ids_not_in": [3]}}
    )
    yield lambda db: index(db).search_by_id({"id": 2, "limit": 2})
    found = yield lambda db: index(db).search_by_scalar({"field": "year", "order": "desc", "limit": 2})
    assert [hit.id for hit in found.result.data] == [6, 5]
    found = yield lambda db: index(db).search_by_keywords({"keywords": ["sea"]})
    assert {hit.id for hit in found.result.data} == {1, 3}
    found = yield lambda db: index(db).search_by_keywords({"query": "老人", "limit": 1})
    assert [hit.id for hit in found.result.data] == [4]
    found = yield lambda db: index(db).search_by_random({"filter": (F("tags") == "t2"), "limit": 5})
    assert [hit.id for hit in found.result.data] == [3]
    yield lambda db: index(db).aggregate({"op": "count", "field": "genre"})
    yield lambda db: index(db).aggregate({"op": "count", "filter": F("sold") == True})  # noqa: E712
    yield lambda db: index(db).sort({"ids": [1, 2, 3], "query_vector": [0, 0, 1, 0]})


def hybrid() -> Scenario:
    fields = [
        {"field_name": "id", "field_type": "string", "is_primary_key": True},
        {"field_name": "vec", "field_type": "vector", "dim": 4},
        {"field_name": "sparse", "field_type": "sparse_vector"},
    ]
    yield lambda db: db.admin.create_collection(collection_name="h", fields=fields)
    yield lambda db: db.admin.create_index(
        collection_name="h", index_name="i", vector_index={"index_type": "hnsw_hybrid", "distance": "ip"}
    )
    data = [
        {"id": "a", "vec": [1, 0, 0, 0], "sparse": {"x": 0.1}},
        {"id": "b", "vec": [0, 1, 0, 0], "sparse": {"x": 3.0, "y": 1.0}},
    ]
    yield lambda db: db.collection(collection_name="h").upsert({"data": data})
    found = yield lambda db: db.index(collection_name="h", index_name="i").search_by_vector(
        {"dense_vector": [1, 0, 0, 0], "sparse_vector": {"x": 1.0}, "advance": {"dense_weight": 0.2}}
    )
    assert [hit.id for hit in found.result.data] == ["b", "a"]


def texts() -> Scenario:
    fields = [
        {"field_name": "id", "field_type": "int64", "is_primary_key": True},
        {"field_name": "text", "field_type": "text"},
    ]
    yield lambda db: db.admin.create_collection(
        collection_name="t", fields=fields, vectorize={"dense": {"model_name": "bge-m3", "text_field": "text"}}
    )
    yield lambda db: db.admin.create_index(
        collection_name="t", index_name="i", vector_index={"index_type": "hnsw", "distance": "cosine"}
    )
    for number, text in enumerate(("boats in the harbour", "a lighthouse at night"), 1):
        row = {"id": number, "text": text}
        yield lambda db, row=row: db.collection(collection_name="t").upsert({"data": [row]})
    found = yield lambda db: db.index(collection_name="t", index_name="i").search_by_multi_modal(
        {"text": "lighthouse night", "limit": 1}
    )
    assert [hit.id for hit in found.result.data] == [2]
    yield lambda db: db.embedding().embedding({"data": [{"text": "boats"}], "dense_model": {"name": "bge-m3"}})
    yield lambda db: db.rerank().rerank(
        {
            "model_name": "doubao-seed-rerank",
            "model_version": "251028",
            "query": [{"text": "boats"}],
            "data": [[{"text": "boats and ships"}], [{"text": "trains"}]],
        }
    )


def refusals() -> Scenario:
    yield from library()
    with pytest.raises(CollectionNotFound):
        yield lambda db: db.collection(collection_name="absent").fetch({"ids": [1]})
    with pytest.raises(IndexNotFound):
        yield lambda db: db.index(**PLACE, index_name="absent").search_by_random()
    with pytest.raises(InvalidParameter):
        yield lambda db: index(db).search_by_vector({"dense_vector": [1, 0]})
    with pytest.raises(InvalidParameter):
        yield lambda db: rows(db).upsert({"data": [{"id": 50, "colour": "red"}]})
    with pytest.raises(InvalidParameter):
        yield lambda db: rows(db).upsert({"data": [{**BOOKS[0], "id": 100 + number} for number in range(101)]})
    with pytest.raises(InvalidRequest):
        yield lambda db: index(db).search_by_vector({"dense_vector": [1, 0, float("nan"), 0]})
    with pytest.raises(InvalidRequest):
        yield lambda db: rows(db).fetch({"ids": [1], "collection_name": "another"})
    with pytest.raises(APIError):
        yield lambda db: db.admin.create_index(**PLACE, index_name="j", vector_index={"index_type": "ivf"})
    found = yield lambda db: index(db).aggregate({"op": "count"})
    assert found.result.total == len(BOOKS)


def tasks() -> Scenario:
    yield from library()
    made = yield lambda db: db.admin.create_task(
        task_type="filter_update",
        **PLACE,
        task_config={"filter_conds": [F("year") < 1970], "update_fields": {"genre": "old"}, "need_confirm": False},
    )
    task_id = made.result.task_id
    yield still(lambda db: db.admin.wait_for_task(task_id=task_id, until="done"))
    found = yield lambda db: index(db).search_by_scalar({"field": "year", "filter": F("genre") == "old"})
    assert {hit.id for hit in found.result.data} == {1, 2}


def listings() -> Scenario:
    for number in range(5):
        yield lambda db, number=number: db.admin.create_collection(collection_name=f"c{number}", fields=FIELDS)
    names = yield lambda db: db.admin.iter_collections()
    assert [each.collection_name for each in names] == [f"c{number}" for number in range(5)]
    yield lambda db: db.admin.list_collections(page_number=2, page_size=2)


ALL = [definitions, changing_rows, searching, hybrid, texts, refusals, tasks, listings]
