"""Parameters: the objects inside a request that no model describes, read key by key."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from vikingdb_core.hints import suggest

from ..errors import invalid, json_type, missing, shown


class Parameters:
    """An object of a request. Reading a key marks it as known; ``finish`` refuses the others.

    Args:
        value: what the request holds.
        where: its path, for messages.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise invalid(f"{where} must be an object, not {json_type(value)}")
        self.where = where
        self._value = value
        self._known: set[str] = set()

    def get(self, name: str) -> Any:
        """A value, or ``None``."""
        self._known.add(name)
        return self._value.get(name)

    def path(self, name: str) -> str:
        return f"{self.where}.{name}"

    def text(self, name: str) -> str:
        """A string that has to be there."""
        value = self.get(name)
        if value is None or value == "":
            raise missing(f"{self.path(name)} is missing")
        if not isinstance(value, str):
            raise invalid(f"{self.path(name)} must be a string, not {json_type(value)}")
        return value

    def one_of(self, name: str, choices: Iterable[str], usual: str | None = None) -> str:
        """One of some words; ``usual`` when it is not given."""
        if usual is not None and self.get(name) is None:
            return usual
        value, words = self.text(name), list(choices)
        if value not in words:
            raise invalid(f"{self.path(name)} {shown(value)} is none of: {', '.join(words)}.{suggest(value, words)}")
        return value

    def number(self, name: str, usual: float, rule: str = "", *, within: tuple[float, float] | None = None) -> float:
        """A finite number; ``within`` excludes its bounds."""
        value = self.get(name)
        if value is None:
            return usual
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise invalid(f"{self.path(name)} must be a number, not {json_type(value)}")
        if within is not None and not within[0] < value < within[1]:
            raise invalid(f"{self.path(name)} is {value}; it must be {rule}")
        return float(value)

    def factor(self, name: str, usual: float = 1.0, most: float = 1e6) -> float:
        """A number that is not 0 and not huge."""
        value = self.number(name, usual)
        if value == 0 or abs(value) > most:
            raise invalid(f"{self.path(name)} is {value:g}; it must not be 0 and not be beyond {most:g} either way")
        return value

    def flag(self, name: str, usual: bool) -> bool:
        value = self.get(name)
        if value is None:
            return usual
        if not isinstance(value, bool):
            raise invalid(f"{self.path(name)} must be true or false, not {json_type(value)}")
        return value

    def array(self, name: str) -> list[Any]:
        """An array of one element or more."""
        value = self.get(name)
        if value is None or value == []:
            raise missing(f"{self.path(name)} is missing; give one element or more")
        if not isinstance(value, list | tuple):
            raise invalid(f"{self.path(name)} must be an array, not {json_type(value)}")
        return list(value)

    def finish(self) -> None:
        """Refuse keys that nobody read."""
        for name in self._value:
            if name not in self._known:
                raise invalid(
                    f"{self.where} has no parameter {shown(name)}; it takes: {', '.join(sorted(self._known))}."
                    f"{suggest(name, self._known)}"
                )
