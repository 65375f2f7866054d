"""Routes: by which proxy an endpoint is reached, and whose certificates are believed on the way.

Both are found out once for each endpoint, in another thread: reading a CA bundle takes milliseconds that a loop does
not have.
"""

from __future__ import annotations

import os
import ssl
import threading
from dataclasses import dataclass, field

import certifi
from yarl import URL

from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError, ConnectError
from vikingdb_core.transport import TransportSettings, survives_forks


@dataclass(frozen=True)
class Route:
    """The way to an endpoint.

    Attributes:
        proxy: the proxy, with its user and password if it has them.
        context: how TLS is spoken, with the endpoint and with an https proxy; ``True`` where neither uses it.
    """

    proxy: URL | None = field(default=None, repr=False)
    context: ssl.SSLContext | bool = True


class Routes:
    """The routes of a transport, shared by all its loops. Safe for many threads."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._found: dict[str, Route] = {}
        self._contexts: dict[bool | str, ssl.SSLContext] = {}
        survives_forks(self)

    def renew_after_fork(self) -> None:
        self._lock = threading.Lock()

    def known(self, endpoint: Endpoint) -> Route | None:
        """The route to an endpoint, if it was looked for before."""
        return self._found.get(endpoint.origin)

    def find(self, endpoint: Endpoint) -> Route:
        """The route to an endpoint. Reads the environment and files.

        Raises:
            ConfigError: there is no such CA bundle.
            ConnectError: the proxy cannot be used.
        """
        with self._lock:
            if endpoint.origin not in self._found:
                proxy = self._proxy(endpoint)
                uses_tls = endpoint.scheme == "https" or (proxy is not None and proxy.scheme == "https")
                self._found[endpoint.origin] = Route(proxy, self._context(endpoint) if uses_tls else True)
            return self._found[endpoint.origin]

    def _proxy(self, endpoint: Endpoint) -> URL | None:
        from vikingdb_core.transport.https import RequestsTransport  # its rules are ours, to the last NO_PROXY

        address = RequestsTransport(self._settings).proxy_for(endpoint.origin)
        if not address:
            return None
        try:
            proxy = URL(address if "://" in address else f"http://{address}")
            is_usable = proxy.scheme in ("http", "https") and bool(proxy.host)
        except ValueError:
            is_usable = False
        if not is_usable:  # without the address: it may have a password
            raise ConnectError(
                f"could not connect to {endpoint.origin} through the proxy: its address is no URL of an http or https "
                "proxy, such as http://proxy.example:3128"
            )
        is_known = proxy.user and proxy.password is not None  # the sync transport sends no half of a login, either
        return proxy if is_known else proxy.with_user(None)

    def _context(self, endpoint: Endpoint) -> ssl.SSLContext:
        chosen = self._settings.verify
        if chosen is True:
            chosen = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()
        if chosen not in self._contexts:
            try:
                self._contexts[chosen] = _context(chosen)
            except OSError as error:  # an SSLError too: a bundle without certificates
                raise ConfigError(
                    f"no connection to {endpoint.origin} can be verified: {chosen} is no CA bundle: {error}"
                ) from error
        return self._contexts[chosen]


def _context(verify: bool | str) -> ssl.SSLContext:
    if isinstance(verify, str):
        is_folder = os.path.isdir(verify)
        context = ssl.create_default_context(cafile=None if is_folder else verify, capath=verify if is_folder else None)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
