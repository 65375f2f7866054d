"""Transports: what carries a request to its endpoint and brings the response back, chosen by the endpoint's scheme."""

from ..effects import AsyncTransport, StreamedResponse, Timeouts, Transport
from ..forks import SurvivesFork, notice_fork, survives_forks
from .base import LONGEST_BODY_BYTES, TransportSettings
from .select import AsyncSchemeTransport, SchemeTransport

__all__ = [
    "LONGEST_BODY_BYTES",
    "AsyncSchemeTransport",
    "AsyncTransport",
    "SchemeTransport",
    "StreamedResponse",
    "SurvivesFork",
    "Timeouts",
    "Transport",
    "TransportSettings",
    "notice_fork",
    "survives_forks",
]
