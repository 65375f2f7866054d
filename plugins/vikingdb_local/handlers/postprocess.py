"""Post-processing: operators on the hits of a search, in the order of the request (``advance.post_process_ops``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from vikingdb_vector.models import FieldType

from ..engine.columns import Numbers, Points, Texts
from ..engine.fusion import Decay, Fusion, Normaliser, total
from ..engine.geo import distance_m, parse_point, parse_radius
from ..engine.instants import parse_duration, parse_instant
from ..engine.patterns import compile_pattern
from ..engine.schema import Field, Schema
from ..engine.scoring import Hit
from ..engine.segment import Snapshot
from ..errors import invalid, shown
from .parameters import Parameters

Operator = Callable[[Snapshot, Sequence[Hit]], list[Hit]]
"""From hits, best first, to those that stay, best first."""

_NUMBERS = (FieldType.INT64, FieldType.FLOAT32)
_MEASURED = (*_NUMBERS, FieldType.DATE_TIME, FieldType.GEO_POINT)
_ENDLESS = float("inf")


def read_operators(given: Sequence[Mapping[str, Any]] | None, schema: Schema, now_ms: int) -> list[Operator]:
    """The operators of a request, checked."""
    operators = []
    for position, item in enumerate(given or ()):
        parameters = Parameters(item, f"advance.post_process_ops[{position}]")
        read = _OPERATORS[parameters.one_of("op", _OPERATORS)]
        operators.append(read(parameters, schema, now_ms))
        parameters.finish()
    return operators


def _string_contain(given: Parameters, schema: Schema, now_ms: int) -> Operator:
    """Keep rows whose text has the pattern in it, literally."""
    name, pattern = _field(given, schema, (FieldType.STRING,)).name, given.text("pattern")
    return partial(_keep, name, lambda text: pattern in text)


def _string_match(given: Parameters, schema: Schema, now_ms: int) -> Operator:
    """Keep rows in whose text the regular expression is found."""
    name, pattern = _field(given, schema, (FieldType.STRING,)).name, given.text("pattern")
    return partial(_keep, name, compile_pattern(pattern, given.path("pattern")))


def _keep(name: str, holds: Callable[[str], bool], snapshot: Snapshot, hits: Sequence[Hit]) -> list[Hit]:
    column = snapshot.columns[name]
    assert isinstance(column, Texts)
    verdicts: dict[int, bool] = {-1: False}  # one for each distinct text; -1 is none
    codes = column.codes[[hit.row for hit in hits]].tolist()
    for code in codes:
        if code not in verdicts:
            verdicts[code] = holds(column.words.text(code))
    return [hit for hit, code in zip(hits, codes, strict=True) if verdicts[code]]


def _enum_freq_limiter(given: Parameters, schema: Schema, now_ms: int) -> Operator:
    """Keep so many rows of each text, the best."""
    name, most = _field(given, schema, (FieldType.STRING,)).name, given.number("threshold", 0)
    if most < 1 or most != int(most):
        raise invalid(f"{given.path('threshold')} must be a whole number from 1 on")

    def limit(snapshot: Snapshot, hits: Sequence[Hit]) -> list[Hit]:
        column, seen, kept = snapshot.columns[name], Counter[int](), []
        assert isinstance(column, Texts)
        for hit in hits:
            code = int(column.codes[hit.row])
            seen[code] += 1
            if seen[code] <= most:
                kept.append(hit)
        return kept

    return limit


def _score_fusion(given: Parameters, schema: Schema, now_ms: int) -> Operator:
    """Score rows anew."""
    fusion = Fusion(
        given.one_of("fusion_by", ("add", "multiply")),
        given.number("addition_score_weight", 0.5, "between 0 and 1, both excluded", within=(0, 1)),
        _normaliser(given, "normalize_for_origin_score"),
        _normaliser(given, "normalize_for_addition_score"),
    )
    if fusion.by == "multiply" and given.get("addition_score_weight") is not None:
        raise invalid(f"{given.path('addition_score_weight')} goes with fusion_by add; leave it out")
    bases = [
        _base(Parameters(item, f"{given.path('addition_score')}[{position}]"), schema, now_ms)
        for position, item in enumerate(given.array("addition_score"))
    ]

    def fuse(snapshot: Snapshot, hits: Sequence[Hit]) -> list[Hit]:
        rows = np.array([hit.row for hit in hits], np.intp)
        origins = np.array([hit.score for hit in hits], np.float64)
        additions = total([(factor, base(snapshot, rows)) for factor, base in bases], len(hits))
        fused = zip(hits, fusion.fuse(origins, additions).tolist(), additions.tolist(), strict=True)
        scored = [
            hit._replace(score=score, origin=hit.score if hit.origin is None else hit.origin, addition=addition)
            for hit, score, addition in fused
        ]
        scored.sort(key=lambda hit: -hit.score)  # stable: equal scores stay in their order
        return scored

    return fuse


def _normaliser(given: Parameters, name: str) -> Normaliser:
    if given.get(name) is None:
        return Normaliser()
    inner = Parameters(given.get(name), given.path(name))
    func = inner.one_of("func", ("arctan", "min_max"), "arctan")
    read = Normaliser(
        func if inner.flag("enable", True) else None,
        inner.factor("arctan_factor"),
        inner.number("arctan_offset", 0),
    )
    inner.finish()
    return read


Base = Callable[[Snapshot, Any], Any]


def _base(given: Parameters, schema: Schema, now_ms: int) -> tuple[float, Base]:
    """The factor of a part of the addition, and its values by row; NaN where a row has none."""
    factor = given.factor("factor")
    if given.one_of("base_value_from", ("scalar_field", "decay_func")) == "scalar_field":
        name = _field(given, schema, _NUMBERS).name
        given.finish()
        return factor, partial(_values, name)
    field = _field(given, schema, _MEASURED)
    measure, distances = _distances(given, field, now_ms)
    decay = Decay(
        given.one_of("func", ("linear", "exp", "gauss")),
        _above_zero(given, "scale", measure),
        measure(given, "offset") if given.get("offset") is not None else 0.0,
        given.number("decay", 0.5, "between 0 and 1, both excluded", within=(0, 1)),
    )
    if decay.offset < 0:
        raise invalid(f"{given.path('offset')} must not be negative")
    given.finish()
    return factor, lambda snapshot, rows: decay.at(distances(snapshot, rows))


def _distances(given: Parameters, field: Field, now_ms: int) -> tuple[Callable[[Parameters, str], float], Base]:
    """How lengths are written for the field's type, and how far rows are from the origin."""
    origin = given.get("origin")
    if field.type is FieldType.GEO_POINT:
        center = _parsed(parse_point, given.text("origin"), given.path("origin"))

        def away(snapshot: Snapshot, rows: Any) -> Any:
            column = snapshot.columns[field.name]
            assert isinstance(column, Points)
            return distance_m(column.lon[rows], column.lat[rows], center)

        return lambda part, name: _parsed(parse_radius, part.text(name), part.path(name)), away
    if field.type is FieldType.DATE_TIME:
        start = now_ms * 1000 if origin is None else _parsed(parse_instant, given.text("origin"), given.path("origin"))
        return (
            lambda part, name: _parsed(parse_duration, part.text(name), part.path(name)),
            lambda snapshot, rows: np.abs(_values(field.name, snapshot, rows) - start),
        )
    middle = given.number("origin", 0)
    return lambda part, name: part.number(name, 0), lambda snapshot, rows: np.abs(
        _values(field.name, snapshot, rows) - middle
    )


def _values(name: str, snapshot: Snapshot, rows: Any) -> Any:
    column = snapshot.columns[name]
    assert isinstance(column, Numbers)
    return np.where(column.present[rows], column.values[rows].astype(np.float64), np.nan)


def _above_zero(given: Parameters, name: str, measure: Callable[[Parameters, str], float]) -> float:
    value = measure(given, name)
    if not 0 < value < _ENDLESS:
        raise invalid(f"{given.path(name)} must be given and above 0")
    return value


def _field(given: Parameters, schema: Schema, kinds: Sequence[FieldType]) -> Field:
    name = given.text("field")
    field = schema.document_fields.get(name)
    if field is None:
        raise invalid(f"{given.path('field')}: the collection has no field {shown(name)}")
    if field.type not in kinds:
        raise invalid(f"{given.path('field')}: field {name!r} is {field.type}; it must be {' or '.join(kinds)}")
    return field


def _parsed(parse: Callable[[str], Any], text: str, where: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise invalid(f"{where} {shown(text)} {error}") from error


_OPERATORS: Mapping[str, Callable[[Parameters, Schema, int], Operator]] = {
    "string_contain": _string_contain,
    "string_match": _string_match,
    "enum_freq_limiter": _enum_freq_limiter,
    "score_fusion": _score_fusion,
}
