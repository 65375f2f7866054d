"""Envelope: what the service puts around every answer, in its two shapes.

Flat on the data plane; ``ResponseMetadata`` and ``Result`` on the control plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from vikingdb_core.messages import REQUEST_ID_HEADER, Headers, Response

from .errors import ServiceError

REGION = "local"


@dataclass(frozen=True)
class Address:
    """What an answer echoes of its request. ``action`` and ``version`` belong to the control plane."""

    request_id: str
    is_control: bool = False
    action: str = ""
    version: str = ""


def succeed(address: Address, result: Any) -> Response:
    """The answer of an operation that was done."""
    if address.is_control:
        return _respond(200, address, {"ResponseMetadata": _metadata(address), "Result": result})
    body = {"code": "Success", "message": "The API call was executed successfully.", "request_id": address.request_id}
    return _respond(200, address, {**body, "result": result})


def fail(address: Address, error: ServiceError) -> Response:
    """The answer of an operation that was refused."""
    if address.is_control:
        metadata = {**_metadata(address), "Error": {"Code": error.code, "Message": error.message}}
        return _respond(error.status, address, {"ResponseMetadata": metadata})
    body = {"code": error.code, "message": error.message, "request_id": address.request_id, "result": None}
    return _respond(error.status, address, body)


def _metadata(address: Address) -> dict[str, Any]:
    return {
        "RequestId": address.request_id,
        "Action": address.action,
        "Version": address.version,
        "Service": "vikingdb",
        "Region": REGION,
    }


def _respond(status: int, address: Address, body: dict[str, Any]) -> Response:
    headers = Headers({"Content-Type": "application/json; charset=utf-8", REQUEST_ID_HEADER: address.request_id})
    # numpy's float32 is written with the fewest digits that read back as the same float32: 0.1, not 0.10000000149.
    return Response(status, headers, orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY))
