"""What the control plane's methods do with their arguments and answers."""

from __future__ import annotations

from typing import Any

from vikingdb_core.exceptions import InvalidRequest
from vikingdb_core.resource import RequestLike

from .. import models as m

PAGE_SIZE = 100
"""The largest page the service gives."""


def either(request: RequestLike, **arguments: Any) -> Any:
    """The request, or one made of the keyword arguments; not both."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if request is None:
        return given
    if given:
        raise InvalidRequest(f"give one request or keyword arguments, not both (a request and {', '.join(given)})")
    return request


def is_ready(response: m.GetIndexResponse) -> tuple[m.IndexInfo | None, str]:
    """The index when it can be searched, and what state it is in."""
    index = response.result
    return (index if index.status == "READY" else None), f"status {index.status}"
