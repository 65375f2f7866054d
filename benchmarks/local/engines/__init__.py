"""Engines by name. Each is imported only where it is installed."""

from __future__ import annotations

from importlib import import_module

from .base import Engine

OURS = "vikingdb-local"
_CLASSES = {
    OURS: "viking:Viking",
    "qdrant-edge": "qdrant_shard:QdrantEdge",
    "zvec": "zvec_collection:Zvec",
    "lancedb": "lance:Lance",
    "chromadb": "chroma:Chroma",
    "qdrant-client": "qdrant_local:QdrantLocal",
}
NAMES = tuple(_CLASSES)
"""Ours first."""


def engine_class(name: str) -> type[Engine]:
    """The class of an engine.

    Raises:
        ImportError: it is not installed here.
    """
    module, _, attribute = _CLASSES[name].partition(":")
    found: type[Engine] = getattr(import_module(f".{module}", __name__), attribute)
    return found
