"""Checks on an auth object: one that does not keep the contract is refused, at best when the client is built.

Signing is pure by contract, so a strange scheme is tried out on a request that is never sent.
"""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError

from ..endpoint import Endpoint
from ..exceptions import ExtensionError, VikingDBError
from ..messages import Headers, Request
from ..traits import AuthMode
from .base import Auth, Scope

_PLAIN_METHODS = ("sign", "is_stale", "refresh", "invalidate")


def check_auth(auth: Auth, endpoint: Endpoint, scope: Scope) -> None:
    """Refuse an auth that would fail every call.

    Its methods must be plain functions, its mode an ``AuthMode``. Unless it is one of core's own, or must first fetch
    credentials, it signs one request that goes nowhere.

    Raises:
        ExtensionError: it does not keep the contract; the message says how it would.
    """
    for name in _PLAIN_METHODS:
        if inspect.iscoroutinefunction(getattr(auth, name)):
            raise ExtensionError(
                f"auth {_name(auth)}: {name}() is a coroutine function; write it as a plain one. sign() does no I/O, "
                "and what must be fetched first is fetched in refresh(), which may block"
            )
    if not isinstance(auth.mode, AuthMode):
        raise ExtensionError(
            f"auth {_name(auth)}: mode is {auth.mode!r}, not an AuthMode; leave it out, or say mode = AuthMode.CUSTOM"
        )
    if getattr(type(auth).sign, "__module__", "").startswith("vikingdb_core."):
        return
    headers = {"Host": endpoint.netloc, "Accept": "application/json", "Content-Type": "application/json"}
    request = Request("POST", endpoint, endpoint.join("/"), (), Headers(headers), b"{}")
    try:
        if not _is_stale(auth):
            signed(auth, request, scope)
    except VikingDBError:
        raise
    except FrozenInstanceError as error:
        raise ExtensionError(
            f"auth {_name(auth)}: sign() must not change the request it is given ({error}). Return a new one: "
            "return request.with_headers({'Authorization': …})"
        ) from error
    except Exception as error:
        raise ExtensionError(
            f"auth {_name(auth)} raised {type(error).__name__} when it was tried on a request. As long as is_stale() "
            "is False, sign() must sign any request; what it needs first is got in refresh()"
        ) from error


def signed(auth: Auth, request: Request, scope: Scope) -> Request:
    """The request, signed.

    Raises:
        ExtensionError: ``sign`` changed the request it was given, or returned something else.
    """
    try:
        answer = auth.sign(request, scope)
    except ExtensionError as error:
        if type(error) is not ExtensionError:
            raise
        raise ExtensionError(f"auth {_name(auth)}: {error.message}") from error  # the headers do not know whose sign()
    if not isinstance(answer, Request):
        raise ExtensionError(
            f"auth {_name(auth)}: sign() returned {_kind(answer)}, not the signed Request: "
            "return request.with_headers({'Authorization': …})"
        )
    return answer


def _is_stale(auth: Auth) -> bool:
    answer = auth.is_stale()
    if not isinstance(answer, bool):
        raise ExtensionError(f"auth {_name(auth)}: is_stale() returned {_kind(answer)}; answer True or False")
    return answer


def _name(auth: Auth) -> str:
    return type(auth).__name__  # a stranger's repr may show what it should not


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
