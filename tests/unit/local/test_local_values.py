"""Values: what a field of each type takes, how it is kept, and that null is no value."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.local.wire import Wire, book
from vikingdb_local.engine.values import read_vector, read_vectors
from vikingdb_local.errors import ServiceError

TYPES = {
    "i": "int64",
    "f": "float32",
    "s": "string",
    "b": "bool",
    "ls": "list<string>",
    "li": "list<int64>",
    "t": "text",
    "d": "date_time",
    "g": "geo_point",
    "lg": "list<geo_point>",
}
WHOLE = {"t": "text", "d": "2026-01-01T00:00:00Z", "g": "1,2", "lg": []}

ACCEPTED = [
    ("i", 2**63 - 1, 2**63 - 1),
    ("i", -(2**63), -(2**63)),
    ("f", 1, 1.0),
    ("f", 0.1, 0.1),
    ("f", 16777217, 16777216.0),
    ("f", -3.4e38, -3.4e38),
    ("s", "", ""),
    ("s", "数据库\n", "数据库\n"),
    ("s", "x" * 65535, "x" * 65535),
    ("b", True, True),
    ("ls", [], []),
    ("ls", ["a", "a", "é" * 512], ["a", "a", "é" * 512]),
    ("li", [1, -1, 2**63 - 1], [1, -1, 2**63 - 1]),
    ("t", "x" * 65535, "x" * 65535),
    ("d", "2026-01-31T08:00Z", "2026-01-31T08:00Z"),
    ("d", "2026-01-31T08:00:01.123+08:00", "2026-01-31T08:00:01.123+08:00"),
    ("d", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ("d", "3000-01-01T00:00:00Z", "3000-01-01T00:00:00Z"),
    ("g", "-179.9,89.9", "-179.9,89.9"),
    ("g", " 116.4 , 39.9 ", " 116.4 , 39.9 "),
    ("lg", ["1,2", "3,4"], ["1,2", "3,4"]),
]
REFUSED: list[tuple[str, Any]] = [
    *((name, None) for name in TYPES),
    *(("i", value) for value in (1.0, "1", True, [1], 2**63, -(2**63) - 1)),
    *(("f", value) for value in ("1", True, 3.5e38, -1e300, {})),
    *(("s", value) for value in (1, True, ["a"], "x" * 65536)),
    *(("b", value) for value in (0, 1, "true")),
    *(("ls", value) for value in ("a", [1], [None], ["x" * 1025], ["x"] * 20001, ["x" * 1024] * 1025)),
    *(("li", value) for value in (1, ["a"], [1.0], [True], [1] * 1025)),
    *(("t", value) for value in (1, "x" * 65536)),
    *(
        ("d", value)
        for value in (0, "", "2026-01-31", "2026-01-31T08:00:00", "2026-02-30T00:00:00Z", "2026-01-31T25:00Z")
    ),
    *(("d", value) for value in ("1969-12-31T23:59:59Z", "3000-01-01T00:00:01Z", "1970-01-01T00:00:00+01:00")),
    *(("g", value) for value in ("180,0", "0,90", "-180,0", "1", "1,2,3", "a,b", "1;2", "1e1,2", [1, 2], "")),
    *(("lg", value) for value in ("1,2", ["1"], [1])),
]


@pytest.fixture
def typed(wire: Wire) -> Wire:
    key = {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}
    wire.make({"Fields": [key, *({"FieldName": name, "FieldType": kind} for name, kind in TYPES.items())]}, {})
    return wire


@pytest.mark.parametrize(("name", "value", "kept"), ACCEPTED)
def test_a_value_is_kept(typed: Wire, name: str, value: Any, kept: Any) -> None:
    typed.result("data/upsert", data=[{"id": 1, **WHOLE, name: value}])
    (item,) = typed.result("data/fetch_in_collection", ids=[1])["fetch"]
    assert item["fields"][name] == kept
    assert type(item["fields"][name]) is type(kept)


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda value: repr(value)[:30])
def test_a_wrong_value_is_refused_naming_row_field_and_type(typed: Wire, name: str, value: Any) -> None:
    status, code, message = typed.refusal("data/upsert", data=[{"id": 1, **WHOLE, name: value}])
    assert (status, code) == (400, "InvalidParameter")
    assert message.startswith(f"data[0]: field {name!r} ({TYPES[name]})")
    assert len(message) < 300
    assert typed.result("data/fetch_in_collection", ids=[1])["ids_not_exist"] == [1]


@pytest.mark.parametrize("name", WHOLE)
def test_a_field_without_a_default_has_to_be_given(typed: Wire, name: str) -> None:
    row = {"id": 1, **{other: value for other, value in WHOLE.items() if other != name}}
    status, code, message = typed.refusal("data/upsert", data=[row])
    assert (status, code) == (400, "InvalidParameter")
    assert f"{name!r} ({TYPES[name]}) is missing and has no default" in message


def test_dates_and_points_may_have_a_default(wire: Wire) -> None:
    fields = [
        {"FieldName": "d", "FieldType": "date_time", "DefaultValue": "2026-01-01T00:00:00Z"},
        {"FieldName": "g", "FieldType": "geo_point", "DefaultValue": "1,2"},
    ]
    wire.make({"Fields": fields}, {})
    wire.result("data/upsert", data=[{}])
    (hit,) = wire.result("data/search/random", output_fields=["d", "g"])["data"]
    assert hit["fields"] == {"d": "2026-01-01T00:00:00Z", "g": "1,2"}


def packed(layout: str, *numbers: float) -> str:
    return base64.b64encode(struct.pack(layout, *numbers)).decode()


@pytest.mark.parametrize(
    ("vector", "says"),
    [
        (None, "not null"),
        (1, "not an integer"),
        ({}, "not an object"),
        ([1, 2, 3], "has 3 numbers; its dimension is 4"),
        ([1, 2, 3, "4"], "position 3 is a string"),
        ([1, 2, 3, None], "position 3 is null"),
        ([1, 2, 3, True], "position 3 is a boolean"),
        ([1, 2, 3, 1e39], "scale"),
        ([1e-30, 0, 0, 0], "scale"),
        ("not base64!", "no base64"),
        (packed("<3f", 1, 2, 3), "12 bytes"),
        (packed("<4f", 1, 2, 3, float("nan")), "NaN"),
        (packed("<4d", 1, 2, 3, float("inf")), "infinity"),
        (packed("<4d", 1, 2, 3, 1e300), "scale"),
    ],
)
def test_a_wrong_vector_is_refused(books: Wire, vector: Any, says: str) -> None:
    status, code, message = books.refusal("data/upsert", data=[{"id": "a", "title": "t", "vec": vector}])
    assert (status, code) == (400, "InvalidParameter")
    assert "'vec'" in message
    assert says in message


def test_a_row_needs_its_vector(books: Wire) -> None:
    assert "needs its vector" in books.refusal("data/upsert", data=[{"id": "a", "title": "t"}])[2]


def test_the_zero_vector_is_a_vector(books: Wire) -> None:
    books.result("data/upsert", data=[{"id": "a", "title": "t", "vec": [0, 0, 0, 0]}])
    assert books.result("data/search/vector", dense_vector=[1, 0, 0, 0])["data"][0]["score"] == 0


def as_one(values: list[Any]) -> list[list[float]] | None:
    """Each vector read by itself; ``None`` when there is one that is refused."""
    try:
        return [read_vector(value, 3, "it").tolist() for value in values]
    except ServiceError:
        return None


numbers = st.one_of(
    st.sampled_from([0, 1, -1, 0.0, 1.0, 0.5, 1e-16, 1e-8, 1e18, 1e19, 1e200, -1e308, 2**63]), st.floats(-10, 10)
)
wrong = st.sampled_from([True, False, None, "1", [1], {}])
vectors = st.lists(numbers, min_size=3, max_size=3)
in_base64 = st.just(base64.b64encode(struct.pack("<3f", 1, 2, 3)).decode())
anything = st.one_of(vectors, vectors, vectors, st.lists(numbers | wrong, max_size=4), in_base64, wrong)


@given(values=st.lists(vectors, max_size=4) | st.lists(anything, max_size=4))
def test_many_vectors_are_read_at_once_as_one_by_one_or_not_at_all(values: list[Any]) -> None:
    read = read_vectors(values, 3)
    if read is not None:
        assert read.tolist() == as_one(values)


@given(values=st.lists(st.lists(st.integers(-5, 5).filter(bool), min_size=3, max_size=3), min_size=1, max_size=4))
def test_ordinary_vectors_are_read_at_once(values: list[list[int]]) -> None:
    assert read_vectors(values, 3) is not None


def test_rows_with_one_vector_that_is_wrong_are_refused_by_its_place(books: Wire) -> None:
    rows = [{**book(key), "vec": [0.1, 0.2, 0.3, 0.4]} for key in "abc"]
    for wrong_one, says in (([1, True, 0, 0], "position 1 is"), ([1.5, 2, 3], "dimension is 4"), ([1e30] * 4, "scale")):
        status, code, message = books.refusal("data/upsert", data=[*rows, {**book("d"), "vec": wrong_one}])
        assert (status, code) == (400, "InvalidParameter")
        assert "data[3]" in message
        assert says in message
    assert books.result("data/fetch_in_collection", ids=["a"])["fetch"] == []
