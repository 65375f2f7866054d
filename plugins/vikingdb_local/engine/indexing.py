"""Indexing: what an index of a collection is, and which fields its searches may filter by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vikingdb_core.hints import suggest
from vikingdb_vector.models import Distance, IndexType

from ..errors import invalid, shown
from .schema import AUTO_ID, Field


@dataclass(frozen=True)
class Index:
    """An index, as the engine works with it.

    Attributes:
        name: unique in its collection.
        distance: how vectors are compared, or ``None`` when the collection has none.
        scalar_fields: fields filters and orderings may use, by name.
        definition: the body it was created with, defaults filled in.
        created_ms: when.
        is_enabled: whether it may be searched.
    """

    name: str
    distance: Distance | None
    scalar_fields: Mapping[str, Field]
    definition: Mapping[str, Any] = field(repr=False)
    created_ms: int = 0
    is_enabled: bool = True

    @property
    def is_hybrid(self) -> bool:
        """Whether its searches may bring a sparse vector too."""
        return (self.definition.get("VectorIndex") or {}).get("IndexType") == IndexType.HNSW_HYBRID

    @property
    def is_approximate(self) -> bool:
        """Whether its searches may go through a graph."""
        kind = (self.definition.get("VectorIndex") or {}).get("IndexType")
        return kind is not None and kind != IndexType.FLAT

    @property
    def search_breadth(self) -> int | None:
        """How many candidates a search of its graph keeps, if the index says."""
        breadth: int | None = (self.definition.get("VectorIndex") or {}).get("HnswSef")
        return breadth

    @property
    def status(self) -> str:
        """The service's word for it. Indexes are ready as soon as they are made: until a graph is built, they scan."""
        return "READY" if self.is_enabled else "DISABLED"

    def scalar_field(self, name: str, where: str) -> Field:
        """A field by name; one that the index does not cover is refused."""
        found = self.scalar_fields.get(name)
        if found is None:
            extra = "; to pick rows by generated id use advance.ids_in" if name == AUTO_ID else ""
            covered = ", ".join(self.scalar_fields) or "none"
            raise invalid(
                f"{where}: index {self.name!r} has no scalar index on {shown(name)}; it covers: {covered}{extra}. "
                "Another field is covered by update_index(scalar_index=[…])."
                f"{suggest(name, self.scalar_fields)}"
            )
        return found
