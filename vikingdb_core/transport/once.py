"""One request over a connection of its own, for requests that are hours apart: a pool would only keep sockets open."""

from __future__ import annotations

from ..effects import Timeouts
from ..messages import Request, Response
from .base import TransportSettings


def send_once(request: Request, timeouts: Timeouts, settings: TransportSettings | None = None) -> Response:
    """Connect, send, read the whole answer, close.

    Raises:
        TransportError: as of any transport.
    """
    from .https import RequestsTransport  # requests is loaded with the first request

    transport = RequestsTransport(settings)
    try:
        return transport.send(request, timeouts)
    finally:
        transport.close()
