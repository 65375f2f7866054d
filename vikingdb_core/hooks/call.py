"""Call: what plugins know of the call they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..endpoint import Endpoint
from ..operation import Operation
from ..traits import Safety


@dataclass(frozen=True)
class ClientInfo:
    """The client behind a call. No secrets, and nothing to call back into.

    Attributes:
        domain: name of its domain.
        endpoint: where its data plane is.
        region: what its requests are signed for.
        user_agent: what it calls itself.
        plugins: names of its plugins, in order.
        endpoints: where each of its planes is.
    """

    domain: str
    endpoint: Endpoint
    region: str
    user_agent: str
    plugins: tuple[str, ...] = ()
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One call, from the user's method to its result, over all its attempts. Plugins read it; ``state`` is theirs.

    Attributes:
        operation: which API.
        client: who calls.
        safety: how safe it is to resend this very request.
        locator: collection, index, project or resource it addresses, by wire name.
        attempt: number of the current attempt, from 1.
        max_attempts: how many there may be.
        request_id: the caller's own id, if it gave one.
        deadline: monotonic time at which the whole call ends, or ``None``.
        state: for plugins, one entry each, keyed by plugin name.
        rows: how many rows the request is about; ``None`` when it is not about rows, or about all there are.
    """

    operation: Operation[Any, Any]
    client: ClientInfo
    safety: Safety
    locator: dict[str, str]
    max_attempts: int
    attempt: int = 0
    request_id: str | None = None
    deadline: float | None = None
    state: dict[str, Any] = field(default_factory=dict)
    rows: int | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where it goes."""
        return self.client.endpoints.get(self.operation.plane, self.client.endpoint)

    def begin(self, attempt: int) -> None:
        """Another attempt begins. The flow's to say, and no plugin's."""
        object.__setattr__(self, "attempt", attempt)
