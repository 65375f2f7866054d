"""Rerank and sort: documents against a query, hits scored again, rows against a vector."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.wire import Wire, book

MODEL = {"model_name": "doubao-seed-rerank", "model_version": "251028"}
TEXTS = ["a ship in a storm", "a storm over the sea", "bread and butter"]


def rerank(wire: Wire, **body: Any) -> Any:
    status, answer = wire.data("rerank", {**MODEL, **body})
    assert status == 200, answer
    return answer["result"]


def parts(*texts: str) -> list[dict[str, str]]:
    return [{"text": text} for text in texts]


def test_documents_come_back_best_first_by_their_position(wire: Wire) -> None:
    result = rerank(wire, query=parts("storm over the sea"), data=[parts(text) for text in TEXTS])
    assert [item["id"] for item in result["data"]] == [1, 0, 2]
    scores = [item["score"] for item in result["data"]]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] < scores[0] <= 1
    assert result["token_usage"]["doubao-seed-rerank__251028"]["total_tokens"] > 0
    assert "origin_data" not in result["data"][0]


def test_a_document_equal_to_the_query_scores_one_and_one_without_anything_of_it_zero(wire: Wire) -> None:
    result = rerank(wire, query=parts("storm"), data=[parts("storm"), parts("数据")])
    assert [item["score"] for item in result["data"]] == pytest.approx([1, 0], abs=0.1)


def test_equal_documents_keep_their_order_and_are_sent_back_when_asked(wire: Wire) -> None:
    documents = [parts("one"), parts("storm", "sea"), parts("one")]
    result = rerank(wire, query=parts("sea"), data=documents, return_origin_data=True, instruction="be strict")
    assert [item["id"] for item in result["data"]] == [1, 0, 2]
    assert result["data"][0]["origin_data"] == documents[1]


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"model_name": "doubao-seed-rerankk"}, "InvalidParameter", "Did you mean 'doubao-seed-rerank'"),
        ({"model_name": ""}, "MissingParameter", "model_name"),
        ({"data": []}, "InvalidParameter", "1 to 200"),
        ({"data": [parts("x")] * 201}, "InvalidParameter", "1 to 200"),
        ({"data": [[]]}, "MissingParameter", "data[0]"),
        ({"data": [parts("x", " ")]}, "InvalidParameter", "data[0][1]"),
        ({"query": []}, "MissingParameter", "query"),
    ],
)
def test_impossible_rerank_requests_are_refused(wire: Wire, body: dict[str, Any], code: str, says: str) -> None:
    status, answer = wire.data("rerank", {**MODEL, "query": parts("x"), "data": [parts("y")], **body})
    assert (status, answer["code"]) == (400, code), answer
    assert says in answer["message"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"data": [[{"image": "tos://b/k"}]]}, "images"),
        ({"data": [[{"text": "x"}, {"video": {"value": "tos://b/k"}}]]}, "videos"),
        ({"query": [{"image": "tos://b/k"}]}, "images"),
    ],
)
def test_what_is_no_text_is_refused_by_name(wire: Wire, body: dict[str, Any], names: str) -> None:
    status, answer = wire.data("rerank", {**MODEL, "query": parts("x"), "data": [parts("y")], **body})
    assert (status, answer["code"]) == (501, "NotImplemented")
    assert names in answer["message"]


@pytest.fixture
def stories(passages: Wire) -> Wire:
    for number, text in enumerate([*TEXTS, "a storm of applause"], 1):
        passages.result("data/upsert", data=[{"id": number, "text": text}])
    return passages


def test_hits_are_scored_again_and_keep_their_first_score(stories: Wire) -> None:
    plain = stories.result("data/search/multi_modal", text="storm", limit=4)
    found = stories.result("data/search/multi_modal", text="storm", limit=2, rerank={**MODEL, "input_limit": 4})
    first = {hit["id"]: hit["score"] for hit in plain["data"]}
    assert found["total_return_count"] == 2
    assert all(hit["ann_score"] == first[hit["id"]] for hit in found["data"])
    assert found["data"][0]["score"] >= found["data"][1]["score"] > 0.5  # each contains the only word asked for
    assert set(found["token_usage"]) == {"bge-m3__default", "doubao-seed-rerank__251028"}
    rest = stories.result(
        "data/search/multi_modal", text="storm", limit=2, offset=2, rerank={**MODEL, "input_limit": 4}
    )
    assert {hit["id"] for hit in [*found["data"], *rest["data"]]} == {1, 2, 3, 4}


def test_pages_of_a_reranked_search_have_all_hits(stories: Wire) -> None:
    whole = stories.result("data/search/multi_modal", text="storm", limit=4, rerank=MODEL)["data"]
    first = stories.result("data/search/multi_modal", text="storm", limit=3, rerank=MODEL)["data"]
    rest = stories.result("data/search/multi_modal", text="storm", limit=3, offset=3, rerank=MODEL)["data"]
    assert (len(first), len(rest)) == (3, 1)
    assert rest == whole[3:]
    status, _, message = stories.refusal("data/search/multi_modal", text="storm", limit=60, offset=60, rerank=MODEL)
    assert status == 400
    assert "120 (limit and offset together" in message


def test_hits_below_the_threshold_are_dropped(stories: Wire) -> None:
    found = stories.result("data/search/multi_modal", text="storm", limit=4, rerank={**MODEL, "score_threshold": 0.5})
    assert {hit["id"] for hit in found["data"]} == {1, 2, 4}


@pytest.mark.parametrize(
    ("rerank", "code", "says"),
    [
        ({"model_version": None}, "MissingParameter", "model_version"),
        ({"model_name": "bge-m3"}, "InvalidParameter", "no model"),
        ({"input_limit": 1}, "InvalidParameter", "from limit (2) to 100"),
        ({"input_limit": 101}, "InvalidParameter", "from limit (2) to 100"),
        ({"fail_strategy": "shrug"}, "InvalidParameter", "fail_fast"),
        ({"timeout_ms": 0}, "InvalidParameter", "timeout_ms"),
    ],
)
def test_impossible_reranking_is_refused(stories: Wire, rerank: dict[str, Any], code: str, says: str) -> None:
    body = {"text": "storm", "limit": 2, "rerank": {**MODEL, **rerank}}
    status, found, message = stories.refusal("data/search/multi_modal", **body)
    assert (status, found) == (400, code), message
    assert says in message


def test_rows_are_sorted_by_their_similarity(books: Wire) -> None:
    books.result("data/upsert", data=[book("a", [1, 0, 0, 0]), book("b", [3, 0, 0, 0]), book("c", [9, 0, 0, 0])])
    result = books.result("data/sort", ids=["a", "nobody", "b", "a"], query_vector=[2, 0, 0, 0])
    assert result == {"sort": [{"id": "b", "score": 6}, {"id": "a", "score": 2}], "ids_not_exist": ["nobody"]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"ids": [], "query_vector": [1, 0, 0, 0]}, "1 to 100"),
        ({"ids": [1], "query_vector": [1, 0, 0, 0]}, "strings"),
        ({"ids": ["a"], "query_vector": [1, 0, 0]}, "dimension is 4"),
    ],
)
def test_impossible_sorting_is_refused(books: Wire, body: dict[str, Any], says: str) -> None:
    status, code, message = books.refusal("data/sort", **body)
    assert (status, code) == (400, "InvalidParameter")
    assert says in message
