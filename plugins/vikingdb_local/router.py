"""Router: from a request to the handler of its operation, and from what that says to a response.

The addresses are those of the vector domain's operations. An operation without a handler is refused by name.
"""

from __future__ import annotations

import logging
import secrets
import time
from functools import lru_cache
from typing import Any

from vikingdb_core.hints import suggest
from vikingdb_core.messages import REQUEST_ID_HEADER, Request, Response
from vikingdb_core.operation import Operation
from vikingdb_vector.domain import DOMAIN
from vikingdb_vector.models import IndexMeta
from vikingdb_vector.models.base import LOCATORS, DataRequest
from vikingdb_vector.operations_admin import VERSION

from .decode import read_body, read_request
from .engine.collection import StaleSchema
from .envelope import Address, fail, succeed
from .errors import ServiceError, invalid, json_type, not_found, not_implemented, shown
from .handlers import HANDLERS
from .session import Call, Session

log = logging.getLogger("vikingdb.local")

_DATA = {operation.path: operation for operation in DOMAIN.operations if not operation.query}
_CONTROL = {dict(operation.query).get("Action"): operation for operation in DOMAIN.operations if operation.query}
_SEE_LOG = "the log (logger vikingdb.local) has the cause under request id"
_METHODLESS = frozenset({"vector.ping"})  # clients ping by GET, and by POST


def respond(session: Session, request: Request) -> Response:
    """Answer a request. Never raises: what is wrong with it, or with the engine, is an answer too."""
    address = address_of(request)
    try:
        return succeed(address, _handle(session, request))
    except ServiceError as error:
        return fail(address, error)
    except Exception:
        log.exception("request %s failed: %s %s", address.request_id, request.method, request.path)
        return fail(address, ServiceError("InternalError", f"the local engine failed; {_SEE_LOG} {address.request_id}"))


def address_of(request: Request) -> Address:
    """What an answer to a request echoes of it, with an id for it if it has none."""
    request_id = request.headers.get(REQUEST_ID_HEADER) or _new_request_id()
    query = dict(request.query)
    if request.path in ("", "/") or "Action" in query:
        return Address(request_id, is_control=True, action=query.get("Action", ""), version=query.get("Version", ""))
    return Address(request_id)


def operation_name(request: Request) -> str:
    """The name of a request's operation; empty when it is none."""
    try:
        return _find(request).name
    except ServiceError:
        return ""


def _new_request_id() -> str:
    return _stamp(int(time.time())) + secrets.token_hex(10)


@lru_cache(1)
def _stamp(second: int) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(second))


def _handle(session: Session, request: Request) -> Any:
    operation = _find(request)
    handler = HANDLERS.get(operation.name)
    if handler is None:
        raise not_implemented(
            f"the operation {operation.name} ({dict(operation.query).get('Action') or operation.path})"
        )
    if session.seed is not None:
        session.seed(session)
    if operation.opaque:
        return handler(session, Call(operation.request.read({}), IndexMeta(), len(request.body)))
    body = read_body(request.body)
    locator: dict[str, str] = {}
    if issubclass(operation.request, DataRequest):
        locator = _read_locator(body)
        body = {name: value for name, value in body.items() if name not in LOCATORS}
    call = Call(read_request(operation.request, body), IndexMeta(**locator), len(request.body))
    while True:
        try:
            return handler(session, call)
        except StaleSchema:
            continue  # somebody added a field while the rows were being checked: check them again


def _find(request: Request) -> Operation[Any, Any]:
    query = dict(request.query)
    if request.path in ("", "/") or "Action" in query:
        operation = _find_action(query.get("Action", ""), query.get("Version", ""))
    else:
        found = _DATA.get(request.path)
        if found is None:
            hint = suggest(request.path.rstrip("/"), _DATA)
            raise not_found("Path", f"there is no API at {shown(request.path, 80)}.{hint}")
        operation = found
    if request.method != operation.method and operation.name not in _METHODLESS:
        raise invalid(f"{request.path} takes {operation.method}, not {request.method}")
    return operation


def _find_action(action: str, version: str) -> Operation[Any, Any]:
    if version and version != VERSION:
        raise ServiceError("InvalidActionOrVersion", f"Version {shown(version)} is not known; use {VERSION}")
    operation = _CONTROL.get(action)
    if operation is None or not version:
        missing = "Action" if not action else "Version" if not version else ""
        what = f"the query has no {missing}" if missing else f"Action {shown(action)} is not known"
        hint = "" if missing else suggest(action, filter(None, _CONTROL))
        raise ServiceError("InvalidActionOrVersion", f"{what}; send ?Action=…&Version={VERSION}.{hint}")
    return operation


def _read_locator(body: dict[str, Any]) -> dict[str, str]:
    """The locator, without parts that are null or empty: some clients send them so."""
    locator: dict[str, str] = {}
    for name in LOCATORS:
        value = body.get(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise invalid(f"{name} must be a string, not {json_type(value)}")
        locator[name] = value
    return locator
