"""Nodes: what every filter can do, and the two ways to combine filters.

``And`` and ``Or`` are kept in normal form: no ``And`` directly inside an ``And``, no ``Or`` directly inside an ``Or``,
never fewer than two parts. Negation is pushed down to the leaves, because the wire has no ``not``.

The empty filter, ``{}`` on the wire and ``all_of()`` in Python, is a filter like any other: it matches every row,
leaves the other side of ``&`` as it is, and swallows the other side of ``|``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from ..exceptions import InvalidRequest


class Filter(ABC):
    """A condition on rows.

    Build one with ``F``, ``all_of``, ``any_of`` or ``parse_filter``; combine with ``&``, ``|`` and ``~``. The other
    side of ``&`` and ``|`` may be a filter in wire form. A filter has no truth value, so a test for its presence is
    written ``is not None``.
    """

    @abstractmethod
    def to_wire(self) -> dict[str, Any]:
        """The filter as the JSON object a request carries; every call makes a new one."""

    @abstractmethod
    def __invert__(self) -> Filter:
        """The filter that matches exactly the other rows, among rows that have the fields.

        Raises:
            InvalidRequest: the filter language cannot say it (``geo_range``, ``range_out``, the empty filter).
        """

    def __and__(self, other: Filter | Mapping[str, Any]) -> Filter:
        return all_of(self, other)

    def __rand__(self, other: Mapping[str, Any]) -> Filter:
        return all_of(other, self)

    def __or__(self, other: Filter | Mapping[str, Any]) -> Filter:
        return any_of(self, other)

    def __ror__(self, other: Mapping[str, Any]) -> Filter:
        return any_of(other, self)

    def __bool__(self) -> NoReturn:
        raise InvalidRequest(
            "A filter is neither true nor false: combine filters with & | ~ and parentheses instead of and, or, not, "
            "write a chained comparison as F(...).between(low, high), write `in` as F(...).any_of(values), "
            "and test for a filter's presence with `is not None`."
        )

    def __contains__(self, value: object) -> NoReturn:
        raise InvalidRequest("A filter holds no values to look in; write a condition with F(...).any_of(values).")


def all_of(*filters: Filter | Mapping[str, Any]) -> Filter:
    """The filter that matches rows every one of these matches; with none given, every row.

    Args:
        filters: filters, or filters in wire form.

    Raises:
        InvalidRequest: something given is not a filter.
    """
    parts: list[Filter] = []
    for part in map(_as_filter, filters):
        if isinstance(part, And):
            parts.extend(part.parts)
        elif not isinstance(part, MatchAll):
            parts.append(part)
    if not parts:
        return MatchAll()
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def any_of(*filters: Filter | Mapping[str, Any]) -> Filter:
    """The filter that matches rows at least one of these matches.

    Args:
        filters: one or more filters, or filters in wire form.

    Raises:
        InvalidRequest: none given (the filter language cannot say "no row"), or something given is not a filter.
    """
    parts: list[Filter] = []
    for part in map(_as_filter, filters):
        parts.extend(part.parts if isinstance(part, Or) else [part])
    if not parts:
        raise InvalidRequest("any_of() without filters would match no row, which no filter can say; give at least one.")
    if any(isinstance(part, MatchAll) for part in parts):
        return MatchAll()
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


@dataclass(frozen=True, repr=False)
class MatchAll(Filter):
    """The empty filter: every row."""

    def to_wire(self) -> dict[str, Any]:
        return {}

    def __invert__(self) -> Filter:
        raise InvalidRequest("The empty filter matches every row, and no filter can match none; drop the ~.")

    def __repr__(self) -> str:
        return "all_of()"

    def __str__(self) -> str:
        return "every row"


@dataclass(frozen=True, repr=False)
class _Combination(Filter):
    parts: tuple[Filter, ...]

    op: ClassVar[str]
    symbol: ClassVar[str]

    def to_wire(self) -> dict[str, Any]:
        return {"op": self.op, "conds": [part.to_wire() for part in self.parts]}

    def __repr__(self) -> str:
        return f" {self.symbol} ".join(f"({part!r})" for part in self.parts)

    def __str__(self) -> str:
        return f" {self.op} ".join(f"({part})" if isinstance(part, _Combination) else str(part) for part in self.parts)


@dataclass(frozen=True, repr=False)
class And(_Combination):
    """Rows every part matches; made by ``&`` and ``all_of``."""

    op = "and"
    symbol = "&"

    def __invert__(self) -> Filter:
        return any_of(*(~part for part in self.parts))


@dataclass(frozen=True, repr=False)
class Or(_Combination):
    """Rows at least one part matches; made by ``|`` and ``any_of``."""

    op = "or"
    symbol = "|"

    def __invert__(self) -> Filter:
        return all_of(*(~part for part in self.parts))


def _as_filter(given: object) -> Filter:
    if isinstance(given, Filter):
        return given
    if isinstance(given, Mapping):
        from .wire import parse_filter  # the reader builds nodes, so it can only be met here

        return parse_filter(given)
    if given is None:
        # A function that forgot its return gives None; taking that for "no condition" would widen a search unseen.
        raise InvalidRequest("None is not a filter; leave it out, or use all_of() for a filter that matches every row.")
    raise InvalidRequest(
        f"{type(given).__name__} is not a filter; put each comparison in parentheses, as in "
        "(F('a') == 1) & (F('b') < 2), because & and | bind tighter than comparisons."
    )
