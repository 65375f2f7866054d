"""What holds for every transport, whether it uses a network or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

import pytest

from vikingdb_core.credentials import NoAuth
from vikingdb_core.effects import AsyncTransport, Timeouts, Transport
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import RequestError
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_core.operation import Operation

from ..loopback import Connection, LoopbackServer, Serve
from .base import Contract
from .driven import Driven, is_async
from .probe import AsyncProbeClient, ProbeClient
from .together import together


def answer(request: Request) -> Response:
    """What the contract's server says to a request: it echoes the body, and has nothing at ``/contract/absent``. For
    the script of a transport that has no server."""
    status, body = _answer(request.path, request.body)
    return Response(status, Headers({"Content-Type": "application/json"}), body)


def _answer(path: str, body: bytes) -> tuple[int, bytes]:
    if path == "/contract/absent":
        return 404, b'{"code": "NotFound.Probe", "message": "there is nothing"}'
    return 200, b'{"code": "Success", "result": %s}' % (body or b"null")


def serve_answers(connection: Connection) -> None:
    """Keep the connection, and answer each request as :func:`answer` says."""
    while received := connection.read_request():
        status, body = _answer(received.target.partition("?")[0], received.body)
        connection.reply(status, body, b"Content-Type: application/json")


def request_to(endpoint: Endpoint, path: str = "/contract/echo", body: bytes = b"{}", **changes: Any) -> Request:
    """A request as the flow makes it."""
    headers = {
        "Host": endpoint.netloc,
        "Accept": "application/json",
        "User-Agent": "probe/1",
        **changes.pop("headers", {}),
    }
    parts = {"method": "POST", "query": (), **changes}
    if parts["method"] != "GET":
        headers.setdefault("Content-Type", "application/json")
    return Request(endpoint=endpoint, path=endpoint.join(path), headers=Headers(headers), body=body, **parts)


class Carrying(Contract, contract=True):
    """Responses, threads, the end. The base of :class:`TransportContract`, which says what a subclass gives."""

    no_network: ClassVar[str] = ""
    """Why it uses no network, for a transport that does not. What is promised of networks alone is then left out, and
    the report says so with this reason."""

    endpoint: ClassVar[str] = ""
    """Where it sends, for a transport without network. Others send to a server that the contract brings."""

    patience_seconds: ClassVar[float] = 10.0
    """How long to wait for what should come at once."""

    _of_networks: ClassVar[frozenset[str]] = frozenset()
    """The tests that make sense on a network alone."""

    def __init_subclass__(cls, *, contract: bool = False, network: bool = False, **options: Any) -> None:
        super().__init_subclass__(contract=contract, **options)
        if network:
            cls._of_networks = frozenset(name for name in vars(cls) if name.startswith("test"))
        else:
            cls._of_networks = frozenset().union(*(getattr(base, "_of_networks", ()) for base in cls.__bases__))
        if cls.no_network:
            cls._leave_out(cls._of_networks)

    def make_transport(self, endpoint: Endpoint) -> Transport | AsyncTransport:
        """A new transport, sync or async, that can send to this endpoint."""
        raise NotImplementedError(f"{type(self).__name__}.make_transport() is to return the transport under test")

    def make_request(self, endpoint: Endpoint, mark: str) -> Request:
        """A request that is answered with a success whose body has the mark in it."""
        return request_to(endpoint, body=json.dumps({"mark": mark}).encode())

    def make_refused_request(self, endpoint: Endpoint) -> Request:
        """A request that is answered with a status that is no success."""
        return request_to(endpoint, "/contract/absent")

    @property
    def patient(self) -> Timeouts:
        """The time that requests are given which should be answered at once."""
        return Timeouts(self.patience_seconds, self.patience_seconds)

    def test_it_uses_a_network_or_says_why_not(self) -> None:
        """It sends to the endpoint it is given. A transport without network gives ``no_network`` and ``endpoint``; the
        promises about networks do not apply to it, which is reported here."""
        assert bool(self.no_network) is bool(self.endpoint), (
            "give both no_network = 'why' and endpoint = '…', or neither"
        )
        with self._carried() as (driven, endpoint, server):
            assert driven.send(self.make_request(endpoint, "one"), self.patient).ok
        if server is None:
            pytest.skip(f"{len(self._of_networks)} promises about networks do not apply: {self.no_network}")
        assert len(server.received) == 1

    def test_a_response_is_a_status_headers_and_bytes(self) -> None:
        """``send`` answers with a ``Response``: an ``int``, ``Headers``, and the whole body as ``bytes``."""
        with self._carried() as (driven, endpoint, _):
            response = driven.send(self.make_request(endpoint, "one"), self.patient)
        assert type(response) is Response
        assert (type(response.status), type(response.body)) == (int, bytes)
        assert isinstance(response.headers, Headers)
        assert response.ok
        assert b"one" in response.body

    def test_sending_leaves_the_request_as_it_was(self) -> None:
        """The same request may be sent again: sending changes nothing about it."""
        with self._carried() as (driven, endpoint, _):
            given, before = self.make_request(endpoint, "same"), self.make_request(endpoint, "same")
            for _ in range(2):
                assert driven.send(given, self.patient).ok
                assert given == before

    def test_an_answer_that_is_no_success_is_a_response(self) -> None:
        """A status that is no success is an answer like any other: returned, not raised, with its body."""
        with self._carried() as (driven, endpoint, _):
            response = driven.send(self.make_refused_request(endpoint), self.patient)
        assert response.status >= 400
        assert response.body

    def test_a_stream_has_the_same_bytes(self) -> None:
        """``stream`` answers with a ``StreamedResponse`` whose pieces are the body, or with a whole ``Response``; with
        the latter whenever the status is no success."""
        with self._carried() as (driven, endpoint, _):
            opened = driven.stream(self.make_request(endpoint, "piece"), self.patient)
            refused = driven.stream(self.make_refused_request(endpoint), self.patient)
            body = opened.body if isinstance(opened, Response) else opened.read_all()
        assert opened.status < 300
        assert b"piece" in body
        assert isinstance(refused, Response)
        assert refused.body

    def test_threads_get_their_own_answers(self) -> None:
        """Many threads send by one transport, each gets the answers to its own requests. An async transport: many
        tasks."""
        with self._carried() as (driven, endpoint, _):

            def work(number: int) -> list[bytes]:
                marks = [f"mark-{number}-{turn}-" for turn in range(5)]
                return [driven.send(self.make_request(endpoint, mark), self.patient).body for mark in marks]

            answers = together([partial(work, number) for number in range(8)])
        for number, bodies in enumerate(answers):
            for turn, body in enumerate(bodies):
                assert f"mark-{number}-{turn}-".encode() in body

    def test_it_may_be_used_elsewhere_than_it_was_built(self) -> None:
        """It may be built in one thread and used in another; an async one may be built outside an event loop and used
        in one loop after the other."""
        with self._served() as (endpoint, _):
            transport: Any = self.make_transport(endpoint)
            for mark in ("here", "there"):
                request = self.make_request(endpoint, mark)
                if is_async(transport):
                    response = asyncio.run(transport.send(request, self.patient))
                else:
                    with ThreadPoolExecutor(1) as another:
                        response = another.submit(transport.send, request, self.patient).result()
                assert mark.encode() in response.body
            if is_async(transport):
                asyncio.run(transport.close())
            else:
                transport.close()

    def test_a_closed_one_refuses_to_send(self) -> None:
        """Closing it twice is closing it once. What is sent afterwards is refused with a ``RequestError``, and reaches
        nobody: a closed client is a mistake of the program, and no reason to try again."""
        with self._carried() as (driven, endpoint, server):
            request = self.make_request(endpoint, "late")
            assert driven.send(request, self.patient).ok
            driven.close()
            driven.close()
            for late in (driven.send, driven.stream):
                with pytest.raises(RequestError):
                    late(request, self.patient)
            assert server is None or len(server.received) == 1

    def test_one_that_was_never_used_can_be_closed(self) -> None:
        """Closing a transport that has sent nothing is fine, too."""
        with self._carried() as (driven, _, server):
            driven.close()
        assert server is None or server.connections == 0

    def test_a_client_calls_by_it(self) -> None:
        """A client that is given it as ``transport=`` makes calls by it."""
        with self._served() as (endpoint, _):
            transport: Any = self.make_transport(endpoint)
            request = self.make_request(endpoint, "call")
            operation = Operation.raw(request.method, request.path, query=dict(request.query), opaque=True)
            body = json.loads(request.body) if request.body else None
            options: dict[str, Any] = {
                "endpoint": str(endpoint),
                "auth": NoAuth(),
                "plugins": (),
                "transport": transport,
            }
            if is_async(transport):
                code = asyncio.run(_call(AsyncProbeClient(**options), operation, body))
            else:
                with ProbeClient(**options) as client:
                    code = client.call(operation, body).code
                transport.close()
        assert code == "Success"

    @contextmanager
    def _served(self, serve: Serve = serve_answers) -> Iterator[tuple[Endpoint, LoopbackServer | None]]:
        if self.no_network:
            yield Endpoint.parse(self.endpoint), None
            return
        with LoopbackServer(serve) as server:
            yield Endpoint.parse(server.url), server

    @contextmanager
    def _carried(self, serve: Serve = serve_answers) -> Iterator[tuple[Driven, Endpoint, LoopbackServer | None]]:
        with self._served(serve) as (endpoint, server), Driven(self.make_transport(endpoint)) as driven:
            yield driven, endpoint, server

    @contextmanager
    def _over_network(self, serve: Serve = serve_answers) -> Iterator[tuple[Driven, Endpoint, LoopbackServer]]:
        with self._carried(serve) as (driven, endpoint, server):
            assert server is not None
            yield driven, endpoint, server


async def _call(client: AsyncProbeClient, operation: Operation[Any, Any], body: Any) -> Any:
    try:
        return (await client.call(operation, body)).code
    finally:
        await client._transport.close()
