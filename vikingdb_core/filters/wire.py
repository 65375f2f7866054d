"""Wire: read a filter from the JSON a request carries.

Every leaf the public documentation names is read; ``georange``, an older spelling, is read as ``geo_range``. Values
pass through the builder, so a filter read from the wire obeys the same rules as one written in Python and ends in the
same normal form: ``parse_filter(f.to_wire()) == f``.

Operators and keys this module does not know are refused rather than dropped: a condition that vanishes widens a search.
Such a filter can still be sent, as a plain dict that is not combined with typed ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from ..exceptions import InvalidRequest
from .builder import F
from .leaves import SYMBOLS, PlaneRange, Range, RangeOut, TimeRange
from .nodes import Filter, MatchAll, all_of, any_of
from .operands import field_name, number

_DEEPEST = 100


def parse_filter(wire: Mapping[str, Any] | Filter) -> Filter:
    """The filter a wire form stands for; a filter is returned as it is.

    Args:
        wire: a decoded JSON object. ``{}`` is the empty filter, which matches every row (the same as ``all_of()``).
            The ``conds`` of ``and`` and ``or`` may hold filters as well as objects.

    Raises:
        InvalidRequest: not a filter the service documents, an operand the builder would refuse, or nesting beyond 100
            levels. ``None`` is refused too: whether there is a filter at all is for the caller to know.
    """
    if isinstance(wire, Mapping) and not wire:
        return MatchAll()
    return _read(wire, "filter", 0)


def _read(node: object, at: str, depth: int) -> Filter:
    if isinstance(node, Filter):
        return node
    if not isinstance(node, Mapping):
        raise InvalidRequest(f"{at} is a {type(node).__name__}; a filter is an object with an 'op', or {{}} alone.")
    if depth > _DEEPEST:
        raise InvalidRequest(f"The filter nests deeper than {_DEEPEST} levels; flatten it.")
    op = node.get("op")
    if op in ("and", "or"):
        _demand_keys(node, at, "conds")
        conds = _listed(node["conds"], at)
        if not conds:
            raise InvalidRequest(f"{at} is an {op!r} of nothing; give it at least one condition.")
        parts = [_read(cond, f"{at}.conds[{index}]", depth + 1) for index, cond in enumerate(conds)]
        return all_of(*parts) if op == "and" else any_of(*parts)
    if not isinstance(op, str) or op not in _LEAVES:
        raise InvalidRequest(f"{at} has no operator this SDK knows; {_suggestion(op)}.")
    return _LEAVES[op](node, at)


def _read_must(node: Mapping[str, Any], at: str) -> Filter:
    _demand_keys(node, at, "field", "conds")
    return F(node["field"]).any_of(_listed(node["conds"], at))


def _read_must_not(node: Mapping[str, Any], at: str) -> Filter:
    _demand_keys(node, at, "field", "conds")
    return F(node["field"]).none_of(_listed(node["conds"], at))


def _read_range(node: Mapping[str, Any], at: str) -> Filter:
    if isinstance(node.get("field"), list | tuple):
        return _read_plane(node, at)
    return _read_numbers(node, at)


def _read_numbers(node: Mapping[str, Any], at: str) -> Range:
    interval = _read_interval(node, at)
    if not isinstance(interval, Range):
        raise InvalidRequest(f"{at} is a {node['op']!r} with times as bounds; times need the operator 'time_range'.")
    return interval


def _read_time_range(node: Mapping[str, Any], at: str) -> Filter:
    interval = _read_interval(node, at)
    if not isinstance(interval, TimeRange):
        raise InvalidRequest(f"{at} is a 'time_range' with numbers as bounds; numbers need the operator 'range'.")
    return interval


def _read_range_out(node: Mapping[str, Any], at: str) -> Filter:
    interval = _read_numbers(node, at)
    return RangeOut(interval.field, interval.bounds)


def _read_interval(node: Mapping[str, Any], at: str) -> Filter:
    _demand_keys(node, at, "field", optional=tuple(SYMBOLS))
    bounds: Any = {name: limit for name, limit in node.items() if name in SYMBOLS}
    return F(node["field"]).range(**bounds)


def _read_geo_range(node: Mapping[str, Any], at: str) -> Filter:
    _demand_keys(node, at, "field", "center", "radius")
    return F(node["field"]).within(node["radius"], of=node["center"])


def _read_plane(node: Mapping[str, Any], at: str) -> Filter:
    _demand_keys(node, at, "field", "center", "radius")
    fields, center = _listed(node["field"], at), _listed(node["center"], at)
    if len(fields) != 2 or len(center) != 2:
        raise InvalidRequest(f"{at} is a range in the plane; give it two fields and a center of two numbers.")
    x, y = field_name(fields[0]), field_name(fields[1])
    return PlaneRange((x, y), (number(x, center[0]), number(y, center[1])), number(x, node["radius"]))


_LEAVES: dict[str, Callable[[Mapping[str, Any], str], Filter]] = {
    "must": _read_must,
    "must_not": _read_must_not,
    "range": _read_range,
    "range_out": _read_range_out,
    "time_range": _read_time_range,
    "geo_range": _read_geo_range,
    "georange": _read_geo_range,
}


def _demand_keys(node: Mapping[str, Any], at: str, *required: str, optional: tuple[str, ...] = ()) -> None:
    for key in required:
        if key not in node:
            raise InvalidRequest(f"{at} is a {node['op']!r} without {key!r}; add it.")
    for key in node:
        if key != "op" and key not in required and key not in optional:
            raise InvalidRequest(
                f"{at} is a {node['op']!r} with the key {key!r}, which typed filters do not know; "
                "drop it, or send the whole filter as a plain dict."
            )


def _listed(values: object, at: str) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise InvalidRequest(f"{at} has a {type(values).__name__} where a list belongs; put its content in [ ].")
    return list(values)


def _suggestion(op: object) -> str:
    known = ["and", "or", *_LEAVES]
    if op == "not":
        return "the service has no 'not', so negate with ~ in Python"
    near = get_close_matches(op, known, n=1) if isinstance(op, str) else []
    return f"is {near[0]!r} meant?" if near else f"its 'op' is one of {', '.join(known)}"
