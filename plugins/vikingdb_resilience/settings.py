"""Settings: values that are refused when they make no sense, with a sentence that names them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from vikingdb_core.exceptions import ConfigError


def positive(name: str, value: object) -> float:
    """A finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ConfigError(f"{name} must be a number above 0, not {value!r}")
    return float(value)


def count(name: str, value: object) -> int:
    """A whole number from 1 on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name} must be a whole number from 1 on, not {value!r}")
    return value


def function(name: str, value: Any) -> Callable[..., Any]:
    """Something that can be called."""
    if not callable(value):
        raise ConfigError(f"{name} must be a function, not {type(value).__name__}")
    return value  # type: ignore[no-any-return]
