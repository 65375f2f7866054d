"""Recorder: a plugin that writes down every hook it sees."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from vikingdb_core.exceptions import TransportError, VikingDBError
from vikingdb_core.hooks import Call, ClientInfo, hookimpl
from vikingdb_core.messages import Draft, Headers, Response
from vikingdb_core.version import HOOK_API


class Event(str):
    """What the recorder saw, as one line of text: ``"after_response notes.read #1: 503"``.

    Compares like the text it is.

    Attributes:
        hook: name of the hook.
        call: the call it was seen in; ``None`` for ``client_created``.
        attempt: number of the attempt at that moment; 0 before the first.
        headers: headers of the request at that moment, where the hook is given one.
        arguments: all arguments of the hook by name, as they were passed.
    """

    __slots__ = ("arguments", "attempt", "call", "headers", "hook")

    hook: str
    call: Call | None
    attempt: int
    headers: Mapping[str, str]
    arguments: Mapping[str, Any]


class Recorder:
    """Implements all nine hooks, changes nothing, and keeps what it saw: ``plugins=[viking_recorder]``.

    Attributes:
        events: what was seen, in order.
    """

    name = "recorder"
    hook_api = HOOK_API

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()

    @property
    def hooks(self) -> list[str]:
        """The names alone."""
        return [event.hook for event in self.events]

    def of(self, hook: str) -> list[Event]:
        """The events of one hook."""
        return [event for event in self.events if event.hook == hook]

    def clear(self) -> None:
        """Forget what was seen so far."""
        self.events.clear()

    @hookimpl
    def client_created(self, client_info: ClientInfo) -> None:
        self._note("client_created", f"{client_info.domain} at {client_info.endpoint}", client_info=client_info)

    @hookimpl
    def before_call(self, call: Call) -> None:
        self._note("before_call", call=call)

    @hookimpl
    def throttle(self, call: Call) -> None:
        self._note("throttle", call=call)

    @hookimpl
    def before_request(self, call: Call, request: Draft) -> None:
        self._note("before_request", f"{request.method} {request.path}", call=call, request=request)

    @hookimpl
    def respond(self, call: Call, request: Draft) -> None:
        self._note("respond", call=call, request=request)

    @hookimpl
    def after_response(self, call: Call, request: Draft, response: Response) -> None:
        self._note("after_response", str(response.status), call=call, request=request, response=response)

    @hookimpl
    def after_error(self, call: Call, request: Draft, error: TransportError) -> None:
        self._note("after_error", type(error).__name__, call=call, request=request, error=error)

    @hookimpl
    def should_retry(self, call: Call, outcome: VikingDBError) -> None:
        self._note("should_retry", type(outcome).__name__, call=call, outcome=outcome)

    @hookimpl
    def after_call(self, call: Call, result: Any, error: BaseException | None) -> None:
        said = "a result" if error is None else type(error).__name__
        self._note("after_call", said, call=call, result=result, error=error)

    def _note(self, hook: str, said: str = "", **arguments: Any) -> None:
        call: Call | None = arguments.get("call")
        where = "" if call is None else f" {call.operation.name}" + (f" #{call.attempt}" if call.attempt else "")
        event = Event(f"{hook}{where}" + (f"{': ' if where else ' '}{said}" if said else ""))
        event.hook, event.call, event.attempt = hook, call, call.attempt if call is not None else 0
        event.headers = arguments["request"].headers.copy().frozen() if "request" in arguments else Headers().frozen()
        event.arguments = MappingProxyType(arguments)
        with self._lock:
            self.events.append(event)

    def __repr__(self) -> str:
        return f"Recorder({len(self.events)} events)"
