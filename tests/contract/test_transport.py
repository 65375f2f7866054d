"""Our own transports keep the contract of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pytest_vikingdb import TransportContract, Wire
from pytest_vikingdb.contracts.transport import answer
from pytest_vikingdb.wire import AsyncWire
from vikingdb_aio import AiohttpTransport
from vikingdb_core.effects import StreamedResponse, Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_core.transport import AsyncSchemeTransport, SchemeTransport, TransportSettings
from vikingdb_core.transport.https import RequestsTransport
from vikingdb_local.async_transport import AsyncLocalTransport
from vikingdb_local.transport import LocalTransport


class TestRequestsTransport(TransportContract):
    def make_transport(self, endpoint: Endpoint) -> RequestsTransport:
        return RequestsTransport(TransportSettings())


class TestSchemeTransport(TransportContract):
    def make_transport(self, endpoint: Endpoint) -> SchemeTransport:
        return SchemeTransport(TransportSettings())


class ThreadedTransport:
    """The https transport for async clients, in threads: small, and honest."""

    def __init__(self) -> None:
        self._inner = RequestsTransport(TransportSettings())

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        return await asyncio.to_thread(self._inner.send, request, timeouts)

    async def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        opened = await asyncio.to_thread(self._inner.stream, request, timeouts)
        if isinstance(opened, Response):
            return opened

        async def chunks() -> AsyncIterator[bytes]:
            pieces = iter(opened)
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield piece

        async def close() -> None:
            opened.close()

        return StreamedResponse(opened.status, opened.headers, chunks(), close)

    async def close(self) -> None:
        self._inner.close()


class TestThreadedTransport(TransportContract):
    def make_transport(self, endpoint: Endpoint) -> ThreadedTransport:
        return ThreadedTransport()


class TestAiohttpTransport(TransportContract):
    def make_transport(self, endpoint: Endpoint) -> AiohttpTransport:
        return AiohttpTransport(endpoint, TransportSettings())


class TestAsyncSchemeTransport(TransportContract):
    def make_transport(self, endpoint: Endpoint) -> AsyncSchemeTransport:
        return AsyncSchemeTransport(TransportSettings())


class TestLocalTransport(TransportContract):
    no_network = "the embedded engine answers in this process"
    endpoint = "local://?embedder=hash-v1"

    def make_transport(self, endpoint: Endpoint) -> LocalTransport:
        return LocalTransport(endpoint, TransportSettings())

    def make_request(self, endpoint: Endpoint, mark: str) -> Request:
        return Request("GET", endpoint, "/api/vikingdb/Ping", (), Headers({"X-Tt-Logid": mark}), b"")

    def make_refused_request(self, endpoint: Endpoint) -> Request:
        return Request("POST", endpoint, "/api/vikingdb/data/nothing", (), Headers(), b"{}")


class TestAsyncLocalTransport(TestLocalTransport):
    def make_transport(self, endpoint: Endpoint) -> AsyncLocalTransport:  # type: ignore[override]
        return AsyncLocalTransport(endpoint, TransportSettings())


class TestWire(TransportContract):
    no_network = "the wire answers from its script"
    endpoint = "https://vikingdb.example"

    def make_transport(self, endpoint: Endpoint) -> Wire:
        return Wire().then(*[answer] * 100)


class TestAsyncWire(TransportContract):
    no_network = "the wire answers from its script"
    endpoint = "https://vikingdb.example"

    def make_transport(self, endpoint: Endpoint) -> AsyncWire:
        return Wire().then(*[answer] * 100).asynchronous
