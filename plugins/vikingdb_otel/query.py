"""Query text: the filter of a request with its values masked. Field names and operators stay.

Vectors, texts and keywords are no part of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vikingdb_core.encoding import decode

MASK = "?"


def query_text(body: bytes) -> str | None:
    """The filter of a request body as JSON, values replaced by ``?``; ``None`` when there is none.

    A list of values is one ``?``, so that a query has one text however many it asks for.
    """
    if b'"filter"' not in body:
        return None
    try:
        document = decode(body)
    except ValueError:
        return None
    found = document.get("filter") if isinstance(document, Mapping) else None
    if not isinstance(found, Mapping) or not found:
        return None
    return json.dumps(_masked(found), ensure_ascii=False)


def _masked(node: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _shown(name, value) for name, value in node.items()}


def _shown(name: str, value: Any) -> Any:
    if name == "conds" and isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [_masked(item) if isinstance(item, Mapping) else MASK for item in value]
    if name in ("op", "field") and _is_name(value):
        return value
    return MASK


def _is_name(value: Any) -> bool:
    """A word of the query, or several, as a filter over two fields has."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
