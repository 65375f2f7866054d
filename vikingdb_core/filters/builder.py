"""Builder: ``F``, the field a condition begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeAlias, TypedDict, Unpack

from .leaves import SYMBOLS, GeoRange, Must, MustNot, Range, TimeRange
from .nodes import Filter
from .operands import ArrayScalar, Number, Scalar, field_name, members, number, plain, refusal, scalar
from .places import wire_center, wire_radius
from .times import instant, time_bound

Time: TypeAlias = datetime | str
Limit: TypeAlias = Number | Time


class Bounds(TypedDict, total=False):
    """Keywords of ``F.range``: at most one of gt and gte, at most one of lt and lte."""

    gt: Limit
    gte: Limit
    lt: Limit
    lte: Limit


@dataclass(frozen=True, eq=False, repr=False)
class F:
    """A field of the rows, to be compared.

    ::

        F("price") < 20                                     F("tags").any_of("sf", "noir")
        F("genre") == "noir"                                F("year").between(1990, 2000)
        F("in_stock").is_true()                             F("at").since("2026-01-01T00:00:00Z")
        F("price").range(gte=10, lt=20)                     F("where").within("2km", of=(116.4, 39.9))

    What an operand's type decides:

    * ``==``, ``!=``, ``any_of``, ``none_of``: text, whole numbers or booleans (never floats or times). On a list field
      they ask whether any element is among the values.
    * ``<``, ``<=``, ``>``, ``>=``, ``between``, ``outside``, ``range``: a number compiles to ``range``; an aware
      datetime or an RFC 3339 text compiles to ``time_range``, which is what a date_time field needs.

    Python's grammar, not this class, sets these traps; each raises ``InvalidRequest``:

    * ``F("a") == 1 & F("b") == 2`` means ``F("a") == (1 & F("b")) == 2``. Put every comparison in parentheses:
      ``(F("a") == 1) & (F("b") == 2)``. Method calls need none.
    * ``10 < F("x") < 20`` means ``(10 < F("x")) and (F("x") < 20)``. Use ``between`` or ``range(gt=10, lt=20)``.
    * ``and``, ``or``, ``not``, ``if`` ask for a truth value, which a filter has not. Use ``&``, ``|``, ``~``.
    * ``~F("a") == 1`` means ``(~F("a")) == 1``. Write ``~(F("a") == 1)`` or ``F("a") != 1``.
    * ``3 in F("x")`` and ``F("x") in [3]`` ask for a truth value too. Use ``any_of``. (``F("x") in []`` is the one trap
      nothing can catch: Python answers False without asking the field.)

    A field cannot be a dictionary key or set member, since ``==`` does not compare fields. Keep the field on the left:
    ``1 == F("a")`` works but type checkers take it for a bool.

    Args:
        name: the field's name; the index must have it among its scalar fields.
    """

    __array_ufunc__ = None  # numpy before 2 would compare its scalars with the field itself; this makes it ask us

    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", field_name(self.name))

    def __repr__(self) -> str:
        return f"F({self.name!r})"

    # A comparison of a field makes a filter, so == cannot answer True or False; Python then sets __hash__ to None.

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]  # builds a filter instead of comparing
        return Must(self.name, (scalar(self.name, value),))

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]  # builds a filter instead of comparing
        return MustNot(self.name, (scalar(self.name, value),))

    def __lt__(self, limit: Limit) -> Filter:
        return self.range(lt=limit)

    def __le__(self, limit: Limit) -> Filter:
        return self.range(lte=limit)

    def __gt__(self, limit: Limit) -> Filter:
        return self.range(gt=limit)

    def __ge__(self, limit: Limit) -> Filter:
        return self.range(gte=limit)

    def any_of(self, *values: Scalar | Iterable[Scalar]) -> Filter:
        """Rows whose value, or any element of whose list, is among ``values``.

        Args:
            values: values of one type, or one iterable of them. No value at all is an allow-list that allows nothing:
                it is sent as an empty list, and never turns into "no condition".
        """
        return Must(self.name, members(self.name, values))

    def none_of(self, *values: Scalar | Iterable[Scalar]) -> Filter:
        """Rows ``any_of(*values)`` does not match; without values, every row."""
        return MustNot(self.name, members(self.name, values))

    def is_true(self) -> Filter:
        """Rows where this bool field is true."""
        return Must(self.name, (True,))

    def is_false(self) -> Filter:
        """Rows where this bool field is false."""
        return Must(self.name, (False,))

    def range(self, **bounds: Unpack[Bounds]) -> Filter:
        """Rows whose number or time lies within ``gt`` or ``gte`` and ``lt`` or ``lte``; one side may be left open.

        Bounds that exclude each other are sent as they are.
        """
        return _interval(self.name, bounds)

    def between(self, low: Limit, high: Limit) -> Filter:
        """Rows whose number or time is at least ``low`` and at most ``high``."""
        within = self.range(gte=low, lte=high)
        measure: Callable[[str, object], Any] = instant if isinstance(within, TimeRange) else number
        if measure(self.name, low) > measure(self.name, high):
            raise refusal(self.name, "between(low, high) has its ends the wrong way round; give the smaller one first.")
        return within

    def outside(self, low: Limit, high: Limit) -> Filter:
        """Rows whose number or time is below ``low`` or above ``high``: what ``between`` leaves."""
        return ~self.between(low, high)

    def since(self, time: Time) -> Filter:
        """Rows at ``time`` or later (``gte``)."""
        return self._by_time("gte", time)

    def after(self, time: Time) -> Filter:
        """Rows later than ``time`` (``gt``)."""
        return self._by_time("gt", time)

    def until(self, time: Time) -> Filter:
        """Rows at ``time`` or earlier (``lte``)."""
        return self._by_time("lte", time)

    def before(self, time: Time) -> Filter:
        """Rows earlier than ``time`` (``lt``)."""
        return self._by_time("lt", time)

    def within(self, radius: Number | str, *, of: tuple[float | ArrayScalar, float | ArrayScalar] | str) -> Filter:
        """Rows whose geo_point lies within ``radius`` of a centre. The wire cannot negate it.

        Args:
            radius: metres, or a text such as ``"500m"`` or ``"2km"``.
            of: the centre as (longitude, latitude) in degrees, or as a text ``"lon,lat"``.
        """
        return GeoRange(self.name, center=wire_center(self.name, of), radius=wire_radius(self.name, radius))

    def _by_time(self, bound: str, time: Time) -> Filter:
        return TimeRange(self.name, ((bound, time_bound(self.name, time, bound)),))

    # Without these, Python's own message for a missing parenthesis would lead nowhere.

    def _alone(self, *other: object) -> NoReturn:
        raise refusal(
            self.name,
            "a field alone is not a condition, and & | ~ bind tighter than comparisons; "
            "write (F('a') == 1) & (F('b') < 2) or ~(F('a') == 1), and is_true() for a bool field.",
        )

    __and__ = __rand__ = __or__ = __ror__ = __invert__ = _alone

    def __bool__(self) -> NoReturn:
        raise refusal(self.name, "a field has no truth value; write is_true(), or a comparison with & | ~ around it.")

    def __contains__(self, value: object) -> NoReturn:
        raise refusal(self.name, "`in` cannot build a condition; write any_of(value).")


def _interval(field: str, bounds: Mapping[str, object]) -> Range | TimeRange:
    unknown = [name for name in bounds if name not in SYMBOLS]
    if unknown:
        raise refusal(field, f"{unknown[0]!r} is not a bound; the bounds are gt, gte, lt and lte.")
    given = [(name, plain(bounds[name])) for name in SYMBOLS if name in bounds]
    lower = [name for name, _ in given if name in ("gt", "gte")]
    if not given:
        raise refusal(field, "a range needs at least one of gt, gte, lt and lte.")
    if len(lower) > 1 or len(given) - len(lower) > 1:
        raise refusal(field, "a range has one lower bound (gt or gte) and one upper bound (lt or lte); drop the other.")
    times = [isinstance(limit, datetime | str) for _, limit in given]
    if all(times):
        return TimeRange(field, tuple((name, time_bound(field, limit, name)) for name, limit in given))
    checked = tuple((name, number(field, limit)) for name, limit in given if not isinstance(limit, datetime | str))
    if any(times):
        raise refusal(field, "one bound is a number and the other a time; give two of a kind.")
    return Range(field, checked)
