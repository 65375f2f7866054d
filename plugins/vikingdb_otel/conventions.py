"""Conventions: the names that telemetry of databases has, and what a call says under them.

The constants are held here, since the package that has them pins one version of the API exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vikingdb_core.exceptions import APIError
from vikingdb_core.hooks import Call

SCHEMA_URL = "https://opentelemetry.io/schemas/1.33.0"
"""The first version in which the database conventions are stable."""

SYSTEM = "volcengine.vikingdb"

DB_COLLECTION_NAME = "db.collection.name"
DB_NAMESPACE = "db.namespace"
DB_OPERATION_NAME = "db.operation.name"
DB_QUERY_SUMMARY = "db.query.summary"
DB_QUERY_TEXT = "db.query.text"
DB_RESPONSE_RETURNED_ROWS = "db.response.returned_rows"
DB_RESPONSE_STATUS_CODE = "db.response.status_code"
DB_SYSTEM_NAME = "db.system.name"
ERROR_TYPE = "error.type"
HTTP_RESEND_COUNT = "http.request.resend_count"
HTTP_STATUS_CODE = "http.response.status_code"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"

# Our own, where the conventions have none.
DOMAIN = "vikingdb.domain"
INDEX_NAME = "vikingdb.index.name"
REQUEST_ID = "vikingdb.request_id"
REQUEST_ROWS = "vikingdb.request.rows"

ATTEMPT = "vikingdb.attempt"
ATTEMPT_FAILED = "vikingdb.attempt.failed"

DURATION = "db.client.operation.duration"
DURATION_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
RETURNED_ROWS = "db.client.response.returned_rows"
RETURNED_ROWS_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)

Attributes = dict[str, str | int]

_PORTS = {"http": 80, "https": 443}
_LISTED = {"collection": "collections", "index": "indexes", "task": "tasks"}


def operation_name(call: Call) -> str:
    """What the user called: ``vector.search.vector`` is ``search_by_vector``, ``vector.index.create`` ``create_index``.

    Operations of other domains keep their name, without the domain's.
    """
    name = call.operation.name.removeprefix(f"{call.client.domain}.")
    group, _, rest = name.partition(".")
    if call.client.domain != "vector" or not rest or group == "raw":
        return name
    if group == "search":
        return f"search_by_{rest}"
    if group == "data":
        return rest
    return f"list_{_LISTED.get(group, group)}" if rest == "list" else f"{rest}_{group}"


def of_call(call: Call) -> Attributes:
    """What is known of a call when it begins, and the same for many: this is what metrics are told apart by."""
    name = operation_name(call)
    collection = _located(call, "collection_name", "CollectionName")
    attributes: Attributes = {DB_SYSTEM_NAME: SYSTEM, DB_OPERATION_NAME: name}
    attributes[DB_QUERY_SUMMARY] = f"{name} {collection}" if collection else name
    project = _located(call, "project_name", "ProjectName")
    if project:
        attributes[DB_NAMESPACE] = project
    if collection:
        attributes[DB_COLLECTION_NAME] = collection
    if call.endpoint.is_http:  # an embedded database has no server
        attributes[SERVER_ADDRESS] = call.endpoint.host
        attributes[SERVER_PORT] = call.endpoint.port or _PORTS[call.endpoint.scheme]
    return attributes


def of_this_call(call: Call) -> Attributes:
    """What is known besides, for the span alone."""
    attributes: Attributes = {DOMAIN: call.client.domain}
    index = _located(call, "index_name", "IndexName")
    if index:
        attributes[INDEX_NAME] = index
    if call.rows is not None:
        attributes[REQUEST_ROWS] = call.rows
    return attributes


def of_failure(error: BaseException) -> Attributes:
    """How a call failed: the service's code, or the class of the exception when the service gave none."""
    if not isinstance(error, APIError):
        return {ERROR_TYPE: type(error).__name__}
    code = error.code if error.code is not None else error.status_code
    if code is None:
        return {ERROR_TYPE: type(error).__name__}
    return {DB_RESPONSE_STATUS_CODE: str(code), ERROR_TYPE: str(code)}


def returned_rows(call: Call, result: Any) -> int | None:
    """How many rows of a collection came back; ``None`` when the operation returns none."""
    if not _located(call, "collection_name", "resource_id"):
        return None
    found = getattr(result, "result", None)
    for name in ("data", "items"):
        listed = found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)
        if isinstance(listed, list):
            return len(listed)
    return None


def _located(call: Call, *names: str) -> str | None:
    return next((call.locator[name] for name in names if name in call.locator), None)
