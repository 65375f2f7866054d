"""SchemeTransport and its async twin: find, keep and close the transport of each endpoint a client uses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .. import discovery
from ..effects import AsyncTransport, StreamedResponse, Timeouts, Transport
from ..endpoint import Endpoint
from ..exceptions import ConfigError, PluginLoadError, RequestError
from ..forks import notice_fork, survives_forks
from ..messages import Request, Response
from .base import TransportSettings

BUILT_IN_SCHEMES = ("http", "https")

_ENGINE_HINT = " The embedded engine: pip install './plugins/vikingdb_local[embed]' in a clone."
_AIO_HINT = " HTTP for async clients: pip install 'vikingdb[async]', or pip install ./plugins/vikingdb_aio in a clone."

T = TypeVar("T")


def check_scheme(endpoint: Endpoint, group: str = discovery.TRANSPORTS) -> None:
    """Refuse an endpoint nothing installed can talk to. Imports nothing.

    Raises:
        ConfigError: unknown scheme, naming those known.
    """
    known = discovery.names(group)
    if group == discovery.ASYNC_TRANSPORTS:
        if endpoint.scheme not in known:
            hint = _AIO_HINT if endpoint.is_http else _ENGINE_HINT * (endpoint.scheme == "local")
            raise ConfigError(
                f"no asynchronous transport for {endpoint.scheme}:// is installed (installed: "
                f"{', '.join(known) or 'none'}); use the synchronous client, or pass transport=….{hint}"
            )
        return
    if endpoint.is_http:
        return
    if endpoint.scheme not in known:
        raise ConfigError(
            f"no transport for {endpoint.scheme}:// is installed; this client can talk to: "
            f"{', '.join(f'{scheme}://' for scheme in (*BUILT_IN_SCHEMES, *known))}."
            f"{_ENGINE_HINT * (endpoint.scheme == 'local')}"
        )


class SchemeTransport:
    """A ``Transport`` over several. Each is built at its first request, not before."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._opened: _Opened[Transport] = _Opened()

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        return self._opened.at(request.endpoint, self._build).send(request, timeouts)

    def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        return self._opened.at(request.endpoint, self._build).stream(request, timeouts)

    def close(self) -> None:
        """Close all of them, then raise what kept one from it; closing again closes the rest."""
        errors: list[BaseException] = []
        for transport in self._opened.end():
            try:
                transport.close()
                self._opened.forget(transport)
            except BaseException as error:
                errors.append(error)
        _raise_first(errors)

    def _build(self, endpoint: Endpoint) -> Transport:
        if endpoint.is_http:
            from .https import RequestsTransport

            return RequestsTransport(self._settings)
        built: Transport = _found(discovery.TRANSPORTS, endpoint, self._settings)
        return built


class AsyncSchemeTransport:
    """An ``AsyncTransport`` over several, likewise."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._opened: _Opened[AsyncTransport] = _Opened()

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        return await self._opened.at(request.endpoint, self._build).send(request, timeouts)

    async def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        return await self._opened.at(request.endpoint, self._build).stream(request, timeouts)

    async def close(self) -> None:
        """Close all of them, likewise."""
        errors: list[BaseException] = []
        for transport in self._opened.end():
            try:
                await transport.close()
                self._opened.forget(transport)
            except GeneratorExit:  # there is no loop to close the rest in
                raise
            except BaseException as error:
                errors.append(error)
        _raise_first(errors)

    def _build(self, endpoint: Endpoint) -> AsyncTransport:
        built: AsyncTransport = _found(discovery.ASYNC_TRANSPORTS, endpoint, self._settings)
        return built


class _Opened(Generic[T]):
    """The transports a client has opened, by where they send."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._transports: dict[Endpoint | str, T] = {}
        self._closed = False
        survives_forks(self)

    def at(self, endpoint: Endpoint, build: Callable[[Endpoint], T]) -> T:
        # One HTTP transport pools connections to every host; an embedded endpoint is a database of its own.
        key = endpoint.scheme if endpoint.is_http else endpoint
        notice_fork()
        with self._lock:
            if self._closed:  # a private embedded database is gone; opening an empty one would look like data loss
                raise RequestError("this client was closed; build a new one")
            transport = self._transports.get(key)
            if transport is None:
                transport = self._transports[key] = build(endpoint)
            return transport

    def renew_after_fork(self) -> None:
        self._lock = threading.Lock()

    def end(self) -> list[T]:
        """All of them, to be closed; there will be no others."""
        notice_fork()
        with self._lock:
            self._closed = True
            return list(self._transports.values())

    def forget(self, transport: T) -> None:
        """It is closed."""
        with self._lock:
            self._transports = {key: each for key, each in self._transports.items() if each is not transport}


def _raise_first(errors: list[BaseException]) -> None:
    """An interruption or a cancellation comes first: whoever asked for it waits for it."""
    if errors:
        raise min(errors, key=lambda each: isinstance(each, Exception))


def _found(group: str, endpoint: Endpoint, settings: TransportSettings) -> Any:
    built = discovery.lookup(group, endpoint.scheme)(endpoint, settings)
    for member in ("send", "close"):
        if not callable(getattr(built, member, None)):
            raise PluginLoadError(f"the transport for {endpoint.scheme}:// has no {member}() method")
    return built
