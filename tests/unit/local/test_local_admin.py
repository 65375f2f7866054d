"""Collections and indexes: what may be created, how it is described, listed and deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.local.wire import Clock, Wire, book
from vikingdb_vector import (
    CollectionAlreadyExists,
    CollectionNotFound,
    IndexAlreadyExists,
    IndexNotFound,
    OperationDenied,
    VikingDB,
)

KEY = {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}
TEXT = {"FieldName": "text", "FieldType": "text"}
VECTOR = {"FieldName": "vec", "FieldType": "vector", "Dim": 4}
DENSE = {"ModelName": "bge-m3", "TextField": "text"}
FLAT = {"IndexType": "flat", "Distance": "ip", "Quant": "float"}


def error_of(answer: Any) -> tuple[str, str]:
    error = answer["ResponseMetadata"]["Error"]
    return error["Code"], error["Message"]


REFUSED_COLLECTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"CollectionName": "1c", "Fields": [KEY]}, "InvalidParameter", "a letter first"),
    ({"CollectionName": "", "Fields": [KEY]}, "InvalidParameter", "CollectionName"),
    ({"CollectionName": "a-b", "Fields": [KEY]}, "InvalidParameter", "letters, digits and underscores"),
    ({"CollectionName": "é", "Fields": [KEY]}, "InvalidParameter", "letters"),
    ({"CollectionName": "c" * 129, "Fields": [KEY]}, "InvalidParameter", "128"),
    ({"CollectionName": "c\n", "Fields": [KEY]}, "InvalidParameter", "letters"),
    ({"CollectionName": 7, "Fields": [KEY]}, "InvalidParameter", "CollectionName"),
    ({"Fields": [KEY]}, "MissingParameter", "CollectionName"),
    ({"CollectionName": "x"}, "MissingParameter", "Fields"),
    ({"CollectionName": "x", "Fields": []}, "MissingParameter", "Fields"),
    ({"CollectionName": "x", "Fields": [KEY], "Description": "d" * 65536}, "InvalidParameter", "65535"),
    ({"CollectionName": "x", "Fields": [KEY], "Feilds": [KEY]}, "InvalidParameter", "Did you mean 'Fields'"),
    (
        {"CollectionName": "x", "Fields": [{"FieldName": f"f{n}", "FieldType": "int64"} for n in range(201)]},
        "InvalidParameter",
        "200",
    ),
]
REFUSED_FIELDS: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"FieldName": "a b", "FieldType": "int64"}], "InvalidParameter", "FieldName"),
    ([{"FieldName": "__AUTO_ID__", "FieldType": "int64"}], "InvalidParameter", "FieldName"),
    ([{"FieldName": "a", "FieldType": "int46"}], "InvalidParameter", "Did you mean 'int64'"),
    ([{"FieldName": "a", "FieldType": "path"}], "InvalidParameter", "path"),
    ([{"FieldName": "a"}], "InvalidParameter", "FieldType"),
    ([{"FieldName": "a", "FieldType": "int64", "isPrimaryKey": True}], "InvalidParameter", "IsPrimaryKey"),
    ([KEY, KEY], "InvalidParameter", "two fields named 'id'"),
    ([KEY, {**KEY, "FieldName": "id2"}], "InvalidParameter", "one at most"),
    ([{**KEY, "FieldType": "float32"}], "InvalidParameter", "int64 or string"),
    ([{**KEY, "DefaultValue": 5}], "InvalidParameter", "no DefaultValue"),
    ([VECTOR, {**VECTOR, "FieldName": "vec2"}], "InvalidParameter", "one at most"),
    ([{"FieldName": "v", "FieldType": "vector"}], "MissingParameter", "Dim"),
    *(([{**VECTOR, "Dim": dim}], "InvalidParameter", "multiple of 4") for dim in (-4, 2, 5, 4100)),
    ([{**VECTOR, "DefaultValue": [0, 0, 0, 0]}], "InvalidParameter", "no DefaultValue"),
    ([{**TEXT, "DefaultValue": "x"}], "InvalidParameter", "no DefaultValue"),
    ([{"FieldName": "a", "FieldType": "int64", "Dim": 4}], "InvalidParameter", "Dim"),
    ([{"FieldName": "a", "FieldType": "int64", "DefaultValue": "x"}], "InvalidParameter", "takes an integer"),
    ([{"FieldName": "a", "FieldType": "bool", "DefaultValue": 1}], "InvalidParameter", "true or false"),
]
REFUSED_VECTORIZE: list[tuple[dict[str, Any], list[dict[str, Any]], str, str]] = [
    ({"Dense": DENSE}, [KEY, TEXT, VECTOR], "InvalidParameter", "exclude each other"),
    ({"Dense": {"ModelName": "bge-m3"}}, [KEY, TEXT], "MissingParameter", "TextField"),
    ({"Dense": {**DENSE, "TextField": "txt"}}, [KEY, TEXT], "InvalidParameter", "Did you mean 'text'"),
    ({"Dense": {**DENSE, "TextField": "id"}}, [KEY, TEXT], "InvalidParameter", "must be text"),
    ({"Dense": {**DENSE, "ModelName": "bge-m4"}}, [KEY, TEXT], "InvalidParameter", "Did you mean 'bge-m3'"),
    ({"Dense": {**DENSE, "Dim": 512}}, [KEY, TEXT], "InvalidParameter", "1024"),
    ({"Dense": {**DENSE, "ModelVersion": "2"}}, [KEY, TEXT], "InvalidParameter", "no version '2'"),
    ({"Dense": {**DENSE, "ModelName": "doubao-embedding"}}, [KEY, TEXT], "MissingParameter", "240715"),
    ({"Dense": {"TextField": "text"}}, [KEY, TEXT], "InvalidParameter", "ModelName"),
]
REFUSED_FULL_TEXT: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"Field": "txt"}], "InvalidParameter", "Did you mean 'text'"),
    ([{"Field": "id"}], "InvalidParameter", "must be text"),
    ([{"Field": "text"}, {"Field": "text"}], "InvalidParameter", "twice"),
    ([{"Field": "text"}] * 3, "InvalidParameter", "2 at most"),
    ([{"Field": "text", "Analyzer": {"Tokenizer": "jieba"}}], "InvalidParameter", "standard, zh, whitespace"),
]


@pytest.mark.parametrize(("body", "code", "says"), REFUSED_COLLECTIONS)
def test_an_impossible_collection_is_refused(wire: Wire, body: dict[str, Any], code: str, says: str) -> None:
    status, answer = wire.act("CreateVikingdbCollection", body)
    found, message = error_of(answer)
    assert (status, found) == (400, code), message
    assert says in message


@pytest.mark.parametrize(("fields", "code", "says"), REFUSED_FIELDS)
def test_an_impossible_field_is_refused(wire: Wire, fields: list[dict[str, Any]], code: str, says: str) -> None:
    status, answer = wire.act("CreateVikingdbCollection", {"CollectionName": "x", "Fields": fields})
    found, message = error_of(answer)
    assert (status, found) == (400, code), message
    assert says in message
    assert wire.act("ListVikingdbCollection", {})[1]["Result"]["TotalCount"] == 0


@pytest.mark.parametrize(("vectorize", "fields", "code", "says"), REFUSED_VECTORIZE)
def test_impossible_vectorisation_is_refused(
    wire: Wire, vectorize: dict[str, Any], fields: list[dict[str, Any]], code: str, says: str
) -> None:
    body = {"CollectionName": "x", "Fields": fields, "Vectorize": vectorize}
    status, answer = wire.act("CreateVikingdbCollection", body)
    found, message = error_of(answer)
    assert (status, found) == (400, code), message
    assert says in message


@pytest.mark.parametrize(("full_text", "code", "says"), REFUSED_FULL_TEXT)
def test_impossible_full_text_is_refused(wire: Wire, full_text: list[dict[str, Any]], code: str, says: str) -> None:
    body = {"CollectionName": "x", "Fields": [KEY, TEXT], "FullText": full_text}
    status, answer = wire.act("CreateVikingdbCollection", body)
    found, message = error_of(answer)
    assert (status, found) == (400, code), message
    assert says in message


REFUSED_INDEXES: list[tuple[dict[str, Any], str, str]] = [
    ({"IndexName": "1"}, "InvalidParameter", "IndexName"),
    ({}, "MissingParameter", "IndexName"),
    ({"IndexName": "x", "VectorIndex": None}, "MissingParameter", "VectorIndex"),
    ({"IndexName": "x", "VectorIndex": {"IndexType": "hnws"}}, "InvalidParameter", "Did you mean 'hnsw'"),
    ({"IndexName": "x", "VectorIndex": {"Distance": "L2"}}, "InvalidParameter", "ip, cosine, l2"),
    (
        {"IndexName": "x", "VectorIndex": {"IndexType": "hnsw", "Distance": "l2", "Quant": "int8"}},
        "InvalidParameter",
        "int8",
    ),
    ({"IndexName": "x", "VectorIndex": {"IndexType": "flat", "Quant": "pq"}}, "InvalidParameter", "pq"),
    ({"IndexName": "x", "VectorIndex": {"IndexType": "diskann", "Quant": "int8"}}, "InvalidParameter", "int8"),
    ({"IndexName": "x", "VectorIndex": {"IndexType": "hnsw", "HnswM": 0}}, "InvalidParameter", "HnswM"),
    ({"IndexName": "x", "VectorIndex": {"IndexType": "diskann", "PqCodeRatio": 0.3}}, "InvalidParameter", "0.25"),
    ({"IndexName": "x", "VectorIndex": {"IndexType": "diskann", "CacheRatio": 0.3}}, "InvalidParameter", "0.3"),
    ({"IndexName": "x", "ScalarIndex": ["idd"]}, "InvalidParameter", "Did you mean 'id'"),
    ({"IndexName": "x", "ScalarIndex": ["vec"]}, "InvalidParameter", "cannot have a scalar index"),
    ({"IndexName": "x", "ScalarIndex": ["title"]}, "InvalidParameter", "cannot have a scalar index"),
    ({"IndexName": "x", "CpuQuota": 0}, "InvalidParameter", "CpuQuota"),
    ({"IndexName": "x", "ShardPolicy": "some"}, "InvalidParameter", "ShardPolicy"),
    ({"IndexName": "x", "ShardCount": 2}, "InvalidParameter", "custom"),
    ({"IndexName": "x", "ShardPolicy": "custom", "ShardCount": 257}, "InvalidParameter", "256"),
]


@pytest.mark.parametrize(("body", "code", "says"), REFUSED_INDEXES)
def test_an_impossible_index_is_refused(books: Wire, body: dict[str, Any], code: str, says: str) -> None:
    status, answer = books.act("CreateVikingdbIndex", {"CollectionName": "c", "VectorIndex": FLAT, **body})
    found, message = error_of(answer)
    assert (status, found) == (400, code), message
    assert says in message


def test_a_collection_is_described_in_the_services_words(books: Wire, clock: Clock) -> None:
    books.result("data/upsert", data=[book("a"), book("b")], ttl=60)
    result = books.act("GetVikingdbCollection", {"CollectionName": "c"})[1]["Result"]
    assert result["CollectionName"] == "c"
    assert re.fullmatch("vdb-[0-9a-f]{16}", result["ResourceId"])
    assert result["ProjectName"] == "default"
    assert {"FieldName": "price", "FieldType": "float32", "DefaultValue": 1.5} in result["Fields"]
    assert result["FullText"] == [{"Field": "title"}]
    assert result["EnableKeywordsSearch"] is True
    assert (result["IndexCount"], result["IndexNames"]) == (1, ["i"])
    assert result["CollectionStats"]["DataCount"] == 2
    assert result["CollectionStats"]["DataStorage"] > 0
    assert result["CreateTime"] == "2026-09-21 14:13:20"
    clock.seconds += 61
    result = books.act("GetVikingdbCollection", {"CollectionName": "c"})[1]["Result"]
    assert result["CollectionStats"] == {"DataCount": 0, "DataStorage": 0}


def test_an_index_is_ready_at_once_and_described_with_its_defaults(books: Wire) -> None:
    books.act(
        "CreateVikingdbIndex", {"CollectionName": "c", "IndexName": "j", "VectorIndex": {}, "ScalarIndex": ["year"]}
    )
    result = books.act("GetVikingdbIndex", {"CollectionName": "c", "IndexName": "j"})[1]["Result"]
    assert result["Status"] == "READY"
    assert result["VectorIndex"] == {"IndexType": "hnsw", "Distance": "ip", "Quant": "int8"}
    assert result["ScalarIndex"] == [
        {"FieldName": "year", "FieldType": "int64", "IsPrimaryKey": False, "DefaultValue": 0}
    ]
    assert (result["ShardPolicy"], result["ShardCount"], result["CpuQuota"]) == ("auto", 1, 1)


def test_without_a_word_on_scalars_every_eligible_field_is_indexed(books: Wire) -> None:
    result = books.act("GetVikingdbIndex", {"CollectionName": "c", "IndexName": "i"})[1]["Result"]
    covered = [field["FieldName"] for field in result["ScalarIndex"]]
    assert covered == ["id", "year", "price", "genre", "sold", "tags", "pages"]


def test_names_are_unique(client: VikingDB, books: Wire) -> None:
    with pytest.raises(CollectionAlreadyExists) as caught:
        client.admin.create_collection(collection_name="c", fields=[KEY], project_name="another")
    assert caught.value.status_code == 409
    with pytest.raises(IndexAlreadyExists) as taken:
        client.admin.create_index(collection_name="c", index_name="i", vector_index=FLAT)
    assert taken.value.status_code == 409


def test_a_collection_goes_only_after_its_indexes(client: VikingDB, books: Wire) -> None:
    books.result("data/upsert", data=[book("a")])
    with pytest.raises(OperationDenied, match="has indexes: i") as caught:
        client.admin.delete_collection(collection_name="c")
    assert (caught.value.code, caught.value.status_code) == ("OperationDenied.VikingdbCollection", 400)
    client.admin.delete_index(collection_name="c", index_name="i")
    with pytest.raises(IndexNotFound):
        client.admin.delete_index(collection_name="c", index_name="i")
    client.admin.delete_collection(collection_name="c")
    with pytest.raises(CollectionNotFound):
        client.collection(collection_name="c").fetch({"ids": ["a"]})
    with pytest.raises(CollectionNotFound):
        client.admin.delete_collection(collection_name="c")


def test_a_name_used_again_is_a_new_collection(client: VikingDB, books: Wire) -> None:
    books.result("data/upsert", data=[book("a")])
    client.admin.delete_index(collection_name="c", index_name="i")
    client.admin.delete_collection(collection_name="c")
    client.admin.create_collection(collection_name="c", fields=[KEY])
    fetched = client.collection(collection_name="c").fetch({"ids": [1]})
    assert fetched.result.ids_not_exist == [1]


def test_protection_forbids_deletion(client: VikingDB) -> None:
    client.admin.create_collection(collection_name="kept", fields=[KEY, VECTOR], del_protection=True)
    client.admin.create_index(collection_name="kept", index_name="i", vector_index=FLAT, del_protection=True)
    with pytest.raises(OperationDenied, match="DelProtection"):
        client.admin.delete_index(collection_name="kept", index_name="i")
    with pytest.raises(OperationDenied, match="DelProtection"):
        client.admin.delete_collection(collection_name="kept")


def test_lists_are_paged_and_filtered(wire: Wire) -> None:
    for number in range(12):
        body = {"CollectionName": f"c{number:02}", "Fields": [KEY], "ProjectName": "p" if number % 2 else "default"}
        assert wire.act("CreateVikingdbCollection", body)[0] == 200

    def listed(**body: Any) -> tuple[list[str], int]:
        result = wire.act("ListVikingdbCollection", body)[1]["Result"]
        return [item["CollectionName"] for item in result["Collections"]], result["TotalCount"]

    assert listed()[1] == 12
    assert len(listed()[0]) == 10
    assert listed(PageNumber=2) == (["c10", "c11"], 12)
    assert listed(PageNumber=0, PageSize=2) == (["c00", "c01"], 12)
    assert listed(PageNumber=9) == ([], 12)
    assert listed(Filter={"CollectionNameKeyword": "1"}, PageSize=100) == (["c01", "c10", "c11"], 3)
    assert listed(ProjectName="p", PageSize=2) == (["c01", "c03"], 6)
    for bad in ({"PageSize": 0}, {"PageSize": 101}, {"PageNumber": -1}):
        status, answer = wire.act("ListVikingdbCollection", bad)
        assert (status, error_of(answer)[0]) == (400, "InvalidParameter")


def test_indexes_are_listed_across_collections(wire: Wire) -> None:
    for name in ("a", "b"):
        wire.act("CreateVikingdbCollection", {"CollectionName": name, "Fields": [KEY, VECTOR]})
        for index in ("fast", "exact"):
            wire.act("CreateVikingdbIndex", {"CollectionName": name, "IndexName": index, "VectorIndex": FLAT})

    def listed(**filters: Any) -> list[str]:
        items = wire.act("ListVikingdbIndex", {"Filter": filters})[1]["Result"]["Indexes"]
        return [f"{item['CollectionName']}.{item['IndexName']}" for item in items]

    assert listed() == ["a.fast", "a.exact", "b.fast", "b.exact"]
    assert listed(CollectionName=["b"]) == ["b.fast", "b.exact"]
    assert listed(IndexNameKeyword="xac") == ["a.exact", "b.exact"]
    assert listed(Status=["READY"], CollectionName=["a"], IndexNameKeyword="fast") == ["a.fast"]
    assert listed(Status=["DISABLED"]) == []


def test_there_are_at_most_200_collections_and_200_indexes(wire: Wire) -> None:
    for number in range(200):
        assert wire.act("CreateVikingdbCollection", {"CollectionName": f"c{number}", "Fields": [KEY]})[0] == 200
    status, answer = wire.act("CreateVikingdbCollection", {"CollectionName": "more", "Fields": [KEY]})
    assert (status, error_of(answer)[0]) == (400, "OperationDenied.VikingdbCollection")
    for number in range(200):
        assert wire.act("CreateVikingdbIndex", {"CollectionName": f"c{number}", "IndexName": "i"})[0] == 200
    status, answer = wire.act("CreateVikingdbIndex", {"CollectionName": "c0", "IndexName": "j"})
    assert (status, error_of(answer)[0]) == (400, "OperationDenied.VikingdbIndex")


def test_a_collection_without_vectors_has_indexes_for_everything_else(wire: Wire) -> None:
    wire.make({"Fields": [KEY, {"FieldName": "n", "FieldType": "int64"}]}, {})
    wire.result("data/upsert", data=[{"id": 1, "n": 5}])
    assert wire.result("data/search/scalar", field="n")["data"][0]["score"] == 5
    assert "no vectors" in wire.refusal("data/search/vector", dense_vector=[1])[2]
    assert "no vectors" in wire.refusal("data/search/id", id=1)[2]
    assert wire.result("data/fetch_in_index", ids=[1])["fetch"] == [{"id": 1, "fields": {"id": 1, "n": 5}}]
    status, answer = wire.act("CreateVikingdbIndex", {"CollectionName": "c", "IndexName": "j", "VectorIndex": FLAT})
    assert (status, error_of(answer)[0]) == (400, "InvalidParameter")
