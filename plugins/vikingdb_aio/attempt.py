"""Attempt: how far one request has got, so that a failure says whether the service may have seen it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Attempt:
    """One request on its way.

    Attributes:
        connect_seconds: how long to wait for a new connection.
        has_connection: it was given one, TLS and proxy included. Before that nothing of it can have been sent; from
            then on it may have been.
        is_new_connection: the connection was made for it.
        waits_for_pool: it asked the pool for a connection, and none is free or being made for it.
    """

    connect_seconds: float
    has_connection: bool = False
    is_new_connection: bool = False
    waits_for_pool: bool = False


CURRENT: ContextVar[Attempt] = ContextVar("vikingdb_aio_attempt")
"""The attempt of the running task: aiohttp makes connections within the task that sends, and takes nothing along."""
