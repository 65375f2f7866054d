"""Filters: every operator over every type, and the stances where the documents are silent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.wire import Wire

FIELDS = {
    "n": "int64",
    "x": "float32",
    "s": "string",
    "b": "bool",
    "ls": "list<string>",
    "li": "list<int64>",
    "at": "date_time",
    "where": "geo_point",
    "y": "float32",
}
BEIJING, SHANGHAI = "116.40,39.90", "121.47,31.23"
ROWS: list[dict[str, Any]] = [
    {"id": 1, "n": 1, "x": 0.1, "y": 0, "s": "red", "b": True, "ls": ["a", "b"], "li": [1, 2], "where": BEIJING,
     "at": "2026-01-01T00:00:00Z"},
    {"id": 2, "n": 5, "x": 2.5, "y": 1, "s": "blue", "b": False, "ls": [], "li": [], "where": SHANGHAI,
     "at": "2026-01-01T08:00:00+08:00"},
    {"id": 3, "n": 2**53 + 1, "x": -1, "y": 3, "s": "red", "b": False, "ls": ["c"], "li": [2**62], "where": "0,0",
     "at": "2026-06-01T00:00:00Z"},
    {"id": 4, "n": -7, "x": 1e10, "y": -4, "where": "-0.001,0", "at": "2027-01-01T00:00Z"},
]  # fmt: skip

MATCHES: list[tuple[dict[str, Any], set[int]]] = [
    ({"op": "must", "field": "n", "conds": [1, 5, 99]}, {1, 2}),
    ({"op": "must", "field": "n", "conds": [2**53]}, set()),
    ({"op": "must", "field": "n", "conds": [2**53 + 1]}, {3}),
    ({"op": "must", "field": "n", "conds": [2**63 + 5, 1]}, {1}),
    ({"op": "must", "field": "s", "conds": ["red"]}, {1, 3}),
    ({"op": "must", "field": "s", "conds": ["default"]}, {4}),
    ({"op": "must", "field": "s", "conds": ["never seen"]}, set()),
    ({"op": "must", "field": "b", "conds": [True]}, {1}),
    ({"op": "must", "field": "b", "conds": [False]}, {2, 3, 4}),
    ({"op": "must", "field": "ls", "conds": ["b", "c"]}, {1, 3}),
    ({"op": "must", "field": "ls", "conds": ["default"]}, {4}),
    ({"op": "must", "field": "li", "conds": [2, 2**62]}, {1, 3}),
    ({"op": "must", "field": "li", "conds": [0]}, {4}),
    ({"op": "must", "field": "n", "conds": []}, set()),
    ({"op": "must_not", "field": "n", "conds": []}, {1, 2, 3, 4}),
    ({"op": "must_not", "field": "n", "conds": [1]}, {2, 3, 4}),
    ({"op": "must_not", "field": "s", "conds": ["red", "blue"]}, {4}),
    ({"op": "must_not", "field": "ls", "conds": ["a", "default"]}, {2, 3}),
    ({"op": "must_not", "field": "b", "conds": [True]}, {2, 3, 4}),
    ({"op": "range", "field": "n", "gt": 1}, {2, 3}),
    ({"op": "range", "field": "n", "gte": 1, "lt": 5}, {1}),
    ({"op": "range", "field": "n", "gte": 1, "lte": 5}, {1, 2}),
    ({"op": "range", "field": "n", "gt": 0.5, "lt": 4.5}, {1}),
    ({"op": "range", "field": "n", "gt": 2**53}, {3}),
    ({"op": "range", "field": "n", "gt": 2**53 + 1}, set()),
    ({"op": "range", "field": "n", "lt": 1e300}, {1, 2, 3, 4}),
    ({"op": "range", "field": "n", "gt": 1e300}, set()),
    ({"op": "range", "field": "n", "gte": -1e300}, {1, 2, 3, 4}),
    ({"op": "range", "field": "n", "lte": -1e300}, set()),
    ({"op": "range", "field": "n", "gt": 5, "gte": 1}, {1, 2, 3}),
    ({"op": "range", "field": "n", "lt": 1, "lte": 5}, {1, 2, 4}),
    ({"op": "range", "field": "n", "gt": 5, "lt": 1}, set()),
    ({"op": "range", "field": "n", "gt": None, "lt": 1}, {4}),
    ({"op": "range", "field": "x", "gte": 0.1, "lte": 0.1}, {1}),
    ({"op": "range", "field": "x", "lt": 0}, {3}),
    ({"op": "range", "field": "x", "gt": 1e300}, set()),
    ({"op": "range_out", "field": "n", "gt": 500, "lt": 0}, {3, 4}),
    ({"op": "range_out", "field": "n", "gte": 1, "lte": 5}, {3, 4}),
    ({"op": "range_out", "field": "n", "gt": 1, "lt": 5}, {1, 2, 3, 4}),
    ({"op": "range_out", "field": "n", "gte": 5, "lte": 5}, {1, 3, 4}),
    ({"op": "range_out", "field": "x", "gte": 0, "lte": 3}, {3, 4}),
    ({"op": "time_range", "field": "at", "gte": "2026-01-01T00:00:00Z", "lt": "2026-01-02T00:00Z"}, {1, 2}),
    ({"op": "time_range", "field": "at", "lte": "2026-01-01T00:00:00.000Z"}, {1, 2}),
    ({"op": "time_range", "field": "at", "gt": "2026-01-01T01:00:00+01:00"}, {3, 4}),
    ({"op": "geo_range", "field": "where", "center": BEIJING, "radius": "1000000m"}, {1}),
    ({"op": "geo_range", "field": "where", "center": BEIJING, "radius": "1100km"}, {1, 2}),
    ({"op": "georange", "field": "where", "center": "0.001,0", "radius": "200m"}, {3}),
    ({"op": "geo_range", "field": "where", "center": "0.001,0", "radius": "223m"}, {3, 4}),
    ({"op": "range", "field": ["x", "y"], "center": [0, 2], "radius": 1.5}, {3}),
    ({"op": "range", "field": ["x", "y"], "center": [0, 1], "radius": 2.5}, {1, 2, 3}),
    ({"op": "and", "conds": [{"op": "must", "field": "s", "conds": ["red"]}]}, {1, 3}),
    (
        {
            "op": "and",
            "conds": [{"op": "must", "field": "s", "conds": ["red"]}, {"op": "range", "field": "n", "gt": 1}],
        },
        {3},
    ),
    (
        {
            "op": "or",
            "conds": [
                {"op": "must", "field": "b", "conds": [True]},
                {
                    "op": "and",
                    "conds": [{"op": "range", "field": "x", "gt": 3}, {"op": "range", "field": "n", "lt": 0}],
                },
            ],
        },
        {1, 4},
    ),
]

NEST: dict[str, Any] = {"op": "must", "field": "n", "conds": [1]}
for _ in range(70):
    NEST = {"op": "and", "conds": [NEST]}

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"field": "n", "conds": [1]}, "has no op"),
    ({"op": "mus", "field": "n", "conds": [1]}, "Did you mean 'must'"),
    ({"op": 5}, "none of"),
    ({"op": "not", "conds": []}, "none of"),
    *(({"op": op, "field": "s", op: "x"}, "none of") for op in ("prefix", "contains", "regex", "label_in")),
    ({"op": "must", "conds": [1]}, "filter.field"),
    ({"op": "must", "field": 5, "conds": [1]}, "filter.field"),
    ({"op": "must", "field": "n"}, "filter.conds"),
    ({"op": "must", "field": "n", "conds": 1}, "filter.conds must be an array"),
    ({"op": "must", "field": "n", "conds": ["1"]}, "conds[0] is a string"),
    ({"op": "must", "field": "n", "conds": [1, "1"]}, "conds[1] is a string"),
    ({"op": "must", "field": "n", "conds": [True]}, "conds[0] is a boolean"),
    ({"op": "must", "field": "n", "conds": [1.0]}, "conds[0]"),
    ({"op": "must", "field": "n", "conds": [None]}, "conds[0] is null"),
    ({"op": "must", "field": "b", "conds": [1]}, "conds[0] is an integer"),
    ({"op": "must", "field": "s", "conds": [["red"]]}, "conds[0] is an array"),
    ({"op": "must", "field": "x", "conds": [0.1]}, "compared with range"),
    ({"op": "must", "field": "at", "conds": ["2026-01-01T00:00Z"]}, "compared with time_range"),
    ({"op": "must", "field": "where", "conds": ["0,0"]}, "compared with geo_range"),
    ({"op": "must", "field": "m", "conds": [1]}, "no scalar index on 'm'"),
    ({"op": "must", "field": "hidden", "conds": [1]}, "no scalar index on 'hidden'"),
    ({"op": "must", "field": "n", "conds": [1], "para": "-d=1"}, "no 'para'"),
    ({"op": "must", "field": "n", "cond": [1]}, "Did you mean 'conds'"),
    ({"op": "range", "field": "n"}, "needs one or two bounds"),
    ({"op": "range", "field": "n", "gt": "1"}, "filter.gt must be a number"),
    ({"op": "range", "field": "n", "gt": True}, "filter.gt must be a number"),
    ({"op": "range", "field": "s", "gt": 1}, "is string"),
    ({"op": "range", "field": "at", "gt": 1}, "compared with time_range"),
    ({"op": "range", "field": "li", "gt": 1}, "is list<int64>"),
    ({"op": "range", "field": "n", "gt": 1, "radius": 5}, "pair of fields"),
    ({"op": "range", "field": ["x"], "center": [0, 0], "radius": 1}, "two fields"),
    ({"op": "range", "field": ["x", "y"], "center": [0, 0]}, "filter.radius"),
    ({"op": "range", "field": ["x", "y"], "gt": 1}, "one field"),
    ({"op": "range", "field": ["x", "y"], "center": [0, 0], "radius": -2.5}, "must not be negative"),
    ({"op": "range_out", "field": "n", "gt": 1}, "lower and an upper"),
    ({"op": "time_range", "field": "n", "gt": "2026-01-01T00:00Z"}, "compared with must and range"),
    ({"op": "time_range", "field": "at", "gt": "yesterday"}, "needs the form"),
    ({"op": "time_range", "field": "at", "gt": 5}, "must be a string"),
    ({"op": "geo_range", "field": "where", "center": "0,0"}, "filter.radius"),
    ({"op": "geo_range", "field": "where", "center": "0,0", "radius": 5}, "must be a string"),
    ({"op": "geo_range", "field": "where", "center": "0,0", "radius": "5"}, "unit"),
    ({"op": "geo_range", "field": "where", "center": "0,0", "radius": "5 miles"}, "unit"),
    ({"op": "geo_range", "field": "where", "center": "0;0", "radius": "5m"}, "form"),
    ({"op": "geo_range", "field": "where", "center": "200,0", "radius": "5m"}, "between -180 and 180"),
    ({"op": "and", "conds": []}, "one condition or more"),
    ({"op": "or"}, "filter.conds"),
    ({"op": "and", "conds": [{}]}, "conds[0] has no op"),
    ({"op": "and", "conds": [5]}, "conds[0] must be an object"),
    ({"op": "and", "conds": [NEST], "field": "n"}, "no 'field'"),
    ({"op": "or", "conds": [{"op": "must", "field": "n", "conds": [1]}, {"op": "x"}]}, "filter.conds[1].op"),
    (NEST, "nested"),
]


@pytest.fixture
def rows(wire: Wire) -> Wire:
    fields = [
        {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
        {"FieldName": "hidden", "FieldType": "int64"},
        *({"FieldName": name, "FieldType": kind} for name, kind in FIELDS.items()),
    ]
    wire.make({"Fields": fields}, {"ScalarIndex": ["id", *FIELDS]})
    return wire


@pytest.mark.parametrize(("condition", "expected"), MATCHES)
def test_a_filter_matches(rows: Wire, condition: dict[str, Any], expected: set[int]) -> None:
    rows.result("data/upsert", data=ROWS)
    result = rows.result("data/search/random", filter=condition)
    assert {hit["id"] for hit in result["data"]} == expected
    assert result["filter_matched_count"] == len(expected)


@pytest.mark.parametrize(("condition", "says"), REFUSED)
def test_an_impossible_filter_is_refused_even_when_there_are_no_rows(
    rows: Wire, condition: dict[str, Any], says: str
) -> None:
    status, code, message = rows.refusal("data/search/random", filter=condition)
    assert (status, code) == (400, "InvalidParameter")
    assert says in message
    assert len(message) < 400


def test_an_index_may_cover_no_field_at_all(wire: Wire) -> None:
    wire.make({"Fields": [{"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}]}, {"ScalarIndex": []})
    assert "covers: none" in wire.refusal("data/search/random", filter={"op": "must", "field": "id", "conds": [1]})[2]


def test_a_filter_sees_replaced_rows_as_they_are_now(rows: Wire) -> None:
    rows.result("data/upsert", data=ROWS)
    rows.result("data/update", data=[{"id": 1, "s": "green", "ls": ["z"]}])
    rows.result("data/upsert", data=[{**ROWS[2], "n": 0}])

    def matching(field: str, value: Any) -> set[int]:
        condition = {"op": "must", "field": field, "conds": [value]}
        return {hit["id"] for hit in rows.result("data/search/random", filter=condition)["data"]}

    assert matching("s", "red") == {3}
    assert matching("s", "green") == {1}
    assert matching("ls", "a") == set()
    assert matching("ls", "z") == {1}
    assert matching("n", 0) == {3}
