"""Search: scores, order, paging, restriction and what a hit carries."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.local.wire import Wire, book
from vikingdb_vector import DataNotFound, VikingDB

VECTORS = {"a": [1, 0, 0, 0], "b": [2, 1, 0, 0], "c": [0, 3, 0, 0], "d": [-1, 0, 0, 4]}


def index_by(wire: Wire, distance: str) -> None:
    vector_index = {"IndexType": "flat", "Distance": distance, "Quant": "float"}
    status, _ = wire.act(
        "CreateVikingdbIndex", {"CollectionName": "c", "IndexName": distance, "VectorIndex": vector_index}
    )
    assert status == 200


def ids(result: Any) -> list[Any]:
    return [hit["id"] for hit in result["data"]]


@pytest.fixture
def filled(books: Wire) -> Wire:
    rows = [book(key, [*vector], year=ord(key), price=ord(key) / 10) for key, vector in VECTORS.items()]
    books.result("data/upsert", data=rows)
    return books


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        ("ip", {"b": 5.0, "c": 3.0, "a": 2.0, "d": -2.0}),
        ("cosine", {"b": 5 / 5, "a": 2 / math.sqrt(5), "c": 1 / math.sqrt(5), "d": -2 / math.sqrt(5 * 17)}),
        ("l2", {"b": 1.0, "a": -1.0, "c": 1 - 8.0, "d": 1 - 26.0}),
    ],
)
def test_the_score_is_the_distances_and_larger_is_better(
    filled: Wire, distance: str, expected: dict[str, float]
) -> None:
    index_by(filled, distance) if distance != "ip" else None
    result = filled.result(
        "data/search/vector", index_name="i" if distance == "ip" else distance, dense_vector=[2, 1, 0, 0]
    )
    assert ids(result) == list(expected)
    assert [hit["score"] for hit in result["data"]] == pytest.approx(list(expected.values()))
    assert [hit["ann_score"] for hit in result["data"]] == [hit["score"] for hit in result["data"]]
    assert result["total_return_count"] == 4
    assert "filter_matched_count" not in result


def test_a_vector_is_at_distance_nothing_of_itself(filled: Wire) -> None:
    filled.result("data/upsert", data=[book("e", [0.1, 0.7, -0.3, 0.2])])
    for distance in ("cosine", "l2"):
        index_by(filled, distance)
        (hit,) = filled.result("data/search/id", index_name=distance, id="e", limit=1)["data"]
        assert (hit["id"], hit["score"]) == ("e", 1.0)


def test_equal_scores_are_ordered_by_key(books: Wire) -> None:
    keys = [f"k{number:02}" for number in range(60)]
    for key in reversed(keys):
        books.result("data/upsert", data=[book(key, [0.3, 0.1, 0.7, 0.2])])
    query = {"dense_vector": [0.9, 0.2, 0.4, 0.6]}
    assert ids(books.result("data/search/vector", **query, limit=60)) == keys
    assert ids(books.result("data/search/vector", **query, limit=7, offset=5)) == keys[5:12]
    assert ids(books.result("data/search/scalar", field="year", order="asc", limit=5)) == keys[:5]


def test_integer_keys_are_ordered_as_numbers(wire: Wire) -> None:
    wire.make({"Fields": [{"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}]}, {})
    wire.result("data/upsert", data=[{"id": number} for number in (10, 9, -3, 100)])
    assert ids(wire.result("data/search/random", limit=100)) != []
    assert set(ids(wire.result("data/search/random"))) == {10, 9, -3, 100}
    assert ids(wire.result("data/search/scalar", field="id", order="asc")) == [-3, 9, 10, 100]


def test_ten_hits_unless_a_limit_says_otherwise(books: Wire) -> None:
    books.result("data/upsert", data=[book(f"k{number}") for number in range(15)])
    assert len(ids(books.result("data/search/vector", dense_vector=[1, 0, 0, 0]))) == 10
    assert len(ids(books.result("data/search/vector", dense_vector=[1, 0, 0, 0], limit=100000))) == 15
    assert len(ids(books.result("data/search/vector", dense_vector=[1, 0, 0, 0], offset=12))) == 3
    assert ids(books.result("data/search/vector", dense_vector=[1, 0, 0, 0], offset=10**12)) == []


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": -1}, {"limit": 100001}, {"offset": -1}])
def test_an_impossible_page_is_refused(filled: Wire, page: dict[str, int]) -> None:
    assert filled.refusal("data/search/random", **page)[:2] == (400, "InvalidParameter")


def test_without_a_word_on_fields_everything_but_the_vector_comes_back(filled: Wire) -> None:
    (hit,) = filled.result("data/search/vector", dense_vector=[1, 0, 0, 0], limit=1)["data"]
    assert set(hit["fields"]) == {"id", "title", "year", "price", "genre", "sold", "tags", "pages"}


@pytest.mark.parametrize(
    ("output", "expected"), [([], {}), (["year"], {"year": 98}), (["price", "id"], {"price": 9.8, "id": "b"})]
)
def test_only_the_fields_asked_for_come_back(filled: Wire, output: list[str], expected: dict[str, Any]) -> None:
    (hit,) = filled.result("data/search/vector", dense_vector=[1, 0, 0, 0], limit=1, output_fields=output)["data"]
    assert hit["fields"] == expected


def test_unknown_output_fields_are_refused_unless_they_are_to_be_ignored(filled: Wire) -> None:
    assert "Did you mean 'year'" in filled.refusal("data/search/random", output_fields=["yaer"])[2]
    assert "vector" in filled.refusal("data/search/random", output_fields=["vec"])[2]
    assert "Did you mean 'year'" in filled.refusal("data/fetch_in_index", ids=["a"], output_fields=["yaer"])[2]
    result = filled.result("data/search/random", output_fields=["yaer", "year"], ignore_unknown_fields=True)
    assert all(set(hit["fields"]) == {"year"} for hit in result["data"])


def test_a_filter_narrows_before_the_limit_and_is_counted(filled: Wire) -> None:
    condition = {"op": "range", "field": "year", "gte": ord("c")}
    result = filled.result("data/search/vector", dense_vector=[1, 0, 0, 0], filter=condition, limit=1)
    assert ids(result) == ["c"]
    assert (result["total_return_count"], result["filter_matched_count"]) == (1, 2)


def test_the_empty_filter_is_no_filter(filled: Wire) -> None:
    result = filled.result("data/search/random", filter={})
    assert len(ids(result)) == 4
    assert "filter_matched_count" not in result


@pytest.mark.parametrize(
    ("advance", "expected"),
    [
        ({"ids_in": ["a", "c", "zz"]}, {"a", "c"}),
        ({"ids_in": []}, set()),
        ({"ids_not_in": ["a"]}, {"b", "c", "d"}),
        ({"ids_not_in": []}, {"a", "b", "c", "d"}),
        ({"ids_in": ["a", "b"], "ids_not_in": ["b"]}, {"a"}),
        ({"ids_in": None, "ids_not_in": None}, {"a", "b", "c", "d"}),
        ({"scale_k": 5, "dense_weight": 0.5, "filter_pre_ann_limit": 3, "filter_pre_ann_ratio": 0.1}, set("abcd")),
        ({"post_process_ops": [], "post_process_input_limit": 10}, set("abcd")),
    ],
)
@pytest.mark.parametrize(
    ("path", "query"),
    [("vector", {"dense_vector": [1, 0, 0, 0]}), ("id", {"id": "a"}), ("scalar", {"field": "year"}), ("random", {})],
)
def test_ids_restrict_every_search(
    filled: Wire, path: str, query: dict[str, Any], advance: dict[str, Any], expected: set[str]
) -> None:
    assert set(ids(filled.result(f"data/search/{path}", **query, advance=advance))) == expected


@pytest.mark.parametrize(
    "advance",
    [{"ids_in": [1]}, {"ids_not_in": [None]}, {"scale_k": 0.01}, {"dense_weight": 2}, {"post_process_input_limit": 0}],
)
def test_an_impossible_restriction_is_refused(filled: Wire, advance: dict[str, Any]) -> None:
    assert filled.refusal("data/search/random", advance=advance)[:2] == (400, "InvalidParameter")


def test_a_search_by_id_finds_the_row_itself_first(filled: Wire) -> None:
    index_by(filled, "cosine")
    assert ids(filled.result("data/search/id", index_name="cosine", id="d"))[0] == "d"


def test_a_search_by_an_id_that_is_not_there_is_not_found(client: VikingDB, filled: Wire) -> None:
    with pytest.raises(DataNotFound, match="'zz'"):
        client.index(collection_name="c", index_name="i").search_by_id({"id": "zz"})
    assert filled.refusal("data/search/id", id=1)[:2] == (400, "InvalidParameter")


def test_a_search_by_scalar_scores_by_the_value_largest_first(filled: Wire) -> None:
    result = filled.result("data/search/scalar", field="price")
    assert [(hit["id"], hit["score"]) for hit in result["data"]] == [("d", 10.0), ("c", 9.9), ("b", 9.8), ("a", 9.7)]
    assert all("ann_score" not in hit for hit in result["data"])
    assert ids(filled.result("data/search/scalar", field="year", order="asc", limit=2, offset=1)) == ["b", "c"]


def test_large_integers_are_ordered_exactly(books: Wire) -> None:
    books.result("data/upsert", data=[book(f"k{n}", year=2**62 + n) for n in (3, 1, 2)])
    result = books.result("data/search/scalar", field="year", order="asc")
    assert [hit["score"] for hit in result["data"]] == [2**62 + 1, 2**62 + 2, 2**62 + 3]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"field": "genre"}, "int64 and float32"),
        ({"field": "title"}, "no scalar index"),
        ({"field": "yaer"}, "Did you mean 'year'"),
        ({"field": "year", "order": "up"}, "neither asc nor desc"),
    ],
)
def test_an_impossible_order_is_refused(filled: Wire, query: dict[str, str], says: str) -> None:
    status, code, message = filled.refusal("data/search/scalar", **query)
    assert (status, code) == (400, "InvalidParameter")
    assert says in message


def test_a_random_search_draws_without_replacement(books: Wire) -> None:
    books.result("data/upsert", data=[book(f"k{number}") for number in range(50)])
    draws = [ids(books.result("data/search/random", limit=20)) for _ in range(5)]
    assert all(len(set(draw)) == 20 for draw in draws)
    assert len({tuple(draw) for draw in draws}) > 1
    assert {hit["score"] for hit in books.result("data/search/random")["data"]} == {0.0}


@pytest.mark.parametrize("vector", [[1, 2, 3], [1] * 8, [], "x"])
def test_a_query_of_another_dimension_is_refused(filled: Wire, vector: Any) -> None:
    assert filled.refusal("data/search/vector", dense_vector=vector)[:2] == (400, "InvalidParameter")


def test_a_sparse_query_needs_a_hybrid_index(filled: Wire) -> None:
    body = {"dense_vector": [1, 0, 0, 0], "sparse_vector": {"x": 1.0}}
    assert "not hybrid" in filled.refusal("data/search/vector", **body)[2]


def test_an_index_made_later_sees_earlier_rows(filled: Wire) -> None:
    index_by(filled, "l2")
    assert len(ids(filled.result("data/search/vector", index_name="l2", dense_vector=[1, 0, 0, 0]))) == 4


def test_an_empty_index_has_no_hits(books: Wire) -> None:
    for path, query in (("vector", {"dense_vector": [1, 0, 0, 0]}), ("scalar", {"field": "year"}), ("random", {})):
        result = books.result(f"data/search/{path}", **query, filter={"op": "must", "field": "genre", "conds": ["x"]})
        assert result == {"data": [], "filter_matched_count": 0, "total_return_count": 0}
    assert books.result("data/search/keywords", query="x")["data"] == []


def test_many_rows_give_the_best_ones_whatever_the_rounding(books: Wire) -> None:
    # Rows so close that a product in single precision cannot tell them apart, but their exact scores can.
    for start in range(0, 1000, 100):
        rows = [book(f"k{n:04}", [1000.0, 0.001 * n, 0, 0]) for n in range(start, start + 100)]
        books.result("data/upsert", data=rows)
    result = books.result("data/search/vector", dense_vector=[0.0, 1.0, 0, 0], limit=5)
    assert ids(result) == ["k0999", "k0998", "k0997", "k0996", "k0995"]
