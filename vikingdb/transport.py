"""What carries requests: the protocols, and the HTTP transport."""

from typing import TYPE_CHECKING, Any

from vikingdb_core.transport import (
    AsyncSchemeTransport,
    AsyncTransport,
    SchemeTransport,
    StreamedResponse,
    Timeouts,
    Transport,
    TransportSettings,
)

if TYPE_CHECKING:
    from vikingdb_core.transport.https import RequestsTransport

__all__ = [
    "AsyncSchemeTransport",
    "AsyncTransport",
    "RequestsTransport",
    "SchemeTransport",
    "StreamedResponse",
    "Timeouts",
    "Transport",
    "TransportSettings",
]


def __getattr__(name: str) -> Any:
    if name == "RequestsTransport":  # importing requests takes a fifth of a second; only whoever names it pays
        from vikingdb_core.transport.https import RequestsTransport

        return RequestsTransport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
