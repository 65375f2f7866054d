"""Schemes that send a fixed secret, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from ..exceptions import MissingCredentials
from ..masked import discreet
from ..messages import Headers, Request
from ..traits import AuthMode
from .base import Auth, Scope


class APIKey(Auth):
    """``Authorization: Bearer <key>``. Data plane only: keys are bound to data sets, not to the account."""

    mode = AuthMode.API_KEY

    @discreet
    def __init__(self, api_key: str) -> None:
        if not isinstance(api_key, str) or not api_key.strip():
            raise MissingCredentials("the API key is empty; pass APIKey(api_key=…)")
        key = api_key.strip()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise MissingCredentials("the API key has blanks or characters no key has; was it pasted whole?")
        self._headers = Headers({"Authorization": f"Bearer {key}"})

    def sign(self, request: Request, scope: Scope) -> Request:
        return request.with_headers(self._headers)

    def __repr__(self) -> str:
        return "APIKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is not pickled; build it again in the other process")


class HeaderAuth(Auth):
    """Fixed headers, copied to every request: private deployments behind a gateway."""

    mode = AuthMode.HEADER

    @discreet
    def __init__(self, headers: Mapping[str, str]) -> None:
        if not headers:
            raise MissingCredentials("HeaderAuth needs at least one header; use NoAuth() to send none")
        self._headers = Headers(headers).masked(headers)

    def sign(self, request: Request, scope: Scope) -> Request:
        return request.with_headers(self._headers, secret=True)

    def __repr__(self) -> str:
        return f"HeaderAuth({sorted(self._headers)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("header credentials are not pickled; build them again in the other process")


class NoAuth(Auth):
    """No credentials: the embedded engine, and an emulator without keys."""

    mode = AuthMode.NONE
    sends_secret = False

    def sign(self, request: Request, scope: Scope) -> Request:
        return request

    def __repr__(self) -> str:
        return "NoAuth()"
