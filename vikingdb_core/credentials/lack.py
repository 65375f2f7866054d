"""Lack: what keeps a source from giving credentials, so that the next one is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from .base import Credentials

PairNames: TypeAlias = tuple[str, str, str | None]
"""What a source calls the access key, the secret key and the session token, if it has one."""


class Lack(Exception):
    """In words that follow the name of the source: ``lacks VIKINGDB_SK``. It has names in it, never values."""


def text_of(table: Mapping[str, Any], name: str) -> str:
    """The text below a name, or nothing.

    Raises:
        Lack: something else is there.
    """
    value = table.get(name)
    if value is not None and not isinstance(value, str):
        raise Lack(f"has something other than text as {name}")
    return (value or "").strip()


def require(table: Mapping[str, Any], *names: str) -> None:
    """Raise ``Lack`` unless there is text below all the names."""
    lacking = [name for name in names if not text_of(table, name)]
    if lacking:
        raise Lack(f"lacks {' and '.join(lacking)}")


def pair_of(table: Mapping[str, Any], names: PairNames) -> Credentials:
    """A pair of keys, with its session token.

    Raises:
        Lack: one of the two is not there.
        MissingCredentials: both are there, and one is no key.
    """
    access, secret, token = names
    require(table, access, secret)
    return Credentials(
        text_of(table, access), text_of(table, secret), (text_of(table, token) or None) if token is not None else None
    )
