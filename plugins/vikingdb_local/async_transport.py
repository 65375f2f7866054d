"""AsyncLocalTransport: carries the requests of asynchronous clients to an engine in this process. Chosen by the scheme
``local``.

The engine works in threads, so the loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from vikingdb_core.effects import StreamedResponse, Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConnectError, RequestError
from vikingdb_core.messages import Request, Response
from vikingdb_core.transport import TransportSettings, notice_fork, survives_forks

from .databases import check_endpoint
from .transport import LocalTransport

THREADS = 8
"""How many requests of a client the engine works on at once; further ones wait their turn."""


class AsyncLocalTransport:
    """An ``AsyncTransport`` to an embedded database. May be built outside a loop, and used in several.

    A database in a folder is opened with the first request, in a thread too. When the task that sent a request is
    cancelled, a request the engine has begun on is finished all the same, and one that still waits is dropped. So it is
    when its time is up: waiting for a thread counts, as waiting for a connection does over HTTP.

    Args:
        endpoint: as of :class:`~.transport.LocalTransport`.
        settings: connection settings; there is no connection.
        clock: seconds since 1970; rows expire by it.

    Raises:
        ConfigError: an unknown option.
    """

    def __init__(
        self, endpoint: Endpoint, settings: TransportSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        check_endpoint(endpoint)
        self._endpoint = endpoint
        self._settings = settings
        self._clock = clock
        self._opening = threading.Lock()  # held in threads of the engine alone: a folder may take a while
        self._inner: LocalTransport | None = None
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._is_closed = False
        survives_forks(self)

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Answer a request, as :meth:`.transport.LocalTransport.send` does.

        Raises:
            RequestError: the transport was closed.
            ConfigError: an option that does not fit, or a folder that cannot be opened.
            ConnectError: the time was up before a thread was free for it. It was not carried out.
            ConnectionLost, RequestTimeout: a fault of the endpoint.
        """
        notice_fork()
        with self._lock:
            if self._is_closed:
                raise self._refusal()
            if self._threads is None:
                self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="vikingdb-local")
            begun = self._threads.submit(self._send, request, timeouts, time.monotonic() + timeouts.total)
        answer = asyncio.wrap_future(begun)
        try:
            done, _ = await asyncio.wait([answer], timeout=timeouts.total)
            if not done and begun.cancel():
                raise self._got_no_thread()
            return await answer
        except asyncio.CancelledError:
            answer.cancel()
            raise

    async def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        """The same: no operation streams."""
        return await self.send(request, timeouts)

    def renew_after_fork(self) -> None:
        self._opening, self._lock = threading.Lock(), threading.Lock()
        self._threads = None  # the child has none of them

    async def close(self) -> None:
        """Let go of the database when calls that have begun are done. A private one is gone with it, one in a folder
        can be opened by others."""
        notice_fork()
        with self._lock:
            self._is_closed = True
            threads, self._threads = self._threads, None
            if threads is not None:
                threads.shutdown(wait=False)  # what waits is still answered: with a refusal
        await asyncio.to_thread(self._close)

    def _send(self, request: Request, timeouts: Timeouts, ends_at: float) -> Response:
        with self._opening:
            if self._is_closed:
                raise self._refusal()
            remaining = ends_at - time.monotonic()
            if remaining <= 0:
                raise self._got_no_thread()
            if self._inner is None:
                self._inner = LocalTransport(self._endpoint, self._settings, clock=self._clock)
            inner = self._inner
        return inner.send(request, replace(timeouts, total=remaining))

    def _close(self) -> None:
        with self._opening:
            inner = self._inner
        if inner is not None:
            inner.close()

    def _got_no_thread(self) -> ConnectError:
        return ConnectError(
            f"no thread of {self._endpoint} became free in time; a client has {THREADS}, and a timeout includes the "
            "wait for one"
        )

    def _refusal(self) -> RequestError:
        return RequestError(f"this client was closed; make a new one to use {self._endpoint}")
