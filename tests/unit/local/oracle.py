"""An oracle: what a collection holds and what searches of it find, read off the specification in lists and loops.

It shares no code with the engine, and no idea: nothing is kept but rows in a dictionary, and everything is computed
from them when it is asked for. Numbers are rounded to single precision where the wire does it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]
Key = int | str

AUTO_ID = "__AUTO_ID__"
TYPE_DEFAULTS: dict[str, Any] = {
    "int64": 0,
    "float32": 0.0,
    "string": "default",
    "bool": False,
    "list<string>": ["default"],
    "list<int64>": [0],
}
OPTIONAL = {"sparse_vector", "image", "video"}
VECTORS = {"vector", "sparse_vector"}
EARTH_RADIUS_M = 6371000
LARGEST = (2 - 2.0**-23) * 2.0**127


@dataclass
class Kind:
    """A field: its type, and the default its definition gives it."""

    type: str
    default: Any = None

    @property
    def fallback(self) -> Any:
        return TYPE_DEFAULTS.get(self.type) if self.default is None else self.default


@dataclass
class Shape:
    """A collection and the one index of it. ``key`` is the generated one where none is declared."""

    fields: dict[str, Kind]
    key: str
    covered: list[str]
    distance: str | None = None
    is_hybrid: bool = False
    words: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def of_type(self, *types: str) -> list[str]:
        return [name for name, kind in self.fields.items() if kind.type in types]

    def name_of(self, type: str) -> str | None:
        return next(iter(self.of_type(type)), None)

    def filterable(self, *types: str) -> list[str]:
        return [name for name in self.of_type(*types) if name in self.covered]


@dataclass
class Kept:
    """A row, and when it ends."""

    fields: Row
    expires_ms: int | None


class Refused(Exception):
    """The whole call is refused; the code says why."""


class Oracle:
    """The rows of one collection."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.now_ms = 0
        self._rows: dict[Key, Kept] = {}

    @property
    def rows(self) -> dict[Key, Row]:
        """Those that are alive."""
        return {
            key: kept.fields
            for key, kept in self._rows.items()
            if kept.expires_ms is None or kept.expires_ms > self.now_ms
        }

    def whole(self, row: Row) -> Row:
        """A row to insert as it is kept, without a generated key."""
        fields = {}
        for name, kind in self.shape.fields.items():
            if name in row:
                fields[name] = kept_form(kind.type, row[name])
            elif kind.type not in OPTIONAL:
                if kind.fallback is None or name == self.shape.key:
                    raise Refused("InvalidParameter")
                fields[name] = kept_form(kind.type, kind.fallback)
        return fields

    def upsert(self, rows: Iterable[tuple[Key, Row]], ttl: int | None) -> None:
        for key, row in rows:
            self._rows[key] = Kept(row, self.now_ms + ttl * 1000 if ttl else None)

    def update(self, rows: Sequence[Row], ttl: int | None) -> None:
        alive = self.rows
        if any(row[self.shape.key] not in alive for row in rows):
            raise Refused("NotFound.VikingdbData")
        for row in rows:
            kept = self._rows[row[self.shape.key]]
            changed = {name: kept_form(self.shape.fields[name].type, row[name]) for name in row if name != AUTO_ID}
            expires = kept.expires_ms if ttl is None else self.now_ms + ttl * 1000 if ttl else None
            self._rows[row[self.shape.key]] = Kept({**kept.fields, **changed}, expires)

    def delete(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._rows.pop(key, None)

    def add_field(self, name: str, kind: Kind) -> None:
        self.shape.fields[name] = kind
        for kept in self._rows.values():
            if kind.fallback is not None:
                kept.fields[name] = kept_form(kind.type, kind.fallback)

    def document(self, key: Key, wanted: Sequence[str] | None) -> Row:
        """What a hit shows of a row."""
        row = self._rows[key].fields
        if self.shape.key == AUTO_ID:
            row = {AUTO_ID: key, **row}
        names = [name for name in row if name == AUTO_ID or self.shape.fields[name].type not in VECTORS]
        return {name: row[name] for name in (names if wanted is None else wanted) if name in row}

    def matching(self, node: Row | None) -> dict[Key, Row]:
        return {key: row for key, row in self.rows.items() if not node or matches(node, row, self.shape)}


def single(number: float) -> float:
    """The nearest number of single precision, which ends at ``LARGEST``."""
    value: float = struct.unpack("<f", struct.pack("<f", max(-LARGEST, min(LARGEST, number))))[0]
    return value


def shortest(number: float) -> float:
    """What is written for a number of single precision: the fewest digits that lead back to it."""
    exact = single(number)
    return next(value for digits in range(1, 18) if single(value := float(f"{exact:.{digits}g}")) == exact)


def kept_form(type: str, value: Any) -> Any:
    if type == "float32":
        return shortest(value)
    if type == "vector":
        return [shortest(number) for number in value]
    if type == "sparse_vector":
        return {token: shortest(weight) for token, weight in value.items()}
    return value


def matches(node: Row, row: Row, shape: Shape) -> bool:
    op = node["op"]
    if op in ("and", "or"):
        parts = [matches(part, row, shape) for part in node["conds"]]
        return all(parts) if op == "and" else any(parts)
    if isinstance(node["field"], list):
        places = [row.get(name) for name in node["field"]]
        return None not in places and math.dist(map(float, places), node["center"]) <= node["radius"]  # type: ignore[arg-type]
    value = row.get(node["field"])
    if op == "must_not":
        return not _is_any(value, node["conds"])
    if value is None:
        return False
    if op == "must":
        return _is_any(value, node["conds"])
    if op == "geo_range":
        return geo_distance(value, node["center"]) <= float(node["radius"].removesuffix("m"))
    bounds = {side: node[side] for side in _COMPARE if side in node}
    if "gte" in bounds:
        bounds.pop("gt", None)
    if "lte" in bounds:
        bounds.pop("lt", None)
    read = _READ.get(shape.fields[node["field"]].type, lambda value: value)
    inside = [_COMPARE[side](read(value), read(bound)) for side, bound in bounds.items()]
    if op != "range_out":
        return all(inside)
    low, high = map(read, bounds.values())
    return any(inside) if low > high else not all(inside)


_READ: dict[str, Callable[[Any], Any]] = {"float32": single, "date_time": lambda text: instant(text)}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def _is_any(value: Any, conds: Sequence[Any]) -> bool:
    if isinstance(value, list):
        return any(element in conds for element in value)
    return value in conds


def instant(text: str) -> float:
    """Milliseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def geo_distance(one: str, other: str) -> float:
    """Metres, by the angle between two points as seen from the middle of the Earth."""
    (lon1, lat1), (lon2, lat2) = ([math.radians(float(part)) for part in point.split(",")] for point in (one, other))
    x, y, z = (
        math.cos(lat1) * math.cos(lon1) - math.cos(lat2) * math.cos(lon2),
        math.cos(lat1) * math.sin(lon1) - math.cos(lat2) * math.sin(lon2),
        math.sin(lat1) - math.sin(lat2),
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.hypot(x, y, z) / 2))


def dense_score(distance: str | None, row: Sequence[float], query: Sequence[float]) -> float:
    row, query = list(map(single, row)), list(map(single, query))
    product = math.fsum(a * b for a, b in zip(row, query, strict=True))
    if distance == "ip":
        return product
    if distance == "l2":
        return 1 - math.fsum((a - b) ** 2 for a, b in zip(row, query, strict=True))
    lengths = math.hypot(*row) * math.hypot(*query)
    return product / lengths if lengths else 0.0


def sparse_score(row: Mapping[str, float] | None, query: Mapping[str, float]) -> float:
    return math.fsum(single(weight) * single((row or {}).get(token, 0)) for token, weight in query.items())


def ranked(scores: Mapping[Key, float], *, ascending: bool = False) -> list[tuple[Key, float]]:
    """Best first, equal scores (as the wire has them) by key."""
    known = {key: score if isinstance(score, int) else single(score) for key, score in scores.items()}
    return sorted(known.items(), key=lambda item: (item[1] if ascending else -item[1], item[0]))
