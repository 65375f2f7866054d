"""Envelope: what every response has around its result, in both shapes the service uses.

Flat (data plane): ``{"code", "message", "request_id", "result" or "data", "api"}``.
Gateway and control plane: ``{"ResponseMetadata": {"RequestId", "Error": {"Code", "Message"}}, "Result"}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .encoding import decode
from .messages import REQUEST_ID_HEADER, Headers, Response

_SUCCESS = frozenset({"success", "0", ""})


@dataclass(frozen=True)
class ParsedEnvelope:
    """A response body, read. ``body`` has the flat shape whichever arrived, or is ``None`` if it was no JSON object."""

    body: dict[str, Any] | None
    code: str | int | None
    message: str | None
    request_id: str | None

    @property
    def is_success(self) -> bool:
        return self.code is None or str(self.code).strip().lower() in _SUCCESS


def read_envelope(response: Response) -> ParsedEnvelope:
    """Read a response of either shape. Never raises: a proxy may answer with anything."""
    from_header = response.headers.get(REQUEST_ID_HEADER)
    try:
        document = decode(response.body)
    except ValueError:
        return ParsedEnvelope(None, None, _plain_text(response), from_header)
    if type(document) is not dict or not document:
        return ParsedEnvelope(None, None, _plain_text(response), from_header)
    metadata = document.get("ResponseMetadata")
    body = _flatten(document, metadata) if isinstance(metadata, dict) else document
    body["request_id"] = _text(body.get("request_id")) or from_header
    code = body.get("code")
    return ParsedEnvelope(
        body,
        code if isinstance(code, str | int) else None,
        _text(body.get("message")),
        body["request_id"],
    )


def _flatten(document: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    error = metadata.get("Error")
    body: dict[str, Any] = {"request_id": metadata.get("RequestId"), "api": metadata.get("Action")}
    if isinstance(error, Mapping):
        code = error.get("Code") or error.get("CodeN") or error.get("code") or "Unknown"
        body |= {"code": code, "message": error.get("Message") or error.get("message")}
        body["request_id"] = body["request_id"] or error.get("RequestId")
    else:
        body |= {"code": "Success", "message": None, "result": document.get("Result")}
    return body


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _plain_text(response: Response) -> str | None:
    text = " ".join(response.body[:4096].decode("utf-8", "replace").split())
    return text[:200] or None


def retry_after(headers: Headers, now: float) -> float | None:
    """Seconds to wait by the ``Retry-After`` header (a number or an HTTP date), or ``None``."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = _http_date(value)
        if moment is None:
            return None
        seconds = moment - now
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def seconds_ahead(headers: Headers, now: float) -> float | None:
    """How far this machine's clock is ahead of the server's ``Date``, or ``None`` when it does not say."""
    moment = _http_date(headers.get("Date", ""))
    return None if moment is None else now - moment


def _http_date(value: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return None
