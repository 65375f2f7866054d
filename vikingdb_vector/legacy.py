"""Legacy: how the official package names the APIs, for :meth:`VikingDB.request`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vikingdb_core.exceptions import InvalidRequest
from vikingdb_core.hints import suggest
from vikingdb_core.models import AnyResponse
from vikingdb_core.operation import Operation

from . import operations as ops

API_VECTOR_DATA_UPSERT = "VectorDataUpsert"
API_VECTOR_DATA_UPDATE = "VectorDataUpdate"
API_VECTOR_DATA_DELETE = "VectorDataDelete"
API_VECTOR_DATA_FETCH_IN_COLLECTION = "VectorDataFetchInCollection"
API_VECTOR_DATA_FETCH_IN_INDEX = "VectorDataFetchInIndex"
API_VECTOR_SEARCH_BY_VECTOR = "VectorSearchByVector"
API_VECTOR_SEARCH_BY_MULTI_MODAL = "VectorSearchByMultiModal"
API_VECTOR_SEARCH_BY_ID = "VectorSearchByID"
API_VECTOR_SEARCH_BY_SCALAR = "VectorSearchByScalar"
API_VECTOR_SEARCH_BY_KEYWORDS = "VectorSearchByKeywords"
API_VECTOR_SEARCH_BY_RANDOM = "VectorSearchByRandom"
API_VECTOR_DATA_AGGREGATE = "VectorDataAggregate"
API_VECTOR_EMBEDDING = "VectorEmbedding"
API_VECTOR_RERANK = "VectorRerank"

_OPERATION_OF_API: Mapping[str, Operation[Any, Any]] = {
    API_VECTOR_DATA_UPSERT: ops.UPSERT,
    API_VECTOR_DATA_UPDATE: ops.UPDATE,
    API_VECTOR_DATA_DELETE: ops.DELETE,
    API_VECTOR_DATA_FETCH_IN_COLLECTION: ops.FETCH_IN_COLLECTION,
    API_VECTOR_DATA_FETCH_IN_INDEX: ops.FETCH_IN_INDEX,
    API_VECTOR_SEARCH_BY_VECTOR: ops.SEARCH_BY_VECTOR,
    API_VECTOR_SEARCH_BY_MULTI_MODAL: ops.SEARCH_BY_MULTI_MODAL,
    API_VECTOR_SEARCH_BY_ID: ops.SEARCH_BY_ID,
    API_VECTOR_SEARCH_BY_SCALAR: ops.SEARCH_BY_SCALAR,
    API_VECTOR_SEARCH_BY_KEYWORDS: ops.SEARCH_BY_KEYWORDS,
    API_VECTOR_SEARCH_BY_RANDOM: ops.SEARCH_BY_RANDOM,
    API_VECTOR_DATA_AGGREGATE: ops.AGGREGATE,
    API_VECTOR_EMBEDDING: ops.EMBEDDING,
    API_VECTOR_RERANK: ops.RERANK,
}

__all__ = [
    "API_VECTOR_DATA_AGGREGATE",
    "API_VECTOR_DATA_DELETE",
    "API_VECTOR_DATA_FETCH_IN_COLLECTION",
    "API_VECTOR_DATA_FETCH_IN_INDEX",
    "API_VECTOR_DATA_UPDATE",
    "API_VECTOR_DATA_UPSERT",
    "API_VECTOR_EMBEDDING",
    "API_VECTOR_RERANK",
    "API_VECTOR_SEARCH_BY_ID",
    "API_VECTOR_SEARCH_BY_KEYWORDS",
    "API_VECTOR_SEARCH_BY_MULTI_MODAL",
    "API_VECTOR_SEARCH_BY_RANDOM",
    "API_VECTOR_SEARCH_BY_SCALAR",
    "API_VECTOR_SEARCH_BY_VECTOR",
]


def by_official_name(api: str) -> Operation[Any, AnyResponse]:
    """The operation of an API, answering with whatever the service sends.

    Raises:
        InvalidRequest: there is no API of the name.
    """
    operation = _OPERATION_OF_API.get(api)
    if operation is None:
        raise InvalidRequest(f"there is no API named {api!r}.{suggest(api, _OPERATION_OF_API)}")
    return replace(operation, response=AnyResponse)
