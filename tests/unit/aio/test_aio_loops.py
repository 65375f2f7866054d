"""A pool for each loop: made with its first request, shared with no other, and gone with its loop without a word."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.http import PATIENT, request_to, run_silently
from tests.support.notes import AsyncNotes
from tests.support.server import Connection, LoopbackServer
from vikingdb_aio import AiohttpTransport
from vikingdb_core.credentials import NoAuth
from vikingdb_core.exceptions import RequestError


def notes_its_end(connection: Connection) -> None:
    while received := connection.read_request():
        if received.target.endswith("/watch"):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        else:
            connection.reply()
    connection.server.notes.append(f"{connection.number} closed")


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(notes_its_end) as serving:
        yield serving


async def send(transport: AiohttpTransport, server: LoopbackServer, times: int = 1) -> None:
    for _ in range(times):
        assert (await transport.send(request_to(server.url), PATIENT)).ok


def test_building_one_makes_no_pool_and_needs_no_loop() -> None:
    assert AiohttpTransport()._pools == {}


def test_each_loop_has_connections_of_its_own_and_closes_them_at_its_end(server: LoopbackServer) -> None:
    transport = AiohttpTransport()
    for turn in range(3):
        asyncio.run(send(transport, server, times=2))
        server.wait_for_notes(turn + 1)
    assert [received.connection for received in server.received] == [0, 0, 1, 1, 2, 2]
    assert len(transport._pools) == 1, "those of loops that have ended are forgotten"
    asyncio.run(transport.close())


def test_loops_in_many_threads_use_one_client_at_once(server: LoopbackServer) -> None:
    together = threading.Barrier(4)
    notes = AsyncNotes(endpoint=server.url, auth=NoAuth())

    async def read() -> list[str | None]:
        together.wait(10)
        return [each.code for each in await asyncio.gather(*(notes.shelf().read() for _ in range(8)))]

    with ThreadPoolExecutor(4) as threads:
        codes = [future.result() for future in [threads.submit(asyncio.run, read()) for _ in range(4)]]
    assert codes == [["Success"] * 8] * 4
    asyncio.run(notes.close())


def test_a_loop_that_goes_on_closes_its_connections_when_another_closes_the_client(server: LoopbackServer) -> None:
    transport = AiohttpTransport()
    used, closed = threading.Event(), threading.Event()
    refused: list[BaseException] = []

    async def go_on() -> None:
        await send(transport, server)
        used.set()
        await asyncio.to_thread(closed.wait, 10)
        await asyncio.to_thread(server.wait_for_notes, 1)
        with pytest.raises(RequestError) as caught:
            await send(transport, server)
        refused.append(caught.value)

    thread = threading.Thread(target=asyncio.run, args=(go_on(),))
    thread.start()
    assert used.wait(10)
    asyncio.run(transport.close())
    closed.set()
    thread.join(10)
    assert len(refused) == 1


def test_a_loop_that_rests_is_hung_up_for_when_another_closes_the_client(server: LoopbackServer) -> None:
    transport = AiohttpTransport()
    resting = asyncio.new_event_loop()
    resting.run_until_complete(send(transport, server))
    asyncio.run(transport.close())
    server.wait_for_notes(1)
    resting.run_until_complete(resting.shutdown_asyncgens())
    resting.close()


def test_a_client_forgotten_while_its_loop_rests_hangs_up(server: LoopbackServer) -> None:
    transport = AiohttpTransport()
    resting = asyncio.new_event_loop()
    resting.run_until_complete(send(transport, server))
    del transport
    gc.collect()
    server.wait_for_notes(1)
    resting.run_until_complete(resting.shutdown_asyncgens())
    resting.close()


FORKING = """
import asyncio, gc, os, sys
from tests.support.http import PATIENT, request_to
from vikingdb_aio import AiohttpTransport

transport = AiohttpTransport()
loop = asyncio.new_event_loop()
loop.run_until_complete(transport.send(request_to(sys.argv[1]), PATIENT))
child = os.fork()
if child == 0:
    del transport
    gc.collect()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
loop.run_until_complete(transport.send(request_to(sys.argv[1]), PATIENT))
loop.run_until_complete(transport.close())
loop.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_client_forgotten_in_a_forked_process_leaves_its_parents_connections(server: LoopbackServer) -> None:
    run_silently(FORKING, server.url)
    assert [received.connection for received in server.received] == [0, 0]


def test_a_loop_closed_without_further_ado_is_hung_up_for_at_the_next_request(server: LoopbackServer) -> None:
    transport = AiohttpTransport()
    ended = asyncio.new_event_loop()
    ended.run_until_complete(send(transport, server))

    def go_on() -> None:
        ended.close()
        asyncio.run(send(transport, server))
        server.wait_for_notes(2)
        gc.collect()

    with pytest.warns(ResourceWarning, match="unclosed"):  # says asyncio of a loop that was closed so
        go_on()
    asyncio.run(transport.close())


SCRIPTS = {
    "a client used in two loops": """
client = make()
asyncio.run(read(client))
asyncio.run(read(client))
""",
    "and closed in a third": """
client = make()
asyncio.run(read(client))
asyncio.run(read(client))
asyncio.run(client.close())
""",
    "a client in a with statement": """
async def main():
    async with make() as client:
        await read(client)
asyncio.run(main())
""",
    "a client that is forgotten in a loop that goes on": """
async def main():
    await read(make())
    gc.collect()
    await asyncio.sleep(0)
asyncio.run(main())
""",
    "a client of a module, never closed": """
client = make()
async def main():
    await asyncio.gather(*(read(client) for _ in range(20)))
asyncio.run(main())
""",
    "a client closed while it reads": """
async def main():
    client = make()
    await read(client)
    reading = asyncio.gather(*(read(client) for _ in range(20)), return_exceptions=True)
    await asyncio.sleep(0)
    await client.close()
    await reading
asyncio.run(main())
""",
    "a program that fails while it reads": """
async def main():
    client = make()
    await read(client)
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(read(client))
        await asyncio.sleep(0)
        1 / 0
try:
    asyncio.run(main())
except* ZeroDivisionError:
    pass
""",
    "a program that ends while it reads": """
async def main():
    client = make()
    await read(client)
    tasks = [asyncio.create_task(read(client)) for _ in range(20)]
    await asyncio.sleep(0)
asyncio.run(main())
""",
    "a stream that is abandoned": """
async def main():
    client = make()
    stream = await client.call(WATCH)
    async for piece in stream:
        break
    del stream, piece
    gc.collect()
    await read(client)
asyncio.run(main())
""",
    "a stream that nobody looked at": """
async def main():
    client = make()
    await client.call(WATCH)
    gc.collect()
    await asyncio.sleep(0)
asyncio.run(main())
""",
}
HEAD = """
import asyncio, gc, logging, sys
from tests.support.notes import WATCH, AsyncNotes
from vikingdb_core.credentials import NoAuth

logging.basicConfig()
logging.getLogger("asyncio").addFilter(lambda record: "took" not in record.getMessage())  # of slow machines

def make():
    return AsyncNotes(endpoint=sys.argv[1], auth=NoAuth(), retry=1)

async def read(client):
    assert (await client.shelf().read()).code == "Success"
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_program_ends_without_a_word_and_with_nothing_open(script: str, server: LoopbackServer) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", f"{HEAD}{SCRIPTS[script]}\ngc.collect()", server.url],
        cwd=Path(__file__).parents[3],
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    server.wait_for_notes(server.connections)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
