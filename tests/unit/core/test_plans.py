"""Plans: several calls as one, in both worlds, no earlier than they are needed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_vikingdb import ClientFactory, VirtualClock, Wire
from tests.support.notes import READ, AsyncNotes, NoteNotFound, Notes
from vikingdb_core.exceptions import ServerError
from vikingdb_core.messages import Request
from vikingdb_core.operation import Operation, Safety
from vikingdb_core.plans import Emit, Step, paged
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource

LIST = Operation.raw("POST", "/api/notes/list", safety=Safety.READ)


def pages_of(items: list[str], size: int, total: int | None = None) -> Any:
    """A service with a numbered listing, which may say how long it is."""

    def answer(request: Request) -> tuple[int, Any]:
        page = json.loads(request.body)["PageNumber"]
        found = {"items": items[(page - 1) * size : page * size], "total": total}
        return 200, {"code": "Success", "result": found}

    return answer


def listing(size: int, options: RequestOptions | None = None) -> Any:
    return paged(
        LIST,
        {"text": "a"},
        lambda response: response.result["items"],
        lambda response: response.result["total"],
        page_size=size,
        options=options,
    )


@given(st.lists(st.text(max_size=3), max_size=25), st.integers(1, 7), st.booleans())
def test_a_listing_is_read_whole_and_in_order_in_both_worlds(items: list[str], size: int, says_total: bool) -> None:
    full, rest = divmod(len(items), size)
    calls = (full + bool(rest) or 1) if says_total else full + 1  # else only a short page shows the end
    wire = Wire(clock := VirtualClock())
    client = ClientFactory(wire, clock)
    wire.then(*[pages_of(items, size, len(items) if says_total else None)] * (2 * calls))
    assert list(Resource(client(Notes))._iterate(listing(size))) == items

    async def collect() -> list[str]:
        return [item async for item in AsyncResource(client(AsyncNotes))._iterate(listing(size))]

    assert asyncio.run(collect()) == items
    numbers = list(range(1, calls + 1))
    assert [body["PageNumber"] for body in wire.bodies] == numbers * 2
    assert all(body["PageSize"] == size and body["text"] == "a" for body in wire.bodies)
    assert wire.unused == 0


def test_a_service_that_sends_shorter_pages_than_asked_for_is_read_whole(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then(*[pages_of(list("abcde"), 2, total=5)] * 3)
    assert list(Resource(viking_client(Notes))._iterate(listing(100))) == list("abcde")


def test_a_total_that_is_never_reached_does_not_ask_for_ever(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(*[pages_of(list("abc"), 2, total=99)] * 3)
    assert list(Resource(viking_client(Notes))._iterate(listing(2))) == list("abc")
    assert viking_wire.unused == 0


def test_a_page_is_asked_for_when_it_is_needed(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(*[pages_of(list("abcde"), 2)] * 3)
    found: Any = Resource(viking_client(Notes))._iterate(listing(2))
    assert viking_wire.sent == []
    assert [next(found), next(found)] == ["a", "b"]
    assert len(viking_wire.sent) == 1
    assert next(found) == "c"
    assert len(viking_wire.sent) == 2
    found.close()
    assert len(viking_wire.sent) == 2


def test_every_page_has_the_options_of_the_whole(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.then(*[pages_of(list("abc"), 2)] * 2)
    options = RequestOptions(request_id="mine")
    list(Resource(viking_client(Notes))._iterate(listing(2, options)))
    assert [request.headers["X-Tt-Logid"] for request in viking_wire.requests] == ["mine", "mine"]


def test_a_page_that_fails_ends_the_listing_after_what_was_found(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then(pages_of(list("abcd"), 2)).reply(404, {"code": "NotFound.Note"})
    found = Resource(viking_client(Notes))._iterate(listing(2))
    assert [next(found), next(found)] == ["a", "b"]
    with pytest.raises(NoteNotFound):
        next(found)


def test_a_page_is_tried_again_without_repeating_what_was_found(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    viking_wire.then(pages_of(list("abc"), 2)).reply(503).then(pages_of(list("abc"), 2))
    assert list(Resource(viking_client(Notes))._iterate(listing(2))) == ["a", "b", "c"]


def test_a_plan_returns_what_its_calls_add_up_to_in_both_worlds(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    for count in (1, 2, 3, 1, 2, 3):
        viking_wire.reply(200, {"code": "Success", "result": {"count": count}})
    assert viking_client(Notes).shelf().count(3) == 6
    assert asyncio.run(viking_client(AsyncNotes).shelf().count(3)) == 6
    assert viking_wire.bodies[:3] == viking_wire.bodies[3:]
    assert viking_wire.bodies[0] == {"shelf": "poems", "page": 1}


def test_a_plan_of_no_calls_sends_nothing(viking_client: ClientFactory, viking_wire: Wire) -> None:
    assert viking_client(Notes).shelf().count(0) == 0
    assert list(viking_client(Notes).shelf().each(0)) == []
    assert viking_wire.sent == []


def test_an_async_listing_is_iterated_with_async_for(viking_client: ClientFactory, viking_wire: Wire) -> None:
    for items in (["a", "b"], [], ["c"]):
        viking_wire.reply(200, {"code": "Success", "result": {"items": items}})

    async def collect() -> list[str]:
        return [item async for item in viking_client(AsyncNotes).shelf().each(3)]

    assert asyncio.run(collect()) == ["a", "b", "c"]


def test_the_failure_of_a_call_is_the_failure_of_its_plan(viking_client: ClientFactory, viking_wire: Wire) -> None:
    def plan() -> Any:
        yield Emit("before")
        yield Step(READ, {})
        yield Emit("never")

    viking_wire.reply(500).reply(500)
    resource = Resource(viking_client(Notes, retry=1))
    for carry_out in (lambda: list(resource._iterate(plan())), lambda: resource._run(plan())):
        with pytest.raises(ServerError):
            carry_out()
