"""Hints: what helps a user find a mistake: the nearest known name, the line of their own that made it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable


def suggest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?``, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def outside_stacklevel() -> int:
    """The ``stacklevel`` for a warning, so that it points at the caller's line and not into this SDK."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("vikingdb"):
        level, frame = level + 1, frame.f_back
    return level
