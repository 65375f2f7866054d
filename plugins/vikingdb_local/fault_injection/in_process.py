"""In process: faults of an endpoint ``local://…``, as the client's transport would report them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vikingdb_core.effects import Timeouts
from vikingdb_core.exceptions import ConnectionLost, RequestTimeout
from vikingdb_core.messages import Response

from ..envelope import Address
from .answers import halved, refusal
from .plan import Fault, Kind


def carry_out(fault: Fault, address: Address, answer: Callable[[], Response], timeouts: Timeouts) -> Response:
    """Answer a request, or fail to.

    Args:
        fault: what goes wrong.
        address: of the request.
        answer: carries it out.
        timeouts: the attempt's; what would take longer is a timeout.

    Raises:
        ConnectionLost: the connection would have broken.
        RequestTimeout: the answer would have come too late. Of a ``hang`` nobody waits for the end.
    """
    if fault.latency_seconds:
        _wait(fault.latency_seconds, timeouts.total)
    if fault.kind is Kind.DROP_BEFORE:
        raise ConnectionLost("the connection broke before the request was carried out (injected fault)")
    if fault.kind is Kind.HANG:
        raise RequestTimeout("the engine does not answer (injected fault)")
    refused = refusal(fault, address)
    if refused is not None:
        return refused
    response = answer()
    match fault.kind:
        case Kind.DROP_AFTER:
            raise ConnectionLost("the connection broke after the request was carried out (injected fault)")
        case Kind.TRUNCATE:
            raise ConnectionLost("the connection broke in the middle of the answer (injected fault)")
        case Kind.SLOW_BODY:
            _wait(fault.slow_seconds, timeouts.total - fault.latency_seconds)
        case Kind.BROKEN_JSON:
            return halved(response)
    return response


def _wait(seconds: float, at_most: float) -> None:
    threading.Event().wait(min(seconds, max(0.0, at_most)))
    if seconds > at_most:
        raise RequestTimeout("the answer took longer than the attempt may (injected fault)")
