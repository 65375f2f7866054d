"""Idempotency keys: one key for each call, in a header that a gateway reads to recognise a repetition.

The service itself documents no such header or parameter, so there is no default.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from vikingdb_core.exceptions import ConfigError, InvalidRequest
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_core.messages import Draft, Headers
from vikingdb_core.request_options import check_headers
from vikingdb_core.traits import Safety

from .settings import function


def random_key() -> str:
    return uuid4().hex


class IdempotencyKeys:
    """Sends a key with every call of an operation that may not be repeated blindly, the same with all its attempts.

    It does not make a call any safer to repeat: that the gateway keeps its promise is the caller's to say, with
    ``RequestOptions(idempotent=True)``. A key that the caller sets in ``RequestOptions(headers=…)`` is left alone.

    Args:
        header: name of the header.
        make_key: makes a key for a call; a random one unless given.

    Raises:
        ConfigError: a header that cannot be set.
    """

    name = "idempotency"
    hook_api = 1

    def __init__(self, header: str, *, make_key: Callable[[], str] = random_key) -> None:
        if not isinstance(header, str):
            raise ConfigError(f"header must be the name of a header, not {header!r}")
        try:
            Headers({header: ""})
            check_headers({header: ""})
        except InvalidRequest as error:
            raise ConfigError(f"header: {error.message}") from error
        self._header = header
        self._make_key = function("make_key", make_key)

    @hookimpl
    def before_request(self, call: Call, request: Draft) -> None:
        # By the operation: a caller who trusts the gateway has made the call itself IDEMPOTENT.
        if call.operation.safety is not Safety.UNSAFE:
            return
        if self.name not in call.state:
            call.state[self.name] = request.headers.get(self._header) or self._make_key()
        request.headers[self._header] = call.state[self.name]

    def __repr__(self) -> str:
        return f"IdempotencyKeys({self._header!r})"
