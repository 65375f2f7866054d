"""Every operation of the data plane (specification §5)."""

from __future__ import annotations

from vikingdb_core.models import AnyRequest, Envelope
from vikingdb_core.operation import Operation
from vikingdb_core.traits import Safety

from . import models as m

_DATA = "/api/vikingdb/data"

UPSERT = Operation("vector.data.upsert", f"{_DATA}/upsert", m.UpsertDataRequest, m.UpsertDataResponse, rows="data")
"""Unsafe: replayed without primary keys it inserts every row again."""

UPDATE = Operation(
    "vector.data.update",
    f"{_DATA}/update",
    m.UpdateDataRequest,
    m.UpdateDataResponse,
    safety=Safety.IDEMPOTENT,
    rows="data",
)
DELETE = Operation(
    "vector.data.delete",
    f"{_DATA}/delete",
    m.DeleteDataRequest,
    m.DeleteDataResponse,
    safety=Safety.IDEMPOTENT,
    rows="ids",
)
FETCH_IN_COLLECTION = Operation(
    "vector.data.fetch_in_collection",
    f"{_DATA}/fetch_in_collection",
    m.FetchDataInCollectionRequest,
    m.FetchDataInCollectionResponse,
    safety=Safety.READ,
    rows="ids",
)
FETCH_IN_INDEX = Operation(
    "vector.data.fetch_in_index",
    f"{_DATA}/fetch_in_index",
    m.FetchDataInIndexRequest,
    m.FetchDataInIndexResponse,
    safety=Safety.READ,
    rows="ids",
)
SEARCH_BY_VECTOR = Operation(
    "vector.search.vector", f"{_DATA}/search/vector", m.SearchByVectorRequest, m.SearchResponse, safety=Safety.READ
)
SEARCH_BY_MULTI_MODAL = Operation(
    "vector.search.multi_modal",
    f"{_DATA}/search/multi_modal",
    m.SearchByMultiModalRequest,
    m.SearchResponse,
    safety=Safety.READ,
)
SEARCH_BY_ID = Operation(
    "vector.search.id", f"{_DATA}/search/id", m.SearchByIDRequest, m.SearchResponse, safety=Safety.READ
)
SEARCH_BY_SCALAR = Operation(
    "vector.search.scalar", f"{_DATA}/search/scalar", m.SearchByScalarRequest, m.SearchResponse, safety=Safety.READ
)
SEARCH_BY_KEYWORDS = Operation(
    "vector.search.keywords",
    f"{_DATA}/search/keywords",
    m.SearchByKeywordsRequest,
    m.SearchResponse,
    safety=Safety.READ,
)
SEARCH_BY_RANDOM = Operation(
    "vector.search.random", f"{_DATA}/search/random", m.SearchByRandomRequest, m.SearchResponse, safety=Safety.READ
)
AGGREGATE = Operation("vector.data.aggregate", f"{_DATA}/agg", m.AggRequest, m.AggResponse, safety=Safety.READ)
SORT = Operation(
    "vector.data.sort",
    f"{_DATA}/sort",
    m.SortRequest,
    m.SortResponse,
    safety=Safety.READ,
    experimental="only the official Java SDK has it, and no page documents it",
)
EMBEDDING = Operation(
    "vector.embedding", "/api/vikingdb/embedding", m.EmbeddingRequest, m.EmbeddingResponse, safety=Safety.READ
)
RERANK = Operation("vector.rerank", "/api/vikingdb/rerank", m.RerankRequest, m.RerankResponse, safety=Safety.READ)
PING = Operation(
    "vector.ping", "/api/vikingdb/Ping", AnyRequest, Envelope, method="GET", safety=Safety.READ, opaque=True
)

OPERATIONS = (
    UPSERT,
    UPDATE,
    DELETE,
    FETCH_IN_COLLECTION,
    FETCH_IN_INDEX,
    SEARCH_BY_VECTOR,
    SEARCH_BY_MULTI_MODAL,
    SEARCH_BY_ID,
    SEARCH_BY_SCALAR,
    SEARCH_BY_KEYWORDS,
    SEARCH_BY_RANDOM,
    AGGREGATE,
    SORT,
    EMBEDDING,
    RERANK,
    PING,
)
