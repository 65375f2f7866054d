"""OpenAPI: a description of the API for tools, made from the Operations that clients and the router read.

The control plane is one address with an ``Action``, which OpenAPI cannot tell apart; ``x-actions`` has them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from vikingdb_core.operation import Operation
from vikingdb_core.traits import AuthMode
from vikingdb_vector.domain import DOMAIN
from vikingdb_vector.models import IndexMeta
from vikingdb_vector.models.base import DataRequest
from vikingdb_vector.operations_admin import VERSION

from ..handlers import HANDLERS
from ..version import __version__

_REF = "#/components/schemas/{model}"
_SIGNATURE, _API_KEY = "signature", "apiKey"
_ERROR_STATUSES = {
    "400": "the request makes no sense, or the state of things forbids it",
    "403": "no right",
    "404": "there is no such thing",
    "408": "the body did not come",
    "409": "there is such a thing already",
    "413": "the body is too large",
    "501": "the managed service can do it, the emulator cannot; code NotImplemented",
}
"""What is answered to a request that is refused. No other status means that, and 500 is a fault of the emulator."""

Schema = dict[str, Any]
Schemas = Mapping[tuple[Any, str], Schema]
"""By model and mode."""


@cache
def document(*, is_open: bool) -> bytes:
    """The description, as JSON.

    Args:
        is_open: whether the server asks for no keys.
    """
    operations = [operation for operation in DOMAIN.operations if operation.name in HANDLERS]
    schemas, definitions = _schemas(operations)
    paths: dict[str, Any] = {}
    for operation in operations:
        if operation.plane == "data":
            paths.setdefault(operation.path, {})[operation.method.lower()] = _data(operation, schemas, is_open=is_open)
    control = [operation for operation in operations if operation.plane == "control"]
    paths["/"] = {"post": _control(control, schemas, is_open=is_open)}
    text = {
        "openapi": "3.1.0",
        "info": {
            "title": "vikingdb-local",
            "version": __version__,
            "description": "What the emulator serves of VikingDB's API: the data plane, and the control plane.",
        },
        "paths": paths,
        "components": {"schemas": definitions, **({} if is_open else {"securitySchemes": _security_schemes()})},
    }
    return orjson.dumps(text, option=orjson.OPT_INDENT_2)


class _Generator(GenerateJsonSchema):
    """Parameters that are left out have no default on the wire."""

    def default_schema(self, schema: Any) -> Any:
        return self.generate_inner(schema["schema"])


def _schemas(operations: list[Operation[Any, Any]]) -> tuple[Schemas, Schema]:
    requests: list[tuple[type[BaseModel], JsonSchemaMode]] = [(each.request, "validation") for each in operations]
    answers: list[tuple[type[BaseModel], JsonSchemaMode]] = [(each.response, "validation") for each in operations]
    locator: list[tuple[type[BaseModel], JsonSchemaMode]] = [(IndexMeta, "validation")]
    found, whole = models_json_schema(
        list(dict.fromkeys(requests + answers + locator)),
        by_alias=True,
        ref_template=_REF,
        schema_generator=_Generator,
    )
    return {(model, mode): schema for (model, mode), schema in found.items()}, whole["$defs"]


def _data(operation: Operation[Any, Any], schemas: Schemas, *, is_open: bool) -> Schema:
    described: Schema = {
        "operationId": operation.name,
        "tags": ["data plane"],
        "responses": _responses({"description": "done", **_json(schemas[operation.response, "validation"])}, operation),
        **_security(operation, is_open=is_open),
    }
    if operation.experimental:
        described["description"] = f"Experimental: {operation.experimental}."
    if operation.method != "GET":
        described["requestBody"] = {"required": True, **_json(_body(operation, schemas))}
    return described


def _body(operation: Operation[Any, Any], schemas: Schemas) -> Schema:
    body = schemas[operation.request, "validation"]
    if not issubclass(operation.request, DataRequest):
        return body
    located = {"allOf": [body, schemas[IndexMeta, "validation"]]}
    needed = [{"anyOf": [{"required": [name]} for name in names]} for names in operation.request.required]
    return {"allOf": [*located["allOf"], *needed]}


def _control(operations: list[Operation[Any, Any]], schemas: Schemas, *, is_open: bool) -> Schema:
    bodies = {dict(each.query)["Action"]: schemas[each.request, "validation"] for each in operations}
    metadata = {"type": "object", "required": ["RequestId"], "properties": {"RequestId": {"type": "string"}}}
    answer = {"type": "object", "required": ["ResponseMetadata"], "properties": {"ResponseMetadata": metadata}}
    return {
        "operationId": "control",
        "tags": ["control plane"],
        "parameters": [
            _parameter("Action", {"enum": list(bodies)}),
            _parameter("Version", {"enum": [VERSION]}),
        ],
        "requestBody": {"required": True, **_json({"anyOf": list(bodies.values())})},
        "responses": _responses({"description": "done", **_json(answer)}, operations[0], {"schema": answer}),
        "x-actions": {action: {"request": body} for action, body in bodies.items()},
        **_security(operations[0], is_open=is_open),
    }


def _parameter(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "required": True, "schema": {"type": "string", **schema}}


def _responses(done: Schema, operation: Operation[Any, Any], refused: Schema | None = None) -> Schema:
    envelope: Schema = {
        "type": "object",
        "required": ["code", "message", "request_id"],
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "request_id": {"type": "string"}},
    }
    content = {"application/json": refused or {"schema": envelope}}
    errors = {status: {"description": what, "content": content} for status, what in _ERROR_STATUSES.items()}
    return {"200": done, **errors}


def _json(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _security(operation: Operation[Any, Any], *, is_open: bool) -> Schema:
    if is_open or operation.opaque:
        return {"security": []}
    accepted: list[Schema] = [{_SIGNATURE: []}]
    if AuthMode.API_KEY in operation.auth:
        accepted.append({_API_KEY: []})
    return {"security": accepted}


def _security_schemes() -> Schema:
    return {
        _SIGNATURE: {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Signature V4: HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…",
        },
        _API_KEY: {"type": "http", "scheme": "bearer"},
    }
