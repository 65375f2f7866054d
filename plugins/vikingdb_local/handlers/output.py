"""Output: which fields of a row go back, and parameters about the answer that are not supported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vikingdb_core.hints import suggest
from vikingdb_core.models import RequestModel

from ..engine.schema import Schema
from ..errors import invalid, not_implemented, shown

Selection = Callable[[Mapping[str, Any]], dict[str, Any]]


def select_fields(schema: Schema, wanted: Sequence[str] | None, *, ignore_unknown: bool = False) -> Selection:
    """What to take of a row: everything but vectors when nothing is said, nothing of ``[]``, else what is named."""
    available = schema.document_fields
    if wanted is None:
        return lambda fields: {name: value for name, value in fields.items() if name in available}
    for name in wanted:
        if name in available or ignore_unknown:
            continue
        if name in schema.fields:
            kind = schema.fields[name].type
            raise invalid(f"output_fields: {name!r} is a {kind}, which searches do not return; fetch the row instead")
        raise invalid(f"output_fields: the collection has no field {shown(name)}.{suggest(name, available)}")
    return lambda fields: {name: fields[name] for name in wanted if name in fields}


def refuse_truthy(request: RequestModel, *names: str) -> None:
    """Refuse switches this engine does not have. Switched off they are no matter."""
    for name in names:
        if getattr(request, name):
            raise not_implemented(name, "leave it out")


def refuse_partition(partition: str | int | None) -> None:
    """Refuse a sub-index other than the one there is."""
    if partition not in (None, "", "default"):
        raise not_implemented(f"partitions ({shown(partition)})", "leave partition out")
