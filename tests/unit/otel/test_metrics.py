"""Metrics: how long calls took and what they returned, told apart by what the conventions name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_vikingdb import VirtualClock, Wire
from vikingdb_core.exceptions import VikingDBError
from vikingdb_vector import VikingDB

Build = Callable[..., Any]
DURATION = "db.client.operation.duration"
ROWS = "db.client.response.returned_rows"
SHARED = {
    "db.system.name": "volcengine.vikingdb",
    "db.collection.name": "books",
    "server.address": "vikingdb.example",
    "server.port": 443,
}


def named(name: str) -> dict[str, Any]:
    return {**SHARED, "db.operation.name": name, "db.query.summary": f"{name} books"}


def test_the_duration_of_a_call_covers_its_attempts_and_waits(
    traced: Build, viking_wire: Wire, viking_clock: VirtualClock, telemetry: Any
) -> None:
    viking_wire.reply(429, {"code": "TooManyRequests"}, headers={"Retry-After": "2"}, seconds=0.25).reply(seconds=0.5)
    traced(VikingDB).collection(collection_name="books").fetch({"ids": [1]})
    (point,) = telemetry.points(DURATION)
    assert (point.sum, point.count) == (2.75, 1)
    assert dict(point.attributes) == named("fetch_in_collection")
    assert point.explicit_bounds == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)


def test_failures_are_told_apart_by_their_code(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.then((200, None), (404, {"code": "NotFound.VikingdbCollection"}), (200, None))
    books = traced(VikingDB).collection(collection_name="books")
    books.upsert({"data": [{"id": 1}]})
    with pytest.raises(VikingDBError):
        books.upsert({"data": [{"id": 1}]})
    books.upsert({"data": [{"id": 1}]})
    code = "NotFound.VikingdbCollection"
    counts = {tuple(sorted(dict(point.attributes).items())): point.count for point in telemetry.points(DURATION)}
    failed = {**named("upsert"), "db.response.status_code": code, "error.type": code}
    assert counts == {tuple(sorted(named("upsert").items())): 2, tuple(sorted(failed.items())): 1}


def test_nothing_that_differs_from_call_to_call_tells_metrics_apart(
    traced: Build, viking_wire: Wire, telemetry: Any
) -> None:
    client = traced(VikingDB, settings={"capture_query": True})
    for number in range(10):
        viking_wire.reply(
            200, {"code": "Success", "request_id": f"r-{number}", "result": {"data": [{"id": 1}] * number}}
        )
        index = client.index(collection_name="books", index_name="by_mood")
        index.search_by_random({"limit": number + 1, "filter": {"op": "must", "field": "year", "conds": [number]}})
    assert [point.count for point in telemetry.points(DURATION)] == [10]
    assert [(point.count, point.sum) for point in telemetry.points(ROWS)] == [(10, 45)]


@pytest.mark.parametrize(
    ("call", "answer", "rows"),
    [
        (lambda client: client.index(collection_name="b", index_name="i").search_by_random(), {"data": []}, 0),
        (
            lambda client: client.collection(collection_name="b").fetch({"ids": [1]}),
            {"fetch": [{"id": 1}], "ids_not_exist": []},
            1,
        ),
        (lambda client: client.collection(resource_id="vdb-1").fetch({"ids": [1]}), {"fetch": [{"id": 1}]}, 1),
        (lambda client: client.collection(collection_name="b").upsert({"data": [{"id": 1}]}), {}, None),
        (
            lambda client: client.index(collection_name="b", index_name="i").aggregate({"op": "count"}),
            {"agg": {}},
            None,
        ),
        (
            lambda client: client.embedding().embedding({"dense_model": {"name": "m"}, "data": [{"text": "x"}]}),
            {"data": [{"dense": [0.5]}]},
            None,
        ),
        (lambda client: client.ping(), {}, None),
    ],
)
def test_what_returns_rows_is_counted_in_rows(
    traced: Build, viking_wire: Wire, telemetry: Any, call: Any, answer: Any, rows: int | None
) -> None:
    viking_wire.reply(200, {"code": "Success", "result": answer})
    call(traced(VikingDB))
    assert [point.sum for point in telemetry.points(ROWS)] == ([] if rows is None else [rows])
    assert (telemetry.span.attributes or {}).get("db.response.returned_rows") == rows


def test_returned_rows_have_the_buckets_of_the_conventions(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply(200, {"code": "Success", "result": {"data": [{"id": 1}]}})
    traced(VikingDB).index(collection_name="books", index_name="i").search_by_random()
    (point,) = telemetry.points(ROWS)
    assert point.explicit_bounds == (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


def test_units_are_those_of_the_conventions(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply(200, {"code": "Success", "result": {"data": [{"id": 1}]}})
    traced(VikingDB).index(collection_name="books", index_name="i").search_by_random()
    assert telemetry.units() == {DURATION: "s", ROWS: "{row}"}
