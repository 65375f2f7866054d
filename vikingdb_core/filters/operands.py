"""Operands: what a field may be compared with, checked and made plain.

Functions take the field's name for their messages and return plain ``str``, ``int``, ``float`` or ``bool``; numpy
scalars, and enum members that are text or numbers, come out as the value they hold. Messages name the field and the
type, never the value, which may be somebody's personal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from math import isfinite
from typing import Any, Protocol, TypeAlias

from ..exceptions import InvalidRequest


class ArrayScalar(Protocol):
    """One number of an array library, such as ``numpy.int64``."""

    def item(self) -> Any: ...


Scalar: TypeAlias = bool | int | str | ArrayScalar
Number: TypeAlias = int | float | ArrayScalar

_PLAIN = frozenset({bool, int, float, str})


def refusal(field: str, why: str) -> InvalidRequest:
    """The error for an operand of ``field``; the caller raises it."""
    return InvalidRequest(f"F({field!r}): {why}")


def field_name(name: object) -> str:
    """The name, if it can name a field."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidRequest("A filter's field is a text that is not empty, as in F('price').")
    return _text(str.__str__(name), "a field's name")


def members(field: str, given: tuple[object, ...]) -> tuple[bool | int | str, ...]:
    """The values of ``any_of(1, 2)`` or ``any_of([1, 2])``: each once, in the order given, a set's sorted."""
    values: Iterable[object] = given
    if len(given) == 1:
        only = plain(given[0])
        if isinstance(only, Iterable) and not isinstance(only, str | bytes | Mapping):
            values = only
    scalars = [scalar(field, value) for value in values]
    if len({type(value) for value in scalars}) > 1:
        kinds = ", ".join(sorted({type(value).__name__ for value in scalars}))
        raise refusal(field, f"the values are of several types ({kinds}), but a field has one; give one type only.")
    if isinstance(values, Set):
        scalars.sort()  # one type, as checked above; a steady order keeps requests repeatable
    return tuple(dict.fromkeys(scalars))


def scalar(field: str, value: object) -> bool | int | str:
    """A value ``must`` can test for."""
    value = plain(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _int64(field, value)
    if isinstance(value, str):
        return _text(str.__str__(value), f"a value for F({field!r})")
    raise refusal(field, _why_not_scalar(value))


def number(field: str, value: object) -> int | float:
    """A finite number."""
    value = plain(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _int64(field, value)
    if isinstance(value, float):
        if not isfinite(value):
            raise refusal(field, "NaN and infinity cannot be sent; give a finite number, or leave the bound out.")
        return float(value)
    raise refusal(field, _why_not_bound(value))


def plain(value: object) -> object:
    """A scalar of an array library as the Python value it holds; anything else as it is."""
    if type(value) in _PLAIN:
        return value
    item = getattr(value, "item", None)
    # numpy turns some of its dates into bare integers here, which would then pass for numbers.
    is_date = getattr(getattr(value, "dtype", None), "kind", None) in ("M", "m")
    if callable(item) and getattr(value, "shape", ()) == () and not is_date:
        return item()
    return value


def _int64(field: str, value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise refusal(field, "a whole number beyond 64 bits cannot be sent; int64 ends at 2**63 - 1.")
    return int(value)


def _text(value: str, what: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidRequest(f"The text of {what} holds a lone surrogate, which UTF-8 cannot carry.") from None
    return value


def _why_not_scalar(value: object) -> str:
    if value is None:
        return (
            "the filter language has no null; compare with the value a row gets when none is given, "
            "such as 0, False or 'default'."
        )
    if isinstance(value, float):
        return "a float cannot be tested for equality on the wire; use between(low, high), < or >, or a whole number."
    if hasattr(value, "isoformat"):
        return "a date or time cannot be tested for equality on the wire; use since, before or between(t, t)."
    return f"{type(value).__name__} cannot be tested for equality; give text, whole numbers, True or False."


def _why_not_bound(value: object) -> str:
    if value is None:
        return "None is not a bound; leave the bound out instead."
    if isinstance(value, bool):
        return "True and False have no order; use is_true() or is_false()."
    return f"{type(value).__name__} cannot be a bound; give an int, a float, an aware datetime or an RFC 3339 text."
