"""Filters and searches against a naive oracle: lists and loops after the specification, no code of the engine."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.local.wire import HASHED, Wire
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.transport import TransportSettings
from vikingdb_local.transport import LocalTransport

Row = dict[str, Any]

WORDS = ["red", "green", "数据", ""]
FIELDS = [
    {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
    {"FieldName": "n", "FieldType": "int64"},
    {"FieldName": "x", "FieldType": "float32"},
    {"FieldName": "s", "FieldType": "string"},
    {"FieldName": "b", "FieldType": "bool"},
    {"FieldName": "ls", "FieldType": "list<string>"},
    {"FieldName": "li", "FieldType": "list<int64>"},
    {"FieldName": "at", "FieldType": "date_time"},
    {"FieldName": "vec", "FieldType": "vector", "Dim": 4},
]

keys = st.integers(1, 12)
integers = st.sampled_from([-(2**63), -3, 0, 1, 2, 2**53, 2**53 + 1, 2**63 - 1])
numbers = st.sampled_from([-1.5, 0.0, 0.1, 0.25, 1.0, 3.0, 1e10])
days = st.integers(1, 28)
texts = st.sampled_from(WORDS)
vectors = st.lists(st.integers(-3, 3), min_size=4, max_size=4)

rows = st.fixed_dictionaries(
    {
        "id": keys,
        "n": integers,
        "x": numbers,
        "s": texts,
        "b": st.booleans(),
        "ls": st.lists(texts, max_size=3),
        "li": st.lists(integers, max_size=3),
        "at": days.map(lambda day: f"2026-01-{day:02}T00:00:00Z"),
        "vec": vectors,
    }
)
changes = st.one_of(
    st.tuples(st.just("upsert"), st.lists(rows, min_size=1, max_size=6)),
    st.tuples(st.just("delete"), st.lists(keys, min_size=1, max_size=4)),
    st.tuples(st.just("update"), st.lists(st.fixed_dictionaries({"id": keys, "s": texts, "n": integers}), min_size=1)),
    st.tuples(st.just("empty"), st.none()),
)


def _membership(field: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {"op": st.sampled_from(["must", "must_not"]), "field": st.just(field), "conds": st.lists(values, max_size=3)}
    )


def _interval(op: str, field: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    bound = {"op": st.just(op), "field": st.just(field)}
    sides = [
        st.fixed_dictionaries({**bound, lower: values, upper: values})
        for lower in ("gt", "gte")
        for upper in ("lt", "lte")
    ]
    if op != "range_out":
        sides += [st.fixed_dictionaries({**bound, side: values}) for side in ("gt", "gte", "lt", "lte")]
    return st.one_of(sides)


instants = days.map(lambda day: f"2026-01-{day:02}T08:00:00+08:00")
leaves = st.one_of(
    _membership("n", integers),
    _membership("s", texts),
    _membership("b", st.booleans()),
    _membership("ls", texts),
    _membership("li", integers),
    _interval("range", "n", st.one_of(integers, numbers)),
    _interval("range", "x", numbers),
    _interval("range_out", "n", integers),
    _interval("range_out", "x", numbers),
    _interval("time_range", "at", instants),
)
filters = st.recursive(
    leaves,
    lambda nodes: st.fixed_dictionaries(
        {"op": st.sampled_from(["and", "or"]), "conds": st.lists(nodes, min_size=1, max_size=3)}
    ),
    max_leaves=6,
)


def single(number: float) -> float:
    value: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return value


def day_of(text: str) -> int:
    return int(text[8:10])


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def matches(node: Row, row: Row) -> bool:
    op = node["op"]
    if op in ("and", "or"):
        parts = [matches(part, row) for part in node["conds"]]
        return all(parts) if op == "and" else any(parts)
    value = row[node["field"]]
    if op in ("must", "must_not"):
        hit = any(element in node["conds"] for element in value) if isinstance(value, list) else value in node["conds"]
        return hit is (op == "must")
    bounds = {side: node[side] for side in COMPARE if side in node}
    if node["field"] == "x":
        value, bounds = single(value), {side: single(bound) for side, bound in bounds.items()}
    if op == "time_range":
        value, bounds = day_of(value), {side: day_of(bound) for side, bound in bounds.items()}
    inside = [COMPARE[side](value, bound) for side, bound in bounds.items()]
    if op != "range_out":
        return all(inside)
    low, high = bounds.values()
    return any(inside) if low > high else not all(inside)


def score(distance: str, row: list[int], query: list[int]) -> float:
    product = sum(a * b for a, b in zip(row, query, strict=True))
    if distance == "ip":
        return product
    if distance == "l2":
        return 1 - sum((a - b) ** 2 for a, b in zip(row, query, strict=True))
    lengths = math.sqrt(sum(a * a for a in row) * sum(b * b for b in query))
    return product / lengths if lengths else 0.0


def apply(change: tuple[str, Any], kept: dict[int, Row], wire: Wire) -> None:
    kind, given_rows = change
    if kind == "upsert":
        wire.result("data/upsert", data=given_rows)
        kept.update({row["id"]: row for row in given_rows})
    elif kind == "delete":
        wire.result("data/delete", ids=given_rows)
        for key in given_rows:
            kept.pop(key, None)
    elif kind == "empty":
        wire.result("data/delete", del_all=True)
        kept.clear()
    elif all(row["id"] in kept for row in given_rows):
        wire.result("data/update", data=given_rows)
        for row in given_rows:
            kept[row["id"]] = {**kept[row["id"]], **row}
    else:
        assert wire.refusal("data/update", data=given_rows)[1] == "NotFound.VikingdbData"


@given(
    history=st.lists(changes, min_size=1, max_size=8),
    query=vectors,
    condition=st.one_of(st.none(), filters),
    ids_in=st.one_of(st.none(), st.lists(keys, max_size=8)),
    ids_not_in=st.one_of(st.none(), st.lists(keys, max_size=4)),
    distance=st.sampled_from(["ip", "l2", "cosine"]),
    limit=st.integers(1, 8),
    offset=st.integers(0, 4),
)
def test_a_search_finds_what_a_naive_reading_finds(
    history: list[tuple[str, Any]],
    query: list[int],
    condition: Row | None,
    ids_in: list[int] | None,
    ids_not_in: list[int] | None,
    distance: str,
    limit: int,
    offset: int,
) -> None:
    transport = LocalTransport(Endpoint.parse(HASHED), TransportSettings())
    wire = Wire(transport, Endpoint.parse(HASHED))
    wire.make({"Fields": FIELDS}, {"VectorIndex": {"IndexType": "flat", "Distance": distance, "Quant": "float"}})
    kept: dict[int, Row] = {}
    for change in history:
        apply(change, kept, wire)
        wire.result("data/search/random", limit=1)  # so that the arrays exist and have to follow every change

    matched = [row for row in kept.values() if condition is None or matches(condition, row)]
    admitted = [
        row
        for row in matched
        if (ids_in is None or row["id"] in ids_in) and (ids_not_in is None or row["id"] not in ids_not_in)
    ]
    body: dict[str, Any] = {"filter": condition, "advance": {"ids_in": ids_in, "ids_not_in": ids_not_in}}
    result = wire.result("data/search/vector", **body, dense_vector=query, limit=limit, offset=offset)
    if condition is not None:
        assert result["filter_matched_count"] == len(matched)
    expected = sorted(admitted, key=lambda row: (-round(score(distance, row["vec"], query), 5), row["id"]))
    page = expected[offset : offset + limit]
    assert [(hit["id"], hit["score"]) for hit in result["data"]] == [
        (row["id"], pytest.approx(score(distance, row["vec"], query), abs=1e-6)) for row in page
    ]
    for hit in result["data"]:
        row = kept[hit["id"]]
        assert hit["fields"] == {name: value for name, value in row.items() if name != "vec"}

    by_number = wire.result("data/search/scalar", **body, field="n", order="asc", limit=limit, offset=offset)["data"]
    expected = sorted(admitted, key=lambda row: (row["n"], row["id"]))
    assert [hit["id"] for hit in by_number] == [row["id"] for row in expected[offset : offset + limit]]

    counted = wire.result("data/agg", op="count", field="s", filter=condition)["agg"]
    assert counted == {word: n for word in WORDS if (n := sum(row["s"] == word for row in matched))}
    fetched = wire.result("data/fetch_in_collection", ids=list(range(1, 13)))
    assert {item["id"]: item["fields"] for item in fetched["fetch"]} == kept
    transport.close()
