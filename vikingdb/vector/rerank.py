"""RerankClient, and its async twin."""

from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import Resource as VectorClientBase
from vikingdb_vector.rerank import AsyncRerankClient, RerankClient

__all__ = ["AsyncRerankClient", "RequestOptions", "RerankClient", "VectorClientBase"]
