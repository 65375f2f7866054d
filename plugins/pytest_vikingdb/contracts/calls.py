"""Calls: what may become of a call, one scene each, performed by a client with or without plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from vikingdb_core.client import AsyncBaseClient
from vikingdb_core.effects import StreamedResponse
from vikingdb_core.exceptions import ConnectError, ConnectionLost, PluginError, RequestTimeout, VikingDBError
from vikingdb_core.messages import Request
from vikingdb_core.operation import Operation
from vikingdb_core.retry import RetryPolicy

from ..clients import ClientFactory
from ..clock import VirtualClock
from ..wire import Wire
from .probe import ADD, PING, PUT, READ, WATCH, AsyncProbeClient, ProbeClient


class Cancelled(BaseException):
    """A call that is torn down: no ``Exception``, like cancellation and an interrupt."""


@dataclass(frozen=True)
class Scene:
    """One call, and how the service behaves in it."""

    name: str
    operation: Operation[Any, Any]
    write: Callable[[Wire], object]


_COOKIE = {"Set-Cookie": "session=very-secret-cookie"}
_SAYS = {"code": "Success", "message": "ok", "request_id": "r1", "result": {"items": ["a"]}}

SCENES = [
    Scene("success", READ, lambda wire: wire.reply(200, _SAYS, headers=_COOKIE)),
    Scene("ping", PING, lambda wire: wire.reply_bytes(204, b"")),
    Scene(
        "not found", READ, lambda wire: wire.reply(404, {"code": "NotFound.Probe", "message": "no"}, headers=_COOKIE)
    ),
    Scene("refused", ADD, lambda wire: wire.reply(401, {"code": "Unauthorized"})),
    Scene("throttled", PUT, lambda wire: wire.reply(429, headers={"Retry-After": "7"}).reply(200, _SAYS)),
    Scene("failing service", READ, lambda wire: wire.reply(503).reply(500).reply(502)),
    Scene("recovering service", READ, lambda wire: wire.reply(503).reply(200, _SAYS)),
    Scene("nobody there", ADD, lambda wire: wire.then(*[ConnectError("refused") for _ in range(3)])),
    Scene("lost and sent again", PUT, lambda wire: wire.then(ConnectionLost("reset")).reply(200, _SAYS)),
    Scene("lost for good", ADD, lambda wire: wire.then(ConnectionLost("reset"))),
    Scene("too slow", ADD, lambda wire: wire.then(RequestTimeout("no answer"))),
    Scene("no json", READ, lambda wire: wire.reply_bytes(200, b"<html>")),
    Scene("stream", WATCH, lambda wire: wire.reply_chunks(200, [b"data: 1\n\n", b"data: 2\n\n"])),
    Scene("stream refused", WATCH, lambda wire: wire.reply(404, {"code": "NotFound.Probe"})),
    Scene("cancelled", PUT, lambda wire: wire.then(Cancelled())),
    Scene("bug of the transport", READ, lambda wire: wire.then(ZeroDivisionError("a bug"))),
]


@dataclass(frozen=True)
class Ending:
    """What became of a call.

    Attributes:
        said: the result, or the error's class, code, status and earlier attempts, to be compared.
        error: the error itself.
        sent: the requests that went out.
        sleeps: the seconds the client waited for.
    """

    said: tuple[Any, ...]
    error: BaseException | None
    sent: list[Request]
    sleeps: list[float]

    @property
    def addresses(self) -> list[tuple[str, str, bytes]]:
        """The requests without their headers."""
        return [(request.method, request.url, request.body) for request in self.sent]

    @property
    def plugin_error(self) -> PluginError | None:
        """What a plugin raised, if that is what ended the call."""
        return self.error if isinstance(self.error, PluginError) else None


def perform(scene: Scene, plugins: Sequence[object] = (), *, asynchronous: bool = False, **options: Any) -> Ending:
    """Build a client with these plugins and make the call of the scene."""
    wire = Wire(clock := VirtualClock())
    scene.write(wire)
    options = {"retry": RetryPolicy(max_attempts=3, base_seconds=0), "plugins": tuple(plugins), **options}
    said: tuple[Any, ...]
    error: BaseException | None = None
    try:
        client_class: type[Any] = AsyncProbeClient if asynchronous else ProbeClient
        client: Any = ClientFactory(wire, clock)(client_class, **options)
        said = ("result", _make(client, scene.operation))
    except (Exception, Cancelled) as raised:
        error, said = raised, _described(raised)
    return Ending(said, error, wire.requests, clock.sleeps)


@cache
def undisturbed() -> dict[str, Ending]:
    """What becomes of each scene without any plugin, found out once: before the first plugin could leave its marks."""
    return {scene.name: perform(scene) for scene in SCENES}


def _make(client: Any, operation: Operation[Any, Any]) -> Any:
    body = None if operation.method == "GET" else {"text": "a"}
    if isinstance(client, AsyncBaseClient):
        return asyncio.run(_amake(client, operation, body))
    result = client.call(operation, body)
    return b"".join(result) if isinstance(result, StreamedResponse) else result.model_dump(mode="json")


async def _amake(client: AsyncBaseClient, operation: Operation[Any, Any], body: Any) -> Any:
    result: Any = await client.call(operation, body)
    if isinstance(result, StreamedResponse):
        return b"".join([piece async for piece in result])
    return result.model_dump(mode="json")


def _described(error: BaseException) -> tuple[Any, ...]:
    if not isinstance(error, VikingDBError):
        return (type(error).__name__,)
    attempts = [(attempt.number, attempt.outcome) for attempt in error.attempts]
    return type(error).__name__, error.code, error.status_code, error.request_id, attempts
