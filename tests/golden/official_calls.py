"""Official calls: which operations of the official client are recorded, with which arguments.

Data only; ``record.py`` performs it. For each operation there is a call named ``*_every_field``, which sets every field
of the official request model and of the models nested in it, and one named ``*_minimal``. What a service would refuse
about an ``*_every_field`` call, because fields contradict each other, is named in its ``conflicts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Form = Literal["model", "mapping", "none"]

PAST_DOUBLES = 2**53 + 1
LARGEST_ID = 2**63 - 1
VECTOR = [0.12, -0.5, 1e-07, 0.9999999]

COLLECTION = {"collection_name": "books", "project_name": "default"}
INDEX = {"collection_name": "books", "project_name": "default", "index_name": "books_hnsw"}
BY_RESOURCE = {"resource_id": "vdb-4f2c9a7e"}
INDEX_BY_RESOURCE = {"resource_id": "vdb-4f2c9a7e", "index_name": "books_hnsw"}


@dataclass(frozen=True)
class OfficialCall:
    """One call of the official client.

    Attributes:
        arguments: fields of ``model`` by Python name when ``form`` is ``model``; the mapping passed instead of a model,
            with the names of the wire, when it is ``mapping``; empty when nothing is passed.
        handle: keyword arguments that make the handle from the client.
        request_options: keyword arguments of the official ``RequestOptions``.
        client_options: keyword arguments of the client beyond host, region, scheme and auth.
        conflicts: fields that are legal on the wire but contradict each other.
    """

    name: str
    client: Literal["collection", "index", "embedding", "rerank"]
    method: str
    model: str | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    handle: Mapping[str, str] = field(default_factory=dict)
    form: Form = "model"
    request_options: Mapping[str, Any] = field(default_factory=dict)
    client_options: Mapping[str, Any] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()


FILTER: dict[str, Any] = {
    "op": "and",
    "conds": [
        {"op": "must", "field": "language", "conds": ["中文", "English"]},
        {"op": "must_not", "field": "shelf", "conds": [PAST_DOUBLES, -7]},
        {
            "op": "or",
            "conds": [
                {"op": "range", "field": "price", "gte": 9.5, "lt": 120},
                {"op": "range_out", "field": "pages", "gt": 900, "lt": 80},
                {"op": "must", "field": "in_print", "conds": [True]},
            ],
        },
        {"op": "time_range", "field": "published", "gt": "1949-06-08T00:00:00+08:00", "lte": "2026-01-02T03:04:05Z"},
        {"op": "geo_range", "field": "shop", "center": "116.397,39.909", "radius": "2500m"},
    ],
}

SCORE_FUSION: dict[str, Any] = {
    "op": "score_fusion",
    "fusion_by": "add",
    "addition_score_weight": 0.3,
    "addition_score": [
        {"base_value_from": "scalar_field", "field": "rating", "factor": 2.5},
        {
            "base_value_from": "decay_func",
            "field": "published",
            "func": "gauss",
            "origin": "2026-01-02T03:04:05Z",
            "scale": "9d",
            "offset": "1d",
            "decay": 0.25,
        },
    ],
    "normalize_for_origin_score": {"enable": True, "func": "min_max"},
    "normalize_for_addition_score": {"enable": True, "func": "arctan", "arctan_factor": 0.1, "arctan_offset": 2},
}

ADVANCE: dict[str, Any] = {
    "dense_weight": 0.7,
    "ids_in": [PAST_DOUBLES, LARGEST_ID, 42],
    "ids_not_in": [13],
    "post_process_ops": [
        {"op": "string_contain", "field": "title", "pattern": "三体"},
        {"op": "string_match", "field": "isbn", "pattern": "^978-\\d+$"},
        {"op": "enum_freq_limiter", "field": "author", "threshold": 2},
        SCORE_FUSION,
    ],
    "post_process_input_limit": 200,
    "scale_k": 1.5,
    "filter_pre_ann_limit": 20000,
    "filter_pre_ann_ratio": 0.02,
}

EVERY_SEARCH_FIELD: dict[str, Any] = {
    "filter": FILTER,
    "partition": "fiction",
    "output_fields": ["title", "author", "price"],
    "limit": 20,
    "offset": 40,
    "advance": ADVANCE,
    "return_schema": True,
    "return_download_url": True,
    "return_analyzed_result": True,
    "return_detail_info": True,
    "ignore_unknown_fields": True,
}

TENSOR_RERANK: dict[str, Any] = {
    "tensor": [[0.1, 0.2, 0.3, 0.4], [-0.4, 0.3, -0.2, 0.1]],
    "input_limit": 60,
    "max_similarity_algo": "max_sim",
}

MODEL_RERANK: dict[str, Any] = {
    "model_name": "doubao-seed-rerank",
    "model_version": "251028",
    "instruction": "哪本书回答了这个问题?",
    "input_limit": 80,
    "score_threshold": 0.05,
    "fail_strategy": "fail_fast",
    "timeout_ms": 1500,
}

ROWS: list[dict[str, Any]] = [
    {
        "id": PAST_DOUBLES,
        "title": "三体",
        "author": "刘慈欣",
        "price": 23.0,
        "pages": 302,
        "in_print": True,
        "tags": ["科幻", "雨果奖"],
        "editions": [2008, PAST_DOUBLES],
        "published": "2008-01-01T00:00:00+08:00",
        "shop": "116.397,39.909",
        "cover": "tos://covers/三体.png",
        "trailer": {"value": "tos://trailers/santi.mp4", "fps": 0.5},
        "embedding": VECTOR,
        "lexical": {"宇宙": 1.25, "wallfacer": 0.5},
    },
    {
        "id": LARGEST_ID,
        "title": "L'\"Étranger\"\\\n\tet l'été \U0001f4da",
        "author": "",
        "price": 0.0,
        "pages": 0,
        "in_print": False,
        "tags": [],
        "editions": [-1],
        "published": "1942-05-19T00:00:00.000Z",
        "shop": "-0.1276,51.5072",
        "cover": "https://covers.example/l%C3%A9tranger.jpg?size=2&v=1",
        "embedding": "zczMPc3MTD6amZk+zczMPg==",
        "lexical": {},
    },
]

MIXED_PARTS: list[dict[str, Any]] = [
    {
        "text": "黑暗森林法则",
        "image": "https://covers.example/dark-forest.jpg",
        "video": {"value": "tos://trailers/dark-forest.mp4", "fps": 1.0},
    },
    {
        "text": "a second part",
        "image": {"value": "tos://covers/2.png", "x-tos-process": "image/resize,w_512"},
        "video": {"value": "https://trailers.example/2.mp4"},
    },
]

COLLECTION_CALLS = [
    OfficialCall(
        "upsert_every_field",
        "collection",
        "upsert",
        "UpsertDataRequest",
        {"data": ROWS, "ttl": 86400, "ignore_unknown_fields": True, "async_write": True},
        COLLECTION,
    ),
    OfficialCall(
        "upsert_minimal",
        "collection",
        "upsert",
        "UpsertDataRequest",
        {"data": [{"id": "b-1", "title": "围城"}]},
        {"collection_name": "books"},
    ),
    OfficialCall(
        "upsert_from_mapping",
        "collection",
        "upsert",
        "UpsertDataRequest",
        {"data": ROWS, "async": False, "ttl": 0, "ignore_unknown_fields": None},
        BY_RESOURCE,
        form="mapping",
    ),
    OfficialCall(
        "upsert_null_inside_a_row",
        "collection",
        "upsert",
        "UpsertDataRequest",
        {"data": [{"id": 1, "title": "活着", "subtitle": None}]},
        COLLECTION,
    ),
    OfficialCall(
        "update_every_field",
        "collection",
        "update",
        "UpdateDataRequest",
        {"data": [{"id": PAST_DOUBLES, "price": 19.9, "tags": []}], "ttl": 3600, "ignore_unknown_fields": False},
        COLLECTION,
    ),
    OfficialCall(
        "update_minimal",
        "collection",
        "update",
        "UpdateDataRequest",
        {"data": [{"__AUTO_ID__": LARGEST_ID, "price": 0}]},
        BY_RESOURCE,
    ),
    OfficialCall(
        "delete_every_field",
        "collection",
        "delete",
        "DeleteDataRequest",
        {"ids": [PAST_DOUBLES, 42], "delete_all": True, "async_write": True},
        COLLECTION,
        conflicts=("ids", "delete_all"),
    ),
    OfficialCall(
        "delete_by_ids_minimal",
        "collection",
        "delete",
        "DeleteDataRequest",
        {"ids": [LARGEST_ID, -LARGEST_ID]},
        COLLECTION,
    ),
    OfficialCall(
        "delete_by_string_ids",
        "collection",
        "delete",
        "DeleteDataRequest",
        {"ids": ["1", "书-二", "c d/e?f"], "async_write": False},
        COLLECTION,
    ),
    OfficialCall("delete_all", "collection", "delete", "DeleteDataRequest", {"delete_all": True}, BY_RESOURCE),
    OfficialCall(
        "delete_all_from_mapping",
        "collection",
        "delete",
        "DeleteDataRequest",
        {"ids": None, "del_all": True, "async": True},
        COLLECTION,
        form="mapping",
    ),
    OfficialCall(
        "fetch_in_collection_every_field",
        "collection",
        "fetch",
        "FetchDataInCollectionRequest",
        {"ids": [PAST_DOUBLES, LARGEST_ID], "return_download_url": True, "return_analyzed_result": False},
        COLLECTION,
    ),
    OfficialCall(
        "fetch_in_collection_minimal",
        "collection",
        "fetch",
        "FetchDataInCollectionRequest",
        {"ids": ["书-一", "b-1"]},
        BY_RESOURCE,
    ),
    OfficialCall(
        "fetch_in_collection_with_request_options",
        "collection",
        "fetch",
        "FetchDataInCollectionRequest",
        {"ids": [1]},
        COLLECTION,
        request_options={
            "request_id": "golden-0217",
            "headers": {"X-Shop-Branch": "beijing-3", "Shop-Trace": "t 1"},
            "query": {"trace": "三 体&=+/~", "a": "1"},
            "timeout": 5,
            "max_attempts": 1,
        },
    ),
    OfficialCall(
        "fetch_in_collection_with_session_token",
        "collection",
        "fetch",
        "FetchDataInCollectionRequest",
        {"ids": [1]},
        COLLECTION,
        client_options={"sts_token": "STSDEMO+/=="},
    ),
]

INDEX_CALLS = [
    OfficialCall(
        "fetch_in_index_every_field",
        "index",
        "fetch",
        "FetchDataInIndexRequest",
        {"ids": [PAST_DOUBLES, 42], "partition": "fiction", "output_fields": ["title", "价格"]},
        INDEX,
    ),
    OfficialCall(
        "fetch_in_index_minimal", "index", "fetch", "FetchDataInIndexRequest", {"ids": [1]}, INDEX_BY_RESOURCE
    ),
    OfficialCall(
        "fetch_in_index_without_fields",
        "index",
        "fetch",
        "FetchDataInIndexRequest",
        {"ids": ["b-1"], "output_fields": []},
        INDEX,
    ),
    OfficialCall(
        "search_by_vector_every_field",
        "index",
        "search_by_vector",
        "SearchByVectorRequest",
        {
            **EVERY_SEARCH_FIELD,
            "dense_vector": VECTOR,
            "sparse_vector": {"宇宙": 1.25, "42": 0.5},
            "tensor_rerank": TENSOR_RERANK,
        },
        INDEX,
    ),
    OfficialCall(
        "search_by_vector_minimal",
        "index",
        "search_by_vector",
        "SearchByVectorRequest",
        {"dense_vector": [1, 0, 0, -1]},
        INDEX_BY_RESOURCE,
    ),
    OfficialCall(
        "search_by_vector_empty_zero_and_false_are_sent",
        "index",
        "search_by_vector",
        "SearchByVectorRequest",
        {
            "dense_vector": VECTOR,
            "sparse_vector": {},
            "filter": {},
            "output_fields": [],
            "offset": 0,
            "return_schema": False,
            "return_detail_info": False,
            "advance": {"ids_in": [], "ids_not_in": [], "post_process_ops": []},
        },
        INDEX,
    ),
    OfficialCall(
        "search_by_vector_from_mapping",
        "index",
        "search_by_vector",
        "SearchByVectorRequest",
        {
            "dense_vector": VECTOR,
            "limit": 3,
            "partition": None,
            "filter": FILTER,
            "output_fields": [],
            "advance": {"ids_in": [], "dense_weight": 0.2, "scale_k": 1},
            "tensor_rerank": TENSOR_RERANK,
        },
        INDEX,
        form="mapping",
    ),
    OfficialCall(
        "search_by_vector_with_fields_the_model_lacks",
        "index",
        "search_by_vector",
        "SearchByVectorRequest",
        {"dense_vector": VECTOR, "future_option": {"深": [1, 2]}, "advance": {"future_weight": 0.25}},
        INDEX,
    ),
    OfficialCall(
        "search_by_multi_modal_every_field",
        "index",
        "search_by_multi_modal",
        "SearchByMultiModalRequest",
        {
            **EVERY_SEARCH_FIELD,
            "text": "讲述文明冲突的科幻小说",
            "image": "https://covers.example/三体.png",
            "video": {"value": "tos://trailers/santi.mp4", "fps": 2.0},
            "need_instruction": True,
            "instruction": {"auto_fill": False},
            "tensor_rerank": TENSOR_RERANK,
            "rerank": MODEL_RERANK,
        },
        INDEX,
        conflicts=("need_instruction", "instruction", "tensor_rerank.tensor", "rerank"),
    ),
    OfficialCall(
        "search_by_multi_modal_minimal",
        "index",
        "search_by_multi_modal",
        "SearchByMultiModalRequest",
        {"text": "a novel about 月球"},
        INDEX,
    ),
    OfficialCall(
        "search_by_multi_modal_with_rerank",
        "index",
        "search_by_multi_modal",
        "SearchByMultiModalRequest",
        {
            "image": "base64://iVBORw0KGgo=",
            "limit": 5,
            "rerank": {"model_name": "doubao-seed-rerank", "model_version": "251028"},
            "tensor_rerank": {"input_limit": 100},
            "instruction": {"auto_fill": True},
        },
        INDEX_BY_RESOURCE,
    ),
    OfficialCall(
        "search_by_id_every_field",
        "index",
        "search_by_id",
        "SearchByIDRequest",
        {**EVERY_SEARCH_FIELD, "id": PAST_DOUBLES},
        INDEX,
    ),
    OfficialCall("search_by_id_minimal", "index", "search_by_id", "SearchByIDRequest", {"id": "书-一"}, INDEX),
    OfficialCall(
        "search_by_scalar_every_field",
        "index",
        "search_by_scalar",
        "SearchByScalarRequest",
        {**EVERY_SEARCH_FIELD, "field": "price", "order": "asc"},
        INDEX,
    ),
    OfficialCall(
        "search_by_scalar_minimal", "index", "search_by_scalar", "SearchByScalarRequest", {"field": "pages"}, INDEX
    ),
    OfficialCall(
        "search_by_keywords_every_field",
        "index",
        "search_by_keywords",
        "SearchByKeywordsRequest",
        {
            **EVERY_SEARCH_FIELD,
            "mode": "bm25",
            "keywords": ["三体", "dark forest"],
            "query": "黑暗森林 first contact",
            "highlight": {"enable": True},
            "case_sensitive": True,
            "fields": ["title", "summary"],
            "fields_weights": {"title": 2.0, "summary": 0.5},
            "bm25_k1": 1.6,
            "bm25_b": 0.25,
        },
        INDEX,
        conflicts=("keywords", "query"),
    ),
    OfficialCall(
        "search_by_keywords_minimal",
        "index",
        "search_by_keywords",
        "SearchByKeywordsRequest",
        {"keywords": ["流浪地球"]},
        INDEX,
    ),
    OfficialCall(
        "search_by_keywords_by_query",
        "index",
        "search_by_keywords",
        "SearchByKeywordsRequest",
        {
            "mode": "semantic_then_match",
            "query": "wandering 地球",
            "case_sensitive": False,
            "highlight": {"enable": False},
        },
        INDEX,
    ),
    OfficialCall(
        "search_by_random_every_field",
        "index",
        "search_by_random",
        "SearchByRandomRequest",
        EVERY_SEARCH_FIELD,
        INDEX,
    ),
    OfficialCall(
        "search_by_random_minimal", "index", "search_by_random", "SearchByRandomRequest", {}, INDEX_BY_RESOURCE
    ),
    OfficialCall("search_by_random_without_a_request", "index", "search_by_random", None, {}, INDEX, form="none"),
    OfficialCall(
        "aggregate_every_field",
        "index",
        "aggregate",
        "AggRequest",
        {
            "filter": FILTER,
            "partition": "fiction",
            "op": "count",
            "group_by": "language",
            "field": "language",
            "calc_value_on": "embedding",
            "ids": [PAST_DOUBLES, 42],
            "weights": [0.75, 0.25],
            "cond": {"gt": 10},
            "order": "desc",
        },
        INDEX,
        conflicts=("field", "group_by", "calc_value_on", "ids", "weights"),
    ),
    OfficialCall("aggregate_minimal", "index", "aggregate", "AggRequest", {"op": "count"}, INDEX),
    OfficialCall(
        "aggregate_from_mapping",
        "index",
        "aggregate",
        "AggRequest",
        {"op": "count", "field": "language", "cond": {"gt": 0}, "order": "asc", "filter": None},
        INDEX,
        form="mapping",
    ),
]

MODEL_CALLS = [
    OfficialCall(
        "embedding_every_field",
        "embedding",
        "embedding",
        "EmbeddingRequest",
        {
            "data": [{**MIXED_PARTS[0], "full_modal_seq": MIXED_PARTS}],
            "dense_model": {
                "name": "doubao-embedding-vision",
                "version": "251215",
                "dim": 1024,
                "ndim": 1,
                "shape": [1024],
                "instruction": {"content": "为检索书籍生成向量:"},
            },
            "sparse_model": {
                "name": "doubao-embedding-vision",
                "version": "251215",
                "dim": 1,
                "ndim": 1,
                "shape": [],
                "instruction": {"content": ""},
            },
            "tensor_model": {
                "name": "doubao-embedding-vision",
                "version": "251215",
                "dim": 2048,
                "ndim": 2,
                "shape": [64, 2048],
                "instruction": {"content": "Describe the book."},
            },
            "project_name": "default",
            "max_retry_time": 2,
        },
        conflicts=("data.full_modal_seq",),
    ),
    OfficialCall(
        "embedding_minimal",
        "embedding",
        "embedding",
        "EmbeddingRequest",
        {"data": [{"text": "球状闪电"}], "dense_model": {"name": "bge-m3"}},
    ),
    OfficialCall(
        "embedding_from_mapping",
        "embedding",
        "embedding",
        "EmbeddingRequest",
        {
            "dense_model": {"name": "bge-m3"},
            "sparse_model": {"name": "bge-m3"},
            "data": [{"text": "hello"}, {"text": "你好"}],
            "project_name": None,
        },
        form="mapping",
    ),
    OfficialCall(
        "rerank_every_field",
        "rerank",
        "rerank",
        "RerankRequest",
        {
            "project_name": "default",
            "model_name": "doubao-seed-rerank",
            "model_version": "251028",
            "data": [MIXED_PARTS, MIXED_PARTS[:1]],
            "query": MIXED_PARTS[1:],
            "instruction": "哪本书更相关?",
            "return_origin_data": True,
            "max_retry_time": 3,
        },
    ),
    OfficialCall(
        "rerank_minimal",
        "rerank",
        "rerank",
        "RerankRequest",
        {
            "model_name": "doubao-seed-rerank",
            "data": [[{"text": "三体"}], [{"text": "围城"}]],
            "query": [{"text": "科幻"}],
        },
    ),
]

OFFICIAL_CALLS: list[OfficialCall] = [*COLLECTION_CALLS, *INDEX_CALLS, *MODEL_CALLS]
