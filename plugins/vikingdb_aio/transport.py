"""AiohttpTransport: HTTP for asynchronous clients.

The same promises as the sync transport's: what was signed is what is sent, nothing is followed, kept or looked up
behind the caller's back, and a failure says whether the service may have seen the request.
"""

from __future__ import annotations

import asyncio
import threading

import aiohttp

from vikingdb_core.effects import StreamedResponse, Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import DecodeError, RequestError, VikingDBError
from vikingdb_core.messages import Request, Response
from vikingdb_core.transport import LONGEST_BODY_BYTES, TransportSettings, notice_fork, survives_forks

from .attempt import CURRENT, Attempt
from .failure import FAILURES, failure
from .message import arguments, headers_of
from .pool import Pool
from .route import Routes
from .streaming import Chunks

_CLOSED = "this transport was closed; build a new one"


class AiohttpTransport:
    """An ``AsyncTransport`` to any number of hosts.

    May be built outside a loop, and used in several: each has a pool of its own, made with its first request. Survives
    ``fork``.

    Args:
        endpoint: where a client sends to. Requests say that themselves.
        settings: connection settings. ``pool_maxsize`` is how many connections a loop has to one host at a time; more
            requests wait for one of them.
    """

    def __init__(self, endpoint: Endpoint | None = None, settings: TransportSettings | None = None) -> None:
        self._settings = settings or TransportSettings()
        self._routes = Routes(self._settings)
        self._lock = threading.Lock()
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        self._inherited: list[Pool] = []
        self._is_closed = False
        survives_forks(self)

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Send and read the whole response."""
        attempt = Attempt(timeouts.connect)
        response: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(timeouts.total):
                response = await self._open(request, attempt)
                return await _whole(response)
        except VikingDBError:
            raise
        except FAILURES as error:
            failed = self._failure(error, request, attempt, is_answered=response is not None)
        raise failed  # here, so that aiohttp's own error is not its context

    async def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        """Send, and leave a 2xx response open. ``timeouts.total`` then bounds the wait for each chunk."""
        attempt = Attempt(timeouts.connect)
        response: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(timeouts.total):
                response = await self._open(request, attempt)
            if not 200 <= response.status < 300:
                async with asyncio.timeout(timeouts.total):
                    return await _whole(response)
        except VikingDBError:
            raise
        except FAILURES as error:
            failed = self._failure(error, request, attempt, is_answered=response is not None)
        else:
            chunks = Chunks(response, request, attempt, timeouts.total)
            return StreamedResponse(response.status, headers_of(response), chunks, chunks.close)
        raise failed

    async def close(self) -> None:
        """Close the connections of this loop, and have other loops close theirs."""
        notice_fork()
        with self._lock:
            self._is_closed = True
            pools, self._pools = self._pools, {}
        own = pools.pop(asyncio.get_running_loop(), None)
        for pool in pools.values():
            pool.dismiss()
        if own is not None:
            await own.close()

    def renew_after_fork(self) -> None:
        """The parent's connections are the parent's. They are not touched, and not let go of either."""
        self._lock = threading.Lock()
        for pool in self._pools.values():
            pool.abandon()
        self._inherited.extend(self._pools.values())
        self._pools = {}

    async def _open(self, request: Request, attempt: Attempt) -> aiohttp.ClientResponse:
        session = self._current().session
        route = self._routes.known(request.endpoint)
        if route is None:
            route = await asyncio.to_thread(self._routes.find, request.endpoint)
        token = CURRENT.set(attempt)
        try:
            return await session.request(**arguments(request), proxy=route.proxy, ssl=route.context)
        finally:
            CURRENT.reset(token)

    def _current(self) -> Pool:
        notice_fork()
        if self._is_closed:
            raise RequestError(_CLOSED)
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            with self._lock:
                if self._is_closed:  # meanwhile, by another thread
                    raise RequestError(_CLOSED)
                for ended in [each for each in self._pools if each.is_closed()]:
                    self._pools.pop(ended).dismiss()
                pool = self._pools[loop] = Pool(self._settings)
        return pool

    def _failure(self, error: Exception, request: Request, attempt: Attempt, *, is_answered: bool) -> VikingDBError:
        if self._is_closed and not attempt.has_connection:
            return RequestError(_CLOSED)  # not a failure to connect, which the flow would wait and try again after
        route = self._routes.known(request.endpoint)
        by_proxy = route is not None and route.proxy is not None
        return failure(error, request, attempt, by_proxy=by_proxy, is_answered=is_answered)


async def _whole(response: aiohttp.ClientResponse) -> Response:
    try:
        body = await _body(response.content)
        await response.wait_for_close()  # until the request has been written, too
    except BaseException:
        response.close()
        raise
    return Response(response.status, headers_of(response), body)


async def _body(content: aiohttp.StreamReader) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await content.readany():
        pieces.append(piece)
        size += len(piece)
        if size > LONGEST_BODY_BYTES:
            raise DecodeError(f"the answer is longer than {LONGEST_BODY_BYTES} bytes; ask for less", body=pieces[0])
        if len(pieces) > 1:
            await asyncio.sleep(0)  # where the next piece is there already, other tasks would not get their turn
    return b"".join(pieces)
