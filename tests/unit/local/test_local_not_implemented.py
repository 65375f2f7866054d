"""What the engine cannot do it refuses by name: HTTP 501, ``NotImplemented``, never an empty success."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.wire import Wire, book
from vikingdb_core.exceptions import OperationNotSupported
from vikingdb_local.handlers import HANDLERS
from vikingdb_vector import VikingDB

KEY = {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}
TEXT = {"FieldName": "text", "FieldType": "text"}
IMAGE = {"FieldName": "pic", "FieldType": "image"}
DENSE = {"ModelName": "bge-m3", "TextField": "text"}

CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("data/search/random", {"partition": "p1"}, "partition"),
    ("data/search/random", {"return_schema": True}, "return_schema"),
    ("data/search/random", {"return_download_url": True}, "return_download_url"),
    ("data/search/random", {"return_analyzed_result": True}, "return_analyzed_result"),
    ("data/fetch_in_collection", {"ids": ["a"], "return_download_url": True}, "return_download_url"),
    ("data/fetch_in_index", {"ids": ["a"], "partition": 3}, "partition"),
    ("data/agg", {"op": "vector_weighted_sum"}, "vector_weighted_sum"),
    ("data/agg", {"op": "count", "calc_value_on": "vec"}, "calc_value_on"),
    ("data/agg", {"op": "count", "ids": ["a"]}, "ids"),
    ("data/agg", {"op": "count", "partition": "p"}, "partition"),
]
SEARCHES_BY_TEXT: list[tuple[dict[str, Any], str]] = [
    ({"image": "tos://bucket/key"}, "image"),
    ({"text": "x", "image": "tos://bucket/key"}, "image"),
    ({"video": {"value": "tos://bucket/key"}}, "video"),
    ({"text": "x", "tensor_rerank": {"input_limit": 5}}, "tensor_rerank"),
]
EMBEDDINGS: list[tuple[dict[str, Any], str]] = [
    (
        {"tensor_model": {"name": "doubao-embedding-vision", "version": "251215"}, "data": [{"text": "x"}]},
        "tensor_model",
    ),
    ({"dense_model": {"name": "bge-m3"}, "data": [{"image": "tos://b/k"}]}, "image"),
    ({"dense_model": {"name": "bge-m3"}, "data": [{"text": "x", "video": {"value": "tos://b/k"}}]}, "video"),
    (
        {"dense_model": {"name": "bge-m3"}, "data": [{"full_modal_seq": [{"text": "x"}, {"image": "tos://b/k"}]}]},
        "image",
    ),
]
COLLECTIONS: list[tuple[dict[str, Any], str]] = [
    ({"Fields": [KEY, TEXT], "Vectorize": {"Dense": DENSE, "Sparse": {**DENSE, "ImageField": "pic"}}}, "images"),
    ({"Fields": [KEY, TEXT], "Vectorize": {"Tensor": DENSE}}, "Vectorize.Tensor"),
    ({"Fields": [KEY, TEXT], "Vectorize": {"Dense": {**DENSE, "ImageField": "pic"}}}, "images"),
    (
        {"Fields": [KEY, TEXT], "Vectorize": {"Dense": {**DENSE, "Instruction": {"Content": "x"}}}},
        "Instruction.Content",
    ),
    (
        {"Fields": [KEY, TEXT], "FullText": [{"Field": "text", "Analyzer": {"CharacterConverters": ["x"]}}]},
        "Converters",
    ),
    ({"Fields": [KEY, TEXT], "FullText": [{"Field": "text", "Analyzer": {"StopWordsFilters": ["en"]}}]}, "StopWords"),
    (
        {"Fields": [KEY, TEXT], "FullText": [{"Field": "text", "Analyzer": {"Tokenizers": ["zh", "standard"]}}]},
        "Tokenizers",
    ),
]


@pytest.mark.parametrize(("path", "body", "names"), CALLS)
def test_a_call_is_refused_by_name(books: Wire, path: str, body: dict[str, Any], names: str) -> None:
    books.result("data/upsert", data=[book("a")])
    status, code, message = books.refusal(path, **body)
    assert (status, code) == (501, "NotImplemented")
    assert names in message


@pytest.mark.parametrize(("body", "names"), SEARCHES_BY_TEXT)
def test_a_search_by_more_than_text_is_refused_by_name(passages: Wire, body: dict[str, Any], names: str) -> None:
    status, code, message = passages.refusal("data/search/multi_modal", **body)
    assert (status, code) == (501, "NotImplemented")
    assert names in message


@pytest.mark.parametrize(("body", "names"), EMBEDDINGS)
def test_an_embedding_of_more_than_text_is_refused_by_name(wire: Wire, body: dict[str, Any], names: str) -> None:
    status, answer = wire.data("embedding", body)
    assert (status, answer["code"]) == (501, "NotImplemented")
    assert names in answer["message"]


@pytest.mark.parametrize(("body", "names"), COLLECTIONS)
def test_a_collection_of_more_than_that_is_refused_by_name(wire: Wire, body: dict[str, Any], names: str) -> None:
    status, answer = wire.act("CreateVikingdbCollection", {"CollectionName": "x", **body})
    error = answer["ResponseMetadata"]["Error"]
    assert (status, error["Code"]) == (501, "NotImplemented")
    assert names in error["Message"]


def test_switches_that_are_off_and_partitions_that_are_the_usual_one_are_no_matter(books: Wire) -> None:
    off = {"return_schema": False, "return_download_url": False, "return_analyzed_result": False}
    for partition in (None, "", "default"):
        books.result("data/search/random", **off, return_detail_info=True, partition=partition)
    books.result("data/search/keywords", query="x", highlight={"enable": False})


def test_an_operation_without_a_handler_is_refused_by_name(client: VikingDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(HANDLERS, "vector.task.list")
    with pytest.raises(OperationNotSupported, match=r"vector\.task\.list \(ListVikingdbTask\)"):
        client.admin.list_tasks()


def test_a_client_gets_an_exception_of_its_own(client: VikingDB, books: Wire) -> None:
    with pytest.raises(OperationNotSupported, match="partitions") as caught:
        client.index(collection_name="c", index_name="i").search_by_random({"partition": "p1"})
    assert (caught.value.status_code, caught.value.code) == (501, "NotImplemented")
