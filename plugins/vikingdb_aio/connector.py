"""Connector: makes and keeps the connections of one event loop, by aiohttp's own, with four things added.

It tells the attempt when it has a connection; it hands out none that the server has closed meanwhile; the time to
connect is for connecting, not for waiting until one of the pool is free; and who waits longest gets the next. By itself
aiohttp gives a free connection to whoever asks at that moment, and tasks that ask again and again leave others none.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

import aiohttp
from aiohttp.helpers import set_exception

from vikingdb_core.transport import TransportSettings

from .attempt import CURRENT

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

_CLOSED = "the client was closed"


class Connector(aiohttp.TCPConnector):
    """Belongs to the running loop. Closing it is left to :class:`~.pool.Pool`."""

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__(
            limit=settings.pool_connections * settings.pool_maxsize,
            limit_per_host=settings.pool_maxsize,
            resolver=aiohttp.ThreadedResolver(),  # names mean what they mean to the rest of the machine
        )
        self._made: WeakSet[ResponseHandler] = WeakSet()
        self._turns: dict[ConnectionKey, asyncio.Semaphore] = {}
        self._taken: dict[ResponseHandler, asyncio.Semaphore] = {}

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        attempt = CURRENT.get()
        if attempt.has_connection:  # aiohttp repeats a GET by itself; whether to is for the flow to decide
            raise aiohttp.ClientConnectionError("the connection broke before an answer began")
        while True:
            attempt.is_new_connection, attempt.waits_for_pool = False, True
            connection = await self._connect_in_turn(req, traces, timeout)
            if attempt.is_new_connection or not _has_ended(connection.protocol):
                attempt.has_connection = True
                return connection
            connection.close()

    async def _connect_in_turn(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        turn = self._turns.setdefault(req.connection_key, asyncio.Semaphore(self.limit_per_host))
        await turn.acquire()
        try:
            if self.closed:
                raise aiohttp.ClientConnectionError(_CLOSED)
            connection = await super().connect(req, traces, timeout)
        except asyncio.CancelledError:
            turn.release()
            if self.closed and not _is_cancelled():  # so aiohttp tells those who wait for a connection
                raise aiohttp.ClientConnectionError(_CLOSED) from None
            raise
        except BaseException:
            turn.release()
            raise
        assert connection.protocol is not None
        self._taken[connection.protocol] = turn
        return connection

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        if should_close or protocol.should_close:
            protocol.abort()  # closing would wait until the server has read everything, and over TLS until it answers
        else:
            protocol._parser = None  # what comes from now on answers nothing: unread, it makes should_close true
        super()._release(key, protocol, should_close=should_close)
        turn = self._taken.pop(protocol, None)
        if turn is not None:
            turn.release()

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        attempt = CURRENT.get()
        attempt.is_new_connection, attempt.waits_for_pool = True, False
        async with asyncio.timeout(attempt.connect_seconds):  # names, TCP, a proxy's tunnel, TLS
            protocol = await super()._create_connection(req, traces, timeout)
        self._made.add(protocol)
        return protocol

    def _close(self, *, abort_ssl: bool = False) -> list[Awaitable[object]]:
        for protocol in self._taken:
            if protocol._payload is not None:  # aiohttp would leave its reader waiting, or take its part for the whole
                set_exception(protocol._payload, aiohttp.ClientConnectionError(_CLOSED))
            protocol.abort()
        waiters = super()._close(abort_ssl=abort_ssl)
        for turn in self._turns.values():
            turn.release()  # whoever gets it finds the connector closed, and passes it on
        return waiters

    def hang_up(self) -> None:
        """Let servers know that nobody will come back, from outside the loop and without it."""
        for protocol in list(self._made):
            opened = protocol.transport and protocol.transport.get_extra_info("socket")
            if opened:
                with suppress(OSError):
                    opened.shutdown(socket.SHUT_RDWR)

    def __del__(self, *_: object) -> None:
        """aiohttp would close connections here, through a loop that may be another process's or have ended."""


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _has_ended(protocol: ResponseHandler | None) -> bool:
    """Whether something came on an idle connection: its end, or what nobody asked for.

    What has come since the loop's last turn, only the socket knows; a request written until the next would be lost.
    """
    if protocol is None or protocol.should_close:
        return True
    opened = protocol.transport and protocol.transport.get_extra_info("socket")
    if not opened or opened.fileno() < 0:
        return True
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(opened, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([opened], [], [], 0)[0])
