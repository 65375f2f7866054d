"""Filters: the service's filter language, evaluated to which rows of a snapshot match.

A filter is checked and evaluated in one walk, over no rows too. Where the language's documents are silent:

* ``must`` with no values matches nothing, ``must_not`` with none everything; for a list field, "is" means "has".
* ``gte`` wins over ``gt``, ``lte`` over ``lt``. Contradictory bounds match nothing.
* ``range_out`` with crossed bounds (``gt: 500, lt: 100``) means what it says; otherwise it is everything outside.
* A bound on a float32 field is taken at single precision, as the values are.
* A row without a value matches nothing but ``must_not``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from vikingdb_core.hints import suggest
from vikingdb_vector.models import FieldType

from ..errors import invalid, json_type, shown
from .columns import Lists, Numbers, Points, Texts, View
from .geo import parse_point, parse_radius
from .indexing import Index
from .instants import parse_instant
from .segment import Snapshot
from .which import Mask, Which, all_but, both, either

MAX_DEPTH = 64

AnyView = TypeVar("AnyView", bound=View)

_INT64 = np.iinfo(np.int64)
_NUMBERS = {FieldType.INT64, FieldType.FLOAT32}
_ELEMENT = {FieldType.LIST_STRING: FieldType.STRING, FieldType.LIST_INT64: FieldType.INT64}
_COUNTABLE = {FieldType.STRING, FieldType.INT64, FieldType.BOOL, *_ELEMENT}
_BOUNDS = ("gt", "gte", "lt", "lte")


def matching(filter: Mapping[str, Any], index: Index, snapshot: Snapshot) -> Which:
    """Which rows match; ``{}`` is every row."""
    if not filter:
        return np.ones(len(snapshot), np.bool_)
    return _Evaluation(index, snapshot).node(filter, "filter", 1)


def matching_all(conds: Sequence[Any], index: Index, snapshot: Snapshot, where: str) -> Which:
    """Which rows match all of some filters, none of which may be empty."""
    evaluation = _Evaluation(index, snapshot)
    every: Which = np.ones(len(snapshot), np.bool_)
    nodes = (evaluation.node(node, f"{where}[{position}]", 1) for position, node in enumerate(conds))
    return reduce(both, nodes, every)


class _Evaluation:
    def __init__(self, index: Index, snapshot: Snapshot) -> None:
        self._index = index
        self._snapshot = snapshot

    def node(self, node: Any, where: str, depth: int) -> Which:
        if not isinstance(node, Mapping):
            raise invalid(f"{where} must be an object with an op, not {json_type(node)}")
        if depth > MAX_DEPTH:
            raise invalid(f"the filter is nested more than {MAX_DEPTH} deep; flatten it")
        op = node.get("op")
        if op is None:
            raise invalid(f"{where} has no op; it is one of: {', '.join((*_LOGIC, *_LEAVES))}")
        if not isinstance(op, str) or (op not in _LOGIC and op not in _LEAVES):
            hint = suggest(op, [*_LOGIC, *_LEAVES]) if isinstance(op, str) else ""
            raise invalid(f"{where}.op {shown(op)} is none of: {', '.join((*_LOGIC, *_LEAVES))}.{hint}")
        if op in _LOGIC:
            return self._combine(node, op, where, depth)
        keys, evaluate = _LEAVES[op]
        _check_keys(node, keys, where)
        return evaluate(self, node, where)

    def _combine(self, node: Mapping[str, Any], op: str, where: str, depth: int) -> Which:
        _check_keys(node, ("conds",), where)
        parts = _array(node, "conds", where)
        if not parts:
            raise invalid(f"{where}: {op!r} needs one condition or more in conds")
        each = [self.node(part, f"{where}.conds[{position}]", depth + 1) for position, part in enumerate(parts)]
        return reduce(both if op == "and" else self._either, each)

    def must(self, node: Mapping[str, Any], where: str) -> Which:
        name, kind = self._field(node, where, _COUNTABLE)
        wanted = _scalars(_array(node, "conds", where), _ELEMENT.get(kind, kind), where)
        column = self._snapshot.columns[name]
        assert isinstance(column, Numbers | Texts | Lists)
        return column.is_any_of(wanted)

    def must_not(self, node: Mapping[str, Any], where: str) -> Which:
        return self._all_but(self.must(node, where))

    def range(self, node: Mapping[str, Any], where: str) -> Which:
        if isinstance(node.get("field"), list):
            return self._circle(node, where)
        _refuse_keys(node, ("center", "radius"), where, "go with a pair of fields, or with geo_range")
        name, kind = self._field(node, where, _NUMBERS)
        return self._column(name, Numbers).between(_number_bounds(node, kind, where))

    def range_out(self, node: Mapping[str, Any], where: str) -> Which:
        name, kind = self._field(node, where, _NUMBERS)
        bounds = _number_bounds(node, kind, where)
        if len(bounds) < 2:
            raise invalid(f"{where}: range_out needs a lower and an upper bound; for one bound use range")
        (lower, low), (upper, high) = bounds.items()
        column = self._column(name, Numbers)
        if low > high:
            return self._either(column.between({lower: low}), column.between({upper: high}))
        return both(column.present, self._all_but(column.between(bounds)))

    def time_range(self, node: Mapping[str, Any], where: str) -> Which:
        name, _ = self._field(node, where, {FieldType.DATE_TIME})
        return self._column(name, Numbers).between(
            {bound: _instant(limit, f"{where}.{bound}") for bound, limit in _bounds(node, where).items()}
        )

    def geo_range(self, node: Mapping[str, Any], where: str) -> Which:
        name, _ = self._field(node, where, {FieldType.GEO_POINT})
        center = _parsed(parse_point, node.get("center"), f"{where}.center")
        radius = _parsed(parse_radius, node.get("radius"), f"{where}.radius")
        return self._column(name, Points).is_within(center, radius)

    def _circle(self, node: Mapping[str, Any], where: str) -> Mask:
        """Two number fields within a circle in the plane; an older form of ``range``."""
        _refuse_keys(node, _BOUNDS, where, "go with one field; a pair of fields takes center and radius")
        names, center, radius = _array(node, "field", where), _array(node, "center", where), node.get("radius")
        if len(names) != 2 or len(center) != 2:
            raise invalid(f"{where}: a circle needs two fields and the two numbers of its center")
        x, y = (_number(number, f"{where}.center") for number in center)
        r = _number(radius, f"{where}.radius")
        if r < 0:
            raise invalid(f"{where}.radius is {r}; it must not be negative")
        views = [self._column(self._named(name, where, _NUMBERS)[0], Numbers) for name in names]
        squared = sum(
            (view.values.astype(np.float64) - origin) ** 2 for view, origin in zip(views, (x, y), strict=True)
        )
        return np.asarray(squared <= r * r) & views[0].present & views[1].present

    def _either(self, one: Which, other: Which) -> Which:
        return either(one, other, len(self._snapshot))

    def _all_but(self, which: Which) -> Mask:
        return all_but(which, len(self._snapshot))

    def _field(self, node: Mapping[str, Any], where: str, kinds: Collection[FieldType]) -> tuple[str, FieldType]:
        return self._named(node.get("field"), where, kinds)

    def _named(self, name: Any, where: str, kinds: Collection[FieldType]) -> tuple[str, FieldType]:
        if not isinstance(name, str) or not name:
            raise invalid(f"{where}.field must be the name of a field, not {json_type(name)}")
        field = self._index.scalar_field(name, where)
        if field.type not in kinds:
            raise invalid(
                f"{where}: field {name!r} is {field.type}, but this op takes {', '.join(sorted(kinds))}."
                f"{_HINTS.get(field.type, '')}"
            )
        return name, field.type

    def _column(self, name: str, kind: type[AnyView]) -> AnyView:
        column = self._snapshot.columns[name]
        assert isinstance(column, kind)
        return column


_LOGIC = ("and", "or")
_LEAVES: Mapping[str, tuple[tuple[str, ...], Callable[[_Evaluation, Mapping[str, Any], str], Which]]] = {
    "must": (("field", "conds"), _Evaluation.must),
    "must_not": (("field", "conds"), _Evaluation.must_not),
    "range": (("field", "center", "radius", *_BOUNDS), _Evaluation.range),
    "range_out": (("field", *_BOUNDS), _Evaluation.range_out),
    "time_range": (("field", *_BOUNDS), _Evaluation.time_range),
    "geo_range": (("field", "center", "radius"), _Evaluation.geo_range),
    "georange": (("field", "center", "radius"), _Evaluation.geo_range),  # the older spelling
}
_HINTS = {
    FieldType.DATE_TIME: " Dates are compared with time_range.",
    FieldType.GEO_POINT: " Points are compared with geo_range.",
    FieldType.FLOAT32: " Fractions are compared with range.",
    FieldType.INT64: " Integers are compared with must and range.",
}


def _check_keys(node: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key, value in node.items():
        if key != "op" and key not in keys and value is not None:
            raise invalid(
                f"{where}: {node['op']!r} has no {shown(key)}; it takes {', '.join(keys)}.{suggest(key, keys)}"
            )


def _refuse_keys(node: Mapping[str, Any], keys: tuple[str, ...], where: str, why: str) -> None:
    for key in keys:
        if node.get(key) is not None:
            raise invalid(f"{where}: {' and '.join(keys)} {why}")


def _array(node: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = node.get(key)
    if not isinstance(value, list):
        raise invalid(f"{where}.{key} must be an array, not {json_type(value)}")
    return value


def _scalars(conds: list[Any], kind: FieldType, where: str) -> set[Any]:
    python = {FieldType.STRING: str, FieldType.INT64: int, FieldType.BOOL: bool}[kind]
    for position, value in enumerate(conds):
        if type(value) is not python:
            raise invalid(f"{where}.conds[{position}] is {json_type(value)}, but the field holds {kind} values")
    # JSON may have integers of up to 64 bits without a sign; no row can have those.
    return {value for value in conds if kind is not FieldType.INT64 or _INT64.min <= value <= _INT64.max}


def _bounds(node: Mapping[str, Any], where: str) -> dict[str, Any]:
    given = {bound: node[bound] for bound in _BOUNDS if node.get(bound) is not None}
    if not given:
        raise invalid(f"{where}: {node['op']!r} needs one or two bounds: {', '.join(_BOUNDS)}")
    if "gte" in given:
        given.pop("gt", None)
    if "lte" in given:
        given.pop("lt", None)
    return given


def _number_bounds(node: Mapping[str, Any], kind: FieldType, where: str) -> dict[str, Any]:
    bounds = {bound: _number(limit, f"{where}.{bound}") for bound, limit in _bounds(node, where).items()}
    if kind is FieldType.FLOAT32:
        with np.errstate(over="ignore"):
            return {bound: np.float32(limit) for bound, limit in bounds.items()}
    return bounds


def _number(value: Any, where: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"{where} must be a number, not {json_type(value)}")
    return value


def _instant(value: Any, where: str) -> int:
    return int(_parsed(parse_instant, value, where))


def _parsed(parse: Callable[[str], Any], value: Any, where: str) -> Any:
    if not isinstance(value, str):
        raise invalid(f"{where} must be a string, not {json_type(value)}")
    try:
        return parse(value)
    except ValueError as error:
        raise invalid(f"{where} {shown(value)} {error}") from error
