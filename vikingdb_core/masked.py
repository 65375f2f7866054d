"""Masked: what keeps secrets out of what is printed.

A mapping that shows its names and never its values, and a decorator for functions whose local values are secrets:
crash reporters print the local values of every frame a traceback goes through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

# By what a name says, since gateways have headers of their own: X-Gateway-Token, X-Access-Key.
_SECRET_NAME = re.compile(r"authorization|cookie|credential|passw|secret|token|(access|api)-?key")

P = ParamSpec("P")
R = TypeVar("R")


def names_a_secret(name: str) -> bool:
    """Whether the name of a header or a parameter says that its value is one."""
    return _SECRET_NAME.search(name.lower()) is not None


class Masked(Mapping[str, Any]):
    """A mapping whose values are shown to nobody. Nor is it copied or pickled."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values: Mapping[str, Any] = {} if values is None else values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Masked({', '.join(sorted(map(str, self._values)))})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("values that may be secret are not pickled; read them again in the other process")


def discreet(function: Callable[P, R]) -> Callable[P, R]:
    """Let errors leave the function without the local values it and whatever it called had. Lines and causes stay."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            forget_locals(error)
            raise

    return call


def forget_locals(error: BaseException) -> None:
    """Drop the local values of every finished frame in the tracebacks of an error, its causes and its contexts."""
    links, seen = [error], {id(error)}
    while links:
        link = links.pop()
        trace = link.__traceback__
        while trace is not None:
            with suppress(RuntimeError):  # a frame that is still running, such as the caller's
                trace.tb_frame.clear()
            trace = trace.tb_next
        for other in (link.__cause__, link.__context__):
            if other is not None and id(other) not in seen:
                seen.add(id(other))
                links.append(other)
