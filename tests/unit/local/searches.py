"""Searches for the oracle: strategies for what a request may ask of a collection."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.local.oracle import AUTO_ID, VECTORS, Key, Row, Shape
from tests.unit.local.worlds import POINTS, QUERIES, filters, instants, known_keys, sparse, vectors

Strategy = st.SearchStrategy[Any]


LIMITS = st.sampled_from([None, 1, 2, 4, 100_000])
OFFSETS = st.sampled_from([None, 0, 0, 1, 3])
ASKED = st.lists(st.sampled_from(QUERIES), min_size=1, max_size=3)
FUNCTIONS = st.sampled_from(["linear", "exp", "gauss"])
LENGTHS: dict[str, Strategy] = {
    "int64": st.sampled_from([1, 7.5]),
    "float32": st.sampled_from([1, 7.5]),
    "date_time": st.sampled_from(["1h", "2.5h"]),
    "geo_point": st.sampled_from(["100m", "900000m"]),
}
ORIGINS = {**{type: st.sampled_from([0, 0.5, -3]) for type in ("int64", "float32")}, "date_time": instants()}
NORMALISERS = st.sampled_from(
    [
        None,
        {"func": "min_max"},
        {"func": "arctan", "arctan_factor": 0.5, "arctan_offset": 1},
        {"enable": False},
    ]
)


def kinds(shape: Shape) -> list[str]:
    """Which searches a collection can answer."""
    able = ["random"]
    able += ["vector"] * 5 + ["id"] * 2 if shape.distance else []
    able += ["scalar"] * 3 if shape.filterable("int64", "float32") else []
    able += ["keywords"] * 4 if shape.words else []
    return able


@st.composite
def searches(draw: st.DrawFn, shape: Shape, there: list[Key]) -> tuple[str, Row]:
    """A kind of search and its request."""
    kind, body = draw(st.sampled_from(kinds(shape))), _common(draw, shape, there)
    advance: Row = body["advance"]
    if kind == "vector":
        body["dense_vector"] = draw(vectors)
        if shape.is_hybrid and draw(st.integers(0, 3)):
            body["sparse_vector"] = draw(sparse)
            advance["dense_weight"] = draw(st.sampled_from([None, 0.2, 0.5, 1]))
    elif kind == "id":
        body["id"] = draw(known_keys(shape, there))
    elif kind == "scalar":
        body["field"] = draw(st.sampled_from(shape.filterable("int64", "float32")))
        body["order"] = draw(st.sampled_from([None, "asc", "desc"]))
    elif kind == "keywords":
        body |= _words(draw, shape)
    if kind != "random" and draw(st.integers(0, 2)) == 0:
        operators = [_operator(draw, shape) for _ in range(draw(st.integers(1, 2)))]
        advance["post_process_ops"] = [operator for operator in operators if operator]
        if draw(st.booleans()):
            advance["post_process_input_limit"] = min((body["limit"] or 10) + draw(st.integers(0, 2)), 100_000)
    return kind, body


def _common(draw: st.DrawFn, shape: Shape, there: list[Key]) -> Row:
    """What every search may say."""
    names = [name for name, kind in shape.fields.items() if kind.type not in VECTORS]
    names += [AUTO_ID] if shape.key == AUTO_ID else []
    wanted = draw(st.integers(0, 3))
    advance = {}
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(["ids_in", "ids_not_in"]))
        advance[name] = draw(st.lists(known_keys(shape, there), max_size=5))
    return {
        "filter": draw(filters(shape)),
        "limit": draw(LIMITS),
        "offset": draw(OFFSETS),
        "output_fields": draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if wanted == 0 else None,
        "advance": advance,
    }


def _words(draw: st.DrawFn, shape: Shape) -> Row:
    asked, times, names = draw(ASKED), draw(st.integers(0, 3)), list(shape.words)
    body: Row = {"query": " ".join(asked * times)} if times else {"keywords": asked}
    if draw(st.booleans()):
        body["fields"] = [draw(st.sampled_from(names))]
    if draw(st.booleans()):
        body |= {"bm25_k1": draw(st.sampled_from([0.5, 2])), "bm25_b": draw(st.sampled_from([0, 1, 0.3]))}
        body["fields_weights"] = {name: draw(st.sampled_from([0.5, 3])) for name in names}
    return body


def _operator(draw: st.DrawFn, shape: Shape) -> Row | None:
    """An operator on hits. Its field needs no scalar index."""
    strings, measured = shape.of_type("string"), shape.of_type(*LENGTHS)
    if strings and draw(st.booleans()):
        field = draw(st.sampled_from(strings))
        if draw(st.booleans()):
            return {"op": "string_contain", "field": field, "pattern": draw(st.sampled_from(["e", "数", "x", "\0"]))}
        return {"op": "enum_freq_limiter", "field": field, "threshold": draw(st.integers(1, 2))}
    if not measured:
        return None
    operator: Row = {
        "op": "score_fusion",
        "fusion_by": draw(st.sampled_from(["add", "multiply"])),
        "addition_score": [_addition(draw, shape, measured) for _ in range(draw(st.integers(1, 2)))],
        "normalize_for_origin_score": draw(NORMALISERS),
        "normalize_for_addition_score": draw(NORMALISERS),
    }
    if operator["fusion_by"] == "add":
        operator["addition_score_weight"] = draw(st.sampled_from([0.1, 0.75]))
    return operator


def _addition(draw: st.DrawFn, shape: Shape, names: list[str]) -> Row:
    name = draw(st.sampled_from(names))
    type = shape.fields[name].type
    item: Row = {"field": name, "factor": draw(st.sampled_from([-2, 0.5, 3]))}
    if type in ("int64", "float32") and draw(st.booleans()):
        return item | {"base_value_from": "scalar_field"}
    item |= {"base_value_from": "decay_func", "func": draw(FUNCTIONS), "scale": draw(LENGTHS[type])}
    if type == "geo_point":
        item["origin"] = draw(st.sampled_from(POINTS))
    elif draw(st.booleans()):
        item["origin"] = draw(ORIGINS[type])
    if draw(st.booleans()):
        item |= {"offset": draw(LENGTHS[type]), "decay": draw(st.sampled_from([0.25, 0.9]))}
    return item
