"""One transport of several fails to close, or is interrupted: the others are closed all the same."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from tests.support.http import PATIENT, request_to
from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_core.transport import TransportSettings, select
from vikingdb_core.transport.select import AsyncSchemeTransport, SchemeTransport

ENDPOINTS = ("toy://a", "toy://b", "toy://c")


class Toy:
    """Raises its errors, one at each close, and then closes."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.is_closed = False

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        return Response(200, Headers(), b"")

    def close(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.is_closed = True


class AsyncToy(Toy):
    async def send(self, request: Request, timeouts: Timeouts) -> Response:  # type: ignore[override]
        return super().send(request, timeouts)

    async def close(self) -> None:  # type: ignore[override]
        super().close()


async def done(given: Any) -> Any:
    return await given if inspect.isawaitable(given) else given


CASES = {
    "one fails": ([OSError("a")], [], [], OSError),
    "two fail": ([OSError("a")], [ValueError("b")], [], OSError),
    "one is interrupted": ([], [KeyboardInterrupt()], [], KeyboardInterrupt),
    "one fails, and one is interrupted": ([OSError("a")], [KeyboardInterrupt()], [], KeyboardInterrupt),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("scheme_transport", "toy"), [(SchemeTransport, Toy), (AsyncSchemeTransport, AsyncToy)], ids=["sync", "async"]
)
def test_all_are_closed_whichever_fails_to_and_the_rest_by_closing_again(
    scheme_transport: Any, toy: type[Toy], case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    *errors, raised = CASES[case]
    toys = [toy(*each) for each in errors]  # type: ignore[misc]
    waiting = iter(toys)

    def found(group: str, endpoint: Endpoint, settings: TransportSettings) -> Toy:
        return next(waiting)

    async def close() -> None:
        transport = scheme_transport(TransportSettings())
        for url in ENDPOINTS:
            await done(transport.send(request_to(url), PATIENT))
        try:
            await done(transport.close())
        except BaseException as error:
            caught.append(type(error))
        assert [each.is_closed for each in toys] == [not each for each in errors]
        await done(transport.close())

    caught: list[type[BaseException]] = []
    monkeypatch.setattr(select, "_found", found)
    asyncio.run(close())
    assert caught == [raised]
    assert all(each.is_closed for each in toys)


def test_a_cancelled_close_closes_the_rest_and_stays_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(AsyncToy):
        async def close(self) -> None:  # type: ignore[override]
            began.set()
            await may_go_on.wait()
            await super().close()

    async def go() -> None:
        transport = AsyncSchemeTransport(TransportSettings())
        for url in ENDPOINTS[:2]:
            await transport.send(request_to(url), PATIENT)
        closing = asyncio.create_task(transport.close())
        await began.wait()
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert [each.is_closed for each in toys] == [False, True]
        may_go_on.set()
        await transport.close()

    began, may_go_on = asyncio.Event(), asyncio.Event()
    toys = [Slow(), AsyncToy()]
    waiting = iter(toys)
    monkeypatch.setattr(select, "_found", lambda *_: next(waiting))
    asyncio.run(go())
    assert all(each.is_closed for each in toys)
