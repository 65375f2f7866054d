"""Fakes for the edge of a client: transports that answer from a list, a clock that moves when asked, a toy domain."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from vikingdb_core.client import AsyncBaseClient, BaseClient
from vikingdb_core.domain import Domain, Site
from vikingdb_core.effects import Timeouts
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_core.models import AnyRequest, AnyResponse
from vikingdb_core.operation import Operation
from vikingdb_core.traits import Safety

Answer = Response | Exception


def reply(status: int = 200, body: Any = None, **headers: str) -> Response:
    """A response; without a body, the envelope of a success with an empty result."""
    document = {"code": "Success", "message": "ok", "request_id": "r-1", "result": {}} if body is None else body
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status, Headers({name.replace("_", "-"): value for name, value in headers.items()}), content)


class FakeTransport:
    """Records requests and gives the answers in order; when they are used up, successes."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.timeouts: list[Timeouts] = []

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        self.requests.append(request)
        self.timeouts.append(timeouts)
        answer = self.answers.pop(0) if self.answers else reply()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def stream(self, request: Request, timeouts: Timeouts) -> Response:
        raise NotImplementedError

    def close(self) -> None:
        raise AssertionError("a transport passed in is its owner's to close")

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.requests]

    @property
    def body(self) -> Any:
        """What the only request carried."""
        (body,) = self.bodies
        return body


class AsyncFakeTransport:
    """The same, awaited."""

    def __init__(self, *answers: Answer) -> None:
        self.wire = FakeTransport(*answers)

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        return self.wire.send(request, timeouts)

    async def stream(self, request: Request, timeouts: Timeouts) -> Response:
        raise NotImplementedError

    async def close(self) -> None:
        self.wire.close()


class FakeClock:
    """Waiting moves it, and nothing else does."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


READ = Operation("toy.read", "/read", AnyRequest, AnyResponse, safety=Safety.READ)
WRITE = Operation("toy.write", "/write", AnyRequest, AnyResponse)
MANAGE = Operation("toy.manage", "/", AnyRequest, AnyResponse, plane="control", query=(("Action", "Manage"),))

TOY = Domain(
    name="toy",
    title="Toy",
    package="toy",
    operations=(READ, WRITE, MANAGE),
    planes={"data": "toy", "control": "toy-admin"},
    sites=(Site("here", {"data": "data.here.example", "control": "control.here.example"}),),
)


class Toy(BaseClient):
    domain = TOY


class AsyncToy(AsyncBaseClient):
    domain = TOY


def hits(*ids: int | str) -> Response:
    """A search response with these hits."""
    return reply(body={"code": "Success", "result": {"data": [{"id": id_, "score": 1.0} for id_ in ids]}})


def page(items: Iterable[dict[str, Any]], key: str) -> Response:
    """One page of a listing of the control plane."""
    return reply(body={"ResponseMetadata": {"RequestId": "r-1"}, "Result": {key: list(items)}})
