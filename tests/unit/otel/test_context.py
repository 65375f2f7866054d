"""Trace context: every attempt carries it, and it stops no call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import baggage, context, propagate
from opentelemetry.propagators.textmap import TextMapPropagator

from pytest_vikingdb import Wire
from vikingdb_core import NoAuth
from vikingdb_core.exceptions import ConnectError, ExtensionError
from vikingdb_vector import VikingDB

Build = Callable[..., Any]


@pytest.fixture
def propagator() -> Iterator[Callable[[TextMapPropagator], None]]:
    """Sets the program's propagator for a test."""
    before = propagate.get_global_textmap()
    yield propagate.set_global_textmap
    propagate.set_global_textmap(before)


class Injecting(TextMapPropagator):
    """Writes one header, or raises."""

    def __init__(self, name: str, value: str | Exception) -> None:
        self._name, self._value = name, value

    def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
        if isinstance(self._value, Exception):
            raise self._value
        setter.set(carrier, self._name, self._value)

    def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
        return context

    @property
    def fields(self) -> set[str]:
        return {self._name}


def test_every_attempt_carries_the_context_of_the_span(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.then(ConnectError("refused"), (200, None))
    traced(VikingDB).ping()
    ids = telemetry.span.context
    expected = f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"
    assert [request.headers["traceparent"] for request in viking_wire.requests] == [expected] * 2


def test_it_is_there_before_the_request_is_signed(traced: Build, viking_wire: Wire) -> None:
    signed: list[str] = []

    class Look(NoAuth):
        def sign(self, request: Any, scope: Any) -> Any:
            signed.append(request.headers.get("traceparent", ""))
            return super().sign(request, scope)

    client = traced(VikingDB, auth=Look())
    signed.clear()  # a new client tries its auth on a request that is not sent
    viking_wire.reply()
    client.ping()
    assert signed == [viking_wire.requests[0].headers["Traceparent"]]


def test_the_programs_propagator_decides_what_travels(
    traced: Build, viking_wire: Wire, propagator: Callable[[TextMapPropagator], None]
) -> None:
    propagator(Injecting("b3", "0"))
    viking_wire.reply()
    traced(VikingDB).ping()
    headers = viking_wire.requests[0].headers
    assert (headers["b3"], headers.get("traceparent")) == ("0", None)


def test_baggage_travels_with_it(traced: Build, viking_wire: Wire) -> None:
    viking_wire.reply()
    token = context.attach(baggage.set_baggage("shop", "书 店"))
    try:
        traced(VikingDB).ping()
    finally:
        context.detach(token)
    assert viking_wire.requests[0].headers["baggage"] == "shop=%E4%B9%A6+%E5%BA%97"


def test_nothing_travels_when_told_so(traced: Build, viking_wire: Wire, telemetry: Any) -> None:
    viking_wire.reply()
    traced(VikingDB, settings={"propagate": False}).ping()
    assert "traceparent" not in viking_wire.requests[0].headers
    assert telemetry.span.name == "ping"


def test_what_no_header_can_carry_stays_behind(
    traced: Build,
    viking_wire: Wire,
    propagator: Callable[[TextMapPropagator], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    propagator(Injecting("X-Shop", "two\nlines"))
    viking_wire.reply()
    traced(VikingDB).ping()
    assert "X-Shop" not in viking_wire.requests[0].headers
    assert "X-Shop could not be sent" in caplog.text
    assert "lines" not in caplog.text


def test_a_propagator_that_raises_stops_no_call_and_is_logged_once(
    traced: Build,
    viking_wire: Wire,
    telemetry: Any,
    propagator: Callable[[TextMapPropagator], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    propagator(Injecting("b3", ZeroDivisionError("broken")))
    viking_wire.reply().reply()
    client = traced(VikingDB)
    client.ping()
    client.ping()
    assert len(telemetry.spans) == 2
    records = [record for record in caplog.records if record.name == "vikingdb.plugins"]
    assert [record.levelno for record in records] == [logging.ERROR]
    assert "'otel'" in records[0].getMessage()


def test_a_propagator_that_writes_the_sdks_own_headers_is_refused(
    traced: Build, propagator: Callable[[TextMapPropagator], None]
) -> None:
    propagator(Injecting("X-Date", "yesterday"))
    with pytest.raises(ExtensionError, match="header X-Date"):
        traced(VikingDB).ping()
