"""Interleaved: the same calls alone, in turns and in threads, and what a plugin did to each of them."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

from vikingdb_core.effects import Block, Send
from vikingdb_core.exceptions import VikingDBError
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_core.messages import Request
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.retry import RetryPolicy

from ..clients import ClientFactory
from ..clock import VirtualClock
from ..stepped import FlowStepper
from ..wire import Wire
from .probe import ADD, PUT, READ, ProbeClient
from .together import together

MARKS = ("one", "two", "three", "four", "five", "six")
"""The calls, by the request id they carry."""

_OPERATIONS = dict(zip(MARKS, (READ, PUT, ADD) * 2, strict=True))
_NOT_FOUND = (404, {"code": "NotFound.Probe"})
_SCRIPTS = {mark: [(429, None), (200, None)] if number % 2 else [_NOT_FOUND] for number, mark in enumerate(MARKS)}
_NUMBER = re.compile(r"[0-9a-f]{6,}|\d+(\.\d+)?")


@dataclass
class Seen:
    """What came of the calls, each under its mark.

    Attributes:
        headers: those of each attempt.
        endings: the class of the error, or ``None``.
        states: the keys of ``call.state`` in the end.
    """

    headers: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {mark: [] for mark in MARKS})
    endings: dict[str, str | None] = field(default_factory=dict)
    states: dict[str, set[str]] = field(default_factory=dict)


class _Pace:
    """Makes each attempt wait between ``before_call`` and ``before_request``, so that other calls come in between."""

    name = "pace of the contract"

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    @hookimpl
    def throttle(self) -> float:
        return 1.0

    @hookimpl
    def after_call(self, call: Call) -> None:
        # It stands before the plugin under test in the list, so it runs after it here.
        self._seen.states[str(call.request_id)] = set(call.state)


def alone(plugin: object, marks: Sequence[str] = MARKS) -> Seen:
    """One call after the other."""
    seen, client = _client(plugin, Wire())
    for mark in marks:
        for _ in _steps(client, mark, seen):
            pass
    return seen


def in_turns(plugin: object) -> Seen:
    """All calls at once, an effect at a time."""
    seen, client = _client(plugin, Wire())
    running = [_steps(client, mark, seen) for mark in MARKS]
    while running:
        running = [steps for steps in running if next(steps, None) is not None]
    return seen


def in_threads(plugin: object, sent: int = len(MARKS)) -> Seen:
    """All calls at once, each in a thread; none is answered before as many were ``sent`` as are sent alone."""
    all_there = threading.Barrier(max(sent, 1))
    left = {mark: list(script) for mark, script in _SCRIPTS.items()}

    def answer(request: Request) -> Any:
        script = left[request.headers["X-Tt-Logid"]]
        if len(script) == len(_SCRIPTS[request.headers["X-Tt-Logid"]]):
            with suppress(threading.BrokenBarrierError):  # a plugin may refuse more of them than alone
                all_there.wait(5)
        return script.pop(0)

    wire = Wire().then(*[answer] * sum(map(len, left.values())))
    seen, client = _client(plugin, wire)

    def call(mark: str) -> None:
        try:
            client.call(_OPERATIONS[mark], {"text": mark}, request_options=RequestOptions(request_id=mark))
            seen.endings[mark] = None
        except VikingDBError as error:
            seen.endings[mark] = type(error).__name__

    together([partial(call, mark) for mark in MARKS])
    for request in wire.requests:
        seen.headers[request.headers["X-Tt-Logid"]].append(dict(request.headers))
    return seen


def _client(plugin: object, wire: Wire) -> tuple[Seen, ProbeClient]:
    seen = Seen()
    retry = RetryPolicy(max_attempts=3, base_seconds=0)
    return seen, ClientFactory(wire, VirtualClock())(ProbeClient, plugins=(_Pace(seen), plugin), retry=retry)


def _steps(client: ProbeClient, mark: str, seen: Seen) -> Iterator[bool]:
    """Carry out a call, stopping at each effect."""
    script = iter(_SCRIPTS[mark])
    options = RequestOptions(request_id=mark)
    try:
        flow = FlowStepper()(client.call, _OPERATIONS[mark], {"text": mark}, request_options=options)
        while not flow.done:
            yield True
            match flow.effect:
                case Send(request):
                    seen.headers[mark].append(dict(request.headers))
                    flow.reply(*next(script))
                case Block(action):
                    flow.answer(action())
                case _:
                    flow.answer()
        seen.endings[mark] = None
    except VikingDBError as error:
        seen.endings[mark] = type(error).__name__


def leaks(first: Seen, second: Seen, mixed: Seen) -> Iterable[str]:
    """What calls had of one another when they ran at the same time: a sentence each.

    A header that is the same in both runs of calls alone must be the same again. One that is new each time (a trace, a
    token) must not be found in two calls, if it is not when they run alone.
    """
    for mark in MARKS:
        if mixed.endings[mark] != first.endings[mark]:
            yield f"call {mark} ended with {mixed.endings[mark]}, alone with {first.endings[mark]}"
        for number, (one, two, now) in enumerate(
            zip(first.headers[mark], second.headers[mark], mixed.headers[mark], strict=False), start=1
        ):
            if one.keys() != now.keys():
                yield f"attempt {number} of call {mark} had other headers than alone: {sorted(one.keys() ^ now.keys())}"
            for name in one:
                if one[name] == two.get(name) != now.get(name):
                    yield f"header {name} of attempt {number} of call {mark} is not what it is when the call runs alone"
    for name in {name for attempts in mixed.headers.values() for headers in attempts for name in headers}:
        if not _shared(first, name) and (shared := _shared(mixed, name)):
            yield f"header {name} has one value in calls {' and '.join(sorted(shared))}"


def _shared(seen: Seen, name: str) -> set[str]:
    """The calls of which two have a value of this header in common."""
    values = {mark: {headers.get(name) for headers in attempts} for mark, attempts in seen.headers.items()}
    found: set[str] = set()
    for one, other in combinations(MARKS, 2):
        if (values[one] & values[other]) - {None}:
            found |= {one, other}
    return found


def counted(messages: Iterable[str]) -> Counter[str]:
    """How often each message was logged, whatever the numbers in it."""
    return Counter(_NUMBER.sub("#", message) for message in messages)
