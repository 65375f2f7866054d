"""Aggregate: count rows, in all or by the values of a field."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from vikingdb_core.hints import suggest
from vikingdb_vector import models as m
from vikingdb_vector.models import FieldType

from ..engine.columns import Numbers, Texts
from ..engine.schema import Field
from ..engine.scoring import Rows
from ..engine.segment import Snapshot
from ..errors import invalid, json_type, missing, not_implemented, shown
from ..session import Call, Session
from .recall import Recall, open_recall

_GROUPABLE = (FieldType.STRING, FieldType.INT64, FieldType.BOOL)


def aggregate(session: Session, call: Call[m.AggRequest]) -> Any:
    """Count. Groups come largest first unless ``order`` says otherwise; booleans are ``true`` and ``false``."""
    request = call.request
    if not request.op:
        raise missing("give op: count")
    if request.op != "count":
        if request.calc_value_on or "vector" in request.op:
            raise not_implemented(f"aggregate op {shown(request.op)}", "only count is there")
        raise invalid(f"op {shown(request.op)} is not known; it is count.{suggest(request.op, ['count'])}")
    for name in ("calc_value_on", "ids", "weights"):
        if getattr(request, name):
            raise not_implemented(f"aggregate parameter {name}", "leave it out")
    if request.order not in (None, "asc", "desc"):
        raise invalid(f"order {shown(request.order)} is neither asc nor desc")
    recall = open_recall(session, call)
    if not any(field.type in _GROUPABLE for field in recall.index.scalar_fields.values()):
        raise invalid(f"count needs a string, int64 or bool field in the scalar index of {recall.index.name!r}")
    field = _group_field(request, recall)
    if field is None:
        if request.cond is not None:
            raise invalid("cond keeps groups by their count; give field to group by, or leave cond out")
        rows, _ = recall.rows(recall.collection.snapshot())
        return {"op": "count", "field": "__NONE__", "agg": {"__TOTAL__": len(rows)}}
    keeps = _condition(request)
    snapshot = recall.collection.snapshot()
    groups = [(value, count) for value, count in _count(snapshot, recall.rows(snapshot)[0], field) if keeps(count)]
    groups.sort(key=lambda group: (group[1] if request.order == "asc" else -group[1], group[0]))
    answer = {"op": "count", "field": field.name, "agg": {_spelled(value): count for value, count in groups}}
    return answer if request.group_by is None else {**answer, "group_by": field.name}


def _group_field(request: m.AggRequest, recall: Recall) -> Field | None:
    if request.field and request.group_by and request.field != request.group_by:
        raise invalid("field and group_by name two fields; give one of them")
    name = request.group_by or request.field
    if not name:
        return None
    field = recall.index.scalar_field(name, "field")
    if field.type not in _GROUPABLE:
        raise invalid(f"field {name!r} is {field.type}; rows are grouped by string, int64 and bool fields")
    return field


def _condition(request: m.AggRequest) -> Callable[[int], bool]:
    """Which counts are kept. The service documents ``gt``; its own examples send ``gte`` too."""
    bounds = {"gt": -math.inf, "gte": -math.inf}
    for key, value in (request.cond or {}).items():
        if key not in bounds:
            raise invalid(f"cond has no {shown(key)}; it takes gt or gte, as in {{'gt': 10}}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise invalid(f"cond.{key} must be a number, not {json_type(value)}")
        bounds[key] = value
    return lambda count: count > bounds["gt"] and count >= bounds["gte"]


def _count(snapshot: Snapshot, rows: Rows, field: Field) -> list[tuple[Any, int]]:
    column = snapshot.columns[field.name]
    if isinstance(column, Texts):
        codes = column.codes if len(rows) == len(snapshot) else column.codes[rows]
        counts = np.bincount(codes[codes >= 0])
        return [(column.words.text(code), int(counts[code])) for code in np.flatnonzero(counts).tolist()]
    assert isinstance(column, Numbers)
    values, counts = np.unique(column.values[rows[column.present[rows]]], return_counts=True)
    return list(zip(values.tolist(), counts.tolist(), strict=True))


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
