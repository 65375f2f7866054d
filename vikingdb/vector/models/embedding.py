"""Models of the embedding API."""

from vikingdb_vector.models import (
    DataApiResponse,
    Embedding,
    EmbeddingData,
    EmbeddingInstruction,
    EmbeddingModelOpt,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingResult,
    FullModalData,
)

__all__ = [
    "DataApiResponse",
    "Embedding",
    "EmbeddingData",
    "EmbeddingInstruction",
    "EmbeddingModelOpt",
    "EmbeddingRequest",
    "EmbeddingResponse",
    "EmbeddingResult",
    "FullModalData",
]
