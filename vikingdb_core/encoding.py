"""Encoding: Python values to JSON bytes and back, refusing what JSON cannot say."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import orjson

from .exceptions import InvalidRequest

# Filters are dataclasses; left alone, orjson would write their fields and never ask for their wire form.
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_PASSTHROUGH_DATACLASS
_PLAIN = (str, int, type(None))
_PLAIN_TYPES = frozenset({str, int, bool, type(None)})


def encode(body: Mapping[str, Any]) -> bytes:
    """Encode a request body as UTF-8 JSON. Numpy arrays, datetimes and filters are understood.

    Raises:
        InvalidRequest: NaN or infinity anywhere, an integer beyond 64 bits, a value JSON has no word for.
    """
    try:
        _refuse_non_finite(body)  # orjson would silently write null for these
    except RecursionError:
        raise InvalidRequest("the request cannot be written as JSON: it is nested too deeply") from None
    try:
        return _dumps(body, _OPTIONS)
    except TypeError as error:
        if "str" in str(error) and "key" in str(error).lower():
            return _encode_with_loose_keys(body)
        raise InvalidRequest(f"the request cannot be written as JSON: {error}") from error


def decode(body: bytes) -> Any:
    """Read JSON bytes.

    Raises:
        ValueError: not JSON.
    """
    return orjson.loads(body)


def _encode_with_loose_keys(body: Mapping[str, Any]) -> bytes:
    # Sparse vectors are often keyed by token number; the wire wants strings. Slower, so only when needed.
    try:
        return _dumps(body, _OPTIONS | orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise InvalidRequest(f"the request cannot be written as JSON: {error}") from error


def _dumps(body: Mapping[str, Any], options: int) -> bytes:
    try:
        return orjson.dumps(body, default=_to_plain, option=options)
    except TypeError as error:
        if isinstance(error.__cause__, InvalidRequest):  # ours, from _to_plain
            raise error.__cause__ from None
        raise


def _to_plain(value: Any) -> Any:
    plain = _plain(value)
    _refuse_non_finite(plain)  # nobody has looked into it yet
    return plain


def _plain(value: Any) -> Any:
    if hasattr(value, "to_wire"):
        return value.to_wire()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | range):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if hasattr(value, "tolist"):  # numpy types orjson leaves to us: float16, strided arrays; also torch tensors
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


class _NotFinite(Exception):
    """A number that is none. The way to it is put together on the way out: it costs nothing when all is well."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.way = ""


def _refuse_non_finite(value: Any) -> None:
    try:
        _look_into(value)
    except _NotFinite as found:
        where = found.way.removeprefix(".") or "value"
        raise InvalidRequest(f"{where} {found.what}; JSON and the service know finite numbers only") from None


def _look_into(value: Any) -> None:
    if isinstance(value, _PLAIN):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _NotFinite(f"is {value}")
    elif type(value) is dict or isinstance(value, Mapping):  # most are dicts, which is sooner seen so
        _look_into_each(value.items(), ".{}")
    elif isinstance(value, list | tuple):
        if not _is_finite_vector(value):
            _look_into_each(enumerate(value), "[{}]")
    elif isinstance(value, Enum):
        _look_into(value.value)
    else:
        _look_into_array(value)


def _look_into_each(items: Iterable[tuple[Any, Any]], step: str) -> None:
    for name, item in items:
        if type(item) in _PLAIN_TYPES:  # most are, and a call for each takes time
            continue
        try:
            _look_into(item)
        except _NotFinite as found:
            found.way = step.format(name) + found.way
            raise


def _is_finite_vector(items: list[Any] | tuple[Any, ...]) -> bool:
    # A vector is a thousand floats: one sum in C instead of a thousand calls. A finite sum proves all are finite.
    if not items or not isinstance(items[0], float | int):
        return False
    try:
        return math.isfinite(sum(items))
    except (TypeError, OverflowError):
        return False


def _look_into_array(value: Any) -> None:
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray | numpy.generic) or value.dtype.kind != "f":
        return
    are_finite = numpy.isfinite(value)
    if not are_finite.all():
        position = int(numpy.flatnonzero(~are_finite)[0])
        raise _NotFinite(f"has a NaN or an infinity at position {position}")
