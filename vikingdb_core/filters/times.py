"""Times: aware datetimes and RFC 3339 texts as bounds of ``time_range``.

Rows keep times to the millisecond, while a bound may be finer. Such a bound moves to the neighbouring millisecond that
leaves the same rows matching: up for ``gte`` and ``lt``, down for ``gt`` and ``lte``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .operands import plain, refusal

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.(?P<fraction>\d{1,6}))?)?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


def time_bound(field: str, value: object, bound: str) -> str:
    """``value`` as the RFC 3339 text for ``bound`` (gt, gte, lt or lte).

    A text the service reads as it is stays as written; a datetime becomes UTC.
    """
    moment = instant(field, value)
    if isinstance(value, str) and len(_fraction(value)) <= 3:
        return str.__str__(value)
    try:
        utc = moment.astimezone(UTC)
        beyond = utc.microsecond % 1000
        if beyond:
            utc += timedelta(microseconds=1000 - beyond if bound in ("gte", "lt") else -beyond)
    except OverflowError:
        raise refusal(field, "this time lies outside the years 1 to 9999; give one the service can hold.") from None
    text = utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def instant(field: str, value: object) -> datetime:
    """The moment an aware datetime or an RFC 3339 text names."""
    value = plain(value)
    if isinstance(value, datetime):
        if value.tzinfo is None or value.utcoffset() is None:
            raise refusal(field, "a datetime without time zone names no instant; give it one, as in tzinfo=UTC.")
        return value
    if isinstance(value, str):
        return _read(field, value)
    raise refusal(
        field, f"{type(value).__name__} is not a time; give an aware datetime or a text such as '2026-01-01T00:00:00Z'."
    )


def _read(field: str, text: str) -> datetime:
    if _RFC3339.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # the shape is right, the calendar or the clock is not
    raise refusal(
        field,
        "a text used as a bound is an RFC 3339 time with offset, such as '2026-01-01T00:00:00Z', and this is not one; "
        "other text has no order here, use any_of.",
    )


def _fraction(text: str) -> str:
    match = _RFC3339.fullmatch(text)
    return match["fraction"] or "" if match else ""
