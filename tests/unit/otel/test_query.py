"""Query text: only when asked for, only filters, and never a value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_vikingdb import Wire
from vikingdb_core import Operation
from vikingdb_core.encoding import encode
from vikingdb_core.filters import F
from vikingdb_otel.query import query_text
from vikingdb_vector import VikingDB

Build = Callable[..., Any]
PRIVATE = "very private"
FILTER = (F("price") < 20) & F("tags").any_of(PRIVATE, "noir") & F("where").within("2km", of=(116.4, 39.9))


def test_by_default_no_query_is_recorded(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply()
    traced(VikingDB).index(collection_name="b", index_name="i").search_by_random({"filter": FILTER})
    assert "db.query.text" not in telemetry.span.attributes


def test_when_asked_for_the_filter_is_recorded_with_its_values_masked(
    traced: Build, viking_wire: Wire, telemetry: Any
) -> None:
    viking_wire.reply()
    client = traced(VikingDB, settings={"capture_query": True})
    client.index(collection_name="b", index_name="i").search_by_multi_modal({"text": PRIVATE, "filter": FILTER})
    assert json.loads(telemetry.span.attributes["db.query.text"]) == {
        "op": "and",
        "conds": [
            {"op": "range", "field": "price", "lt": "?"},
            {"op": "must", "field": "tags", "conds": "?"},
            {"op": "geo_range", "field": "where", "center": "?", "radius": "?"},
        ],
    }
    assert PRIVATE not in telemetry.span.to_json()


def test_rows_vectors_texts_and_keywords_are_never_recorded(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.then(*[(200, None)] * 5)
    client = traced(VikingDB, settings={"capture_query": True})
    index, books = client.index(collection_name="b", index_name="i"), client.collection(collection_name="b")
    index.search_by_vector({"dense_vector": [0.123456]})
    index.search_by_multi_modal({"text": PRIVATE})
    index.search_by_keywords({"keywords": [PRIVATE]})
    books.upsert({"data": [{"id": PRIVATE, "filter": {"op": "must", "field": PRIVATE}}]})
    books.fetch({"ids": [PRIVATE]})
    for span in telemetry.spans:
        assert "db.query.text" not in span.attributes
        assert PRIVATE not in span.to_json()
        assert "0.123456" not in span.to_json()


def test_what_may_change_something_has_no_query(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply()
    client = traced(VikingDB, settings={"capture_query": True})
    client.call(Operation.raw("POST", "/api/x"), {"filter": {"op": "must", "field": "f", "conds": [1]}})
    assert "db.query.text" not in telemetry.span.attributes


SECRETS = st.sampled_from(["s3cret", "s3cret'", 31337, 31337.5, True]) | st.just(["s3cret", 31337])
LEAVES = st.fixed_dictionaries(
    {"op": st.sampled_from(["must", "must_not", "range", "time_range", "geo_range", "new_op"]), "field": st.just("f")},
    optional={key: SECRETS for key in ("conds", "gt", "lte", "center", "radius", "unheard_of")},
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {"op": st.sampled_from(["and", "or"]), "conds": st.lists(inner | SECRETS, min_size=1, max_size=3)}
    ),
    max_leaves=6,
)


@given(FILTERS)
def test_no_value_of_any_filter_is_shown(filter: dict[str, Any]) -> None:
    text = query_text(encode({"filter": filter, "dense_vector": [31337.5], "text": "s3cret"}))
    assert text is not None
    assert json.loads(text)["op"] == filter["op"]
    assert not [secret for secret in ("s3cret", "31337", "true") if secret in text]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'not json, with a filter: "filter"',
        b'["filter"]',
        b'{"filter": null}',
        b'{"filter": {}}',
        b'{"filter": "price < 20"}',
        b'{"filter": [1]}',
        b'{"note": "filter", "data": [{"filter": {"op": "must"}}]}',
    ],
)
def test_what_has_no_filter_has_no_text(body: bytes) -> None:
    assert query_text(body) is None


@pytest.mark.parametrize("field", [["lon", "lat"], "f"])
def test_a_query_has_one_text_however_many_values_it_asks_for(field: Any) -> None:
    few, many = ({"op": "must", "field": field, "conds": list(range(count))} for count in (1, 100))
    assert query_text(encode({"filter": few})) == query_text(encode({"filter": many}))
