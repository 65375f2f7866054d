"""Geo: points on Earth as ``"lon,lat"`` texts, and distances between them (haversine, radius 6371 km)."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_POINT = re.compile(rf"\s*({_NUMBER})\s*,\s*({_NUMBER})\s*", re.ASCII)
_RADIUS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(m|km)", re.ASCII)
_EARTH_RADIUS_M = 6_371_000.0


def parse_point(text: str) -> tuple[float, float]:
    """Longitude and latitude in degrees.

    Raises:
        ValueError: not of the form, or outside the open intervals (-180, 180) and (-90, 90).
    """
    match = _POINT.fullmatch(text)
    if match is None:
        raise ValueError('needs the form "longitude,latitude", such as "116.40,39.90"')
    lon, lat = float(match[1]), float(match[2])
    if not (-180 < lon < 180 and -90 < lat < 90):
        raise ValueError("needs a longitude between -180 and 180, then a latitude between -90 and 90, both exclusive")
    return lon, lat


def parse_radius(text: str) -> float:
    """Metres.

    Raises:
        ValueError: no unit, or another one than m and km.
    """
    match = _RADIUS.fullmatch(text.strip())
    if match is None:
        raise ValueError('needs a number and a unit, such as "500m" or "2km"')
    return float(match[1]) * (1000.0 if match[2] == "km" else 1.0)


def distance_m(lon: NDArray[np.float64], lat: NDArray[np.float64], center: tuple[float, float]) -> NDArray[np.float64]:
    """Metres from every point to the centre."""
    lambda1, phi1 = math.radians(center[0]), math.radians(center[1])
    lambda2, phi2 = np.radians(lon), np.radians(lat)
    haversine = np.sin((phi2 - phi1) / 2) ** 2 + math.cos(phi1) * np.cos(phi2) * np.sin((lambda2 - lambda1) / 2) ** 2
    distance: NDArray[np.float64] = 2 * _EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(haversine, 0.0, 1.0)))
    return distance
