"""Connection: one client of the server, which can be cut off, and is when it never sends the rest of a request."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

TRANSPORT = "vikingdb.transport"
"""Name of the extension of a scope that has the connection's transport, to break it."""

PATIENCE_SECONDS = 30.0
"""How long a client may take to send the head of a request, and be silent in the middle of its body."""


class Connection(H11Protocol):
    """HTTP/1.1 of uvicorn, with an end to half a request and a way to break off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        answer: Any = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {TRANSPORT: self.transport}
            await answer(scope, receive, send)

        self.app = app

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does this only for sockets that say they are TCP. Without it head and body wait for each other: 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Begin to count while the head of a request is awaited; other waits are bounded elsewhere."""
        if self.conn.their_state is not h11.IDLE:
            self._calm()
        elif self._timer is None:
            self._timer = self.loop.call_later(PATIENCE_SECONDS, self.transport.close)

    def _calm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
