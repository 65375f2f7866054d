"""Drivers: both perform the same flow, each in its own world."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Generator
from typing import Any

import pytest

from pytest_vikingdb import ClientFactory, StampAuth, VirtualClock, Wire
from tests.support.notes import ADD, FOUND, PING, READ, AsyncNotes, AsyncShelf, Notes, Shelf
from vikingdb_core.drivers import SystemClock, arun, run
from vikingdb_core.effects import Block, Effect, Flow, Sleep
from vikingdb_core.exceptions import ConnectError, NotFound, VikingDBError
from vikingdb_core.operation import Operation
from vikingdb_core.request_options import RequestOptions
from vikingdb_vector import AsyncVikingDB, VikingDB
from vikingdb_vector.collection import AsyncCollectionClient, CollectionClient
from vikingdb_vector.index import AsyncIndexClient, IndexClient


class Boom(BaseException):
    """Not an Exception, like cancellation."""


SCRIPTS: dict[str, list[Any]] = {
    "success": [(200, None)],
    "retried": [ConnectError("refused"), (503, None), (200, None)],
    "refused": [(404, {"code": "NotFound", "message": "no"})],
    "exhausted": [(500, None)] * 3,
    "html": [(200, b"<html>")],
    "renewed": [(401, None), (200, None)],
    "broken": [ZeroDivisionError("a bug of the transport")],
    "torn": [Boom()],
}


class Renewable(StampAuth):
    def invalidate(self) -> bool:
        return True


@pytest.mark.parametrize("operation", [READ, ADD, PING, FOUND], ids=lambda operation: operation.name)
@pytest.mark.parametrize("script", SCRIPTS)
def test_both_drivers_send_the_same_and_end_alike(script: str, operation: Operation[Any, Any]) -> None:
    def go(kind: Any) -> tuple[Any, ...]:
        wire = Wire(clock := VirtualClock()).then(*SCRIPTS[script])
        client = ClientFactory(wire, clock)(kind, retry=3, auth=Renewable())
        client._runtime.__dict__["random"] = lambda: 0.5
        try:
            answer: Any = client.call(operation, None if operation.method == "GET" else {"text": "a"})
            end = asyncio.run(answer) if kind is AsyncNotes else answer
        except (Exception, Boom) as error:
            end = type(error), str(error), getattr(error, "attempts", None)
        return wire.sent, clock.sleeps, end

    assert go(Notes) == go(AsyncNotes)


def _flow(effect: Effect, answers: list[Any]) -> Flow[str]:
    answers.append((yield effect))
    return "done"


def _transport() -> Any:
    return Wire()


def test_a_blocking_action_runs_in_place_when_sync_and_beside_the_loop_when_async() -> None:
    here = threading.get_ident()
    answers: list[Any] = []
    assert run(_flow(Block(threading.get_ident), answers), _transport(), VirtualClock()) == "done"
    assert (
        asyncio.run(arun(_flow(Block(threading.get_ident), answers), _transport().asynchronous, VirtualClock()))
        == "done"
    )
    assert answers[0] == here
    assert answers[1] != here


def test_the_loop_is_free_while_an_action_blocks() -> None:
    free = threading.Event()

    async def both() -> None:
        blocked = arun(_flow(Block(lambda: free.wait(5)), answers), _transport().asynchronous, VirtualClock())
        task = asyncio.create_task(blocked)
        await asyncio.sleep(0)
        free.set()  # only a loop that goes on gets here before the five seconds are over
        await task

    answers: list[Any] = []
    asyncio.run(both())
    assert answers == [True]


@pytest.mark.parametrize("world", ["sync", "async"])
def test_what_an_effect_raises_is_thrown_into_the_flow_which_may_handle_it(world: str) -> None:
    def flow() -> Generator[Effect, Any, str]:
        try:
            yield Block(lambda: 1 // 0)
        except ZeroDivisionError:
            yield Sleep(2)
        return "recovered"

    clock = VirtualClock()
    ended = (
        run(flow(), _transport(), clock)
        if world == "sync"
        else asyncio.run(arun(flow(), _transport().asynchronous, clock))
    )
    assert ended == "recovered"
    assert clock.sleeps == [2]


def test_a_flow_without_effects_just_ends() -> None:
    def flow() -> Generator[Effect, Any, int]:
        return 3
        yield Sleep(1)

    assert run(flow(), _transport(), VirtualClock()) == 3
    assert asyncio.run(arun(flow(), _transport().asynchronous, VirtualClock())) == 3


def test_the_system_clock_tells_the_machines_time() -> None:
    clock = SystemClock()
    assert clock.monotonic() <= time.monotonic() <= clock.monotonic()
    assert clock.time() <= time.time() <= clock.time()
    clock.sleep(0)
    asyncio.run(clock.asleep(0))


def test_calls_of_one_async_client_run_at_the_same_time(viking_client: ClientFactory, viking_wire: Wire) -> None:
    both_there = asyncio.Barrier(2)

    async def answer(request: Any) -> tuple[int, Any]:
        await both_there.wait()
        return 200, {"code": "Success", "request_id": request.headers["X-Tt-Logid"]}

    viking_wire.then(answer, answer)

    async def both() -> list[Any]:
        shelf = viking_client(AsyncNotes).shelf()
        answers: list[Any] = await asyncio.gather(
            *(shelf.read(request_options=RequestOptions(request_id=name)) for name in ("one", "two"))
        )
        return answers

    assert [answered.request_id for answered in asyncio.run(both())] == ["one", "two"]


def test_an_async_client_may_be_built_outside_a_loop_and_used_in_several(
    viking_client: ClientFactory, viking_wire: Wire
) -> None:
    notes = viking_client(AsyncNotes)
    viking_wire.reply().reply()
    for _ in range(2):
        assert asyncio.run(notes.shelf().read()).code == "Success"


def test_an_async_error_is_the_same_error(viking_client: ClientFactory, viking_wire: Wire) -> None:
    viking_wire.reply(404, {"code": "NotFound.Note", "message": "no", "request_id": "r1"})

    async def call() -> None:
        async with viking_client(AsyncNotes) as notes:
            await notes.shelf().read()

    with pytest.raises(NotFound, match=r"no \(.*request_id=r1") as caught:
        asyncio.run(call())
    assert isinstance(caught.value, VikingDBError)


DERIVED = [(Shelf, AsyncShelf), (CollectionClient, AsyncCollectionClient), (IndexClient, AsyncIndexClient)]


@pytest.mark.parametrize(("sync", "derived"), DERIVED, ids=lambda kind: kind.__name__)
def test_derived_methods_are_coroutine_functions_with_the_signature_and_docstring_of_their_origin(
    sync: type, derived: type
) -> None:
    public = {name for name, member in vars(sync).items() if not name.startswith("_") and inspect.isfunction(member)}
    assert public
    assert public == {name for name, member in vars(derived).items() if not name.startswith("_") and callable(member)}
    for name in public:
        one, other = getattr(sync, name), getattr(derived, name)
        iterates = name == "each"
        assert inspect.iscoroutinefunction(other) is not iterates
        assert inspect.getdoc(other) == inspect.getdoc(one)
        assert other.__name__ == name
        assert list(inspect.signature(other).parameters.values()) == list(inspect.signature(one).parameters.values())


def test_a_call_that_is_not_awaited_sends_nothing(viking_client: ClientFactory, viking_wire: Wire) -> None:
    pending = viking_client(AsyncNotes).shelf().read()
    pending.close()
    assert viking_wire.sent == []


def test_the_vector_clients_send_the_same(viking_client: ClientFactory, viking_wire: Wire) -> None:
    for _ in range(4):
        viking_wire.reply()
    row = {"data": [{"id": 1, "v": [0.1, 0.2]}]}
    sync, later = viking_client(VikingDB), viking_client(AsyncVikingDB)
    sync.collection(collection_name="books").upsert(row)
    sync.ping()

    async def call() -> None:
        await later.collection(collection_name="books").upsert(row)
        await later.ping()

    asyncio.run(call())
    sent = viking_wire.requests
    assert sent[:2] == sent[2:]
