"""Models of the rerank API."""

from vikingdb_vector.models import (
    DataApiResponse,
    FullModalData,
    Rerank,
    RerankRequest,
    RerankResponse,
    RerankResult,
)

__all__ = [
    "DataApiResponse",
    "FullModalData",
    "Rerank",
    "RerankRequest",
    "RerankResponse",
    "RerankResult",
]
