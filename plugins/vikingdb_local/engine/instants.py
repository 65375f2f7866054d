"""Instants: RFC 3339 texts as microseconds since 1970, and durations in microseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h|d)", re.ASCII)
_UNITS = {"ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6, "d": 86400e6}
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(3000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_instant(text: str) -> int:
    """Microseconds since the epoch.

    Raises:
        ValueError: not of the form, no such day, or outside 1970 to 3000.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("needs the form 2026-01-31T08:00:00Z, with Z or an offset such as +08:00")
    year, month, day, hour, minute, second, fraction, zulu, sign, off_hours, off_minutes = match.groups()
    zone = UTC
    if not zulu:
        offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
        if offset >= timedelta(days=1):
            raise ValueError("has an offset of a day or more")
        zone = timezone(-offset if sign == "-" else offset)
    if (fraction or "")[3:].strip("0"):
        raise ValueError("is finer than a millisecond, and the service keeps no more; round it")
    micros = int((fraction or "").ljust(6, "0")[:6])
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micros, zone)
        instant = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is no date there is ({error})") from error
    if not _EPOCH <= instant <= _END:
        raise ValueError("lies outside 1970-01-01 to 3000-01-01")
    return (instant - _EPOCH) // _MICROSECOND


def parse_duration(text: str) -> float:
    """Microseconds.

    Raises:
        ValueError: no number with one of the units.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError('needs a number and a unit (ms, s, m, h, d), such as "12h" or "7d"')
    return float(match[1]) * _UNITS[match[2]]
