"""The embedded engine from asynchronous clients: it works in threads, and the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.wire import HASHED
from vikingdb_core import RequestOptions
from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError, ConnectError, ConnectionLost, RequestError
from vikingdb_core.messages import Request, Response
from vikingdb_core.transport import TransportSettings
from vikingdb_local import async_transport, databases
from vikingdb_local.async_transport import THREADS, AsyncLocalTransport
from vikingdb_local.handlers import HANDLERS
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import AsyncVikingDB, VikingDB
from vikingdb_vector import operations as ops

BOOKS = {"collection_name": "books"}
FIELDS = [
    {"field_name": "id", "field_type": "int64", "is_primary_key": True},
    {"field_name": "mood", "field_type": "vector", "dim": 4},
]


class Gate:
    """A handler that the test holds up: it says that it has begun, and goes on when it may."""

    def __init__(self, handler: Any) -> None:
        self.begun = threading.Semaphore(0)
        self.may_go_on = threading.Event()
        self.done = 0
        self._handler = handler

    def __call__(self, *given: Any) -> Any:
        self.begun.release()
        assert self.may_go_on.wait(20)
        answer = self._handler(*given)
        self.done += 1
        return answer


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(HANDLERS[ops.UPSERT.name])
    monkeypatch.setitem(HANDLERS, ops.UPSERT.name, made)
    yield made
    made.may_go_on.set()


async def filled(client: AsyncVikingDB) -> None:
    await client.admin.create_collection(**BOOKS, fields=FIELDS)


def row(key: int) -> dict[str, Any]:
    return {"data": [{"id": key, "mood": [key, 0, 0, 1]}]}


async def keys(client: AsyncVikingDB, *wanted: int) -> list[Any]:
    return [item.id for item in (await client.collection(**BOOKS).fetch({"ids": [*wanted]})).result.items]


def test_the_loop_goes_on_while_the_engine_works(gate: Gate) -> None:
    async def go() -> int:
        beats = 0
        async with AsyncVikingDB(endpoint=HASHED) as client:
            await filled(client)
            writing = asyncio.create_task(client.collection(**BOOKS).upsert(row(1)))
            await asyncio.to_thread(gate.begun.acquire)
            for _ in range(100):
                await asyncio.sleep(0)
                beats += not writing.done()
            gate.may_go_on.set()  # only a loop that went on gets here
            await writing
        return beats

    assert asyncio.run(go()) == 100


def test_reads_are_answered_while_a_write_is_held_up(gate: Gate) -> None:
    async def go() -> None:
        async with AsyncVikingDB(endpoint=HASHED) as client:
            await filled(client)
            writing = asyncio.create_task(client.collection(**BOOKS).upsert(row(1)))
            await asyncio.to_thread(gate.begun.acquire)
            assert await keys(client, 1) == []
            gate.may_go_on.set()
            await writing
            assert await keys(client, 1) == [1]

    asyncio.run(go())


def test_a_cancelled_call_leaves_a_write_that_has_begun_to_finish(gate: Gate) -> None:
    async def go() -> None:
        async with AsyncVikingDB(endpoint=HASHED) as client:
            await filled(client)
            writing = asyncio.create_task(client.collection(**BOOKS).upsert(row(1)))
            await asyncio.to_thread(gate.begun.acquire)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            gate.may_go_on.set()
            while not gate.done:
                await asyncio.sleep(0)
            assert await keys(client, 1) == [1]

    asyncio.run(go())


def test_a_cancelled_call_that_still_waits_for_a_thread_is_dropped(gate: Gate) -> None:
    async def go() -> None:
        async with AsyncVikingDB(endpoint=HASHED) as client:
            await filled(client)
            books = client.collection(**BOOKS)
            begun = [asyncio.create_task(books.upsert(row(key))) for key in range(1, THREADS + 1)]
            for _ in begun:
                await asyncio.to_thread(gate.begun.acquire)
            waiting = asyncio.create_task(books.upsert(row(99)))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            gate.may_go_on.set()
            await asyncio.gather(*begun)
            assert await keys(client, 1, THREADS, 99) == [1, THREADS]

    asyncio.run(go())


def test_a_call_that_gets_no_thread_in_time_is_dropped_and_says_so(gate: Gate) -> None:
    async def go() -> None:
        async with AsyncVikingDB(endpoint=HASHED, retry=1) as client:
            await filled(client)
            books = client.collection(**BOOKS)
            begun = [asyncio.create_task(books.upsert(row(key))) for key in range(1, THREADS + 1)]
            for _ in begun:
                await asyncio.to_thread(gate.begun.acquire)
            async with asyncio.timeout(10):
                with pytest.raises(ConnectError, match="time") as caught:
                    await books.upsert(row(99), request_options=RequestOptions(timeout=0.05))
            assert not caught.value.sent
            gate.may_go_on.set()
            await asyncio.gather(*begun)
            assert await keys(client, 1, THREADS, 99) == [1, THREADS]

    asyncio.run(go())


def test_what_a_call_waited_for_a_thread_counts_towards_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    class Waited(LocalTransport):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            given.append(timeouts.total)
            begun.set()
            assert may_go_on.wait(10)
            return super().send(request, timeouts)

    async def go() -> None:
        async with AsyncVikingDB(endpoint=HASHED, timeout=100) as client:
            pings = asyncio.gather(client.ping(), client.ping())
            await asyncio.to_thread(begun.wait, 10)
            await asyncio.sleep(0.1)
            may_go_on.set()
            await pings

    begun, may_go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(async_transport, "THREADS", 1)
    monkeypatch.setattr(async_transport, "LocalTransport", Waited)
    asyncio.run(go())
    first, second = given
    assert second < first - 0.05


def test_closing_waits_for_what_has_begun_without_holding_up_the_loop(gate: Gate) -> None:
    async def go() -> list[Any]:
        client = AsyncVikingDB(endpoint=HASHED)
        await filled(client)
        books = client.collection(**BOOKS)
        begun = [asyncio.create_task(books.upsert(row(key))) for key in range(1, THREADS + 1)]
        for _ in begun:
            await asyncio.to_thread(gate.begun.acquire)
        waiting = asyncio.create_task(books.upsert(row(99)))
        await asyncio.sleep(0)
        closing = asyncio.create_task(client.close())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not closing.done()
        with pytest.raises(RequestError, match="closed"):
            await client.ping()
        gate.may_go_on.set()
        await closing
        return await asyncio.gather(*begun, waiting, return_exceptions=True)

    *begun, waited = asyncio.run(go())
    assert {answer.code for answer in begun} == {"Success"}
    assert isinstance(waited, RequestError)


def test_a_private_database_is_its_clients_alone_and_lasts_from_loop_to_loop() -> None:
    mine, other = AsyncVikingDB(endpoint=HASHED), AsyncVikingDB(endpoint=HASHED)

    async def names(client: AsyncVikingDB) -> list[Any]:
        return [each.collection_name for each in (await client.admin.list_collections()).result.collections]

    asyncio.run(filled(mine))
    assert asyncio.run(names(mine)) == ["books"]
    assert asyncio.run(names(other)) == []
    for client in (mine, other):
        asyncio.run(client.close())
        asyncio.run(client.close())


def test_a_named_database_is_shared_with_sync_clients() -> None:
    endpoint = "local://shared-by-both?embedder=hash-v1"

    async def write() -> None:
        async with AsyncVikingDB(endpoint=endpoint) as client:
            await filled(client)
            await client.collection(**BOOKS).upsert(row(7))

    try:
        asyncio.run(write())
        with VikingDB(endpoint=endpoint) as client:
            assert [item.id for item in client.collection(**BOOKS).fetch({"ids": [7]}).result.items] == [7]
    finally:
        databases.drop_database("shared-by-both")


def test_a_folder_is_opened_with_the_first_request_and_let_go_of_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "books"
    endpoint = f"local://{folder}?embedder=hash-v1"

    async def write(key: int) -> list[Any]:
        async with AsyncVikingDB(endpoint=endpoint) as client:
            assert folder.exists() is (key > 1)
            if key == 1:
                await filled(client)
            await client.collection(**BOOKS).upsert(row(key))
            return await keys(client, 1, 2)

    assert asyncio.run(write(1)) == [1]
    assert asyncio.run(write(2)) == [1, 2]
    assert not databases._folders


@pytest.mark.parametrize("endpoint", ["local://x?sed=1", "local://name/folder"])
def test_what_cannot_be_opened_is_refused_when_it_is_built(endpoint: str) -> None:
    with pytest.raises(ConfigError):
        AsyncLocalTransport(Endpoint.parse(endpoint), TransportSettings())


def test_a_folder_that_cannot_be_opened_is_a_configuration_error_of_the_first_call(tmp_path: Path) -> None:
    (tmp_path / "data.sqlite").write_text("no database")

    async def ping() -> None:
        async with AsyncVikingDB(endpoint=f"local://{tmp_path}") as client:
            await client.ping()

    with pytest.raises(ConfigError, match=r"data\.sqlite"):
        asyncio.run(ping())


def test_a_fault_of_the_endpoint_reaches_async_clients() -> None:
    async def ping() -> None:
        async with AsyncVikingDB(endpoint="local://?fault=drop_after:1", retry=1) as client:
            await client.ping()

    with pytest.raises(ConnectionLost):
        asyncio.run(ping())


def test_256_tasks_write_and_read_by_one_client() -> None:
    async def go() -> list[Any]:
        async with AsyncVikingDB(endpoint=HASHED) as client:
            await filled(client)
            books = client.collection(**BOOKS)

            async def write_and_read(key: int) -> list[Any]:
                await books.upsert(row(key))
                return await keys(client, key)

            return await asyncio.gather(*(write_and_read(key) for key in range(1, 257)))

    assert asyncio.run(go()) == [[key] for key in range(1, 257)]


def test_a_forgotten_client_leaves_no_thread_behind() -> None:
    async def use() -> None:
        await AsyncVikingDB(endpoint=HASHED).ping()

    before = set(threading.enumerate())
    asyncio.run(use())
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        with suppress(RuntimeError):
            thread.join(10)
        assert not thread.is_alive(), thread


FORKING = """
import asyncio, os, signal, sys, threading
from vikingdb_local import async_transport
from vikingdb_vector import AsyncVikingDB

begun, may_go_on, parent = threading.Event(), threading.Event(), os.getpid()

class Slow(async_transport.LocalTransport):
    def __init__(self, *given, **named):
        if os.getpid() == parent:
            begun.set()
            assert may_go_on.wait(20)
        super().__init__(*given, **named)

async_transport.LocalTransport = Slow
client = AsyncVikingDB(endpoint=sys.argv[1])
thread = threading.Thread(target=lambda: asyncio.run(client.ping()))
thread.start()
assert begun.wait(20)
child = os.fork()
if child == 0:
    signal.alarm(5)
    asyncio.run(client.ping())
    os._exit(0)
status = os.waitpid(child, 0)[1]
may_go_on.set()
thread.join()
assert status == 0, status
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_while_another_thread_opens_the_database_opens_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, HASHED], timeout=60, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
