"""SchemeTransport: finds, keeps and closes the transport of each endpoint a client uses."""

from __future__ import annotations

import threading

from .. import discovery
from ..effects import StreamedResponse, Timeouts, Transport
from ..endpoint import Endpoint
from ..exceptions import ConfigError, PluginLoadError, RequestError
from ..messages import Request, Response
from .base import TransportSettings

BUILT_IN_SCHEMES = ("http", "https")


def check_scheme(endpoint: Endpoint, group: str = discovery.TRANSPORTS) -> None:
    """Refuse an endpoint nothing installed can talk to. Imports nothing.

    Raises:
        ConfigError: unknown scheme, naming those known.
    """
    known = discovery.names(group)
    if group == discovery.ASYNC_TRANSPORTS:
        if endpoint.scheme not in known:
            raise ConfigError(
                f"no asynchronous transport for {endpoint.scheme}:// is installed (installed: "
                f"{', '.join(known) or 'none'}); use the synchronous client, or pass transport=…"
            )
        return
    if endpoint.is_http:
        return
    if endpoint.scheme not in known:
        hint = " The embedded engine: pip install './plugins/vikingdb_local[embed]' in a clone." * (
            endpoint.scheme == "local"
        )
        raise ConfigError(
            f"no transport for {endpoint.scheme}:// is installed; this client can talk to: "
            f"{', '.join(f'{scheme}://' for scheme in (*BUILT_IN_SCHEMES, *known))}.{hint}"
        )


class SchemeTransport:
    """A ``Transport`` over several. Each is built at its first request, not before."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: dict[Endpoint | str, Transport] = {}
        self._closed = False

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        return self._for(request.endpoint).send(request, timeouts)

    def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        return self._for(request.endpoint).stream(request, timeouts)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            opened, self._open = self._open, {}
        for transport in opened.values():
            transport.close()

    def _for(self, endpoint: Endpoint) -> Transport:
        # One HTTP transport pools connections to every host; an embedded endpoint is a database of its own.
        key = "http" if endpoint.is_http else endpoint
        with self._lock:
            if self._closed:  # a private embedded database is gone; opening an empty one would look like data loss
                raise RequestError("this client was closed; build a new one")
            transport = self._open.get(key)
            if transport is None:
                transport = self._open[key] = self._build(endpoint)
            return transport

    def _build(self, endpoint: Endpoint) -> Transport:
        if endpoint.is_http:
            from .https import RequestsTransport

            return RequestsTransport(self._settings)
        factory = discovery.lookup(discovery.TRANSPORTS, endpoint.scheme)
        built: Transport = factory(endpoint, self._settings)
        for member in ("send", "close"):
            if not callable(getattr(built, member, None)):
                raise PluginLoadError(f"the transport for {endpoint.scheme}:// has no {member}() method")
        return built
