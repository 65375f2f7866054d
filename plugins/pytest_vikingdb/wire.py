"""Wire: a transport that answers from a script and keeps what it was sent.

``Wire`` is for sync clients; ``wire.asynchronous`` is the same script for async ones.
"""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeAlias

from vikingdb_core.effects import StreamedResponse, Timeouts
from vikingdb_core.exceptions import RequestError, RequestTimeout
from vikingdb_core.messages import Headers, Request, Response

from .clock import VirtualClock

Answer: TypeAlias = "Response | BaseException | tuple[Any, ...] | Callable[[Request], Any]"
"""What a line of the script may say: a response, an error to raise, ``(status, body)`` or ``(status, body, headers)``,
or a function of the request that returns one of these, or raises. For async clients the function may be a coroutine
function; one that never returns is a server that never answers."""


class ScriptEnded(AssertionError):
    """A request arrived that the script has no answer for."""


@dataclass(frozen=True)
class Sent:
    """What was sent.

    Attributes:
        request: signed, as it would have gone out.
        timeouts: the seconds this attempt was given.
        at: when, on the virtual clock.
        streamed: whether the body of the answer was to be left open.
    """

    request: Request
    timeouts: Timeouts
    at: float
    streamed: bool = False

    @property
    def body(self) -> Any:
        """The body, parsed; ``None`` when there is none."""
        return json.loads(self.request.body) if self.request.body else None


@dataclass(frozen=True)
class _Chunks:
    status: int
    headers: Headers
    pieces: tuple[bytes | BaseException, ...]


@dataclass(frozen=True)
class _Line:
    answer: Answer | _Chunks
    seconds: float = 0.0


@dataclass(eq=False)
class _Open:
    """A stream that was handed out; open until it was read to its end or closed."""

    pieces: tuple[bytes | BaseException, ...] = field(repr=False)
    is_open: bool = True

    def read(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if not self.is_open:
                return
            if isinstance(piece, BaseException):
                self.is_open = False
                raise piece
            yield piece
        self.is_open = False

    async def aread(self) -> AsyncIterator[bytes]:
        for piece in self.read():
            yield piece

    def close(self) -> None:
        self.is_open = False

    async def aclose(self) -> None:
        self.is_open = False


class Wire:
    """A ``Transport`` over a script. Lines are used up in order, whoever sends.

    Attributes:
        sent: what was sent, in order.
        closed: whether a client closed it.
    """

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self.sent: list[Sent] = []
        self.closed = False
        self.asynchronous = AsyncWire(self)
        self._clock = clock or VirtualClock()
        self._lines: list[_Line] = []
        self._used = 0
        self._streams: list[_Open] = []
        self._lock = threading.Lock()

    # The script

    def reply(
        self, status: int = 200, body: Any = None, *, headers: Mapping[str, str] | None = None, seconds: float = 0.0
    ) -> Self:
        """Answer the next request with JSON.

        Args:
            status: HTTP status.
            body: what the body says; left out, ``{"code": "Success", "result": {}}`` below 400 and nothing from there.
            headers: response headers.
            seconds: how long the answer takes; longer than the attempt may last, and the attempt times out.
        """
        return self.then((status, body, headers), seconds=seconds)

    def reply_bytes(
        self, status: int, body: bytes, *, headers: Mapping[str, str] | None = None, seconds: float = 0.0
    ) -> Self:
        """Answer with a body just as it is: HTML of a proxy, half a JSON object."""
        return self.then(Response(status, Headers(headers or {}), body), seconds=seconds)

    def reply_chunks(
        self, status: int, chunks: Iterable[bytes | BaseException], *, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Answer a streaming request piece by piece. An error among the pieces is raised when its turn comes."""
        self._lines.append(_Line(_Chunks(status, Headers(headers or {}), tuple(chunks))))
        return self

    def then(self, *answers: Answer, seconds: float = 0.0) -> Self:
        """Answer the next requests with these: responses, errors to raise, ``(status, body)``, functions."""
        for answer in answers:
            if isinstance(answer, type):
                raise TypeError(f"give the script an instance: {answer.__name__}(…), not the class")
            self._lines.append(_Line(answer, seconds))
        return self

    # What came of it

    @property
    def requests(self) -> list[Request]:
        """The signed requests, in order."""
        return [sent.request for sent in self.sent]

    @property
    def bodies(self) -> list[Any]:
        """Their bodies, parsed."""
        return [sent.body for sent in self.sent]

    @property
    def unused(self) -> int:
        """How many lines of the script nobody asked for."""
        return len(self._lines) - self._used

    @property
    def open_streams(self) -> int:
        """How many streamed responses were neither read to their end nor closed."""
        return sum(stream.is_open for stream in self._streams)

    # The transport

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        answer = self._settle(self._next(request, timeouts), request, timeouts)
        return _whole(_not_awaitable(answer))

    def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        answer = _not_awaitable(self._settle(self._next(request, timeouts, streamed=True), request, timeouts))
        return self._left_open(answer, lambda opened: (opened.read(), opened.close))

    def close(self) -> None:
        self.closed = True

    def _next(self, request: Request, timeouts: Timeouts, *, streamed: bool = False) -> _Line:
        with self._lock:
            if self.closed:
                raise RequestError("the wire was closed; nothing is sent by it any more")
            self.sent.append(Sent(request, timeouts, self._clock.monotonic(), streamed))
            if self._used == len(self._lines):
                lines = f"{self._used} {'line' if self._used == 1 else 'lines'}"
                raise ScriptEnded(
                    f"the script of the wire has {lines}, and this is request {len(self.sent)}: {request.method} "
                    f"{request.url}. Add an answer with viking_wire.reply(…), or find out why it was sent"
                )
            self._used += 1
            return self._lines[self._used - 1]

    def _settle(self, line: _Line, request: Request, timeouts: Timeouts) -> Any:
        if line.seconds > timeouts.total:
            self._clock.advance(timeouts.total)
            raise RequestTimeout(f"{request.endpoint.origin} did not answer in time")
        self._clock.advance(line.seconds)
        answer = line.answer
        return answer(request) if callable(answer) else answer

    def _left_open(
        self, answer: Any, wrap: Callable[[_Open], tuple[Any, Callable[[], Any]]]
    ) -> StreamedResponse | Response:
        if isinstance(answer, _Chunks) and 200 <= answer.status < 300:
            status, headers, pieces = answer.status, answer.headers, answer.pieces
        else:
            whole = _whole(answer)
            if not whole.ok:
                return whole
            status, headers, pieces = whole.status, whole.headers, (whole.body,)
        opened = _Open(pieces)
        self._streams.append(opened)
        chunks, close = wrap(opened)
        return StreamedResponse(status, headers, chunks, close)

    def __repr__(self) -> str:
        return f"Wire({len(self.sent)} sent, {self.unused} lines unused)"


class AsyncWire:
    """An ``AsyncTransport`` over the script of a :class:`Wire`, which also keeps what was sent."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        return _whole(await self._answer(request, timeouts))

    async def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        answer = await self._answer(request, timeouts, streamed=True)
        return self._wire._left_open(answer, lambda opened: (opened.aread(), opened.aclose))

    async def close(self) -> None:
        self._wire.closed = True

    async def _answer(self, request: Request, timeouts: Timeouts, *, streamed: bool = False) -> Any:
        settle = partial(self._wire._settle, request=request, timeouts=timeouts)
        answer = settle(self._wire._next(request, timeouts, streamed=streamed))
        return await answer if inspect.isawaitable(answer) else answer


def _not_awaitable(answer: Any) -> Any:
    if not isinstance(answer, Awaitable):
        return answer
    if inspect.iscoroutine(answer):
        answer.close()
    raise TypeError("this answer of the script must be awaited; only async clients can do that")


def _whole(answer: Any) -> Response:
    match answer:
        case Response():
            return answer
        case BaseException():
            raise answer
        case _Chunks(status, headers, pieces):
            return Response(status, headers, b"".join(_Open(pieces).read()))
        case (int(status), body):
            return _json(status, body, None)
        case (int(status), body, headers):
            return _json(status, body, headers)
    raise TypeError(f"the script cannot answer with {answer!r}; it takes a Response, an error, or (status, body)")


def _json(status: int, body: Any, headers: Mapping[str, str] | None) -> Response:
    if isinstance(body, bytes):
        return Response(status, Headers(headers or {}), body)
    if body is None and status >= 400:
        return Response(status, Headers(headers or {}), b"")
    said = {"code": "Success", "result": {}} if body is None else body
    shown = json.dumps(said, ensure_ascii=False).encode()
    return Response(status, Headers({"Content-Type": "application/json", **(headers or {})}), shown)
