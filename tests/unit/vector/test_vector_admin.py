"""The control plane: three forms of a request, pages, and results in Python names."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

import pytest

from tests.unit.vector.fakes import AsyncFakeTransport, FakeTransport, page, reply
from vikingdb_core.exceptions import APIError, InvalidRequest, ServerError
from vikingdb_core.request_options import RequestOptions
from vikingdb_vector import models as m
from vikingdb_vector.admin.arguments import PAGE_SIZE
from vikingdb_vector.client import AsyncVikingDB, VikingDB

FIELDS = [
    {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
    {"FieldName": "mood", "FieldType": "vector", "Dim": 4},
]
BOOKS = {"CollectionName": "books", "Fields": FIELDS}
INDEX = {"CollectionName": "books", "IndexName": "by_mood", "VectorIndex": {"IndexType": "flat", "Distance": "ip"}}


@pytest.mark.parametrize(
    "form",
    [
        lambda admin: admin.create_collection(collection_name="books", fields=FIELDS),
        lambda admin: admin.create_collection(
            collection_name="books",
            fields=[
                {"field_name": "id", "field_type": "int64", "is_primary_key": True},
                m.CollectionField(field_name="mood", field_type=m.FieldType.VECTOR, dim=4),
            ],
        ),
        lambda admin: admin.create_collection({"collection_name": "books", "fields": FIELDS}),
        lambda admin: admin.create_collection(BOOKS),
        lambda admin: admin.create_collection(request=BOOKS),
        lambda admin: admin.create_collection(m.CreateCollectionRequest(collection_name="books", fields=FIELDS)),
        lambda admin: admin.create_collection(m.CreateCollectionRequest(**BOOKS)),
        lambda admin: admin.create_collection(m.CreateCollectionRequest(**BOOKS), collection_name=None),
    ],
)
def test_a_collection_is_created_by_keywords_model_or_mapping(form: Any, wire: FakeTransport, client: VikingDB) -> None:
    form(client.admin)
    assert wire.body == BOOKS


@pytest.mark.parametrize(
    "form",
    [
        lambda admin: admin.create_index(
            collection_name="books", index_name="by_mood", vector_index={"index_type": "flat", "distance": "ip"}
        ),
        lambda admin: admin.create_index(
            collection_name="books",
            index_name="by_mood",
            vector_index=m.VectorIndex(index_type=m.IndexType.FLAT, distance=m.Distance.IP),
        ),
        lambda admin: admin.create_index(INDEX),
        lambda admin: admin.create_index(m.CreateIndexRequest(**INDEX)),
    ],
)
def test_an_index_is_created_by_keywords_model_or_mapping(form: Any, wire: FakeTransport, client: VikingDB) -> None:
    form(client.admin)
    assert wire.body == INDEX


METHODS = {
    "create_collection": ({"CollectionName": "a"}, {"collection_name": "b"}),
    "get_collection": ({"CollectionName": "a"}, {"collection_name": "b"}),
    "list_collections": ({"PageNumber": 1}, {"page_size": 5}),
    "delete_collection": ({"CollectionName": "a"}, {"project_name": "b"}),
    "create_index": ({"CollectionName": "a", "IndexName": "i"}, {"cpu_quota": 2}),
    "get_index": ({"CollectionName": "a", "IndexName": "i"}, {"index_name": "i"}),
    "list_indexes": ({}, {"filter": {}}),
    "delete_index": ({"CollectionName": "a", "IndexName": "i"}, {"resource_id": "vdb-1"}),
}


@pytest.mark.parametrize(("method", "request_", "named"), [(name, *both) for name, both in METHODS.items()])
def test_a_request_and_keywords_do_not_go_together(
    method: str, request_: dict[str, Any], named: dict[str, Any], wire: FakeTransport, client: VikingDB
) -> None:
    with pytest.raises(InvalidRequest, match=rf"not both \(a request and {next(iter(named))}\)"):
        getattr(client.admin, method)(request_, **named)
    assert wire.requests == []


@pytest.mark.parametrize(
    ("method", "named", "says"),
    [
        ("create_collection", {}, "CollectionName"),
        ("create_collection", {"collection_name": 5}, "collection_name"),
        (
            "create_collection",
            {"collection_name": "c", "fields": [{"FieldType": "int64"}]},
            r"fields\[0\]: .*FieldName",
        ),
        ("create_collection", {"collection_name": "c", "fields": {"id": "int64"}}, "fields"),
        ("create_index", {"collection_name": "c"}, "IndexName"),
        ("create_index", {"collection_name": "c", "index_name": "i", "cpu_quota": "many"}, "cpu_quota"),
        ("get_index", {"collection_name": "c"}, "IndexName"),
        ("list_collections", {"page_number": "first"}, "page_number"),
        ("list_collections", {"filter": "books"}, "filter"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_sent(
    method: str, named: dict[str, Any], says: str, wire: FakeTransport, client: VikingDB
) -> None:
    with pytest.raises(InvalidRequest, match=says):
        getattr(client.admin, method)(**named)
    assert wire.requests == []


def test_what_is_empty_zero_or_false_is_sent(wire: FakeTransport, client: VikingDB) -> None:
    client.admin.create_index(
        collection_name="c", index_name="i", scalar_index=[], description="", del_protection=False
    )
    client.admin.create_collection(collection_name="c", fields=(), tags=[], full_text=[])
    assert wire.bodies == [
        {"CollectionName": "c", "IndexName": "i", "ScalarIndex": [], "Description": "", "DelProtection": False},
        {"CollectionName": "c", "Fields": [], "Tags": [], "FullText": []},
    ]


def test_values_of_enums_and_texts_are_the_same(wire: FakeTransport, client: VikingDB) -> None:
    for kind in (m.IndexType.HNSW, "hnsw", "an index type of the future"):
        client.admin.create_index(collection_name="c", index_name="i", vector_index={"index_type": kind})
    types = [body["VectorIndex"]["IndexType"] for body in wire.bodies]
    assert types == ["hnsw", "hnsw", "an index type of the future"]


def test_a_collection_is_described_in_python_names(wire: FakeTransport, client: VikingDB) -> None:
    wire.answers.append(
        reply(
            body={
                "ResponseMetadata": {"RequestId": "r-1", "Action": "GetVikingdbCollection"},
                "Result": {
                    **BOOKS,
                    "ResourceId": "vdb-1",
                    "Tags": None,
                    "IndexNames": None,
                    "CollectionStats": {"DataCount": 3, "DataStorage": "1.5"},
                    "FullText": [{"Field": "title", "Analyzer": {"Tokenizer": "zh"}}],
                    "PrimaryKey": "id",
                },
            }
        )
    )
    response = client.admin.get_collection(collection_name="books")
    found = response.result
    assert (response.request_id, found.collection_name, found.resource_id) == ("r-1", "books", "vdb-1")
    assert [(field.field_name, field.field_type, field.dim) for field in found.fields] == [
        ("id", "int64", None),
        ("mood", "vector", 4),
    ]
    assert (found.tags, found.index_names) == ([], [])
    assert found.collection_stats is not None
    assert found.collection_stats.data_count == 3
    assert found.full_text[0].analyzer == m.Analyzer(tokenizer="zh")
    assert found.model_extra == {"PrimaryKey": "id"}


def test_what_a_description_says_of_fields_can_be_sent_back(wire: FakeTransport, client: VikingDB) -> None:
    wire.answers.append(reply(body={"ResponseMetadata": {}, "Result": BOOKS}))
    fields = client.admin.get_collection(collection_name="books").result.fields
    client.admin.create_collection(collection_name="books", fields=fields)
    assert wire.bodies[1] == BOOKS


def test_an_index_is_described_in_python_names(wire: FakeTransport, client: VikingDB) -> None:
    result = {
        **INDEX,
        "Status": "READY",
        "ActualCU": 2,
        "ScalarIndex": [{"FieldName": "price", "FieldType": "float32"}],
    }
    wire.answers.append(reply(body={"ResponseMetadata": {}, "Result": result}))
    found = client.admin.get_index(collection_name="books", index_name="by_mood").result
    assert (found.status, found.actual_cu, found.scalar_index[0].field_name) == ("READY", 2, "price")
    assert found.vector_index is not None
    assert (found.vector_index.index_type, found.vector_index.quant) == ("flat", None)


@pytest.mark.parametrize("result", [None, {}, {"Message": "success"}])
def test_a_deletion_may_say_nothing(result: Any, wire: FakeTransport, client: VikingDB) -> None:
    wire.answers.append(reply(body={"ResponseMetadata": {"RequestId": "r"}, "Result": result}))
    response = client.admin.delete_collection(collection_name="books")
    assert response.result.message == (result or {}).get("Message")


LISTINGS = [
    ("iter_collections", "Collections", "CollectionName", "collection_name"),
    ("iter_indexes", "Indexes", "IndexName", "index_name"),
]
SIZES = [[0], [1], [PAGE_SIZE - 1], [PAGE_SIZE, 0], [PAGE_SIZE, 1], [PAGE_SIZE, PAGE_SIZE, 7]]
each_listing = pytest.mark.parametrize(("method", "key", "wire_name", "attribute"), LISTINGS)


def pages(sizes: list[int], key: str, name: str) -> list[Any]:
    numbers = iter(range(10_000))
    return [page([{name: f"n{next(numbers)}"} for _ in range(size)], key) for size in sizes]


@each_listing
@pytest.mark.parametrize("sizes", SIZES)
def test_a_listing_is_read_page_after_page(
    sizes: list[int], method: str, key: str, wire_name: str, attribute: str, wire: FakeTransport, client: VikingDB
) -> None:
    wire.answers += pages(sizes, key, wire_name)
    named = {"project_name": "shop", "filter": {}}
    found = [getattr(item, attribute) for item in getattr(client.admin, method)(**named)]
    assert found == [f"n{number}" for number in range(sum(sizes))]
    assert wire.bodies == [
        {"ProjectName": "shop", "Filter": {}, "PageNumber": number, "PageSize": 100}
        for number in range(1, len(sizes) + 1)
    ]


@each_listing
@pytest.mark.parametrize("sizes", SIZES)
def test_a_listing_is_read_page_after_page_asynchronously(
    sizes: list[int],
    method: str,
    key: str,
    wire_name: str,
    attribute: str,
    async_wire: AsyncFakeTransport,
    async_client: AsyncVikingDB,
) -> None:
    async_wire.wire.answers += pages(sizes, key, wire_name)

    async def collect() -> list[str]:
        return [getattr(item, attribute) async for item in getattr(async_client.admin, method)()]

    assert asyncio.run(collect()) == [f"n{number}" for number in range(sum(sizes))]
    assert [body["PageNumber"] for body in async_wire.wire.bodies] == list(range(1, len(sizes) + 1))


@each_listing
def test_the_total_says_when_a_listing_ends_though_a_page_be_short(
    method: str, key: str, wire_name: str, attribute: str, wire: FakeTransport, client: VikingDB
) -> None:
    for names in (["a", "b"], ["c"], []):
        result = {key: [{wire_name: name} for name in names], "TotalCount": 3}
        wire.answers.append(reply(body={"ResponseMetadata": {}, "Result": result}))
    assert [getattr(item, attribute) for item in getattr(client.admin, method)()] == ["a", "b", "c"]
    assert len(wire.requests) == 2


@each_listing
def test_a_listing_whose_total_is_never_reached_ends_with_an_empty_page(
    method: str, key: str, wire_name: str, attribute: str, wire: FakeTransport, client: VikingDB
) -> None:
    for names in (["a"], []):
        result = {key: [{wire_name: name} for name in names], "TotalCount": 9}
        wire.answers.append(reply(body={"ResponseMetadata": {}, "Result": result}))
    assert len(list(getattr(client.admin, method)())) == 1


@each_listing
def test_pages_are_read_as_their_items_are_asked_for(
    method: str, key: str, wire_name: str, attribute: str, wire: FakeTransport, client: VikingDB
) -> None:
    wire.answers += pages([PAGE_SIZE, PAGE_SIZE], key, wire_name)
    items = getattr(client.admin, method)()
    assert wire.requests == []
    for _ in range(PAGE_SIZE):
        next(items)
    assert len(wire.requests) == 1
    next(items)
    assert len(wire.requests) == 2


def test_an_error_in_the_middle_of_a_listing_ends_it(wire: FakeTransport, client: VikingDB) -> None:
    wire.answers += [*pages([PAGE_SIZE], "Collections", "CollectionName"), *[reply(500, b"")] * 3]
    items = client.admin.iter_collections()
    assert sum(1 for _ in islice(items, PAGE_SIZE)) == PAGE_SIZE
    with pytest.raises(ServerError):
        next(items)
    assert list(items) == []


def test_options_go_with_every_page(wire: FakeTransport, client: VikingDB) -> None:
    wire.answers += pages([PAGE_SIZE, 1], "Collections", "CollectionName")
    list(client.admin.iter_collections(request_options=RequestOptions(request_id="my-id")))
    assert [request.headers["X-Tt-Logid"] for request in wire.requests] == ["my-id", "my-id"]


def test_creating_and_deleting_are_sent_once_when_their_fate_is_unknown(wire: FakeTransport, client: VikingDB) -> None:
    for call in (
        lambda: client.admin.create_collection(BOOKS),
        lambda: client.admin.create_index(INDEX),
        lambda: client.admin.delete_collection(collection_name="books"),
        lambda: client.admin.delete_index(collection_name="books", index_name="by_mood"),
    ):
        wire.answers.append(reply(500, b""))
        before = len(wire.requests)
        with pytest.raises(APIError):
            call()
        assert len(wire.requests) == before + 1


def test_the_handle_on_the_control_plane_is_made_once(client: VikingDB, async_client: AsyncVikingDB) -> None:
    assert client.admin is client.admin
    assert async_client.admin is async_client.admin
