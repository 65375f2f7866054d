"""Keywords: BM25 over English and Chinese, its knobs, and the semantic mode."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.local.wire import Wire

KEY = {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}


def fullwidth(word: str) -> str:
    """The letters as Chinese typesetting has them, each as wide as a character."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in word)


TEXTS = {
    1: "The quick brown fox jumps over the lazy dog",
    2: "A dog is a dog, and a DOG barks",
    3: "升级之后数据库崩溃了",
    4: "数字的据点与库房",
    5: "GPT4模型 runs on my laptop; foo_bar stays one word",
    6: fullwidth("FULL") + " " + fullwidth("width") + " letters",
}


def text_field(name: str) -> dict[str, Any]:
    return {"FieldName": name, "FieldType": "text"}


@pytest.fixture
def texts(wire: Wire) -> Wire:
    wire.make({"Fields": [KEY, text_field("text")], "FullText": [{"Field": "text"}]}, {})
    wire.result("data/upsert", data=[{"id": key, "text": text} for key, text in TEXTS.items()])
    return wire


def ids(result: Any) -> list[int]:
    return [hit["id"] for hit in result["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dog", [2, 1]),
        ("Dogs", []),
        ("FOX", [1]),
        ("lazy fox", [1]),
        ("fox laptop", [5, 1]),
        ("崩溃", [3]),
        ("数据库", [3]),
        ("数", [3, 4]),
        ("库房", [4]),
        ("模型", [5]),
        ("gpt4", [5]),
        ("foo", []),
        ("foo_bar", [5]),
        ("full width", [6]),
        (fullwidth("laptop"), [5]),
        ("!!!", []),
        ("unheard", []),
    ],
)
def test_rows_are_found_by_their_words(texts: Wire, query: str, expected: list[int]) -> None:
    result = texts.result("data/search/keywords", query=query)
    assert sorted(ids(result)) == sorted(expected)
    if query in ("dog",):
        assert ids(result) == expected
    assert result["total_return_count"] == len(expected)
    assert all(hit["score"] > 0 and "ann_score" not in hit for hit in result["data"])


def test_the_score_is_bm25(texts: Wire) -> None:
    (first, second) = texts.result("data/search/keywords", query="dog", bm25_k1=1.5, bm25_b=0.5)["data"]
    # By hand: lengths of the six texts in terms; CJK runs count characters and pairs.
    lengths = {1: 9, 2: 9, 3: 10 + 9, 4: 8 + 7, 5: 1 + 2 + 1 + 8, 6: 3}
    average = sum(lengths.values()) / 6
    idf = math.log(1 + (6 - 2 + 0.5) / (2 + 0.5))

    def score(tf: int, length: int) -> float:
        return idf * tf * 2.5 / (tf + 1.5 * (0.5 + 0.5 * length / average))

    assert (first["id"], second["id"]) == (2, 1)
    assert first["score"] == pytest.approx(score(3, lengths[2]), rel=1e-5)
    assert second["score"] == pytest.approx(score(1, lengths[1]), rel=1e-5)


def test_keywords_are_looked_for_together(texts: Wire) -> None:
    result = texts.result("data/search/keywords", keywords=["lazy fox", "barks"])
    assert sorted(ids(result)) == [1, 2]
    assert result["effective_keywords"] == {"text": ["lazy", "fox", "barks"]}


def test_of_a_query_ten_terms_count(texts: Wire) -> None:
    result = texts.result("data/search/keywords", query="a b c d e f g h i j fox")
    assert len(result["effective_keywords"]["text"]) == 10
    assert 1 not in ids(result)


def test_changes_of_a_text_are_seen(texts: Wire) -> None:
    texts.result("data/update", data=[{"id": 1, "text": "nothing here"}])
    texts.result("data/delete", ids=[3])
    assert ids(texts.result("data/search/keywords", query="dog fox 崩溃")) == [2]
    assert ids(texts.result("data/search/keywords", query="nothing")) == [1]


def test_keyword_search_is_filtered_and_paged(texts: Wire) -> None:
    condition = {"op": "must", "field": "id", "conds": [1, 3]}
    result = texts.result("data/search/keywords", query="dog", filter=condition)
    assert (ids(result), result["filter_matched_count"]) == ([1], 2)
    assert ids(texts.result("data/search/keywords", query="dog", offset=1)) == [1]
    assert ids(texts.result("data/search/keywords", query="dog", limit=1)) == [2]


def test_fields_are_chosen_and_weighed(wire: Wire) -> None:
    fields = [KEY, text_field("title"), text_field("body")]
    wire.make({"Fields": fields, "FullText": [{"Field": "title"}, {"Field": "body"}]}, {})
    wire.result(
        "data/upsert", data=[{"id": 1, "title": "fox", "body": "dog"}, {"id": 2, "title": "dog", "body": "fox"}]
    )
    search = "data/search/keywords"
    assert ids(wire.result(search, query="fox")) == [1, 2]
    assert ids(wire.result(search, query="fox", fields=["body"])) == [2]
    assert ids(wire.result(search, query="fox", fields_weights={"body": 3})) == [2, 1]
    assert "Did you mean 'body'" in wire.refusal(search, query="fox", fields=["bdy"])[2]
    assert "full-text" in wire.refusal(search, query="fox", fields_weights={"id": 3})[2]
    assert "above 0" in wire.refusal(search, query="fox", fields_weights={"body": 0})[2]


def test_the_whitespace_tokenizer_keeps_what_stands_together(wire: Wire) -> None:
    analyzer = {"Tokenizer": "whitespace", "StopWordsFilters": ["symbol"]}
    wire.make({"Fields": [KEY, text_field("text")], "FullText": [{"Field": "text", "Analyzer": analyzer}]}, {})
    wire.result("data/upsert", data=[{"id": 1, "text": "C++ -- and U.S.A."}, {"id": 2, "text": "c and usa"}])
    assert ids(wire.result("data/search/keywords", query="c++")) == [1]
    assert ids(wire.result("data/search/keywords", query="--")) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MissingParameter"),
        ({"query": "  "}, "MissingParameter"),
        ({"keywords": []}, "MissingParameter"),
        ({"keywords": ["a", " "]}, "InvalidParameter"),
        ({"keywords": ["a"] * 11}, "InvalidParameter"),
        ({"keywords": ["a" * 513]}, "InvalidParameter"),
        ({"query": "数" * 171}, "InvalidParameter"),
        ({"query": "a", "keywords": ["a"]}, "InvalidParameter"),
        ({"query": "a", "mode": "bm26"}, "InvalidParameter"),
        ({"query": "a", "mode": "semantic_then_match"}, "InvalidParameter"),
        ({"query": "a", "case_sensitive": True}, "InvalidParameter"),
        ({"query": "a", "bm25_k1": 0}, "InvalidParameter"),
        ({"query": "a", "bm25_b": 1.5}, "InvalidParameter"),
    ],
)
def test_an_impossible_keyword_search_is_refused(texts: Wire, body: dict[str, Any], code: str) -> None:
    assert texts.refusal("data/search/keywords", **body)[:2] == (400, code)


def test_a_collection_without_words_says_so(wire: Wire) -> None:
    wire.make({"Fields": [KEY]}, {})
    assert "FullText" in wire.refusal("data/search/keywords", query="x")[2]


class TestByMeaning:
    @pytest.fixture
    def filled(self, passages: Wire) -> Wire:
        for key, text in ((1, "cats chase mice"), (2, "dogs chase cats"), (3, "Stocks fell on Monday")):
            passages.result("data/upsert", data=[{"id": key, "text": text}])
        return passages

    def test_it_is_chosen_where_there_is_no_full_text(self, filled: Wire) -> None:
        result = filled.result("data/search/keywords", query="mice cats")
        assert ids(result)[0] == 1
        first = result["data"][0]
        assert first["score"] == pytest.approx(first["ann_score"] + 2)
        assert len(result["data"]) == 3
        assert "bge-m3__default" in result["token_usage"]

    def test_literal_matches_raise_a_row(self, filled: Wire) -> None:
        boosts = {
            hit["id"]: round(hit["score"] - hit["ann_score"])
            for hit in filled.result("data/search/keywords", keywords=["Monday", "chase cats"])["data"]
        }
        assert boosts == {1: 0, 2: 1, 3: 1}

    def test_case_may_matter(self, filled: Wire) -> None:
        for sensitive, boost in ((False, 1), (True, 0)):
            hits = filled.result("data/search/keywords", keywords=["monday"], case_sensitive=sensitive)["data"]
            (hit,) = [hit for hit in hits if hit["id"] == 3]
            assert round(hit["score"] - hit["ann_score"]) == boost

    def test_it_is_paged_after_the_boost_and_filtered_before(self, filled: Wire) -> None:
        assert ids(filled.result("data/search/keywords", keywords=["Stocks"], limit=1)) == [3]
        condition = {"op": "must", "field": "id", "conds": [1, 2]}
        result = filled.result("data/search/keywords", keywords=["Stocks"], filter=condition, output_fields=["topic"])
        assert set(ids(result)) == {1, 2}
        assert all(hit["fields"] == {"topic": "default"} for hit in result["data"])

    def test_bm25_parameters_do_not_go_with_it(self, filled: Wire) -> None:
        for name, value in (("bm25_k1", 1.0), ("bm25_b", 0.5), ("fields", ["text"]), ("fields_weights", {"text": 1.0})):
            assert name in filled.refusal("data/search/keywords", query="x", **{name: value})[2]
        assert "FullText" in filled.refusal("data/search/keywords", query="x", mode="bm25")[2]


@pytest.mark.parametrize(
    ("query", "key", "where"),
    [
        ("dog", 2, {"dog": [2, 11, 22]}),
        ("lazy fox", 1, {"lazy": [35], "fox": [16]}),
        ("数据库", 3, {"数据": [4], "据库": [5]}),
        ("full width", 6, {"full": [0], "width": [5]}),
        ("gpt4模型", 5, {"gpt4": [0], "模型": [4]}),
    ],
)
def test_a_highlight_says_where_terms_stand(texts: Wire, query: str, key: int, where: dict[str, list[int]]) -> None:
    found = texts.result("data/search/keywords", query=query, highlight={"enable": True}, output_fields=[])
    (hit,) = [hit for hit in found["data"] if hit["id"] == key]
    assert hit["highlight"] == {"text": where}
    assert hit["fields"] == {}


def test_positions_are_those_of_the_text_as_it_was_written(wire: Wire) -> None:
    wire.make({"Fields": [KEY, text_field("text")], "FullText": [{"Field": "text"}]}, {})
    text = "ﬁve ﬁne cafe\u0301s, ⅷ dogs"  # a ligature, an accent of its own, and one character that becomes four
    wire.result("data/upsert", data=[{"id": 1, "text": text}])
    found = wire.result("data/search/keywords", query="fine cafés viii dogs", highlight={"enable": True})
    words = found["data"][0]["highlight"]["text"]
    assert {word: [text[position:] for position in positions] for word, positions in words.items()} == {
        "fine": ["ﬁne cafe\u0301s, ⅷ dogs"],
        "cafés": ["cafe\u0301s, ⅷ dogs"],
        "viii": ["ⅷ dogs"],
        "dogs": ["dogs"],
    }


def test_pieces_between_spaces_are_highlighted_whole(wire: Wire) -> None:
    analyzer = {"Tokenizer": "whitespace"}
    wire.make({"Fields": [KEY, text_field("text")], "FullText": [{"Field": "text", "Analyzer": analyzer}]}, {})
    wire.result("data/upsert", data=[{"id": 1, "text": "C++ or  c++?"}])
    found = wire.result("data/search/keywords", query="c++", highlight={"enable": True})
    assert found["data"][0]["highlight"] == {"text": {"c++": [0]}}


@pytest.mark.parametrize(("sensitive", "where"), [(False, {"Dog": [2, 8]}), (True, {"Dog": [8]})])
def test_a_search_by_meaning_highlights_words_as_they_stand(
    passages: Wire, sensitive: bool, where: dict[str, list[int]]
) -> None:
    passages.result("data/upsert", data=[{"id": 1, "text": "a dog a Dogma"}])
    passages.result("data/upsert", data=[{"id": 2, "text": "bread"}])
    body = {"keywords": ["Dog"], "highlight": {"enable": True}, "case_sensitive": sensitive}
    hits = passages.result("data/search/keywords", **body)["data"]
    assert [hit["highlight"] for hit in hits] == [{"text": where}, {}]
