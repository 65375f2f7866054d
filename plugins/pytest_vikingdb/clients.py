"""Clients for tests: of any domain, on the scripted wire or on the embedded engine."""

from __future__ import annotations

from typing import Any, TypeVar

from vikingdb_core import discovery
from vikingdb_core.client import AsyncBaseClient, BaseClient, ClientCore
from vikingdb_core.credentials import Auth, Scope
from vikingdb_core.messages import Request
from vikingdb_core.traits import AuthMode

from .clock import VirtualClock
from .wire import Wire

AnyClient = TypeVar("AnyClient", bound=ClientCore[Any])

ENDPOINT = "https://vikingdb.example"
LOCAL_ENDPOINT = "local://?embedder=hash-v1"


class StampAuth(Auth):
    """Signs like IAM in every way that a client notices, with a stamp for a signature: no keys, no vendor package.

    Attributes:
        signed: how many signatures it made; each stamp carries its number.
    """

    mode = AuthMode.IAM
    sends_secret = False

    def __init__(self) -> None:
        self.signed = 0

    def sign(self, request: Request, scope: Scope) -> Request:
        self.signed += 1
        return request.with_headers({"Authorization": f"Stamp {scope.service}/{scope.region} number={self.signed}"})


class ClientFactory:
    """Builds clients on a wire and a clock: ``viking_client(VikingDB, retry=5)``.

    Takes the client class of any domain, sync or async, and any option of it. Unless given, the endpoint is
    ``https://vikingdb.example``, requests are signed by :class:`StampAuth`, and no plugin is active.
    """

    def __init__(self, wire: Wire, clock: VirtualClock) -> None:
        self._wire = wire
        self._clock = clock

    def __call__(self, client_class: type[AnyClient], **options: Any) -> AnyClient:
        wire = self._wire.asynchronous if issubclass(client_class, AsyncBaseClient) else self._wire
        defaults: dict[str, Any] = {"transport": wire, "clock": self._clock, "plugins": ()}
        if "host" not in options:
            defaults["endpoint"] = ENDPOINT
        auth = options.get("auth") or StampAuth()
        counted = auth.signed if isinstance(auth, StampAuth) else 0
        client = client_class(**{**defaults, **options, "auth": auth})
        if isinstance(auth, StampAuth):
            auth.signed = counted  # a new client tries its auth on a request that is not sent
        return client


class LocalFactory:
    """Builds clients on an embedded database of their own: ``viking_local(VikingDB)``.

    The database is empty, lives in memory and is gone with its client. Text is embedded by ``hash-v1``, which needs no
    model. Sync clients are closed after the test; an async one is the test's own to close.
    """

    def __init__(self) -> None:
        self._open: list[BaseClient] = []

    def __call__(self, client_class: type[AnyClient], **options: Any) -> AnyClient:
        client = client_class(**{"endpoint": LOCAL_ENDPOINT, "plugins": (), **options})
        if isinstance(client, BaseClient):
            self._open.append(client)
        return client

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


def missing_engine() -> str | None:
    """What to do when the embedded engine is not installed; ``None`` when it is."""
    if "local" in discovery.names(discovery.TRANSPORTS):
        return None
    return (
        "viking_local needs the embedded engine, and no distribution offers a transport for local://. "
        "Install vikingdb-local in this environment: pip install 'vikingdb[local]', or its folder of a clone"
    )
