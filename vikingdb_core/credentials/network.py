"""What credentials need of the network: one question to whoever hands out temporary keys, and its answer read.

The answers hold secrets, so nothing of them is repeated but the status and what is plainly a code or an id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from ..effects import Timeouts
from ..endpoint import Endpoint
from ..exceptions import ConfigError, DeadlineExceeded, MissingCredentials, TransportError
from ..messages import Request, Response
from .base import Credentials, seconds_left

Sender: TypeAlias = Callable[[Request, Timeouts], Response]
"""Sends a request and raises ``TransportError`` alone: ``send`` of any transport."""

_CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,79}")
_REQUEST_ID = re.compile(r"[0-9A-Fa-f-]{8,64}")


def ask(send: Sender, request: Request, timeouts: Timeouts, whom: str) -> Response:
    """Send a request that changes nothing, a second time if the first got no answer or a 5xx.

    Raises:
        DeadlineExceeded: the call that waits for the credentials has no time left.
        MissingCredentials: there was no answer, or it was no 2xx.
    """
    lost: TransportError | None = None
    for is_last in (False, True):
        granted = _granted(timeouts, whom)
        try:
            response = send(request, granted)
        except TransportError as error:
            lost = error
            continue
        if response.ok:
            return response
        if response.status < 500 or is_last:
            raise refusal(response, whom)
        lost = None
    raise MissingCredentials(f"{whom} gave no credentials: {lost.message if lost else 'no answer'}") from lost


def _granted(timeouts: Timeouts, whom: str) -> Timeouts:
    left = seconds_left.get()
    if left is None:
        return timeouts
    seconds = left()
    if seconds <= 0:
        raise DeadlineExceeded(f"the call's deadline passed before {whom} gave credentials")
    return Timeouts(min(timeouts.connect, seconds), min(timeouts.total, seconds))


def refusal(response: Response, whom: str) -> MissingCredentials:
    """The error for an answer that has no credentials in it."""
    from ..envelope import read_envelope  # brings the JSON decoder, which a client with fixed keys does not need here

    envelope = read_envelope(response)
    code, request_id = str(envelope.code or ""), envelope.request_id or ""
    return MissingCredentials(
        f"{whom} gave no credentials but answered {response.status}",
        code=code if _CODE.fullmatch(code) and not envelope.is_success else None,
        status_code=response.status,
        request_id=request_id if _REQUEST_ID.fullmatch(request_id) else None,
    )


def keys_in(answer: Mapping[str, Any] | None, response: Response, whom: str) -> Credentials:
    """Temporary keys as the platform's services write them.

    Raises:
        MissingCredentials: they are not all there, or are none.
    """
    table: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    if not (_is_text(table.get("AccessKeyId")) and _is_text(table.get("SecretAccessKey"))):
        raise refusal(response, whom)
    return Credentials(
        table["AccessKeyId"],
        table["SecretAccessKey"],
        table.get("SessionToken") or None,
        # AssumeRole and the metadata say ExpiredTime, AssumeRoleWithOIDC says Expiration.
        _unix_seconds(table.get("ExpiredTime") or table.get("Expiration")),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _unix_seconds(value: object) -> float | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def private_endpoint(text: str, where: str) -> Endpoint:
    """An endpoint that secrets may be sent to.

    Raises:
        ConfigError: it is no URL, or anyone on the way could read along.
    """
    try:
        endpoint = Endpoint.parse(text)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}") from error
    if endpoint.scheme != "https" and not endpoint.is_loopback:
        raise ConfigError(f"{where}: secrets would go to {endpoint.origin} unencrypted; use https")
    return endpoint
