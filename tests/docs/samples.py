"""Samples: requests to the embedded engine, so many that every option of every operation is in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.docs.world import Body, has
from vikingdb_core import IAM, Headers, Request, Response
from vikingdb_core.drivers import SystemClock
from vikingdb_core.effects import Timeouts

C = {"collection_name": "c"}
CI = {**C, "index_name": "i"}
PI = {"collection_name": "p", "index_name": "i"}
RERANK = {"model_name": "doubao-seed-rerank", "model_version": "251028"}
DOUBAO = {"name": "doubao-embedding", "version": "240715"}
VISION = {"name": "doubao-embedding-vision", "version": "251215"}
MATRIX = {**VISION, "dim": 1024, "ndim": 2, "shape": [64, 2048], "instruction": {"content": "Find: "}}
KEY = {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True}
TEXT = {"FieldName": "text", "FieldType": "text"}
DENSE = {"ModelName": "bge-m3", "TextField": "text"}
VECTOR = {"FieldName": "v", "FieldType": "vector", "Dim": 4}
VISION_DENSE = {"ModelName": "doubao-embedding-vision", "ModelVersion": "251215", "TextField": "text"}
DOUBAO_DENSE = {"ModelName": "doubao-embedding", "ModelVersion": "240715", "TextField": "text", "Dim": 512}
TENSOR = {"NDim": 2, "Shape": [64, 2048]}
INSTRUCTION = {"AutoFill": True, "Content": "Find: "}
OTHER_MODEL = {
    **DOUBAO_DENSE,
    **TENSOR,
    "ImageField": "pic",
    "VideoField": "clip",
    "TensorQuantType": "int8",
    "Instruction": INSTRUCTION,
}
ANALYZER = {"Tokenizer": "whitespace", "StopWordsFilters": ["symbol"]}
DISKANN = {
    "IndexType": "diskann",
    "Distance": "l2",
    "Quant": "float",
    "DiskannM": 16,
    "DiskannCef": 100,
    "PqCodeRatio": 0.1,
    "CacheRatio": 0.1,
}
HNSW = {"IndexType": "hnsw", "HnswM": 16, "HnswCef": 100, "HnswSef": 100}
INDEX_CHANGES: tuple[Body, ...] = (
    {"VectorIndex": DISKANN},
    {"VectorIndex": HNSW},
    {"Description": "told"},
    {"CpuQuota": 2, "ShardPolicy": "custom"},
    {"ShardPolicy": "custom", "ShardCount": 2},
    {"DelProtection": True},
)
FUSION = {
    "op": "score_fusion",
    "fusion_by": "add",
    "addition_score": [{"base_value_from": "scalar_field", "field": "year"}],
    "normalize_for_addition_score": {"func": "min_max"},
}

IS_SF = {"op": "must", "field": "genre", "conds": ["sf"]}
CHANGE = {"FilterConds": [IS_SF], "UpdateFields": {"year": 1}}
EXPORT = {"FileType": "json", "TosPath": "bucket/out", "ExportAll": True}

SEARCHES: tuple[Body, ...] = (
    {"filter": {"op": "range", "field": "year", "gt": 1900, "lt": 1970}},
    {"limit": 1},
    {"offset": 1},
    {"output_fields": ["genre"]},
    {"advance": {"ids_in": ["a"]}},
    {"advance": {"ids_not_in": ["a"]}},
    {"advance": {"scale_k": 2}},
    {"advance": {"filter_pre_ann_limit": 1, "filter_pre_ann_ratio": 0.1}},
    {"advance": {"post_process_ops": [{"op": "string_contain", "field": "genre", "pattern": "novel"}]}},
    {"limit": 2, "advance": {"post_process_ops": [FUSION], "post_process_input_limit": 2}},
    {"partition": "p1"},
    {"return_schema": True},
    {"return_download_url": True},
    {"return_analyzed_result": True},
    {"return_detail_info": True, "advance": {"post_process_ops": [FUSION]}},
    {"output_fields": ["genre", "nothing"], "ignore_unknown_fields": True},
)
"""What is added to the request of every search, one at a time."""

LIGHTER: Body = {"advance": {"dense_weight": 0.4}}
BY_MEANING: Body = {"mode": "semantic_then_match"}

SAMPLES: Mapping[str, tuple[Body, ...]] = {
    "vector.data.upsert": (
        {**C, "data": [{"id": "new", "title": "Kim", "vec": [0, 0, 1, 0]}]},
        {"ttl": 60},
        {"data": [{"id": "new", "title": "Kim", "vec": [0, 0, 1, 0], "shelf": 3}], "ignore_unknown_fields": True},
        {"async": True},
    ),
    "vector.data.update": (
        {**C, "data": [{"id": "a", "year": 1966}]},
        {"ttl": 60},
        {"data": [{"id": "a", "shelf": 3}], "ignore_unknown_fields": True},
    ),
    "vector.data.delete": ({**C, "ids": ["a"]}, {"ids": None, "del_all": True}, {"async": True}),
    "vector.data.fetch_in_collection": (
        {**C, "ids": ["a"]},
        {"return_download_url": True},
        {"return_analyzed_result": True},
    ),
    "vector.data.fetch_in_index": ({**CI, "ids": ["a"]}, {"partition": "p1"}, {"output_fields": ["genre"]}),
    "vector.search.vector": (
        {**CI, "dense_vector": [1, 0, 0, 0]},
        *SEARCHES,
        {"sparse_vector": {"dune": 0.5}, **LIGHTER},
        {"tensor_rerank": {"tensor": [[1.0, 0, 0, 0]], "input_limit": 2}},
        {"tensor_rerank": {"tensor": [[1.0, 0, 0, 0]], "max_similarity_algo": "sum"}},
    ),
    "vector.search.multi_modal": (
        {**PI, "text": "spice"},
        *SEARCHES,
        LIGHTER,
        {"image": "tos://bucket/key"},
        {"video": {"value": "tos://bucket/key"}},
        {"need_instruction": True},
        {"instruction": {"auto_fill": True}},
        {"tensor_rerank": {"tensor": [[1.0]], "input_limit": 5, "max_similarity_algo": "sum"}},
        {"limit": 1, "rerank": {**RERANK, "input_limit": 3}},
        {"rerank": {**RERANK, "score_threshold": 0.4}},
        {"rerank": {**RERANK, "instruction": "Judge.", "fail_strategy": "fail_fast", "timeout_ms": 100}},
    ),
    "vector.search.id": ({**CI, "id": "a"}, *SEARCHES, LIGHTER),
    "vector.search.scalar": ({**CI, "field": "year"}, *SEARCHES, LIGHTER, {"order": "asc"}),
    "vector.search.keywords": (
        {**PI, "query": "Dune Emma"},
        *SEARCHES,
        {"query": None, "keywords": ["Emma"]},
        BY_MEANING,
        {**BY_MEANING, **LIGHTER},
        {**BY_MEANING, "query": "dune emma", "case_sensitive": True},
        {"highlight": {"enable": True}},
        {"fields": ["text"]},
        {"fields_weights": {"text": 3}},
        {"bm25_k1": 2},
        {"bm25_b": 0.1},
    ),
    "vector.search.random": (CI, *SEARCHES, LIGHTER),
    "vector.data.aggregate": (
        {**CI, "op": "count"},
        {"filter": {"op": "range", "field": "year", "gt": 1900}},
        {"partition": "p1"},
        {"field": "genre"},
        {"group_by": "genre"},
        {"field": "genre", "cond": {"gt": 1}},
        {"field": "genre", "order": "asc"},
        {"calc_value_on": "vec"},
        {"ids": ["a"]},
        {"weights": [0.5]},
    ),
    "vector.data.sort": ({**CI, "ids": ["a", "b"], "query_vector": [1, 0, 0, 0]},),
    "vector.embedding": (
        {"dense_model": {"name": "bge-m3"}, "data": [{"text": "dune"}]},
        {"data": [{"text": "dune", "image": "tos://bucket/key"}]},
        {"data": [{"text": "dune", "video": {"value": "tos://bucket/key"}}]},
        {"data": [{"full_modal_seq": [{"text": "dune"}, {"text": "sand"}]}]},
        {"data": [{"full_modal_seq": [{"text": "dune", "image": "tos://bucket/key"}]}]},
        {"data": [{"full_modal_seq": [{"text": "dune", "video": {"value": "tos://bucket/key"}}]}]},
        {"dense_model": {**DOUBAO, "dim": 512, "instruction": {"content": "Find: "}}},
        {"dense_model": {**DOUBAO, "ndim": 2}},
        {"dense_model": {**DOUBAO, "shape": [64, 2048]}},
        {"sparse_model": {**VISION, "instruction": {"content": "Find: "}}},
        {"sparse_model": {**VISION, "dim": 1024}},
        {"sparse_model": {**VISION, "ndim": 2}},
        {"sparse_model": {**VISION, "shape": [64, 2048]}},
        {"tensor_model": MATRIX},
        {"project_name": "default"},
        {"max_retry_time": 2},
    ),
    "vector.rerank": (
        {
            "model_name": "doubao-seed-rerank",
            "query": [{"text": "dune"}],
            "data": [[{"text": "Dune"}], [{"text": "K"}]],
        },
        {"data": [[{"text": "Dune", "image": "tos://bucket/key"}]]},
        {"data": [[{"text": "Dune", "video": {"value": "tos://bucket/key"}}]]},
        {"query": [{"text": "dune", "image": "tos://bucket/key"}]},
        {"query": [{"text": "dune", "video": {"value": "tos://bucket/key"}}]},
        {"model_version": "251028"},
        {"instruction": "Judge."},
        {"return_origin_data": True},
        {"project_name": "default"},
        {"max_retry_time": 2},
    ),
    "vector.ping": ({},),
    "vector.collection.create": (
        {"CollectionName": "n", "Fields": [KEY, TEXT]},
        {"Fields": [KEY, TEXT, VECTOR]},
        {"Fields": [KEY, TEXT, {"FieldName": "x", "FieldType": "int64", "DefaultValue": 3}]},
        {"Fields": [KEY, TEXT, VECTOR, {"FieldName": "t", "FieldType": "tensor", **TENSOR}]},
        {"Description": "told"},
        {"Vectorize": {"Dense": {**DOUBAO_DENSE, "Instruction": {"AutoFill": False}}}},
        {"Vectorize": {"Dense": {**DENSE, "Instruction": {"Content": "Find: "}}}},
        {"Vectorize": {"Dense": {**DENSE, "ImageField": "pic"}}},
        {"Vectorize": {"Dense": {**DENSE, "VideoField": "clip"}}},
        {"Vectorize": {"Dense": {**DENSE, **TENSOR, "TensorQuantType": "int8"}}},
        {"Vectorize": {"Dense": VISION_DENSE, "Sparse": VISION_DENSE}},
        {"Vectorize": {"Dense": VISION_DENSE, "Sparse": {**VISION_DENSE, "Dim": 1024}}},
        {"Vectorize": {"Dense": VISION_DENSE, "Sparse": {**VISION_DENSE, "ImageField": "pic"}}},
        {"Vectorize": {"Dense": VISION_DENSE, "Sparse": {**VISION_DENSE, "VideoField": "clip"}}},
        {"Vectorize": {"Dense": VISION_DENSE, "Sparse": {**VISION_DENSE, "Instruction": INSTRUCTION}}},
        {"Vectorize": {"Dense": VISION_DENSE, "Sparse": {**VISION_DENSE, **TENSOR, "TensorQuantType": "int8"}}},
        {"Vectorize": {"Dense": DENSE, "Tensor": OTHER_MODEL}},
        {"FullText": [{"Field": "text", "Analyzer": ANALYZER}]},
        {"FullText": [{"Field": "text", "Analyzer": {"Tokenizers": ["whitespace"]}}]},
        {"FullText": [{"Field": "text", "Analyzer": {"CharacterConverters": ["x"]}}]},
        {"Tags": [{"Key": "shelf", "Value": "3"}]},
        {"DelProtection": True},
    ),
    "vector.collection.get": ({"CollectionName": "c"},),
    "vector.collection.list": (
        {},
        {"PageNumber": 2},
        {"PageSize": 1},
        {"Filter": {"CollectionNameKeyword": "p"}},
    ),
    "vector.collection.update": (
        {"CollectionName": "c", "Description": "told"},
        {"Fields": [{"FieldName": "x", "FieldType": "int64", "DefaultValue": 3}]},
        {"Fields": [VECTOR]},
        {"Fields": [{"FieldName": "x", "FieldType": "int64", "IsPrimaryKey": True}]},
        {"Fields": [{"FieldName": "t", "FieldType": "tensor", **TENSOR}]},
        {"FullText": [{"Field": "title", "Analyzer": ANALYZER}]},
        {"FullText": [{"Field": "title", "Analyzer": {"Tokenizers": ["whitespace"]}}]},
        {"FullText": [{"Field": "title", "Analyzer": {"CharacterConverters": ["x"]}}]},
        {"DelProtection": True},
    ),
    "vector.collection.delete": ({"CollectionName": "e"},),
    "vector.index.create": (
        {"CollectionName": "c", "IndexName": "j", "VectorIndex": {"IndexType": "hnsw_hybrid"}},
        {"ScalarIndex": ["year"]},
        *INDEX_CHANGES,
    ),
    "vector.index.get": ({"CollectionName": "c", "IndexName": "i"},),
    "vector.index.list": (
        {},
        {"PageNumber": 2},
        {"PageSize": 1},
        {"Filter": {"CollectionName": ["c"]}},
        {"Filter": {"IndexNameKeyword": "k"}},
        {"Filter": {"Status": ["INIT"]}},
    ),
    "vector.index.update": (
        {"CollectionName": "c", "IndexName": "k", "Description": "told"},
        {"ScalarIndex": ["genre"]},
        *INDEX_CHANGES,
    ),
    "vector.task.create": (
        {"CollectionName": "c", "TaskType": "filter_update", "TaskConfig": CHANGE},
        {"TaskConfig": {**CHANGE, "NeedConfirm": False}},
        {"TaskConfig": {**CHANGE, "UsePublic": True}},
        {"TaskConfig": {**CHANGE, "ProjectName": "default"}},
        {"CollectionName": None, "TaskConfig": {**CHANGE, "CollectionName": "c"}},
        {"CollectionName": None, "TaskConfig": {**CHANGE, "ResourceId": "resource id of c"}},
        {"TaskType": "data_export", "TaskConfig": EXPORT},
        {"TaskType": "data_export", "TaskConfig": {**EXPORT, "OutputFields": ["year"]}},
        {"TaskType": "data_import", "TaskConfig": {"FileType": "json", "TosPath": "bucket/in", "IgnoreError": True}},
    ),
    "vector.task.get": ({"TaskId": "id of a task"},),
    "vector.task.list": (
        {},
        {"PageNumber": 2},
        {"PageSize": 1},
        {"CollectionName": "p"},
        {"TaskType": "data_import"},
        {"TaskStatus": "done"},
    ),
    "vector.task.update": ({"TaskId": "id of a task", "TaskStatus": "confirmed"},),
    "vector.task.delete": ({"TaskId": "id of a task"},),
    **{
        f"vector.index.{verb}": ({"CollectionName": "c", "IndexName": "i"},) for verb in ("enable", "disable", "delete")
    },
}
"""Of every operation a request that the engine does, and what is added to it for the sake of an option.

An option is tried with the first of them that gives it. Operations that the engine refuses need none.
"""

ELSEWHERE = {"project_name": "elsewhere", "ProjectName": "elsewhere", "Description": "elsewhere"}
"""Options that are compared with another value of theirs, all others with their absence: projects, whose name in the
sample is the default, and what a change must not be without."""


def sample(operation: str, option: str) -> Body | None:
    """The first request that gives an option."""
    base, *additions = SAMPLES[operation]
    named = base.get("collection_name") or base.get("CollectionName")
    addresses: tuple[Body, ...] = (
        {"collection_name": None, "resource_id": f"resource id of {named}"},
        {"CollectionName": None, "ResourceId": f"resource id of {named}"},
        {"project_name": "default"},
        {"ProjectName": "default"},
    )
    bodies = [{**base, **addition} for addition in ({}, *additions, *addresses)]
    return next((body for body in bodies if has(body, option)), None)


class Silence:
    """A transport that answers with nothing."""

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        return Response(200, Headers(), b"")

    def close(self) -> None:
        pass


ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "endpoint": {},
    "host": {"endpoint": None, "host": "demo", "scheme": "local"},
    "scheme": {"endpoint": None, "host": "demo", "scheme": "local"},
    "region": {"region": "cn-shanghai"},
    "control_endpoint": {"control_endpoint": "local://control"},
    "auth": {"auth": IAM("ak", "sk")},
    "sts_token": {"auth": IAM("ak", "sk"), "sts_token": "token"},
    "timeout": {"timeout": 5},
    "connect_timeout": {"connect_timeout": 5},
    "deadline": {"deadline": 5},
    "retry": {"retry": 1},
    "pool_connections": {"pool_connections": 1},
    "pool_maxsize": {"pool_maxsize": 1},
    "proxies": {"proxies": "http://127.0.0.1:9"},
    "verify": {"verify": False},
    "headers": {"headers": {"X-Team": "search"}},
    "user_agent": {"user_agent": "parity"},
    "allow_insecure": {"allow_insecure": True},
    "profile": {"profile": "parity"},
    "plugins": {"plugins": []},
    "transport": {"transport": Silence()},
    "clock": {"clock": SystemClock()},
}
"""Of every argument of a client how one of the engine may be built with it."""

CALL_ARGUMENTS: Mapping[str, Any] = {
    "headers": {"X-Team": "search"},
    "query": {"page": "parity"},
    "request_id": "parity",
    "max_attempts": 1,
    "timeout": 5,
    "connect_timeout": 5,
    "deadline": 5,
    "idempotent": True,
}
"""The same for ``RequestOptions``."""
