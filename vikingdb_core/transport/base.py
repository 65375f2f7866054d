"""What every transport is built with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST_BODY_BYTES = 1 << 30
"""How much of an answer is read into memory, unpacked: a little that is compressed may become a lot. A stream has no
such limit."""


@dataclass(frozen=True)
class TransportSettings:
    """Connection settings of a client.

    Attributes:
        pool_connections: how many hosts to keep connections to.
        pool_maxsize: how many idle connections to keep for each; of an async client, the most requests at once.
        proxies: scheme to proxy URL; ``None`` takes the environment's.
        verify: check certificates, or the path of a CA bundle.
    """

    pool_connections: int = 10
    pool_maxsize: int = 50
    proxies: Mapping[str, str] | None = field(default=None, repr=False)
    verify: bool | str = True
