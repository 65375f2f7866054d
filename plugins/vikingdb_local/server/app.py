"""App: HTTP in front of an engine. What is wrong with a request is found out before the engine sees it."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import orjson
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Request, Response
from vikingdb_vector.operations_admin import LIST_COLLECTIONS

from ..envelope import fail
from ..errors import ServiceError
from ..fault_injection.plan import FaultPlan
from ..router import address_of, operation_name
from .access import Access
from .faulty import respond_with
from .incoming import Incoming
from .openapi import document
from .page import page
from .reading import read_body, read_head, to_request
from .report import Report

log = logging.getLogger("vikingdb.local.access")

T = TypeVar("T")

DEFAULT_BODY_BYTES = 64 * 1024 * 1024
PING_BYTES = 4096
"""The longest body of a ping, which needs no key."""
THREADS = 16
"""How many requests the engine works on at a time; the others wait their turn."""

_UNHURRIED = Timeouts(600, 600)
_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_PAGE = {**_SAFE, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
_NOBODY = 499


class Engine(Protocol):
    """What answers: a transport to an embedded database."""

    def send(self, request: Request, timeouts: Timeouts) -> Response: ...

    def close(self) -> None: ...


@dataclass
class Server:
    """An engine behind HTTP.

    Attributes:
        engine: closed when the server stops.
        endpoint: of the engine.
        access: who may call.
        address: the server's own URL, for people.
        faults: what goes wrong on demand.
        max_body_bytes: a longer body is refused.
        clock: seconds since 1970.
        report: what was done so far.
    """

    engine: Engine
    endpoint: Endpoint
    access: Access
    address: str
    faults: FaultPlan | None = None
    max_body_bytes: int = DEFAULT_BODY_BYTES
    clock: Callable[[], float] = time.time
    report: Report = field(default_factory=Report)
    _limiter: CapacityLimiter | None = field(default=None, repr=False)

    def app(self) -> Starlette:
        """The ASGI application."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            self._limiter = CapacityLimiter(THREADS)
            try:
                yield
            finally:
                await to_thread.run_sync(self.engine.close)

        app = Starlette(lifespan=lifespan)
        # No route: what matches none, Starlette would answer by itself, in a shape of its own.
        app.router.redirect_slashes = False
        app.router.default = _Everything(self._serve)
        return app

    async def _serve(self, http: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        incoming = read_head(http)
        request = to_request(incoming, self.endpoint)
        operation = operation_name(request)
        try:
            self.access.check_place(incoming)
            answer = await self._about(incoming) or await self._answer(http, incoming, operation)
        except ServiceError as error:
            answer = _outgoing(fail(address_of(request), error))
            if error.status in (408, 413):  # even if the rest has come by now
                answer.headers["Connection"] = "close"
        except ClientDisconnect:
            answer = HttpResponse(status_code=_NOBODY)
        self.report.note(operation, answer.status_code)
        taken_ms = (time.perf_counter() - started) * 1000
        log.info("%s %s %s %s %.1f ms", incoming.method, incoming.path, operation or "-", answer.status_code, taken_ms)
        return answer

    async def _about(self, incoming: Incoming) -> HttpResponse | None:
        """The pages about the server itself."""
        if incoming.method not in ("GET", "HEAD") or incoming.is_action:
            return None
        if incoming.plain_path == "/":
            collections, total = await self._run(self._collections) if self.access.is_open else (None, 0)
            faults = self.faults.text if self.faults else None
            text = page(self.report, self.address, collections, faults, total_count=total)
            return HttpResponse(text, media_type="text/html", headers=_PAGE)
        if incoming.plain_path == "/openapi.json":
            return HttpResponse(document(is_open=self.access.is_open), media_type="application/json", headers=_SAFE)
        return None

    async def _answer(self, http: HttpRequest, incoming: Incoming, operation: str) -> HttpResponse:
        self.access.check(incoming, self.clock())
        most = min(self.max_body_bytes, PING_BYTES) if incoming.is_ping else self.max_body_bytes
        incoming = replace(incoming, body=await read_body(http, most))
        self.access.check_body(incoming)
        request = to_request(incoming, self.endpoint)

        async def carry_out() -> Response:
            return await self._run(lambda: self.engine.send(request, _UNHURRIED))

        if self.faults is None:
            return _outgoing(await carry_out())
        fault = self.faults.draw(operation)
        if fault.kind is not None:
            log.info("fault on demand: %s meets %s", operation, fault.kind)
        return await respond_with(fault, address_of(request), carry_out, _outgoing)

    async def _run(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self._limiter)

    def _collections(self) -> tuple[list[dict[str, Any]], int]:
        """The first of them, and how many there are."""
        path, query = LIST_COLLECTIONS.path, LIST_COLLECTIONS.query
        listed = to_request(Incoming("POST", path, "", (), b'{"PageSize": 100}'), self.endpoint)
        body = orjson.loads(self.engine.send(replace(listed, query=query), _UNHURRIED).body)
        result = body.get("Result") or {}
        found: list[dict[str, Any]] = result.get("Collections") or []
        return found, result.get("TotalCount") or len(found)


class _Everything:
    """An ASGI application for every method and every target."""

    def __init__(self, serve: Callable[[HttpRequest], Any]) -> None:
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._serve(HttpRequest(scope, receive, send))
        await response(scope, receive, send)


def _outgoing(response: Response) -> HttpResponse:
    return HttpResponse(response.body, response.status, {**response.headers, **_SAFE})
