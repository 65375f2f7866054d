"""Driven: a transport, sync or async, moved by plain code, so that one contract serves both."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Coroutine
from contextlib import nullcontext, suppress
from types import TracebackType
from typing import Any, Self

from vikingdb_core.effects import AsyncTransport, StreamedResponse, Timeouts, Transport
from vikingdb_core.messages import Request, Response

PATIENCE_SECONDS = 60.0
"""For a transport that never comes back: so that the test fails, and does not hang."""


def is_async(transport: Transport | AsyncTransport) -> bool:
    """Whether its methods are to be awaited."""
    return inspect.iscoroutinefunction(transport.send)


class Driven:
    """Sends by a transport. An async one lives in a loop of its own, in another thread; each ``send`` is a task there.

    Use it in a ``with`` statement; leaving it closes the transport.
    """

    def __init__(self, transport: Transport | AsyncTransport) -> None:
        self.transport: Any = transport
        self.is_async = is_async(transport)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        response: Response = self._settle(self.transport.send(request, timeouts))
        return response

    def stream(self, request: Request, timeouts: Timeouts) -> DrivenStream | Response:
        answer = self._settle(self.transport.stream(request, timeouts))
        return DrivenStream(self, answer) if isinstance(answer, StreamedResponse) else answer

    def close(self) -> None:
        self._settle(self.transport.close())

    def _settle(self, answer: Any) -> Any:
        if self._loop is None:
            return answer
        assert isinstance(answer, Coroutine), "send() is a coroutine function, so stream() and close() are too"
        return asyncio.run_coroutine_threadsafe(answer, self._loop).result(PATIENCE_SECONDS)

    def _run(self) -> None:
        assert self._loop is not None
        self._loop.run_forever()

    def __enter__(self) -> Self:
        if self.is_async:
            self._loop = asyncio.new_event_loop()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with nullcontext() if error is None else suppress(Exception):  # the first error is the one to see
                self.close()
        finally:
            if self._loop is not None:
                self._settle(self._loop.shutdown_asyncgens())
                self._settle(self._loop.shutdown_default_executor())
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join(PATIENCE_SECONDS)
                self._loop.close()


class DrivenStream:
    """A response that is still arriving."""

    def __init__(self, driven: Driven, opened: StreamedResponse) -> None:
        self.status = opened.status
        self.headers = opened.headers
        self._driven = driven
        self._opened = opened
        self._chunks: Any = aiter(opened) if driven.is_async else iter(opened)

    def read(self) -> bytes:
        """The next piece; empty at the end."""
        while (piece := self._next()) == b"":
            pass
        return piece or b""

    def _next(self) -> bytes | None:
        following = _anext(self._chunks) if self._driven.is_async else next(self._chunks, None)
        piece: bytes | None = self._driven._settle(following)
        return piece

    def read_all(self) -> bytes:
        """Every piece to the end."""
        pieces = []
        while piece := self.read():
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self._driven._settle(self._opened.close())


async def _anext(chunks: Any) -> Any:
    return await anext(chunks, None)
