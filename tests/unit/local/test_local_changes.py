"""Changing collections and indexes: fields and full text added, indexes widened, rebuilt, switched off and on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.wire import Wire, book
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import F, InvalidParameter, OperationDenied, VikingDB

Refused = tuple[dict[str, Any], str, str]


def act(wire: Wire, action: str, **body: Any) -> Any:
    status, answer = wire.act(action, {"CollectionName": "c", **body})
    assert status == 200, answer
    return answer["Result"]


def added(kind: str, name: str = "more", **about: Any) -> dict[str, Any]:
    return {"Fields": [{"FieldName": name, "FieldType": kind, **about}]}


def picture(wire: Wire) -> Any:
    """Everything there is to see of collection ``c`` and its index ``i``."""
    return (
        act(wire, "GetVikingdbCollection"),
        act(wire, "GetVikingdbIndex", IndexName="i"),
        wire.result("data/fetch_in_collection", ids=["a"]),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (added("int64"), 0),
        (added("int64", DefaultValue=7), 7),
        (added("string"), "default"),
        (added("float32", DefaultValue=0.1), 0.1),
        (added("list<string>"), ["default"]),
        (added("date_time", DefaultValue="2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z"),
    ],
)
def test_rows_that_are_there_get_an_added_fields_default(books: Wire, field: Any, value: Any) -> None:
    books.result("data/upsert", data=[book("a")])
    books.result("data/search/random")  # the arrays exist, so they have to follow
    act(books, "UpdateVikingdbCollection", **field)
    assert books.result("data/fetch_in_collection", ids=["a"])["fetch"][0]["fields"]["more"] == value
    assert books.result("data/search/random")["data"][0]["fields"]["more"] == value
    fields = act(books, "GetVikingdbCollection")["Fields"]
    assert fields[-1]["FieldName"] == "more"
    books.result("data/upsert", data=[book("b", more=value)])


def test_an_added_field_can_be_filtered_by_once_the_index_covers_it(books: Wire) -> None:
    books.result("data/upsert", data=[book("a")])
    act(books, "UpdateVikingdbCollection", **added("int64", DefaultValue=7))
    condition = {"op": "must", "field": "more", "conds": [7]}
    assert "no scalar index" in books.refusal("data/search/random", filter=condition)[2]
    act(books, "UpdateVikingdbIndex", IndexName="i", ScalarIndex=["more"])
    assert [hit["id"] for hit in books.result("data/search/random", filter=condition)["data"]] == ["a"]
    covered = [field["FieldName"] for field in act(books, "GetVikingdbIndex", IndexName="i")["ScalarIndex"]]
    assert covered == ["id", "year", "price", "genre", "sold", "tags", "pages", "more"]


def test_an_added_field_without_a_default_is_absent_from_rows_that_are_there(books: Wire) -> None:
    books.result("data/upsert", data=[book("a")])
    act(books, "UpdateVikingdbCollection", **added("geo_point"))
    act(books, "UpdateVikingdbIndex", IndexName="i", ScalarIndex=["more"])
    near = {"op": "geo_range", "field": "more", "center": "1,1", "radius": "10m"}
    assert books.result("data/search/random", filter=near)["data"] == []
    assert "has no default" in books.refusal("data/upsert", data=[book("b")])[2]
    books.result("data/update", data=[{"id": "a", "more": "1,1"}])
    assert [hit["id"] for hit in books.result("data/search/random", filter=near)["data"]] == ["a"]


def test_full_text_can_be_added_to_rows_that_are_there(wire: Wire) -> None:
    fields = [{"FieldName": "id", "FieldType": "string", "IsPrimaryKey": True}, {"FieldName": "t", "FieldType": "text"}]
    wire.make({"Fields": fields}, {})
    wire.result("data/upsert", data=[{"id": "a", "t": "a lazy dog"}])
    assert "no words" in wire.refusal("data/search/keywords", query="dog")[2]
    act(wire, "UpdateVikingdbCollection", FullText=[{"Field": "t"}])
    assert [hit["id"] for hit in wire.result("data/search/keywords", query="dog")["data"]] == ["a"]
    act(wire, "UpdateVikingdbCollection", FullText=[{"Field": "t"}])  # as it is: no matter
    assert act(wire, "GetVikingdbCollection")["FullText"] == [{"Field": "t"}]


def test_what_is_said_about_a_collection_can_be_changed(client: VikingDB, books: Wire) -> None:
    client.admin.update_collection(collection_name="c", description="better", del_protection=True)
    about = client.admin.get_collection(collection_name="c").result
    assert (about.description, about.del_protection) == ("better", True)
    client.admin.delete_index(collection_name="c", index_name="i")
    with pytest.raises(OperationDenied, match="DelProtection"):
        client.admin.delete_collection(collection_name="c")
    client.admin.update_collection(collection_name="c", del_protection=False)
    client.admin.delete_collection(collection_name="c")


REFUSED_COLLECTIONS: list[Refused] = [
    ({}, "MissingParameter", "Description, Fields, FullText"),
    (added("int64", "year"), "InvalidParameter", "exists already"),
    (added("int64", "id"), "InvalidParameter", "exists already"),
    (added("int64", IsPrimaryKey=True), "InvalidParameter", "primary key"),
    (added("vector", Dim=4), "InvalidParameter", "cannot be added"),
    *((added(kind), "InvalidParameter", "cannot be added") for kind in ("text", "image", "video", "sparse_vector")),
    (added("int46"), "InvalidParameter", "Did you mean 'int64'"),
    (added("int64", "a b"), "InvalidParameter", "FieldName"),
    (added("int64", DefaultValue="x"), "InvalidParameter", "takes an integer"),
    ({"Fields": [{"FieldName": f"f{n}", "FieldType": "int64"} for n in range(200)]}, "InvalidParameter", "200 at most"),
    ({"FullText": [{"Field": "nowhere"}]}, "InvalidParameter", "no field"),
    ({"FullText": [{"Field": "genre"}]}, "InvalidParameter", "must be text"),
    ({"FullText": [{"Field": "title", "Analyzer": {"Tokenizer": "zh"}}]}, "InvalidParameter", "cannot be changed"),
    ({"Description": "d" * 65536}, "InvalidParameter", "65535"),
    ({"Vectorize": {"Dense": {"ModelName": "bge-m3"}}}, "InvalidParameter", "Vectorize"),
]
REFUSED_INDEXES: list[Refused] = [
    ({}, "MissingParameter", "whatever is to change"),
    ({"ScalarIndex": ["nowhere"]}, "InvalidParameter", "no field"),
    ({"ScalarIndex": ["title"]}, "InvalidParameter", "cannot have a scalar index"),
    ({"VectorIndex": {"IndexType": "hnsw_hybrid"}}, "InvalidParameter", "hnsw_hybrid"),
    ({"VectorIndex": {"Quant": "pq"}}, "InvalidParameter", "pq"),
    ({"VectorIndex": {"IndexType": "tree"}}, "InvalidParameter", "none of"),
    ({"CpuQuota": 0}, "InvalidParameter", "CpuQuota"),
    ({"ShardCount": 2}, "InvalidParameter", "custom"),
    ({"ShardPolicy": "custom", "ShardCount": 257}, "InvalidParameter", "256"),
    ({"Description": "d" * 65536}, "InvalidParameter", "65535"),
]


@pytest.mark.parametrize(("body", "code", "says"), REFUSED_COLLECTIONS)
def test_what_a_collection_cannot_become_is_refused_and_changes_nothing(
    books: Wire, body: dict[str, Any], code: str, says: str
) -> None:
    books.result("data/upsert", data=[book("a")])
    before = picture(books)
    status, answer = books.act("UpdateVikingdbCollection", {"CollectionName": "c", **body})
    error = answer["ResponseMetadata"]["Error"]
    assert (status, error["Code"]) == (400, code), error
    assert says in error["Message"]
    assert picture(books) == before


@pytest.mark.parametrize(("body", "code", "says"), REFUSED_INDEXES)
def test_what_an_index_cannot_become_is_refused_and_changes_nothing(
    books: Wire, body: dict[str, Any], code: str, says: str
) -> None:
    books.result("data/upsert", data=[book("a")])
    before = picture(books)
    status, answer = books.act("UpdateVikingdbIndex", {"CollectionName": "c", "IndexName": "i", **body})
    error = answer["ResponseMetadata"]["Error"]
    assert (status, error["Code"]) == (400, code), error
    assert says in error["Message"]
    assert picture(books) == before


def test_an_index_can_become_of_another_kind(books: Wire) -> None:
    books.result("data/upsert", data=[book("a", [3, 4, 0, 0])])
    act(books, "UpdateVikingdbIndex", IndexName="i", VectorIndex={"IndexType": "hnsw"})
    about = act(books, "GetVikingdbIndex", IndexName="i")["VectorIndex"]
    assert about == {"IndexType": "hnsw", "Distance": "ip", "Quant": "int8"}
    act(books, "UpdateVikingdbIndex", IndexName="i", VectorIndex={"HnswM": 16, "Quant": "float"})
    act(books, "UpdateVikingdbIndex", IndexName="i", VectorIndex={"HnswSef": 80})
    about = act(books, "GetVikingdbIndex", IndexName="i")["VectorIndex"]
    assert about == {"IndexType": "hnsw", "Distance": "ip", "Quant": "float", "HnswM": 16, "HnswSef": 80}
    assert books.result("data/search/vector", dense_vector=[1, 0, 0, 0])["data"][0]["score"] == 3
    act(books, "UpdateVikingdbIndex", IndexName="i", VectorIndex={"Distance": "cosine"})
    assert books.result("data/search/vector", dense_vector=[1, 0, 0, 0])["data"][0]["score"] == pytest.approx(0.6)


def test_what_is_said_about_an_index_can_be_changed(client: VikingDB, books: Wire) -> None:
    client.admin.update_index(
        collection_name="c",
        index_name="i",
        description="wide",
        cpu_quota=3,
        shard_policy="custom",
        shard_count=2,
        del_protection=True,
    )
    about = client.admin.get_index(collection_name="c", index_name="i").result
    assert (about.description, about.cpu_quota, about.shard_policy, about.shard_count) == ("wide", 3, "custom", 2)
    with pytest.raises(OperationDenied, match="DelProtection"):
        client.admin.delete_index(collection_name="c", index_name="i")


def test_a_disabled_index_answers_nothing_until_it_is_enabled(client: VikingDB, books: Wire) -> None:
    books.result("data/upsert", data=[book("a")])
    client.admin.disable_index(collection_name="c", index_name="i")
    client.admin.disable_index(collection_name="c", index_name="i")
    assert client.admin.get_index(collection_name="c", index_name="i").result.status == "DISABLED"
    assert [index.index_name for index in client.admin.iter_indexes(filter={"Status": ["DISABLED"]})] == ["i"]
    index = client.index(collection_name="c", index_name="i")
    for search in (
        lambda: index.search_by_random(),
        lambda: index.search_by_vector({"dense_vector": [1, 0, 0, 0]}),
        lambda: index.fetch({"ids": ["a"]}),
        lambda: index.aggregate({"op": "count"}),
        lambda: index.sort({"ids": ["a"], "query_vector": [1, 0, 0, 0]}),
    ):
        with pytest.raises(OperationDenied, match="disabled") as caught:
            search()
        assert (caught.value.code, caught.value.status_code) == ("OperationDenied.VikingdbIndex", 400)
    books.result("data/upsert", data=[book("b")])
    client.admin.enable_index(collection_name="c", index_name="i")
    assert index.aggregate({"op": "count"}).result.total == 2


def test_changes_are_there_after_reopening(tmp_path: Path) -> None:
    endpoint = f"local://{(tmp_path / 'kept').as_posix()}?embedder=hash-v1"
    with VikingDB(endpoint=endpoint) as client:
        wire = Wire(LocalTransport(Endpoint.parse(endpoint), TransportSettings()), Endpoint.parse(endpoint))
        wire.make({"Fields": [{"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}]}, {})
        wire.result("data/upsert", data=[{"id": 1}])
        client.admin.update_collection(
            collection_name="c", fields=[{"field_name": "more", "field_type": "int64"}], description="changed"
        )
        client.admin.update_index(collection_name="c", index_name="i", scalar_index=["more"])
        client.admin.disable_index(collection_name="c", index_name="i")
        wire.transport.close()
    with VikingDB(endpoint=endpoint) as client:
        assert client.admin.get_collection(collection_name="c").result.description == "changed"
        assert client.admin.get_index(collection_name="c", index_name="i").result.status == "DISABLED"
        client.admin.enable_index(collection_name="c", index_name="i")
        found = client.index(collection_name="c", index_name="i").search_by_random({"filter": F("more") == 0})
        assert found.result.data[0].fields == {"id": 1, "more": 0}


def test_a_field_added_while_rows_are_being_checked_is_not_missing_from_them(
    client: VikingDB, books: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vikingdb_local.handlers import rows

    read_all_new, seen = rows.read_all_new, []

    def overtaken(*arguments: Any) -> Any:
        read = read_all_new(*arguments)
        if not seen:
            seen.append(read)
            client.admin.update_collection(
                collection_name="c", fields=[{"field_name": "more", "field_type": "int64", "default_value": 7}]
            )
        return read

    monkeypatch.setattr(rows, "read_all_new", overtaken)
    books.result("data/upsert", data=[book("a")])
    assert seen
    assert books.result("data/fetch_in_collection", ids=["a"])["fetch"][0]["fields"]["more"] == 7


def test_a_client_hears_what_cannot_be_changed_as_its_own_exception(client: VikingDB, books: Wire) -> None:
    with pytest.raises(InvalidParameter, match="exists already"):
        client.admin.update_collection(collection_name="c", fields=[{"field_name": "year", "field_type": "string"}])
