"""Faulty: faults as they look on a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from vikingdb_core.messages import Response

from ..envelope import Address
from ..fault_injection.answers import halved, refusal
from ..fault_injection.plan import Fault, Kind
from .connection import CONNECTION

HANG_SECONDS = 600.0
"""How long a request that is never answered is held, if its client does not leave."""

_PIECES = 20


async def respond_with(
    fault: Fault,
    address: Address,
    answer: Callable[[], Awaitable[Response]],
    outgoing: Callable[[Response], HttpResponse],
) -> HttpResponse:
    """What is sent to a client whose request meets a fault.

    Args:
        fault: the fault.
        address: of the request.
        answer: carries the request out.
        outgoing: makes an HTTP response of an answer.
    """
    await asyncio.sleep(fault.latency_seconds)
    if fault.kind is Kind.DROP_BEFORE:
        return Broken()
    if fault.kind is Kind.HANG:
        return Broken(after_seconds=HANG_SECONDS)
    refused = refusal(fault, address)
    if refused is not None:
        return outgoing(refused)
    response = await answer()
    match fault.kind:
        case Kind.DROP_AFTER:
            return Broken()
        case Kind.TRUNCATE:
            return Trickled(outgoing(response), cut=True)
        case Kind.SLOW_BODY:
            return Trickled(outgoing(response), seconds=fault.slow_seconds)
        case Kind.BROKEN_JSON:
            return outgoing(halved(response))
    return outgoing(response)


class Broken(HttpResponse):
    """No answer: the connection breaks, at once or when the client has waited long enough."""

    def __init__(self, *, after_seconds: float = 0.0) -> None:
        super().__init__(status_code=499)  # for the log; nobody sees it
        self._after_seconds = after_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope["extensions"][CONNECTION]
        if self._after_seconds:
            connection.hold()
            try:
                async with asyncio.timeout(self._after_seconds):
                    await _client_leaves(receive)
            except TimeoutError:
                pass
        connection.break_off()


class Trickled(HttpResponse):
    """An answer in pieces.

    Args:
        whole: the answer.
        seconds: how long it takes.
        cut: whether the connection ends in the middle.
    """

    def __init__(self, whole: HttpResponse, *, seconds: float = 0.0, cut: bool = False) -> None:
        super().__init__(whole.body, whole.status_code, dict(whole.headers))
        self._seconds, self._cut = seconds, cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        pieces = list(_pieces(bytes(self.body)))
        for piece in pieces[: len(pieces) // 2] if self._cut else pieces:
            await asyncio.sleep(self._seconds / len(pieces))
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self._cut:
            scope["extensions"][CONNECTION].end()
            await _client_leaves(receive)
        else:
            await send({"type": "http.response.body", "body": b""})


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _pieces(body: bytes) -> Iterator[bytes]:
    size = max(1, -(-len(body) // _PIECES))
    for start in range(0, len(body), size):
        yield body[start : start + size]
