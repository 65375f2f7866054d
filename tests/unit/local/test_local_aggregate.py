"""Counting: in all, by group, with a condition on the count."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.wire import Wire, book

KEY = {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}


@pytest.fixture
def filled(books: Wire) -> Wire:
    genres = ["sf", "sf", "sf", "crime", "crime", "art"]
    rows = [book(f"k{n}", genre=genre, year=n % 2, sold=n == 0) for n, genre in enumerate(genres)]
    books.result("data/upsert", data=rows)
    return books


def test_a_count_without_groups_is_one_total(filled: Wire) -> None:
    assert filled.result("data/agg", op="count") == {"op": "count", "field": "__NONE__", "agg": {"__TOTAL__": 6}}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"field": "genre"}, [("sf", 3), ("crime", 2), ("art", 1)]),
        ({"field": "genre", "order": "desc"}, [("sf", 3), ("crime", 2), ("art", 1)]),
        ({"field": "genre", "order": "asc"}, [("art", 1), ("crime", 2), ("sf", 3)]),
        ({"field": "genre", "cond": {"gt": 1}}, [("sf", 3), ("crime", 2)]),
        ({"field": "genre", "cond": {}}, [("sf", 3), ("crime", 2), ("art", 1)]),
        ({"field": "genre", "cond": {"gt": 3}}, []),
        ({"field": "genre", "cond": {"gte": 2}}, [("sf", 3), ("crime", 2)]),
        ({"field": "genre", "cond": {"gt": 1, "gte": 3}}, [("sf", 3)]),
        ({"field": "year"}, [("0", 3), ("1", 3)]),
        ({"field": "sold"}, [("false", 5), ("true", 1)]),
        (
            {"field": "genre", "filter": {"op": "range", "field": "year", "gte": 1}},
            [("art", 1), ("crime", 1), ("sf", 1)],
        ),
    ],
)
def test_a_count_by_group(filled: Wire, query: dict[str, Any], expected: list[tuple[str, int]]) -> None:
    result = filled.result("data/agg", op="count", **query)
    assert list(result["agg"].items()) == expected
    assert (result["op"], result["field"]) == ("count", query["field"])


def test_the_newer_name_of_the_group_is_known(filled: Wire) -> None:
    result = filled.result("data/agg", op="count", group_by="genre")
    assert (result["group_by"], result["agg"]["sf"]) == ("genre", 3)
    assert filled.result("data/agg", op="count", group_by="genre", field="genre")["agg"] == result["agg"]


def test_deleted_rows_are_not_counted(filled: Wire) -> None:
    filled.result("data/delete", ids=["k0"])
    filled.result("data/upsert", data=[book("k1", genre="art")])
    assert filled.result("data/agg", op="count", field="genre")["agg"] == {"art": 2, "crime": 2, "sf": 1}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"op": "sum"}, "InvalidParameter"),
        ({"op": "count", "field": "price"}, "InvalidParameter"),
        ({"op": "count", "field": "tags"}, "InvalidParameter"),
        ({"op": "count", "field": "gener"}, "InvalidParameter"),
        ({"op": "count", "field": "genre", "group_by": "year"}, "InvalidParameter"),
        ({"op": "count", "cond": {"gt": 1}}, "InvalidParameter"),
        ({"op": "count", "field": "genre", "cond": {"lt": 1}}, "InvalidParameter"),
        ({"op": "count", "field": "genre", "cond": {"gt": "1"}}, "InvalidParameter"),
        ({"op": "count", "field": "genre", "order": "up"}, "InvalidParameter"),
        ({"op": "count", "limit": 5}, "InvalidParameter"),
    ],
)
def test_an_impossible_aggregate_is_refused(filled: Wire, query: dict[str, Any], code: str) -> None:
    assert filled.refusal("data/agg", **query)[:2] == (400, code)


def test_a_count_needs_a_countable_field_in_the_index(wire: Wire) -> None:
    fields = [KEY, {"FieldName": "x", "FieldType": "float32"}]
    wire.make({"Fields": fields}, {"ScalarIndex": ["x"]})
    assert "string, int64 or bool" in wire.refusal("data/agg", op="count")[2]
