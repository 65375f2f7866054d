"""vikingdb-token-auth: a token that is fetched over HTTP and renewed before it expires, as an auth scheme."""

from __future__ import annotations

import json
import math
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from typing import Any, NoReturn

from vikingdb_core import Auth, Endpoint, Request, Scope
from vikingdb_core.credentials import seconds_left
from vikingdb_core.exceptions import ConfigError, MissingCredentials

__all__ = ["RotatingToken"]

PAUSE_SECONDS = 5.0  # an endpoint that failed, or has just replaced a refused token, is left alone so long


@dataclass(frozen=True)
class _Held:
    token: str = field(repr=False)
    renew_at: float = -math.inf
    expires_at: float = -math.inf


class RotatingToken(Auth):
    """``Authorization: Bearer <token>``. A GET of the endpoint answers ``{"token": "…", "expires_in": seconds}``.

    Args:
        url: the endpoint, https or on this machine; anything else is a ``ConfigError``. Redirects are not followed.
        refresh_before_seconds: a token is renewed so long before it expires, or after half its life if that is later.
        timeout_seconds: how long the endpoint may take; less, if the call that waits has less.
        clock: tells seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        refresh_before_seconds: float = 60.0,
        timeout_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        endpoint = Endpoint.parse(url)
        if endpoint.scheme != "https" and not endpoint.is_loopback:
            raise ConfigError(f"{endpoint.origin} would send the token unencrypted; use https, or this machine")
        straight = [urllib.request.ProxyHandler({})] if endpoint.is_loopback else []
        self._url, self._clock = str(endpoint), clock
        self._open = urllib.request.build_opener(_AsAnswered, *straight).open
        self._refresh_before, self._timeout = float(refresh_before_seconds), float(timeout_seconds)
        self._lock, self._held, self._refused, self._replaced_at = threading.Lock(), _Held(""), False, -math.inf

    def sign(self, request: Request, scope: Scope) -> Request:
        return request.with_headers({"Authorization": f"Bearer {self._held.token}"})

    def is_stale(self) -> bool:
        return self._clock() >= self._held.renew_at

    def refresh(self) -> None:
        with self._lock:
            if not self.is_stale():  # another thread has been here
                return
            asked_at, held = self._clock(), self._held
            try:
                self._held = self._fetch(asked_at)
            except MissingCredentials:
                if asked_at >= held.expires_at:
                    raise
                self._held = replace(held, renew_at=min(asked_at + PAUSE_SECONDS, held.expires_at))
            if self._refused:
                self._refused, self._replaced_at = False, asked_at

    def invalidate(self) -> bool:
        if self._clock() - self._replaced_at >= PAUSE_SECONDS:  # else another call has just replaced it: try that one
            self._refused, self._held = True, _Held(self._held.token)
        return True

    def _fetch(self, now: float) -> _Held:
        left = seconds_left.get()
        timeout = self._timeout if left is None else max(min(self._timeout, left()), 0.1)
        try:
            with self._open(self._url, timeout=timeout) as answer:
                read = _read(answer.read()) if answer.status == 200 else None
        except (OSError, HTTPException) as error:
            raise MissingCredentials(f"{self._url} cannot be asked for a token: {error}") from error
        if read is None:
            raise MissingCredentials(f'{self._url} answered {answer.status} without "token" and "expires_in"')
        life = read.expires_at
        return _Held(read.token, now + max(life - self._refresh_before, life / 2), now + life)

    def __repr__(self) -> str:
        return f"RotatingToken({self._url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not pickled; build RotatingToken again in the other process")


class _AsAnswered(urllib.request.HTTPErrorProcessor):
    """No status is an error, and a redirect is not followed: it could lead to a place that is not encrypted."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


def _read(body: bytes) -> _Held | None:
    """The token and its seconds. ``None`` in place of an error, which would hold the body."""
    try:
        said = json.loads(body)
        token, seconds = said["token"], float(said["expires_in"])
        fits = token.isascii() and token.isprintable() and " " not in token and 0 < seconds < math.inf
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return _Held(token, expires_at=seconds) if token and fits else None
