"""The domain keeps the contract of all, and its clients do what the service documents."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from vikingdb_audit import DOMAIN, AsyncAuditClient, AuditClient, EventNotFound, TrailSealed

from pytest_vikingdb import ClientFactory, DomainContract, Recorder, VirtualClock, Wire
from vikingdb_core.exceptions import ConnectionLost, InvalidRequest, NotFound, RateLimited

EVENT = {"event_id": "e1", "actor": "ada", "action": "login"}


class TestAudit(DomainContract):
    domain = DOMAIN
    requests: ClassVar[dict[str, dict[str, Any]]] = {
        "audit.record": {"trail": "orders", "actor": "ada", "action": "login", "details": {"ip": "192.0.2.1"}},
    }


def test_an_event_is_recorded_and_read_again(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(200, {"code": "Success", "event": {**EVENT, "details": {"from": "ui"}}})
    viking_wire.reply(200, {"code": "Success", "event": {**EVENT, "details": {"from": "ui"}}})
    trail = viking_client(AuditClient).trail("orders")

    recorded = trail.record("ada", "login", {"from": "ui"})
    found = trail.get(recorded.event.event_id)

    assert found.event.details == {"from": "ui"}
    assert [request.path for request in viking_wire.requests] == ["/api/audit/record", "/api/audit/get"]
    assert viking_wire.bodies == [
        {"trail": "orders", "actor": "ada", "action": "login", "details": {"from": "ui"}},
        {"trail": "orders", "event_id": "e1"},
    ]


def test_a_trail_is_listed_page_after_page_as_it_is_asked_for(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(200, {"code": "Success", "events": [EVENT, EVENT], "next_cursor": "c2"})
    viking_wire.reply(200, {"code": "Success", "events": [EVENT], "next_cursor": None})

    events = viking_client(AuditClient).trail("orders").list(actor="ada")

    assert [next(events).actor, next(events).actor] == ["ada", "ada"]
    assert len(viking_wire.requests) == 1, "the second page has not been asked for yet"
    assert len(list(events)) == 1
    assert viking_wire.bodies == [
        {"trail": "orders", "actor": "ada"},
        {"trail": "orders", "actor": "ada", "cursor": "c2"},
    ]


def test_the_async_client_does_the_same(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(200, {"code": "Success", "event": EVENT})
    viking_wire.reply(200, {"code": "Success", "events": [EVENT], "next_cursor": "c2"})
    viking_wire.reply(200, {"code": "Success", "events": [EVENT]})
    client = viking_client(AsyncAuditClient)

    async def use() -> tuple[str, list[str]]:
        trail = client.trail("orders")
        recorded = await trail.record("ada", "login")
        return recorded.event.event_id, [event.event_id async for event in trail.list()]

    assert asyncio.run(use()) == ("e1", ["e1", "e1"])


def test_the_services_codes_are_classes_of_their_own(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(404, {"code": "NotFound.Event"}).reply(409, {"code": "TrailSealed"})
    trail = viking_client(AuditClient).trail("orders")
    with pytest.raises(EventNotFound) as missing:
        trail.get("e9")
    assert isinstance(missing.value, NotFound)
    with pytest.raises(TrailSealed):
        trail.record("ada", "login")


def test_too_many_events_is_a_reason_to_come_back_later_not_to_fail(
    viking_client: ClientFactory, viking_wire: Wire, viking_clock: VirtualClock
) -> None:
    viking_wire.reply(400, {"code": "TooManyEvents"}, headers={"Retry-After": "2"})
    viking_wire.reply(200, {"code": "Success", "event": EVENT})
    viking_client(AuditClient).trail("orders").record("ada", "login")
    assert viking_clock.sleeps == [2.0]
    viking_wire.reply(400, {"code": "TooManyEvents"})
    with pytest.raises(RateLimited):
        viking_client(AuditClient, retry=1).trail("orders").record("ada", "login")


def test_an_event_that_may_have_been_recorded_is_not_recorded_twice(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then(ConnectionLost("reset"))
    with pytest.raises(ConnectionLost):
        viking_client(AuditClient).trail("orders").record("ada", "login")
    assert len(viking_wire.requests) == 1


def test_a_wrong_argument_is_refused_before_anything_is_sent(viking_client: ClientFactory, viking_wire: Wire) -> None:
    trail = viking_client(AuditClient).trail("orders")
    with pytest.raises(InvalidRequest, match="RecordRequest: actor"):
        trail.record(7, "login")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="trail must be a string"):
        viking_client(AuditClient).trail(7)  # type: ignore[arg-type]
    assert viking_wire.requests == []


def test_plugins_know_which_trail_a_call_is_about(
    viking_client: ClientFactory, viking_wire: Wire, viking_recorder: Recorder
) -> None:
    viking_wire.reply(200, {"code": "Success", "event": EVENT})
    viking_client(AuditClient, plugins=[viking_recorder]).trail("orders").get("e1")
    (event,) = viking_recorder.of("before_call")
    assert event.call is not None
    assert (event.call.operation.name, event.call.locator) == ("audit.get", {"trail": "orders"})
