"""Ping: what ``doctor`` sends when it is asked to, and what the answers say."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..client import BaseClient
from ..credentials.token import NoAuth
from ..drivers import SystemClock
from ..effects import Clock
from ..endpoint import Endpoint
from ..envelope import seconds_ahead
from ..exceptions import (
    AuthModeError,
    BadRequest,
    ConnectError,
    ConnectionLost,
    DecodeError,
    NotFound,
    OperationNotSupported,
    RateLimited,
    RequestTimeout,
    ServerError,
    VikingDBError,
)
from ..flow import CLOCK_TOLERANCE_SECONDS
from ..hooks.specs import hookimpl
from ..messages import Draft, Response
from ..operation import Operation
from ..request_options import RequestOptions
from ..traits import AuthMode
from ..version import HOOK_API
from .diagnosis import Diagnosis

_ADVICE: tuple[tuple[type[VikingDBError], str], ...] = (
    (ConnectError, "Check the endpoint, the network, and the proxy if there is one"),
    (RequestTimeout, "Check the network and the proxy; if the way is merely long, raise timeout"),
    (ConnectionLost, "Something on the way closed the connection; check the proxy and the endpoint's scheme"),
    (NotFound, "Something answers there, but it has no such API; check the endpoint and its path"),
    (RateLimited, "The service is there and has no room for more calls now; try again later"),
    (OperationNotSupported, "Something answers there, but it does not have this operation"),
    (ServerError, "The service is there and failed; try again, and report the request id if it stays that way"),
    (BadRequest, "Something answers there and does not understand the call; check that it is VikingDB"),
    (DecodeError, "What answers there is not VikingDB; check the endpoint, and for a portal or proxy on the way"),
)


@dataclass(frozen=True)
class Sent:
    """One operation that was sent, or was not and why.

    Attributes:
        operation: its name.
        plane: the plane of the domain it belongs to.
        address: method and URL; ``None`` when nothing was sent, and then ``says`` has the reason.
        status: HTTP status of the answer.
        seconds: from the first byte out to the last byte in.
        says: what came of it, for people.
        error: what went wrong.
    """

    operation: str
    plane: str
    address: str | None = None
    status: int | None = None
    seconds: float | None = None
    says: str = ""
    error: VikingDBError | None = None


@dataclass(frozen=True)
class Pinged:
    """What was sent, and how far this machine's clock is ahead of the service's, if an answer said."""

    sent: tuple[Sent, ...]
    seconds_ahead: float | None

    @property
    def is_clock_wrong(self) -> bool:
        return self.seconds_ahead is not None and abs(self.seconds_ahead) > CLOCK_TOLERANCE_SECONDS

    def problems(self) -> Iterator[str]:
        """What went wrong, and what to do."""
        if self.is_clock_wrong:
            yield f"this machine's clock is {self.clock()}. Signatures are refused until it is set right"
        for each in self.sent:
            if each.error is not None:
                yield f"{each.operation}: {explain(each.error)}"

    def clock(self) -> str:
        """This machine's clock against the service's, for people."""
        if self.seconds_ahead is None:
            return "not known: no answer had a date"
        if abs(self.seconds_ahead) < 2:  # a date has no fractions of a second, and an answer takes its time
            return "right, to the second"
        return f"{_span(abs(self.seconds_ahead))} {'ahead of' if self.seconds_ahead > 0 else 'behind'} the service's"


@dataclass
class _Witness:
    """A plugin that sees when a request leaves and what comes back."""

    clock: Clock
    name = "vikingdb-doctor"
    hook_api = HOOK_API
    address: str | None = None
    left: float = 0.0
    response: Response | None = None
    seconds: float | None = None
    ahead: list[float] = field(default_factory=list)

    def begin(self) -> None:
        self.address = self.response = self.seconds = None

    @hookimpl
    def before_request(self, request: Draft) -> None:
        query = "&".join(f"{name}={value}" for name, value in request.query)
        self.address = f"{request.method} {request.endpoint.origin}{request.path}{'?' + query if query else ''}"
        self.left = self.clock.monotonic()

    @hookimpl
    def after_response(self, response: Response) -> None:
        self.response, self.seconds = response, self.clock.monotonic() - self.left
        ahead = seconds_ahead(response.headers, self.clock.time())
        if ahead is not None:
            self.ahead.append(ahead)


def ping(diagnosis: Diagnosis, clock: Clock | None = None) -> Pinged:
    """Send the domain's probes, each once.

    Without credentials only those are sent that tell nothing of them: whether anybody is there is worth knowing still.
    """
    assert diagnosis.domain is not None
    witness = _Witness(clock or SystemClock())
    by_name = {operation.name: operation for operation in diagnosis.domain.operations}
    auth = NoAuth() if diagnosis.lacks_credentials else None
    deaf: set[Endpoint] = set()
    sent: list[Sent] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the diagnosis has built such a client and has reported them
        client = diagnosis.build(plugins=[*diagnosis.config.plugins, witness], auth=auth)
    with client:
        for name in diagnosis.domain.probes:
            operation = by_name[name]
            endpoint = diagnosis.endpoints[operation.plane]
            if diagnosis.lacks_credentials and not operation.opaque:
                sent.append(Sent(name, operation.plane, says="there are no credentials to try"))
            elif endpoint in deaf:
                sent.append(Sent(name, operation.plane, says="nobody answers there"))
            else:
                sent.append(_send(client, operation, witness))
                if isinstance(sent[-1].error, ConnectError):
                    deaf.add(endpoint)
    return Pinged(tuple(sent), witness.ahead[-1] if witness.ahead else None)


def _send(client: BaseClient, operation: Operation[Any, Any], witness: _Witness) -> Sent:
    witness.begin()
    error: VikingDBError | None = None
    try:
        client.call(operation, request_options=RequestOptions(max_attempts=1))
        is_signed = client.credentials.auth.mode is not AuthMode.NONE and not operation.opaque
        says = "answered, and accepts the credentials" if is_signed else "answered"
    except AuthModeError as refused:
        return Sent(operation.name, operation.plane, says=refused.message)
    except VikingDBError as trouble:
        error, says = trouble, f"{type(trouble).__name__}, see below"
    return Sent(
        operation.name,
        operation.plane,
        witness.address,
        witness.response.status if witness.response is not None else None,
        witness.seconds,
        says,
        error,
    )


def explain(error: VikingDBError) -> str:
    """The error, and what to do about it."""
    known = {"status": error.status_code, "code": error.code, "request id": error.request_id}
    details = ", ".join(f"{name} {value}" for name, value in known.items() if value not in (None, "unknown"))
    advice = [text for kind, text in _ADVICE if isinstance(error, kind)][:1]
    sentences = [*getattr(error, "__notes__", ()), *advice]
    said = f"{type(error).__name__}: {error.message}" + (f" ({details})" if details else "")
    return ". ".join([said, *(sentence[:1].upper() + sentence[1:] for sentence in sentences)])


def _span(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
