"""Connection: one client of the server, which can be cut off, and is when it never sends the rest of a request."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTION = "vikingdb.connection"
"""Name of the extension of a scope that has its ``Connection``."""

PATIENCE_SECONDS = 30.0
"""How long a client may take to send the head of a request, and be silent in the middle of its body."""

LINGER_SECONDS = 2.0
"""How long a body is still received whose request was answered. Cut off at once, its client may miss the answer."""

FAREWELL_SECONDS = 1.0
"""How long a client may take to agree that a connection is closed, as TLS has it."""

_CLOSE = (b"connection", b"close")


class Connection(H11Protocol):
    """HTTP/1.1 of uvicorn, with an end to half a request and a way to break off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._is_stopping = self._is_held = False
        answer: Any = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {CONNECTION: self}
            try:
                await answer(scope, receive, self._closing(scope, receive, send))
            except asyncio.CancelledError:  # the server was told to stop, and has waited long enough
                self.break_off()

        self.app = app

    def break_off(self) -> None:
        """End the connection at once. What was not answered is not answered any more."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.abort()

    def end(self) -> None:
        """End the connection when what was sent has gone out."""
        self.transport.close()
        self._part()

    def hold(self) -> None:
        """Say that the request will not be answered: a server that stops need not wait for it."""
        self._is_held = True
        if self._is_stopping:
            self.break_off()

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

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._part()

    def shutdown(self) -> None:
        self._is_stopping = True
        super().shutdown()
        if self._is_held:
            self.break_off()
        self._part()

    def _closing(self, scope: Any, receive: Any, send: Any) -> Any:
        """Send, and close after an answer that the rest of its request may still follow."""

        async def closing(message: Any) -> None:
            is_early = self.conn.their_state is h11.SEND_BODY
            headers = list(message.get("headers", ()))
            if message["type"] == "http.response.start" and (is_early or _has_two_lengths(scope)):
                message = {**message, "headers": headers if _CLOSE in headers else [*headers, _CLOSE]}
            elif message["type"] == "http.response.body" and is_early and not message.get("more_body"):
                await send({**message, "more_body": True})
                await _receive_the_rest(receive)
                message = {"type": "http.response.body"}
            await send(message)

        return closing

    def _watch(self) -> None:
        """Begin to count while the head of a request is awaited, or a body that nobody reads; other waits are bounded
        elsewhere."""
        is_answered = self.cycle is not None and self.cycle.response_complete
        if self.conn.their_state is not h11.IDLE and not is_answered:
            self._calm()
        elif self._timer is None:
            self._timer = self.loop.call_later(PATIENCE_SECONDS, self.transport.close)

    def _calm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _part(self) -> None:
        """Do not wait for a client that does not close its side, once everything is sent."""
        if self.transport.is_closing():
            self.loop.call_later(FAREWELL_SECONDS, self._drop_when_sent)

    def _drop_when_sent(self) -> None:
        if not self.transport.get_write_buffer_size():
            self.transport.abort()


async def _receive_the_rest(receive: Any) -> None:
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while (message := await receive())["type"] == "http.request" and message["more_body"]:
                pass
    except TimeoutError:
        pass


def _has_two_lengths(scope: Any) -> bool:
    """Whether a request gives its length in two ways. Proxies on the way may have believed the other one."""
    names = {name for name, _ in scope["headers"]}
    return b"content-length" in names and b"transfer-encoding" in names
