"""EmbeddingClient, and its async twin."""

from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import Resource as VectorClientBase
from vikingdb_vector.embedding import AsyncEmbeddingClient, EmbeddingClient

__all__ = ["AsyncEmbeddingClient", "EmbeddingClient", "RequestOptions", "VectorClientBase"]
