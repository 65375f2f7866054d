"""Session: what the handlers of one client's requests work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from vikingdb_core.models import RequestModel
from vikingdb_vector.models import IndexMeta

from .embedding.base import Embedder
from .engine.catalog import Catalog

Req = TypeVar("Req", bound=RequestModel)


@dataclass(frozen=True)
class Session:
    """A database as one client sees it.

    Attributes:
        catalog: the database, perhaps shared with other clients.
        embedder: what this client's texts are embedded with.
        clock: seconds since 1970.
        seed: lays sample data before the first request is handled; ``None`` when none is wanted.
        buckets: the folder that stands for ``tos://``; ``None`` when there is none.
    """

    catalog: Catalog
    embedder: Embedder
    clock: Callable[[], float]
    seed: Callable[[Session], None] | None = None
    buckets: Path | None = None

    @property
    def now_ms(self) -> int:
        return int(self.clock() * 1000)


@dataclass(frozen=True)
class Call(Generic[Req]):
    """A request, read: the operation's own model, and what a data plane request is addressed to."""

    request: Req
    locator: IndexMeta
    body_bytes: int
