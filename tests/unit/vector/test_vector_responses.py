"""Responses of the vector domain: read leniently, typed, and unreadable only when they break their promise."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import pytest

from tests.unit.vector.fakes import FakeTransport, reply
from vikingdb_core.exceptions import DecodeError
from vikingdb_vector import models as m
from vikingdb_vector.client import VikingDB
from vikingdb_vector.collection import CollectionClient
from vikingdb_vector.index import IndexClient


def envelope(result: Any, **fields: Any) -> Any:
    return reply(body={"code": "Success", "message": "ok", "request_id": "r-1", "result": result, **fields})


def test_a_search_is_read_whole(wire: FakeTransport, index: IndexClient) -> None:
    hit = {
        "id": 2**53 + 1,
        "fields": {"title": "三体", "price": 9.5, "subtitle": None},
        "score": 0.83,
        "ann_score": 0.8,
        "origin_score": 0.7,
        "addition_score": 0.13,
        "highlight": {"title": {"三": [0, 4]}},
    }
    result = {
        "data": [hit],
        "total_return_count": 1,
        "filter_matched_count": 12,
        "token_usage": {"bge-m3__default": {"total_tokens": 7}},
        "schema": {"title": "text"},
        "real_text_query": "find: x",
        "recall_time_cost_ms": 3,
    }
    wire.answers.append(envelope(result, api="search"))
    response = index.search_by_random()
    assert (response.code, response.message, response.request_id, response.api) == ("Success", "ok", "r-1", "search")
    (found,) = response.result.data
    assert found.model_dump() == hit
    assert response.result.total_return_count == 1
    assert response.result.schema == response.result.index_schema == {"title": "text"}
    assert response.result.token_usage["bge-m3__default"]["total_tokens"] == 7


LENIENT: list[tuple[str, dict[str, Any]]] = [
    ("nothing in the result", {}),
    ("null lists", {"data": None, "token_usage": None}),
    ("null numbers", {"data": [], "total_return_count": None, "filter_matched_count": None}),
    ("unknown fields", {"data": [], "brand_new": {"deep": [1]}, "also_new": None}),
]


@pytest.mark.parametrize(("what", "result"), LENIENT)
def test_a_search_is_read_leniently(what: str, result: Any, wire: FakeTransport, index: IndexClient) -> None:
    wire.answers.append(envelope(result, another=1))
    response = index.search_by_random()
    assert response.result.data == []
    assert response.result.token_usage == {}
    assert getattr(response.result, "brand_new", None) == result.get("brand_new")


@pytest.mark.parametrize(
    "hit", [{"id": 1}, {"id": 1, "fields": None, "score": None}, {"id": 1, "fields": {}, "new": []}]
)
def test_a_hit_may_be_sparse(hit: dict[str, Any], wire: FakeTransport, index: IndexClient) -> None:
    wire.answers.append(envelope({"data": [hit]}))
    (found,) = index.search_by_random().result.data
    assert (found.id, found.fields, found.score, found.ann_score) == (1, {}, None, None)


@pytest.mark.parametrize("id_", [1, "1", 2**63 - 1, -1, "书", ""])
def test_ids_keep_their_type(id_: int | str, wire: FakeTransport, index: IndexClient) -> None:
    wire.answers.append(envelope({"data": [{"id": id_}]}))
    found = index.search_by_random().result.data[0].id
    assert (found, type(found)) == (id_, type(id_))


@pytest.mark.parametrize(
    ("code", "kept"), [(0, 0), ("0", "0"), ("Success", "Success"), ("success", "success"), (None, None)]
)
def test_a_success_may_be_said_in_several_ways(
    code: Any, kept: Any, wire: FakeTransport, collection: CollectionClient
) -> None:
    wire.answers.append(reply(body={"code": code, "request_id": "r-1", "result": None}))
    assert collection.delete({"ids": [1]}).code == kept


def test_a_fetch_has_rows_and_the_keys_that_do_not_exist(wire: FakeTransport, collection: CollectionClient) -> None:
    wire.answers += [
        envelope({"fetch": [{"id": 1, "fields": {"a": 1}}], "ids_not_exist": [2, "x"]}),
        envelope({"fetch": None, "ids_not_exist": None}),
        envelope({"fetch": [{"id": 1, "fields": None}]}),
    ]
    first, second, third = (collection.fetch({"ids": [1, 2]}).result for _ in range(3))
    assert [(row.id, row.fields) for row in first.items] == [(1, {"a": 1})]
    assert first.ids_not_exist == [2, "x"]
    assert (second.items, second.ids_not_exist) == ([], [])
    assert third.items[0].fields == {}


def test_a_fetch_in_an_index_has_vectors(wire: FakeTransport, index: IndexClient) -> None:
    row = {"id": 1, "fields": {}, "dense_dim": 2, "dense_vector": [0.5, 1], "sparse_vector": {"a": 1}}
    wire.answers.append(envelope({"fetch": [row]}))
    (item,) = index.fetch({"ids": [1]}).result.items
    assert (item.dense_dim, item.dense_vector, item.sparse_vector) == (2, [0.5, 1.0], {"a": 1.0})


@pytest.mark.parametrize("result", [None, {}, {"token_usage": None}])
def test_a_write_may_say_nothing(result: Any, wire: FakeTransport, collection: CollectionClient) -> None:
    wire.answers += [envelope(result)] * 3
    assert collection.upsert({"data": []}).result in (None, m.UpsertDataResult())
    assert collection.update({"data": []}).result in (None, m.UpdateDataResult())
    assert collection.delete({"ids": []}).code == "Success"


@pytest.mark.parametrize(
    ("agg", "total", "groups"),
    [
        ({"__TOTAL__": 12}, 12, {}),
        ({"_total": 12}, 12, {}),
        ({"__total_count__": 12}, 12, {}),
        ({"__TOTAL__": 0}, 0, {}),
        ({"__TOTAL__": "12"}, 12, {}),
        ({"__TOTAL__": 12.0}, 12, {}),
        ({"paris": 12, "rome": 9}, 21, {"paris": 12, "rome": 9}),
        ({"1": 2, "true": 3, "": 4}, 9, {"1": 2, "true": 3, "": 4}),
        ({}, 0, {}),
        (None, 0, {}),
    ],
)
def test_an_aggregate_has_a_total_and_groups(
    agg: Any, total: int, groups: dict[str, int], wire: FakeTransport, index: IndexClient
) -> None:
    wire.answers.append(envelope({"op": "count", "field": "__NONE__", "agg": agg}))
    result = index.aggregate({"op": "count"}).result
    assert (result.total, result.groups) == (total, groups)
    assert result.agg == (agg or {})


def test_a_group_may_have_the_name_of_a_total(wire: FakeTransport, index: IndexClient) -> None:
    wire.answers.append(envelope({"op": "count", "field": "tag", "agg": {"_total": 3, "b": 5}}))
    result = index.aggregate({"op": "count", "field": "tag"}).result
    assert (result.total, result.groups) == (8, {"_total": 3, "b": 5})


def test_a_weighted_sum_of_vectors_is_typed(wire: FakeTransport, index: IndexClient) -> None:
    wire.answers.append(envelope({"vector_weighted_sum": {"vector": [1, 2], "found_ids": [1, "x"], "weight_sum": 1}}))
    summed = index.aggregate({"op": "vector_weighted_sum"}).result.vector_weighted_sum
    assert summed is not None
    assert (summed.vector, summed.found_ids, summed.found_count, summed.weight_sum) == ([1.0, 2.0], [1, "x"], None, 1.0)


def test_a_sort_has_rows_in_order(wire: FakeTransport, index: IndexClient) -> None:
    wire.answers.append(envelope({"sort": [{"id": 2, "score": 0.9}, {"id": 1}], "ids_not_exist": None}))
    result = index.sort({"ids": [1, 2], "query_vector": [0.5]}).result
    assert [(item.id, item.score) for item in result.items] == [(2, 0.9), (1, None)]
    assert result.ids_not_exist == []


def test_embeddings_have_what_was_asked_for(wire: FakeTransport, client: VikingDB) -> None:
    data = [{"dense": [0.5, 1]}, {"dense": None, "sparse": {"a": 1}}, {"tensor": [[1, 2], [3, 4]], "new": 1}]
    wire.answers += [envelope({"data": data, "token_usage": {"m": {}}}), envelope({"data": None})]
    first, second, third = client.embedding().embedding({"data": [{"text": "a"}]}).result.data
    assert (first.dense, first.sparse, first.tensor) == ([0.5, 1.0], None, None)
    assert (second.dense, second.sparse) == (None, {"a": 1.0})
    assert third.tensor == [[1.0, 2.0], [3.0, 4.0]]
    assert client.embedding().embedding({"data": [{"text": "a"}]}).result.data == []


def test_a_rerank_has_scores(wire: FakeTransport, client: VikingDB) -> None:
    wire.answers.append(envelope({"data": [{"id": 1, "score": 0.5}, {"id": 0, "origin_data": [{"text": "a"}]}]}))
    request = {"model_name": "m", "data": [[{"text": "a"}]], "query": [{"text": "q"}]}
    assert [(each.id, each.score) for each in client.rerank().rerank(request).result.data] == [(1, 0.5), (0, None)]


@pytest.mark.parametrize("body", [b"", b"pong", b"<html>", b"{}", b'{"code": "Success"}', b'{"status": "ok"}'])
def test_a_ping_asks_for_the_status_alone(body: bytes, wire: FakeTransport, client: VikingDB) -> None:
    wire.answers.append(reply(200, body))
    client.ping()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"pong",
        b"[]",
        b"null",
        b"{}",
        b'{"code": "Success"}',
        b'{"code": "Success", "result": null}',
        b'{"code": "Success", "result": []}',
        b'{"code": "Success", "result": {"data": {}}}',
        b'{"code": "Success", "result": {"data": [{"score": 1}]}}',
        b'{"code": "Success", "result": {"data": [{"id": [1]}]}}',
    ],
)
def test_a_success_that_is_no_search_result_is_a_decode_error(
    body: bytes, wire: FakeTransport, index: IndexClient
) -> None:
    wire.answers.append(reply(200, body, X_Tt_Logid="log-1"))
    with pytest.raises(DecodeError, match="the service answered 200") as caught:
        index.search_by_random()
    assert (caught.value.body, caught.value.status_code) == (body, 200)
    assert (caught.value.request_id, caught.value.operation) == ("log-1", "vector.search.random")
    assert len(wire.requests) == 1, "a success is not tried again"


def test_the_gateways_envelope_is_read_on_the_data_plane_too(wire: FakeTransport, index: IndexClient) -> None:
    metadata = {"RequestId": "r-7", "Action": "Search"}
    wire.answers.append(reply(body={"ResponseMetadata": metadata, "Result": {"data": [{"id": 1}]}}))
    response = index.search_by_random()
    assert (response.request_id, response.code, response.api) == ("r-7", "Success", "Search")
    assert response.result.data[0].id == 1


def test_the_request_id_of_the_header_stands_in_for_that_of_the_body(wire: FakeTransport, index: IndexClient) -> None:
    wire.answers.append(reply(body={"code": "Success", "result": {}}, X_Tt_Logid="log-1"))
    assert index.search_by_random().request_id == "log-1"


def test_responses_are_values(wire: FakeTransport, index: IndexClient) -> None:
    wire.answers.append(envelope({"data": [{"id": 1, "fields": {"a": 1}}], "schema": {"a": 1}}))
    response = index.search_by_random()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pickle.loads(pickle.dumps(response)) == response
        assert copy.deepcopy(response) == response
        assert m.SearchResponse.model_validate_json(response.model_dump_json(by_alias=True)) == response


def test_a_response_is_read_by_wire_or_python_name() -> None:
    assert m.FetchDataInCollectionResult(items=[m.DataItem(id=1)]) == m.FetchDataInCollectionResult(fetch=[{"id": 1}])


def test_a_payload_is_read_with_a_model_of_the_callers_own() -> None:
    payload = {"code": "Success", "result": {"data": [{"id": 1}]}}
    assert m.DataApiResponse.parse_with(payload, m.SearchResult).result.data[0].id == 1
    assert m.DataApiResponse.parse_with(payload).result == payload["result"]
    assert m.DataApiResponse.parse_with({"code": "Success", "result": None}, m.SearchResult).result is None
