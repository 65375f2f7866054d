"""Transports: what carries a request to its endpoint and brings the response back, chosen by the endpoint's scheme."""

from ..effects import AsyncTransport, StreamedResponse, Timeouts, Transport
from .base import TransportSettings
from .select import AsyncSchemeTransport, SchemeTransport

__all__ = [
    "AsyncSchemeTransport",
    "AsyncTransport",
    "SchemeTransport",
    "StreamedResponse",
    "Timeouts",
    "Transport",
    "TransportSettings",
]
