"""Drivers: perform the effects of a flow, one synchronous and one asynchronous. The only place that waits."""

from __future__ import annotations

import time
from typing import Any, TypeVar

from .effects import AsyncTransport, Block, Clock, Effect, Flow, Send, Sleep, Stream, Transport

T = TypeVar("T")


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)


def run(flow: Flow[T], transport: Transport, clock: Clock) -> T:
    """Run a flow to its end in this thread."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            effect = flow.send(answer) if error is None else flow.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        answer, error = None, None
        try:
            answer = _perform(effect, transport, clock)
        except BaseException as raised:  # thrown into the flow, which lets all but Exception fall through
            error = raised


def _perform(effect: Effect, transport: Transport, clock: Clock) -> Any:
    match effect:
        case Send(request, timeouts):
            return transport.send(request, timeouts)
        case Stream(request, timeouts):
            return transport.stream(request, timeouts)
        case Sleep(seconds):
            return clock.sleep(seconds)
        case Block(action):
            return action()


async def arun(flow: Flow[T], transport: AsyncTransport, clock: Clock) -> T:
    """Run a flow to its end, awaiting its effects."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            effect = flow.send(answer) if error is None else flow.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        answer, error = None, None
        try:
            answer = await _aperform(effect, transport, clock)
        except BaseException as raised:  # cancellation too: the flow lets it fall through
            error = raised


async def _aperform(effect: Effect, transport: AsyncTransport, clock: Clock) -> Any:
    match effect:
        case Send(request, timeouts):
            return await transport.send(request, timeouts)
        case Stream(request, timeouts):
            return await transport.stream(request, timeouts)
        case Sleep(seconds):
            return await clock.asleep(seconds)
        case Block(action):
            import asyncio

            return await asyncio.to_thread(action)
