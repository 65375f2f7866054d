"""Values: what a row may say for a field of each type, checked and brought into the form in which it is kept."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vikingdb_vector.models import FieldType

from ..errors import ServiceError, invalid, json_type, shown
from .geo import parse_point
from .inner import inner_products
from .instants import parse_instant
from .schema import Field

MAX_STRING_BYTES = 65535
MAX_TEXT_BYTES = 65535
MAX_KEY_BYTES = 256
MAX_LIST_STRINGS, MAX_ELEMENT_BYTES, MAX_LIST_BYTES = 20000, 1024, 1024 * 1024
MAX_LIST_INTEGERS = 1024
MAX_TOKENS = 65_536
MAX_TENSOR_ROWS = 64
_MEDIA = ("tos://", "http://", "https://")
MIN_LENGTH, MAX_LENGTH = 1e-15, 9e18
"""Shorter and longer vectors would leave single precision when squared. The zero vector is none of them."""

_BEYOND_SINGLE = 2.0**128 - 2.0**103
"""From here on numbers round to infinity."""

_NUMBER_TYPES = frozenset({int, float})

Vector = NDArray[np.float32]


def read_value(field: Field, value: Any, where: str) -> Any:
    """The value in the form in which it is kept.

    Args:
        field: what it is a value of; any type but vector.
        value: as JSON has it.
        where: what holds it, such as ``data[3]``, for messages.
    """
    check = _CHECKS.get(field.type)
    if check is None:
        raise invalid(f"{where}: field {field.name!r} has type {field.type}, which takes no value here")
    try:
        return _tensor(value, field.shape) if field.type is FieldType.TENSOR else check(value)
    except ValueError as error:
        raise invalid(f"{where}: field {field.name!r} ({field.type}) {error}") from error


def read_key(key: Field, value: Any, where: str) -> int | str:
    """A primary key to write."""
    read: int | str = read_value(key, value, where)
    if read == 0 or read == "":
        raise invalid(f"{where}: primary key {key.name!r} must not be {read!r}; 0 and the empty string are no keys")
    if isinstance(read, str) and len(read.encode()) > MAX_KEY_BYTES:
        raise invalid(f"{where}: primary key {key.name!r} is longer than {MAX_KEY_BYTES} bytes; use a shorter one")
    return read


def read_id(key: Field, value: Any, where: str) -> int | str:
    """A primary key to look for: of the right type, whether or not there can be such a row."""
    try:
        read: int | str = _CHECKS[key.type](value)
    except ValueError as error:
        raise invalid(
            f"{where} {error}; primary key {key.name!r} is {key.type}, so "
            f"ids of this collection are {'integers' if key.type is FieldType.INT64 else 'strings'}"
        ) from error
    return read


def read_vector(value: Any, dim: int, where: str) -> Vector:
    """A vector of the dimension: numbers, or base64 of packed little-endian float32 or float64 (told by length)."""
    try:
        numbers = _unpack(value, dim) if isinstance(value, str) else _collect(value, dim)
    except ServiceError:
        raise
    except ValueError as error:
        raise invalid(f"{where} {error}") from error
    with np.errstate(over="ignore", invalid="ignore"):
        length = math.sqrt(numbers.dot(numbers))
    if not MIN_LENGTH <= length <= MAX_LENGTH:
        length = math.hypot(*numbers.tolist())  # squares of very large and very small numbers leave double precision
    if not math.isfinite(length) or not (length == 0 or MIN_LENGTH <= length <= MAX_LENGTH):
        raise invalid(
            f"{where} has a NaN or an infinity, or is longer than {MAX_LENGTH:g} or shorter than {MIN_LENGTH:g}, "
            "beyond what single precision can compare; give finite numbers, or scale them"
        )
    return numbers.astype(np.float32)


def read_vectors(values: Sequence[Any], dim: int) -> NDArray[np.float32] | None:
    """The vectors of many rows at once, a row of the matrix each; ``None`` when one has to be read by itself."""
    if any(type(value) is not list or len(value) != dim for value in values):
        return None
    try:
        numbers = np.frombuffer(struct.pack(f"{len(values) * dim}d", *chain.from_iterable(values))).reshape(-1, dim)
    except struct.error:
        return None
    doubtful = np.flatnonzero(((numbers == 0) | (numbers == 1)).any(axis=1))  # true and false are packed as 1 and 0
    if not all(_NUMBER_TYPES.issuperset(map(type, values[place])) for place in doubtful.tolist()):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(inner_products(numbers, numbers))
    are_fit = (lengths >= MIN_LENGTH) & (lengths <= MAX_LENGTH) | ~numbers.any(axis=1)
    return numbers.astype(np.float32) if are_fit.all() else None


def read_sparse(value: Any, where: str) -> dict[str, float]:
    """A sparse vector: weights by token."""
    try:
        return _sparse(value)
    except ValueError as error:
        raise invalid(f"{where} {error}") from error


def read_tensor(value: Any, width: int, where: str) -> NDArray[np.float32]:
    """A matrix of some rows of ``width`` numbers."""
    try:
        return np.array(_tensor(value, (0, width)), np.float32)
    except ValueError as error:
        raise invalid(f"{where} {error}") from error


def _collect(value: Any, dim: int) -> NDArray[np.float64]:
    is_array = isinstance(value, np.ndarray) and value.dtype.kind == "f"  # from a file: JSON has none
    if not is_array and not isinstance(value, list):
        raise ValueError(f"takes an array of {dim} numbers or base64 of packed floats, not {json_type(value)}")
    if len(value) != dim:
        raise ValueError(f"has {len(value)} numbers; its dimension is {dim}")
    return value.astype(np.float64) if is_array else _numbers(value)


def _numbers(value: list[Any]) -> NDArray[np.float64]:
    try:
        numbers = np.frombuffer(struct.pack(f"{len(value)}d", *value))  # four times as fast as np.array, and stricter
        are_numbers = np.count_nonzero(numbers) == np.count_nonzero(numbers - 1) == len(value)
    except struct.error:
        are_numbers = False
    # Packing takes numbers alone, but for true and false, which are 1 and 0 then.
    if not are_numbers and not _NUMBER_TYPES.issuperset(map(type, value)):
        position = next(place for place, number in enumerate(value) if type(number) not in _NUMBER_TYPES)
        raise ValueError(f"takes numbers, but position {position} is {json_type(value[position])}")
    return numbers


def _unpack(value: str, dim: int) -> NDArray[np.float64]:
    try:
        packed = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is a string that is no base64; give numbers, or base64 of packed floats") from error
    if len(packed) == 4 * dim:
        return np.frombuffer(packed, dtype="<f4").astype(np.float64)
    if len(packed) == 8 * dim:
        return np.frombuffer(packed, dtype="<f8").astype(np.float64)
    raise ValueError(f"unpacks to {len(packed)} bytes; {dim} numbers are {4 * dim} (float32) or {8 * dim} (float64)")


def _int64(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"takes an integer, not {json_type(value)}")
    if not -(2**63) <= value < 2**63:
        raise ValueError("takes an integer of 64 bits; this one is beyond")
    return value


def _float32(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"takes a number, not {json_type(value)}")
    if not abs(value) < _BEYOND_SINGLE:
        raise ValueError("takes a number of single precision; this one is beyond")
    return float(str(np.float32(value)))  # the shortest text that reads back as this float32: 0.1 stays 0.1


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"takes true or false, not {json_type(value)}")
    return value


def _string(value: Any, longest: int = MAX_STRING_BYTES) -> str:
    if not isinstance(value, str):
        raise ValueError(f"takes a string, not {json_type(value)}")
    if len(value.encode()) > longest:
        raise ValueError(f"takes at most {longest} bytes; this string has {len(value.encode())}")
    return value


def _text(value: Any) -> str:
    return _string(value, MAX_TEXT_BYTES)


def _list_of_strings(value: Any) -> list[str]:
    items = _items(value, MAX_LIST_STRINGS)
    strings = [
        _element(item, position, lambda text: _string(text, MAX_ELEMENT_BYTES)) for position, item in enumerate(items)
    ]
    if sum(len(item.encode()) for item in strings) > MAX_LIST_BYTES:
        raise ValueError(f"takes at most {MAX_LIST_BYTES} bytes in all")
    return strings


def _list_of_integers(value: Any) -> list[int]:
    return [_element(item, position, _int64) for position, item in enumerate(_items(value, MAX_LIST_INTEGERS))]


def _list_of_points(value: Any) -> list[str]:
    return [_element(item, position, _geo_point) for position, item in enumerate(_items(value, MAX_LIST_INTEGERS))]


def _items(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"takes an array, not {json_type(value)}")
    if len(value) > most:
        raise ValueError(f"takes at most {most} elements; this array has {len(value)}")
    return value


def _element(value: Any, position: int, check: Callable[[Any], Any]) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"element {position} {error}") from error


def _date_time(value: Any) -> str:
    text = _string(value)
    _parsed(parse_instant, text)
    return text


def _geo_point(value: Any) -> str:
    text = _string(value)
    _parsed(parse_point, text)
    return text


def _sparse(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise ValueError(f"takes an object of weights by token, not {json_type(value)}")
    if len(value) > MAX_TOKENS:
        raise ValueError(f"takes at most {MAX_TOKENS} tokens; this object has {len(value)}")
    weights = {}
    for token, weight in value.items():
        if not token or len(token.encode()) > MAX_KEY_BYTES:
            raise ValueError(f"takes tokens of 1 to {MAX_KEY_BYTES} bytes, not {shown(token)}")
        try:
            weights[token] = _float32(weight)
        except ValueError as error:
            raise ValueError(f"token {shown(token)} {error}") from error
    return weights


def _tensor(value: Any, shape: tuple[int, ...]) -> list[list[float]]:
    """Rows of numbers; ``shape`` says how many of them at most (0: as many as a tensor can have), and how long."""
    most, width = shape[0] or MAX_TENSOR_ROWS, shape[1]
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise ValueError(f"takes an array of 1 to {most} rows of {width} numbers")
    rows = []
    for position, row in enumerate(value):
        if not isinstance(row, list) or len(row) != width:
            raise ValueError(f"row {position} takes {width} numbers")
        rows.append([_element(number, place, _float32) for place, number in enumerate(row)])
    return rows


def _image(value: Any) -> str:
    text = _string(value)
    if not text.startswith(_MEDIA):
        raise ValueError(f"takes an address that begins with {', '.join(_MEDIA)}, not {shown(text)}")
    return text


def _video(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not {"value"} <= set(value) <= {"value", "fps"}:
        raise ValueError('takes an object such as {"value": "tos://bucket/key", "fps": 1}')
    video: dict[str, Any] = {"value": _image(value["value"])}
    if value.get("fps") is not None:
        if not 0.2 <= _float32(value["fps"]) <= 5:
            raise ValueError(f"has fps {value['fps']}; it must be from 0.2 to 5")
        video["fps"] = value["fps"]
    return video


def _parsed(parse: Callable[[str], Any], text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise ValueError(f"has {shown(text)}, which {error}") from error


_CHECKS: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.INT64: _int64,
    FieldType.FLOAT32: _float32,
    FieldType.STRING: _string,
    FieldType.BOOL: _bool,
    FieldType.LIST_STRING: _list_of_strings,
    FieldType.LIST_INT64: _list_of_integers,
    FieldType.TEXT: _text,
    FieldType.DATE_TIME: _date_time,
    FieldType.GEO_POINT: _geo_point,
    FieldType.LIST_GEO_POINT: _list_of_points,
    FieldType.SPARSE_VECTOR: _sparse,
    FieldType.TENSOR: lambda value: _tensor(value, (0, 0)),
    FieldType.IMAGE: _image,
    FieldType.VIDEO: _video,
}
