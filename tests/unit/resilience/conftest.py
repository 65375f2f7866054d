"""What the tests of the middleware share: calls without a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vikingdb_core import Endpoint, Operation
from vikingdb_core.hooks import Call, ClientInfo
from vikingdb_vector.operations import PING


@pytest.fixture
def calls() -> Callable[..., Call]:
    """Makes a call of an operation, as hooks would see it."""
    endpoint = Endpoint.parse("https://far.example")
    info = ClientInfo("vector", endpoint, "cn-beijing", "tests")

    def make(operation: Operation[Any, Any], **traits: Any) -> Call:
        return Call(operation, info, operation.safety, {}, max_attempts=3, attempt=1, **traits)

    return make


@pytest.fixture
def ping() -> Operation[Any, Any]:
    return PING
