"""Samples: bodies made up from the fields of a model, for round trips."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from itertools import islice
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from vikingdb_core.exceptions import InvalidRequest

_DEPTH = 5
_TRIES = 24
_ANY: tuple[Any, ...] = ("text", 3, {"a": 1}, ["text"])
_PLAIN: dict[Any, tuple[Any, ...]] = {
    str: ("text", "a1", "2026-01-02T03:04:05Z", "1"),
    int: (3, 1, 100),
    float: (0.5, 1.5, 3.0),
    bool: (True, False),
    bytes: ("Ynl0ZXM=",),
    datetime: (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).isoformat(),),
    date: ("2026-01-02",),
    Any: _ANY,
    object: _ANY,
}


def sample(model: type[BaseModel], *, depth: int = _DEPTH) -> dict[str, Any]:
    """A body with every field of the model that a value can be made up for, by wire name."""
    body: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        wire_name = info.serialization_alias or info.alias or name
        for value in islice(_candidates(info.annotation, depth), _TRIES):
            if not _refused(model, {wire_name: value}) & {name, wire_name}:
                body[wire_name] = value
                break
    return body


def missing(model: type[BaseModel], body: Mapping[str, Any]) -> list[str]:
    """The required fields that a body lacks."""
    return [
        name
        for name, info in model.model_fields.items()
        if info.is_required() and (info.serialization_alias or info.alias or name) not in body
    ]


def _refused(model: type[BaseModel], body: dict[str, Any]) -> set[Any]:
    """The fields whose values the model refuses."""
    try:
        model(**body)
    except (ValidationError, InvalidRequest) as error:
        cause = error if isinstance(error, ValidationError) else error.__cause__
        return (
            {item["loc"][0] for item in cause.errors() if item["loc"]} if isinstance(cause, ValidationError) else set()
        )
    return set()


def _candidates(kind: Any, depth: int) -> Iterator[Any]:
    """Values that may be of this type, the likeliest first."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        yield from _PLAIN[kind]
    elif origin is Annotated:
        yield from _candidates(arguments[0], depth)
    elif origin is Literal:
        yield from arguments
    elif origin in (Union, types.UnionType):
        for choice in arguments:
            if choice is not type(None):
                yield from _candidates(choice, depth)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from (member.value for member in kind)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        if depth:
            yield sample(kind, depth=depth - 1)
    elif isinstance(origin or kind, type) and issubclass(origin or kind, Mapping):
        yield from _mappings(arguments, depth)
    elif isinstance(origin or kind, type) and issubclass(origin or kind, Sequence | set | frozenset):
        yield from ([value] for value in _candidates(arguments[0] if arguments else Any, depth))
    else:
        yield from _ANY


def _mappings(arguments: tuple[Any, ...], depth: int) -> Iterator[Any]:
    keys, values = arguments or (Any, Any)
    for key in _candidates(keys, depth):
        if isinstance(key, str):
            yield from ({key: value} for value in _candidates(values, depth))
