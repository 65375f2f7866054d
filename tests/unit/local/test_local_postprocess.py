"""Post-processing: which hits stay, and how they are scored anew."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.local.wire import Clock, Wire, book

PLACES = [
    {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
    {"FieldName": "name", "FieldType": "string"},
    {"FieldName": "kind", "FieldType": "string"},
    {"FieldName": "stars", "FieldType": "int64"},
    {"FieldName": "price", "FieldType": "float32"},
    {"FieldName": "opened", "FieldType": "date_time"},
    {"FieldName": "where", "FieldType": "geo_point"},
    {"FieldName": "vec", "FieldType": "vector", "Dim": 4},
]
ROWS = [
    (1, "Blue Door", "cafe", 5, 10.0, "2026-09-20T00:00:00Z", "10.0,50.0"),
    (2, "blue note", "bar", 3, 20.0, "2026-09-01T00:00:00Z", "10.0,50.01"),
    (3, "Old Mill", "cafe", 4, 40.0, "2020-01-01T00:00:00Z", "11.0,50.0"),
    (4, "蓝色茶馆", "cafe", 1, 5.0, "2026-09-21T00:00:00Z", "10.0,50.0"),
]


@pytest.fixture
def places(wire: Wire) -> Wire:
    wire.make({"Fields": PLACES}, {"VectorIndex": {"IndexType": "flat", "Distance": "ip", "Quant": "float"}})
    names = [field["FieldName"] for field in PLACES]
    rows = [dict(zip(names, (*row, [5 - row[0], 0, 0, 0]), strict=True)) for row in ROWS]
    wire.result("data/upsert", data=rows)
    return wire


def found(wire: Wire, *ops: dict[str, Any], limit: int = 10, offset: int = 0, **advance: Any) -> list[Any]:
    """Hits of a search whose first scores are 4, 3, 2 and 1."""
    body = {"dense_vector": [1, 0, 0, 0], "limit": limit, "offset": offset, "return_detail_info": True}
    hits: list[Any] = wire.result("data/search/vector", **body, advance={"post_process_ops": list(ops), **advance})[
        "data"
    ]
    return hits


def ids(hits: list[Any]) -> list[int]:
    return [hit["id"] for hit in hits]


def fusion(*items: dict[str, Any], by: str = "add", **about: Any) -> dict[str, Any]:
    plain = {"enable": False}
    return {
        "op": "score_fusion",
        "fusion_by": by,
        "addition_score": list(items),
        "normalize_for_origin_score": plain,
        "normalize_for_addition_score": plain,
        **about,
    }


def scalar(field: str, **about: Any) -> dict[str, Any]:
    return {"base_value_from": "scalar_field", "field": field, **about}


def decay(field: str, func: str, scale: Any, **about: Any) -> dict[str, Any]:
    return {"base_value_from": "decay_func", "field": field, "func": func, "scale": scale, **about}


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        ([], [1, 2, 3, 4]),
        ([{"op": "string_contain", "field": "name", "pattern": "Blue"}], [1]),
        ([{"op": "string_contain", "field": "name", "pattern": "茶"}], [4]),
        ([{"op": "string_contain", "field": "name", "pattern": ".*"}], []),
        ([{"op": "string_match", "field": "name", "pattern": "(?i)^blue"}], [1, 2]),
        ([{"op": "string_match", "field": "name", "pattern": "o"}], [1, 2]),
        ([{"op": "string_match", "field": "name", "pattern": r"^\p{Han}+$"}], [4]),
        ([{"op": "enum_freq_limiter", "field": "kind", "threshold": 1}], [1, 2]),
        ([{"op": "enum_freq_limiter", "field": "kind", "threshold": 2}], [1, 2, 3]),
        (
            [
                {"op": "enum_freq_limiter", "field": "kind", "threshold": 1},
                {"op": "string_contain", "field": "name", "pattern": "note"},
            ],
            [2],
        ),
        (
            [
                {"op": "string_contain", "field": "name", "pattern": "M"},
                {"op": "enum_freq_limiter", "field": "kind", "threshold": 1},
            ],
            [3],
        ),
    ],
)
def test_operators_keep_what_they_say_in_order(places: Wire, ops: list[dict[str, Any]], expected: list[int]) -> None:
    assert ids(found(places, *ops)) == expected


def test_operators_work_on_more_than_the_page_and_before_it_is_cut(places: Wire) -> None:
    cafes = {"op": "string_match", "field": "kind", "pattern": "^cafe$"}
    assert ids(found(places, cafes, limit=1, offset=1)) == [3]
    assert ids(found(places, cafes, limit=2, post_process_input_limit=2)) == [1]
    assert ids(found(places, cafes, limit=2, post_process_input_limit=4)) == [1, 3]
    assert ids(found(places, cafes, limit=1)) == [1]


def test_a_pattern_that_would_never_end_elsewhere_ends(books: Wire) -> None:
    books.result("data/upsert", data=[book("a", genre="a" * 60000)])
    op = {"op": "string_match", "field": "genre", "pattern": "^(a+)+$|^(a|a)*b$"}
    hits = books.result("data/search/random", advance={"post_process_ops": [op]})["data"]
    assert [hit["id"] for hit in hits] == ["a"]


def test_scores_are_added_with_a_weight(places: Wire) -> None:
    hits = found(places, fusion(scalar("stars"), scalar("price", factor=-0.1), addition_score_weight=0.25))
    expected = {row[0]: 0.75 * (5 - row[0]) + 0.25 * (row[3] - 0.1 * row[4]) for row in ROWS}
    assert {hit["id"]: hit["score"] for hit in hits} == pytest.approx(expected)
    assert ids(hits) == sorted(expected, key=lambda key: -expected[key])
    first = hits[0]
    assert (first["ann_score"], first["origin_score"]) == (4, 4)
    assert first["addition_score"] == pytest.approx(5 - 1)


def test_scores_are_multiplied_and_normalised(places: Wire) -> None:
    op = fusion(
        scalar("stars"),
        by="multiply",
        normalize_for_origin_score={"func": "min_max"},
        normalize_for_addition_score={"arctan_factor": 2, "arctan_offset": 3},
    )
    expected = {row[0]: ((5 - row[0] - 1) / 3) * (math.atan(2 * (row[3] - 3)) / math.pi + 0.5) for row in ROWS}
    assert {hit["id"]: hit["score"] for hit in found(places, op)} == pytest.approx(expected)


def test_arctan_is_the_usual_normalisation_of_both(places: Wire) -> None:
    op = {"op": "score_fusion", "fusion_by": "add", "addition_score": [scalar("stars")]}

    def arctan(value: float) -> float:
        return math.atan(value) / math.pi + 0.5

    expected = {row[0]: 0.5 * arctan(5 - row[0]) + 0.5 * arctan(row[3]) for row in ROWS}
    assert {hit["id"]: hit["score"] for hit in found(places, op)} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("item", "far"),
    [
        (decay("price", "linear", 10, origin=10), [0, 10, 30, 5]),
        (decay("price", "exp", 10, origin=10, offset=2), [0, 8, 28, 3]),
        (decay("price", "gauss", 10, origin=10, decay=0.2), [0, 10, 30, 5]),
        (decay("stars", "gauss", 2), [5, 3, 4, 1]),
    ],
)
def test_a_decay_is_of_the_distance_beyond_the_offset(places: Wire, item: dict[str, Any], far: list[float]) -> None:
    scale, rest = item["scale"], item.get("decay", 0.5)
    law = {
        "linear": lambda d: max(0.0, 1 - (1 - rest) / scale * d),
        "exp": lambda d: math.exp(math.log(rest) / scale * d),
        "gauss": lambda d: math.exp(-(d**2) / (2 * (scale**2 / (-2 * math.log(rest))))),
    }[item["func"]]
    hits = found(places, fusion(item, by="multiply"))
    expected = {row[0]: (5 - row[0]) * law(d) for row, d in zip(ROWS, far, strict=True)}
    assert {hit["id"]: hit["score"] for hit in hits} == pytest.approx(expected)


def test_a_decay_measures_days_from_now_and_metres_from_a_place(places: Wire, clock: Clock) -> None:
    hits = found(places, fusion(decay("opened", "linear", "20d"), by="multiply"))
    assert {hit["id"] for hit in hits if hit["score"] == 0} == {3}
    start = decay("opened", "exp", "1d", origin="2026-09-20T00:00:00Z")
    hits = {hit["id"]: hit["addition_score"] for hit in found(places, fusion(start))}
    assert (hits[1], hits[4]) == pytest.approx((1, 0.5))
    near = decay("where", "exp", "2km", origin="10.0,50.0", offset="500m")
    hits = {hit["id"]: hit["addition_score"] for hit in found(places, fusion(near))}
    assert hits[1] == hits[4] == 1
    assert 0.7 < hits[2] < 1
    assert hits[3] < 1e-6


def test_a_row_without_the_value_gets_nothing_added(places: Wire) -> None:
    more = {"CollectionName": "c", "Fields": [{"FieldName": "since", "FieldType": "date_time"}]}
    assert places.act("UpdateVikingdbCollection", more)[0] == 200
    hits = found(places, fusion(decay("since", "linear", "1d")))
    assert {hit["addition_score"] for hit in hits} == {0}


def test_a_search_by_scalar_is_fused_too(places: Wire) -> None:
    op = fusion(scalar("stars"), addition_score_weight=0.5)
    hits = places.result("data/search/scalar", field="price", order="asc", advance={"post_process_ops": [op]})["data"]
    assert [hit["id"] for hit in hits] == [3, 2, 1, 4]  # best first, whatever the order was


@pytest.mark.parametrize(
    ("op", "code", "says"),
    [
        ({}, "MissingParameter", "post_process_ops[0].op"),
        ({"op": "string_contains"}, "InvalidParameter", "Did you mean 'string_contain'"),
        ({"op": "string_like", "field": "name", "pattern": "%"}, "InvalidParameter", "none of"),
        ({"op": "string_contain", "pattern": "x"}, "MissingParameter", "field"),
        ({"op": "string_contain", "field": "name"}, "MissingParameter", "pattern"),
        ({"op": "string_contain", "field": "nowhere", "pattern": "x"}, "InvalidParameter", "no field 'nowhere'"),
        ({"op": "string_contain", "field": "stars", "pattern": "x"}, "InvalidParameter", "must be string"),
        ({"op": "string_contain", "field": "name", "pattern": 7}, "InvalidParameter", "must be a string"),
        ({"op": "string_contain", "field": "name", "pattern": "x", "patern": "y"}, "InvalidParameter", "patern"),
        ({"op": "string_match", "field": "name", "pattern": "("}, "InvalidParameter", "RE2"),
        ({"op": "string_match", "field": "name", "pattern": "(?=x)"}, "InvalidParameter", "RE2"),
        ({"op": "string_match", "field": "name", "pattern": "x" * 4097}, "InvalidParameter", "4096"),
        ({"op": "enum_freq_limiter", "field": "kind"}, "InvalidParameter", "from 1 on"),
        ({"op": "enum_freq_limiter", "field": "kind", "threshold": 1.5}, "InvalidParameter", "whole number"),
        (fusion(scalar("stars"), by="divide"), "InvalidParameter", "add, multiply"),
        (fusion(), "MissingParameter", "addition_score"),
        (fusion(scalar("stars", factor=0)), "InvalidParameter", "must not be 0"),
        (fusion(scalar("stars", factor=2e6)), "InvalidParameter", "1e+06"),
        (fusion(scalar("name")), "InvalidParameter", "int64 or float32"),
        (fusion(scalar("stars", func="exp")), "InvalidParameter", "no parameter 'func'"),
        (fusion(scalar("stars"), addition_score_weight=1), "InvalidParameter", "between 0 and 1"),
        (fusion(scalar("stars"), by="multiply", addition_score_weight=0.5), "InvalidParameter", "fusion_by add"),
        (fusion({"base_value_from": "moon"}), "InvalidParameter", "scalar_field, decay_func"),
        (fusion(decay("price", "cubic", 1)), "InvalidParameter", "linear, exp, gauss"),
        (fusion(decay("price", "exp", 0)), "InvalidParameter", "above 0"),
        (fusion(decay("price", "exp", "1d")), "InvalidParameter", "must be a number"),
        (fusion(decay("price", "exp", 1, decay=1)), "InvalidParameter", "between 0 and 1"),
        (fusion(decay("price", "exp", 1, offset=-1)), "InvalidParameter", "negative"),
        (fusion(decay("opened", "exp", "1 fortnight")), "InvalidParameter", "7d"),
        (fusion(decay("opened", "exp", "1d", origin="now")), "InvalidParameter", "2026-01-31T08:00:00Z"),
        (fusion(decay("where", "exp", "1km")), "MissingParameter", "origin"),
        (fusion(decay("where", "exp", "1", origin="1,1")), "InvalidParameter", "500m"),
        (fusion(scalar("stars"), normalize_for_origin_score={"func": "log"}), "InvalidParameter", "arctan, min_max"),
        (fusion(scalar("stars"), normalize_for_origin_score=[]), "InvalidParameter", "must be an object"),
        ("string_contain", "InvalidParameter", "post_process_ops"),
    ],
)
def test_an_impossible_operator_is_refused(places: Wire, op: Any, code: str, says: str) -> None:
    status, given, message = places.refusal("data/search/random", advance={"post_process_ops": [op]})
    assert (status, given) == (400, code), message
    assert says in message


def test_the_input_limit_is_at_least_the_limit(places: Wire) -> None:
    body = {"limit": 5, "advance": {"post_process_input_limit": 4}}
    status, code, message = places.refusal("data/search/random", **body)
    assert (status, code) == (400, "InvalidParameter")
    assert "at least limit (5)" in message
