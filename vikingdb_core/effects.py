"""Effects: the few things a flow may ask the outside world to do, and who does them.

A flow is a plain generator. It yields an effect, and the driver sends back what came of it or throws what went wrong.
Nothing in a flow knows whether the driver is synchronous.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from .messages import Headers, Request, Response

T = TypeVar("T")


@dataclass(frozen=True)
class Timeouts:
    """Seconds for one attempt: ``connect`` to get a connection, ``total`` from sending to the last byte."""

    connect: float
    total: float


@dataclass(frozen=True)
class Send:
    """Send a request. Answered with a ``Response``; a ``TransportError`` is thrown back."""

    request: Request
    timeouts: Timeouts


@dataclass(frozen=True)
class Stream:
    """Send a request and leave a successful response open. Answered with a ``StreamedResponse``, or with a whole
    ``Response`` when the status is not 2xx."""

    request: Request
    timeouts: Timeouts


@dataclass(frozen=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class Block:
    """Run a function that may block (refreshing credentials). Answered with its result."""

    action: Callable[[], Any]


Effect: TypeAlias = Send | Stream | Sleep | Block
Flow: TypeAlias = Generator[Effect, Any, T]


@dataclass(frozen=True)
class StreamedResponse:
    """A response whose body is still arriving. ``chunks`` is a sync or an async iterator, as the transport is.

    Close it, or read it to its end: until then it holds a connection.
    """

    status: int
    headers: Headers
    chunks: Any
    close: Callable[[], Any]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def __aiter__(self) -> AsyncIterator[bytes]:
        chunks: AsyncIterator[bytes] = self.chunks.__aiter__()
        return chunks

    def __enter__(self) -> StreamedResponse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> StreamedResponse:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Transport(Protocol):
    """Performs ``Send`` and ``Stream``. Safe to use from many threads.

    Errors are ``TransportError`` only: ``ConnectError`` when the request cannot have been seen, else
    ``RequestTimeout`` or ``ConnectionLost``.
    """

    def send(self, request: Request, timeouts: Timeouts) -> Response: ...

    def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response: ...

    def close(self) -> None: ...


class AsyncTransport(Protocol):
    """The same, awaited."""

    async def send(self, request: Request, timeouts: Timeouts) -> Response: ...

    async def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response: ...

    async def close(self) -> None: ...


class Clock(Protocol):
    """Time, so that tests need not wait for it."""

    def monotonic(self) -> float: ...

    def time(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    async def asleep(self, seconds: float) -> None: ...
