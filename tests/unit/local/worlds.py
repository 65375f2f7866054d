"""Worlds for the oracle: strategies for collections, their rows, filters over them and searches in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from tests.unit.local.oracle import AUTO_ID, OPTIONAL, Key, Kind, Row, Shape

Strategy = st.SearchStrategy[Any]

INTEGERS = [-(2**63), -7, 0, 1, 2, 5, 2**53, 2**53 + 1, 2**63 - 1]
FRACTIONS = [-3.4e38, -1.5, -0.0, 0.1, 0.25, 1, 3.0, 16777217, 1e10]
TEXTS = ["", "red", "green", "default", "数据", "é", "e\u0301", "a\0b", "🚀", "x" * 300]
POINTS = ["116.40,39.90", "121.47,31.23", "0,0", "-0.001,0", "179.9,-89.5", " 1.5 , -2. "]
PHRASES = [
    "storm at sea",
    "Storm, storm: a STORM",
    "数据库与向量检索",
    "cafe\u0301 数据 ﬁne",
    "ΟΔΟΣ 東京タワー",
    "c++ c++ -- sea",
    "한국어 sea 数据库",
    "?!",
]
QUERIES = ["storm", "sea storm", "数据库", "c++", "CAFÉ", "οδος", "タワー 数", "한국", "--", "fine ship"]
TOKENS = ["sea", "7", "数据", "x" * 200]
KEYS: dict[str, list[Any]] = {
    "int64": [1, 2, 3, 4, 10, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)],
    "string": ["a", "b", "A", "é", "e\u0301", "数据", "1", " ", "\0", "k" * 256],
}
START = datetime(2026, 9, 21, tzinfo=UTC)


@st.composite
def instants(draw: st.DrawFn) -> str:
    """A few moments, written in many ways."""
    moment = START + timedelta(hours=draw(st.integers(-3, 3)), milliseconds=draw(st.sampled_from([0, 0, 1, 500])))
    local = moment.astimezone(timezone(timedelta(minutes=draw(st.sampled_from([0, 480, -210, 345])))))
    parts = "milliseconds" if moment.microsecond else draw(st.sampled_from(["minutes", "seconds", "milliseconds"]))
    text = local.isoformat(timespec=parts)
    return text.replace("+00:00", "Z") if draw(st.booleans()) else text


vectors = st.lists(st.sampled_from([-3, -1, -0.5, 0, 0, 0.25, 1, 2]), min_size=4, max_size=4)
sparse = st.dictionaries(st.sampled_from(TOKENS), st.sampled_from([-1, 0.1, 0.5, 2]), max_size=3)
POOLS: dict[str, Strategy] = {
    "int64": st.sampled_from(INTEGERS),
    "float32": st.sampled_from(FRACTIONS),
    "string": st.sampled_from(TEXTS),
    "bool": st.booleans(),
    "list<string>": st.lists(st.sampled_from(TEXTS), max_size=3),
    "list<int64>": st.lists(st.sampled_from(INTEGERS), max_size=3),
    "date_time": instants(),
    "geo_point": st.sampled_from(POINTS),
    "list<geo_point>": st.lists(st.sampled_from(POINTS), max_size=2),
    "text": st.sampled_from(PHRASES),
    "image": st.sampled_from(["tos://bucket/key", "https://host/é.png"]),
    "video": st.sampled_from([{"value": "tos://bucket/film"}, {"value": "http://host/film.mp4", "fps": 0.5}]),
    "vector": vectors,
    "sparse_vector": sparse,
}
INDEXABLE = ["int64", "float32", "string", "bool", "list<string>", "list<int64>", "date_time", "geo_point"]
ADDABLE = [*INDEXABLE, "list<geo_point>"]
NAMES = {
    "n": "int64",
    "x": "float32",
    "y": "float32",
    "s": "string",
    "b": "bool",
    "ls": "list<string>",
    "li": "list<int64>",
    "at": "date_time",
    "g": "geo_point",
    "lg": "list<geo_point>",
    "t": "text",
    "u": "text",
    "pic": "image",
    "film": "video",
}


@st.composite
def kinds(draw: st.DrawFn, type: str) -> Kind:
    """A field of a type, with or without a default of its own."""
    has_default = type in ADDABLE and draw(st.booleans())
    return Kind(type, draw(POOLS[type]) if has_default else None)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """A collection with some fields of all types, and its index."""
    chosen = draw(st.lists(st.sampled_from(list(NAMES)), min_size=6, unique=True))
    fields = {name: draw(kinds(NAMES[name])) for name in chosen}
    key = draw(st.sampled_from(["id", "id", AUTO_ID]))
    if key == "id":
        fields["id"] = Kind(draw(st.sampled_from(list(KEYS))))
    has_vector = draw(st.integers(0, 5)) != 5
    if has_vector:
        fields["vec"] = Kind("vector")
        if draw(st.integers(0, 2)):
            fields["w"] = Kind("sparse_vector")
    indexable = [name for name, kind in fields.items() if kind.type in INDEXABLE]
    texts = [name for name, kind in fields.items() if kind.type == "text"]
    words = {
        name: (draw(st.sampled_from(["standard", "zh", "whitespace"])), draw(st.booleans()))
        for name in texts
        if draw(st.integers(0, 3))
    }
    return Shape(
        fields,
        key,
        covered=indexable if draw(st.booleans()) else [name for name in indexable if draw(st.integers(0, 3))],
        distance=draw(st.sampled_from(["ip", "cosine", "l2"])) if has_vector else None,
        is_hybrid="w" in fields and draw(st.integers(0, 3)) != 3,
        words=words,
    )


def described(name: str, kind: Kind) -> Row:
    """A field as the control plane takes it."""
    more: Row = {"IsPrimaryKey": True} if name == "id" else {"Dim": 4} if kind.type == "vector" else {}
    if kind.default is not None:
        more["DefaultValue"] = kind.default
    return {"FieldName": name, "FieldType": kind.type, **more}


def analyzed(name: str, words: tuple[str, bool]) -> Row:
    tokenizer, drops_symbols = words
    return {
        "Field": name,
        "Analyzer": {"Tokenizer": tokenizer, "StopWordsFilters": ["symbol"] if drops_symbols else []},
    }


def keys(shape: Shape) -> Strategy:
    return st.sampled_from(KEYS[shape.fields["id"].type]) if shape.key == "id" else st.integers(1, 9)


@st.composite
def known_keys(draw: st.DrawFn, shape: Shape, there: list[Key]) -> Key:
    """Mostly of a row that is there."""
    key: Key = draw(st.sampled_from(there) if there and draw(st.integers(0, 9)) != 7 else keys(shape))
    return key


@st.composite
def batches(draw: st.DrawFn, shape: Shape) -> list[Row]:
    """Rows to insert. Once in a while one of them lacks what it needs."""
    given = draw(st.lists(rows(shape), min_size=2, max_size=8))
    needed = [name for name, kind in shape.fields.items() if kind.fallback is None and kind.type not in OPTIONAL]
    if needed and draw(st.integers(0, 19)) == 13:
        del draw(st.sampled_from(given))[draw(st.sampled_from(needed))]
    return given


@st.composite
def rows(draw: st.DrawFn, shape: Shape) -> Row:
    row: Row = {}
    for name, kind in shape.fields.items():
        if name == shape.key:
            row[name] = draw(keys(shape))
        elif (kind.fallback is None and kind.type not in OPTIONAL) or draw(st.integers(0, 3)):
            row[name] = draw(POOLS[kind.type])
    return row


@st.composite
def patches(draw: st.DrawFn, shape: Shape, there: list[Key]) -> Row:
    """A change to a row, mostly to one that is there."""
    names = st.sampled_from([name for name in shape.fields if name != shape.key])
    changed = draw(st.lists(names, max_size=3, unique=True))
    values = {name: draw(POOLS[shape.fields[name].type]) for name in changed}
    return {shape.key: draw(known_keys(shape, there)), **values}


@st.composite
def filters(draw: st.DrawFn, shape: Shape) -> Row | None:
    """Anything the filter language can say about the fields that the index covers."""
    if not shape.covered or draw(st.booleans()):
        return draw(NO_FILTER)
    return _node(draw, shape, 0)


NO_FILTER: st.SearchStrategy[Row | None] = st.sampled_from([None, {}])
OPS = st.sampled_from([*["leaf"] * 4, "and", "or", "circle"])
SIDES = st.lists(st.sampled_from(["gt", "gte", "lt", "lte"]), min_size=1, unique=True)
LOWER, UPPER = st.sampled_from(["gt", "gte"]), st.sampled_from(["lt", "lte"])
LIMITS = {"int64": st.sampled_from([*INTEGERS, 0.5, 1e300, -1e300]), "float32": POOLS["float32"]}
MEMBERS = {
    type: st.one_of(st.lists(POOLS[type], max_size=3), st.lists(POOLS[type], min_size=9, max_size=12))
    for type in ("int64", "string", "bool")
}


def _node(draw: st.DrawFn, shape: Shape, depth: int) -> Row:
    op, numbers = draw(OPS), shape.filterable("int64", "float32")
    if op == "circle" and numbers:
        pair = [draw(st.sampled_from(numbers)), draw(st.sampled_from(numbers))]
        return {"op": "range", "field": pair, "center": [0.5, -2], "radius": draw(st.sampled_from([2.25, 7, 1e12]))}
    if op in ("and", "or") and depth < 3:
        return {"op": op, "conds": [_node(draw, shape, depth + 1) for _ in range(draw(st.integers(1, 3)))]}
    name = draw(st.sampled_from(shape.covered))
    return _leaf(draw, name, shape.fields[name].type)


def _leaf(draw: st.DrawFn, name: str, type: str) -> Row:
    leaf: Row = {"field": name}
    element = type.removeprefix("list<").removesuffix(">")
    if type == "geo_point":
        radius = draw(st.sampled_from(["0m", "112m", "5000000m"]))
        return leaf | {"op": "geo_range", "center": draw(POOLS[type]), "radius": radius}
    if type == "date_time":
        return leaf | {"op": "time_range", **{side: draw(POOLS[type]) for side in draw(SIDES)}}
    if type == "float32" or (type == "int64" and draw(st.booleans())):
        if draw(st.booleans()):
            return leaf | {"op": "range", **{side: draw(LIMITS[type]) for side in draw(SIDES)}}
        return leaf | {"op": "range_out", draw(LOWER): draw(LIMITS[type]), draw(UPPER): draw(LIMITS[type])}
    return leaf | {"op": draw(st.sampled_from(["must", "must", "must_not"])), "conds": draw(MEMBERS[element])}
