"""Plans: work that takes several calls, written once for sync and async clients.

A plan is a plain generator. It yields a ``Step`` (one call) and is sent back the response; it may yield ``Emit`` to
hand an item to whoever iterates; it returns the aggregate.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from .exceptions import WaitTimeout
from .models import RequestModel
from .operation import Operation
from .request_options import RequestOptions, check_seconds

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Step:
    """One call of the plan."""

    operation: Operation[Any, Any]
    request: RequestModel | Mapping[str, Any] | None
    options: RequestOptions | None = None


@dataclass(frozen=True)
class Emit(Generic[T]):
    """An item for whoever iterates."""

    item: T


@dataclass(frozen=True)
class Pause:
    """Wait before going on. Answered with the client's monotonic time."""

    seconds: float


Plan: TypeAlias = Generator[Step | Emit[Any] | Pause, Any, R]


def paged(
    operation: Operation[Any, Any],
    request: Mapping[str, Any],
    items: Callable[[Any], Sequence[T]],
    total: Callable[[Any], int | None],
    *,
    page_size: int,
    options: RequestOptions | None = None,
) -> Plan[None]:
    """Every item of a numbered listing, page after page, until the total is reached.

    Where the service does not say the total, a page that comes back short is the last.
    """
    page, seen = 1, 0
    while True:
        response = yield Step(operation, {**request, "PageNumber": page, "PageSize": page_size}, options)
        found = items(response)
        for item in found:
            yield Emit(item)
        seen += len(found)
        whole = total(response)
        if not found or (len(found) < page_size if whole is None else seen >= whole):
            return
        page += 1


def polled(
    operation: Operation[Any, Any],
    request: Mapping[str, Any],
    look: Callable[[Any], tuple[T | None, str]],
    *,
    what: str,
    timeout: float,
    poll_seconds: float,
    options: RequestOptions | None = None,
) -> Plan[T]:
    """Call again and again until ``look`` finds what is waited for in the answer.

    Raises:
        WaitTimeout: it was not there in time; the message ends with what ``look`` said last.
    """
    check_seconds("timeout", timeout)
    check_seconds("poll_seconds", poll_seconds)
    now: float = yield Pause(0.0)
    ends = now + timeout
    while True:
        found, state = look((yield Step(operation, request, options)))
        if found is not None:
            return found
        if now >= ends:
            raise WaitTimeout(f"{what} was not ready after {timeout:g} seconds: {state}", operation=operation.name)
        now = yield Pause(min(poll_seconds, ends - now))
