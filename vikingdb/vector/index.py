"""IndexClient, and its async twin."""

from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import Resource as VectorClientBase
from vikingdb_vector.index import AsyncIndexClient, IndexClient

__all__ = ["AsyncIndexClient", "IndexClient", "RequestOptions", "VectorClientBase"]
