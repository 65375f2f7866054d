"""Failures: what went wrong, in the SDK's words, and whether the service may have seen the request.

Until an attempt has a connection nothing of it can have been sent, whatever the failure; from then on it may have been.
"""

from __future__ import annotations

import aiohttp

from vikingdb_core.exceptions import ConnectError, ConnectionLost, RequestTimeout, TransportError
from vikingdb_core.messages import Request

from .attempt import Attempt

FAILURES = (aiohttp.ClientError, OSError, ValueError, RuntimeError)
"""What aiohttp raises for a request that could not be sent or answered."""


def failure(
    error: Exception, request: Request, attempt: Attempt, *, by_proxy: bool = False, is_answered: bool = False
) -> TransportError:
    """The error for one of :data:`FAILURES`, with its cause."""
    where = request.endpoint.origin
    is_late = isinstance(error, TimeoutError)
    cause = _cause(error)
    failed: TransportError
    if is_late and attempt.waits_for_pool and not attempt.has_connection:
        failed = ConnectError(
            f"no connection to {where} became free in time; pool_maxsize is how many there are at once, and a timeout "
            "includes the wait for one"
        )
    elif not attempt.has_connection:
        by_way_of = " through the proxy" if by_proxy else ""
        why = " in time" if is_late else f"{by_way_of}: {_why(error, cause)}"
        failed = ConnectError(f"could not connect to {where}{why}")
    elif is_late:
        how = "was still sending its answer when the attempt's time was up" if is_answered else "did not answer in time"
        failed = RequestTimeout(f"{where} {how}")
    else:
        failed = ConnectionLost(f"the connection to {where} broke before the answer was complete: {_why(error, cause)}")
    failed.__cause__ = cause
    return failed


def _why(error: Exception, cause: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):  # its text has the URL, and the proxy's has a password
        words = f"{error.status} {error.message}"
    else:
        words = str(cause) or type(cause).__name__
    return " ".join(words.split())


def _cause(error: Exception) -> Exception:
    """Where it began. aiohttp's own errors around it hold the signed headers, or the password of a proxy, and their
    frames do; error reporters print both."""
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientConnectorError):
        return aiohttp.ClientError(type(error).__name__)
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error
