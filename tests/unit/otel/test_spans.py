"""Spans: one for each call, named and described by the conventions, whatever becomes of the call."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from pytest_vikingdb import Wire
from tests.unit.vector.fakes import READ, AsyncToy, Toy
from vikingdb_core import Operation, RequestOptions
from vikingdb_core.exceptions import CircuitOpenError, ConnectError, VikingDBError
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_otel.conventions import operation_name
from vikingdb_vector import AsyncVikingDB, VikingDB
from vikingdb_vector.domain import DOMAIN

Build = Callable[..., Any]
SEARCH = {"dense_vector": [0.125, 0.25]}
HITS = {"code": "Success", "request_id": "r-7", "result": {"data": [{"id": 1}, {"id": 2}]}}


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def events(span: ReadableSpan) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, dict(event.attributes or {})) for event in span.events]


def test_a_search_is_one_client_span_by_the_conventions(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply(200, HITS)
    index = traced(VikingDB).index(collection_name="books", index_name="by_mood", project_name="shop")
    index.search_by_vector(SEARCH)
    span = telemetry.span
    assert (span.name, span.kind, span.status.status_code) == (
        "search_by_vector books",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert attributes(span) == {
        "db.system.name": "volcengine.vikingdb",
        "db.namespace": "shop",
        "db.collection.name": "books",
        "db.operation.name": "search_by_vector",
        "db.query.summary": "search_by_vector books",
        "db.response.returned_rows": 2,
        "server.address": "vikingdb.example",
        "server.port": 443,
        "vikingdb.domain": "vector",
        "vikingdb.index.name": "by_mood",
        "vikingdb.request_id": "r-7",
    }
    assert events(span) == [("vikingdb.attempt", {})]
    assert span.instrumentation_scope.name == "vikingdb_otel"


def test_a_write_says_how_many_rows_it_had(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply()
    traced(VikingDB).collection(collection_name="books").upsert({"data": [{"id": 1}, {"id": 2}, {"id": 3}]})
    seen = attributes(telemetry.span)
    assert (telemetry.span.name, seen["vikingdb.request.rows"]) == ("upsert books", 3)
    assert not {"db.operation.batch.size", "db.response.returned_rows", "db.namespace"} & seen.keys()


def test_the_control_plane_is_named_by_its_method_and_its_own_host(
    traced: Build, viking_wire: Wire, telemetry: Any
) -> None:
    viking_wire.reply()
    client = traced(VikingDB, control_endpoint="https://control.example:8080")
    client.admin.create_index(collection_name="books", index_name="by_mood", vector_index={"index_type": "flat"})
    seen = attributes(telemetry.span)
    assert telemetry.span.name == "create_index books"
    assert (seen["server.address"], seen["server.port"]) == ("control.example", 8080)
    assert seen["vikingdb.index.name"] == "by_mood"


@pytest.mark.parametrize("operation", DOMAIN.operations, ids=lambda operation: operation.name)
def test_operations_have_the_names_of_the_methods(operation: Operation[Any, Any], traced: Build) -> None:
    client = traced(VikingDB)
    handles = [
        client.collection(collection_name="c"),
        client.index(collection_name="c", index_name="i"),
        client.embedding(),
        client.rerank(),
        client.admin,
        client,
    ]
    renamed = {
        "fetch_in_collection": "fetch",
        "fetch_in_index": "fetch",
        "embedding": "embedding",
        "rerank": "rerank",
    }
    name = operation_name(Call(operation, client._runtime.info, operation.safety, {}, max_attempts=1))
    assert any(callable(getattr(handle, renamed.get(name, name), None)) for handle in handles), name


def test_other_domains_and_raw_operations_keep_their_names(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply().reply()
    traced(Toy).call(READ)
    traced(VikingDB).call(Operation.raw("POST", "/api/x"), {})
    assert [span.name for span in telemetry.spans] == ["read", "raw.api.x"]
    assert [attributes(span)["vikingdb.domain"] for span in telemetry.spans] == ["toy", "vector"]


def test_an_embedded_database_has_no_server(viking_local: Build, telemetry: Any) -> None:
    viking_local(VikingDB, plugins=[telemetry.plugin()]).ping()
    assert telemetry.span.name == "ping"
    assert not {"server.address", "server.port"} & attributes(telemetry.span).keys()


# Failures


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            (404, {"code": "NotFound.VikingdbIndex", "request_id": "r-1", "message": "very private"}),
            {
                "db.response.status_code": "NotFound.VikingdbIndex",
                "error.type": "NotFound.VikingdbIndex",
                "vikingdb.request_id": "r-1",
            },
        ),
        ((400, {"code": 1000003}), {"db.response.status_code": "1000003", "error.type": "1000003"}),
        ((502, b"<html>"), {"db.response.status_code": "502", "error.type": "502"}),
        ((200, b"<html>"), {"error.type": "DecodeError"}),
        (ConnectError("very private"), {"error.type": "ConnectError"}),
    ],
    ids=repr,
)
def test_a_failure_has_the_services_code_or_the_class_of_the_exception(
    traced: Build, viking_wire: Wire, telemetry: Any, answer: Any, said: dict[str, Any]
) -> None:
    viking_wire.then(answer)
    with pytest.raises(VikingDBError):
        traced(VikingDB, retry=1).index(collection_name="b", index_name="i").search_by_vector(SEARCH)
    span = telemetry.span
    names = ("db.response.status_code", "error.type", "vikingdb.request_id")
    assert {name: value for name, value in attributes(span).items() if name in names} == said
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert "very private" not in span.to_json()


def test_attempts_are_events_that_count_repetitions(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.then((503, None), ConnectError("refused"), (200, HITS))
    traced(VikingDB).index(collection_name="b", index_name="i").search_by_vector(SEARCH)
    assert events(telemetry.span) == [
        ("vikingdb.attempt", {}),
        ("vikingdb.attempt.failed", {"http.response.status_code": 503, "error.type": "503"}),
        ("vikingdb.attempt", {"http.request.resend_count": 1}),
        ("vikingdb.attempt.failed", {"error.type": "ConnectError", "http.request.resend_count": 1}),
        ("vikingdb.attempt", {"http.request.resend_count": 2}),
    ]
    assert telemetry.span.status.status_code is StatusCode.UNSET


def test_the_callers_own_request_id_stands_in_for_the_services(
    traced: Build, viking_wire: Wire, telemetry: Any
) -> None:
    viking_wire.then(ConnectError("refused"))
    with pytest.raises(ConnectError):
        traced(VikingDB, retry=1).collection(collection_name="b").fetch(
            {"ids": [1]}, request_options=RequestOptions(request_id="mine")
        )
    assert attributes(telemetry.span)["vikingdb.request_id"] == "mine"


def test_a_call_that_is_refused_before_it_is_sent_has_a_span_that_says_so(traced: Build, telemetry: Any) -> None:
    class Refuse:
        @hookimpl
        def before_call(self) -> None:
            raise CircuitOpenError("not now")

    with pytest.raises(CircuitOpenError):
        traced(VikingDB, plugins=[telemetry.plugin(), Refuse()]).ping()
    assert attributes(telemetry.span)["error.type"] == "CircuitOpenError"
    assert events(telemetry.span) == []


def test_a_call_that_a_plugin_before_it_refuses_has_none_and_ends_as_it_would(traced: Build, telemetry: Any) -> None:
    class Refuse:
        @hookimpl
        def before_call(self) -> None:
            raise CircuitOpenError("not now")

    with pytest.raises(CircuitOpenError):
        traced(VikingDB, plugins=[Refuse(), telemetry.plugin()]).ping()
    assert telemetry.spans == []


def test_an_observer_that_is_called_twice_ends_the_span_once(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    plugin = telemetry.plugin()

    class Again:
        @hookimpl
        def after_call(self, call: Call, result: Any, error: Any) -> None:
            plugin.after_call(call, result, error)

    viking_wire.reply()
    traced(VikingDB, plugins=[Again(), plugin]).ping()
    assert len(telemetry.spans) == 1
    assert [point.count for point in telemetry.points("db.client.operation.duration")] == [1]


def test_a_cancelled_call_ends_its_span(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    async def scenario() -> None:
        async def never(request: Any) -> Any:
            await asyncio.Event().wait()

        viking_wire.then(never)
        task = asyncio.create_task(traced(AsyncVikingDB).collection(collection_name="books").fetch({"ids": [1]}))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert attributes(telemetry.span)["error.type"] == "CancelledError"
    assert telemetry.span.status.status_code is StatusCode.ERROR


def test_a_call_that_is_abandoned_ends_its_span(traced: Build, viking_flow: Build, telemetry: Any) -> None:
    viking_flow(traced(VikingDB).ping).close()
    assert attributes(telemetry.span)["error.type"] == "GeneratorExit"


# Context


def test_spans_belong_to_the_span_of_the_caller_and_are_not_made_current(
    traced: Build, viking_wire: Wire, telemetry: Any
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("shop")
    seen: list[Any] = []

    class Look:
        @hookimpl
        def before_request(self) -> None:
            seen.append(trace.get_current_span())

    viking_wire.reply()
    with tracer.start_as_current_span("checkout") as outer:
        traced(VikingDB, plugins=[telemetry.plugin(), Look()]).ping()
        assert seen == [outer]
    inner, finished = telemetry.spans
    assert inner.parent == finished.context


def test_async_calls_that_run_at_once_have_a_span_each_below_their_own_callers(
    traced: Build, viking_wire: Wire, telemetry: Any
) -> None:
    tracer = telemetry.tracer_provider.get_tracer("shop")

    async def order(client: Any, name: str) -> None:
        with tracer.start_as_current_span(name):
            await client.collection(collection_name=name).fetch({"ids": [1]})

    async def scenario() -> None:
        async def slow(request: Any) -> Any:
            await asyncio.sleep(0)
            return 200, None

        viking_wire.then(*[slow] * 10)
        client = traced(AsyncVikingDB)
        await asyncio.gather(*[order(client, f"order-{number}") for number in range(10)])

    asyncio.run(scenario())
    callers = {span.context.span_id: span.name for span in telemetry.spans if span.parent is None}
    calls = {callers[span.parent.span_id]: span.name for span in telemetry.spans if span.parent is not None}
    assert calls == {f"order-{number}": f"fetch_in_collection order-{number}" for number in range(10)}


def test_threads_have_spans_of_their_own(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.then(*[(200, None)] * 8)
    client = traced(VikingDB)
    threads = [threading.Thread(target=client.ping) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({span.context.trace_id for span in telemetry.spans}) == 8


def test_an_async_domain_of_a_stranger_is_traced_too(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply()
    asyncio.run(traced(AsyncToy).call(READ))
    assert telemetry.span.name == "read"
