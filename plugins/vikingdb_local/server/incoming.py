"""Incoming: an HTTP request as it came in, byte for byte where a signature depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

PING_PATH = "/api/vikingdb/Ping"


@dataclass(frozen=True)
class Incoming:
    """A request before anybody has looked at it.

    Attributes:
        method: in capitals.
        path: percent-encoded, as it was sent.
        query_string: what is behind the question mark, as it was sent.
        headers: name in lower case, and value, in the order they came.
        body: all of it.
    """

    method: str
    path: str
    query_string: str
    headers: Sequence[tuple[str, str]]
    body: bytes = field(default=b"", repr=False)

    def all_of(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for given, value in self.headers if given == name]

    def header(self, name: str) -> str:
        """The first value of a header, or nothing."""
        return next(iter(self.all_of(name)), "")

    @property
    def plain_path(self) -> str:
        return unquote(self.path)

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        return tuple(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def is_control(self) -> bool:
        """Whether it is for the control plane."""
        return self.plain_path in ("", "/") or self.is_action

    @property
    def is_action(self) -> bool:
        """Whether it names an ``Action``."""
        return any(name == "Action" for name, _ in self.query)

    @property
    def is_ping(self) -> bool:
        """Whether it asks for nothing but a sign of life, which needs no key."""
        return self.plain_path == PING_PATH and not self.is_control
