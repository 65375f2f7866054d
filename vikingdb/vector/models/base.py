"""Bases of the models, under the official package's names."""

from vikingdb_core.models import Model
from vikingdb_vector.models import (
    CollectionMeta,
    CommonResponse,
    DataApiResponse,
    IndexMeta,
    PaginationResponse,
)

__all__ = [
    "CollectionMeta",
    "CommonResponse",
    "DataApiResponse",
    "IndexMeta",
    "Model",
    "PaginationResponse",
]
