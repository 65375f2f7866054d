"""CollectionClient, and its async twin."""

from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import Resource as VectorClientBase
from vikingdb_vector.collection import AsyncCollectionClient, CollectionClient

__all__ = ["AsyncCollectionClient", "CollectionClient", "RequestOptions", "VectorClientBase"]
