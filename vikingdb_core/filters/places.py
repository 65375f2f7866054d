"""Places: the centre and radius of ``geo_range``, as the wire writes them."""

from __future__ import annotations

import re
from decimal import Decimal

from .operands import number, plain, refusal

_RADIUS = re.compile(r"(\d+(?:\.\d+)?) ?(m|km)", re.ASCII)
_POINT = re.compile(r"(-?\d+(?:\.\d+)?), ?(-?\d+(?:\.\d+)?)", re.ASCII)


def wire_radius(field: str, radius: object) -> str:
    """``500``, ``"500m"`` and ``"0.5km"`` all become ``"500m"``."""
    radius = plain(radius)
    if isinstance(radius, str):
        match = _RADIUS.fullmatch(radius)
        if match is None:
            raise refusal(field, "a radius is a number of metres, or a text such as '500m' or '2km'.")
        metres = Decimal(match[1]) * (1000 if match[2] == "km" else 1)
    else:
        metres = Decimal(repr(number(field, radius)))
    if metres <= 0:
        raise refusal(field, "a radius is above zero.")
    return f"{_shortest(metres)}m"


def wire_center(field: str, center: object) -> str:
    """``(116.4, 39.9)`` and ``"116.4, 39.9"`` become ``"116.4,39.9"``."""
    if isinstance(center, str) and (match := _POINT.fullmatch(center)):
        lon, lat = Decimal(match[1]), Decimal(match[2])
    elif isinstance(center, tuple | list) and len(center) == 2:
        lon, lat = (Decimal(repr(number(field, degrees))) for degrees in center)
    else:
        raise refusal(field, "a centre is (lon, lat) in degrees, or a text such as '116.4,39.9'.")
    if not (-180 < lon < 180 and -90 < lat < 90):
        raise refusal(field, "a centre has longitude first, between -180 and 180, then latitude, between -90 and 90.")
    return f"{_shortest(lon)},{_shortest(lat)}"


def _shortest(value: Decimal) -> str:
    if value == 0:
        return "0"  # also for -0.0
    text = f"{value:f}"  # never an exponent
    return text.rstrip("0").rstrip(".") if "." in text else text
