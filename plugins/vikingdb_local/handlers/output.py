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
    if wanted is None:
        return dict
    available = schema.document_fields
    for name in wanted:
        if name in available or ignore_unknown:
            continue
        if schema.vector is not None and name == schema.vector.name:
            raise invalid(f"output_fields: {name!r} is the vector, which searches do not return; fetch the row instead")
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
