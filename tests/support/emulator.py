"""The embedded engine behind HTTP on this machine, for programs in processes of their own.

It answers whoever asks, whatever the signature.
"""

from __future__ import annotations

from types import TracebackType
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.server import Connection, LoopbackServer, Received
from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_core.transport import TransportSettings
from vikingdb_local.transport import LocalTransport

_NO_WAIT = Timeouts(1, 1)  # nothing is waited for


class Emulator(LoopbackServer):
    """A new, empty database served on 127.0.0.1.

    Args:
        tls: serve https, with the certificate of the loopback server.
        endpoint: which database.
    """

    def __init__(self, *, tls: bool = False, endpoint: str = "local://?embedder=hash-v1") -> None:
        super().__init__(self._answer, tls=tls)
        self._endpoint = Endpoint.parse(endpoint)
        self._engine = LocalTransport(self._endpoint, TransportSettings())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._engine.close()

    def respond(self, received: Received) -> Response:
        """The engine's answer to a request."""
        parts = urlsplit(received.target)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        headers = Headers(received.headers)
        request = Request(received.method, self._endpoint, unquote(parts.path), query, headers, received.body)
        return self._engine.send(request, _NO_WAIT)

    def _answer(self, connection: Connection) -> None:
        while received := connection.read_request():
            response = self.respond(received)
            lines = [f"{name}: {value}".encode("latin-1") for name, value in response.headers.items()]
            connection.reply(response.status, response.body, *lines)
