"""Responses of an index: hits, rows, counts, orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from vikingdb_core.models import ResponseModel

from .base import DataApiResponse, Id
from .collection import DataItem

_TOTAL_KEYS = ("__TOTAL__", "_total", "__total_count__")


class IndexDataItem(DataItem):
    """A row as the index holds it."""

    dense_dim: int | None = None
    dense_vector: list[float] | None = None
    sparse_vector: dict[str, float] | None = None


class FetchDataInIndexResult(ResponseModel):
    """Rows found (wire name ``fetch``) and keys that do not exist."""

    items: list[IndexDataItem] = Field(default_factory=list, validation_alias="fetch", serialization_alias="fetch")
    ids_not_exist: list[Id] = Field(default_factory=list)


class SearchItemResult(ResponseModel):
    """A hit.

    Attributes:
        id: primary key.
        fields: scalar fields.
        score: what hits are ordered by, best first; larger is better.
        ann_score: the vector's own score, before rerank, fusion or keywords.
        origin_score: score before fusion, with ``return_detail_info``.
        addition_score: what fusion added, with ``return_detail_info``.
        highlight: field to word to positions.
    """

    id: Id
    fields: dict[str, Any] = Field(default_factory=dict)
    ann_score: float | None = None
    score: float | None = None
    origin_score: float | None = None
    addition_score: float | None = None
    highlight: Mapping[str, Mapping[str, list[int]]] | None = None


class SearchResult(ResponseModel):
    """Hits, and what the service says about how it found them."""

    data: list[SearchItemResult] = Field(default_factory=list)
    filter_matched_count: int | None = None
    total_return_count: int | None = None
    real_text_query: str | None = None
    effective_keywords: Mapping[str, list[str]] | None = None
    token_usage: dict[str, Any] = Field(default_factory=dict)
    index_schema: Mapping[str, Any] | None = Field(
        default=None, validation_alias="schema", serialization_alias="schema"
    )
    rerank_error: str | None = None
    instruction_for_dense: str | None = None
    instruction_for_sparse: str | None = None
    instruction_for_tensor: str | None = None
    embedding_time_cost_ms: int | None = None
    recall_time_cost_ms: int | None = None
    rerank_time_cost_ms: int | None = None

    @property
    def schema(self) -> Mapping[str, Any] | None:  # type: ignore[override]  # the wire's name; pydantic's is deprecated
        return self.index_schema


class VectorWeightedSumResult(ResponseModel):
    """A weighted sum of rows' vectors."""

    vector: list[float] = Field(default_factory=list)
    found_count: int | None = None
    found_ids: list[Id] = Field(default_factory=list)
    weight_sum: float | None = None


class AggResult(ResponseModel):
    """Counts. ``agg`` is as the service sends it; :attr:`total` and :attr:`groups` read it."""

    agg: dict[str, Any] = Field(default_factory=dict)
    op: str | None = None
    group_by: str | None = None
    field: str | None = None
    calc_value_on: str | None = None
    vector_weighted_sum: VectorWeightedSumResult | None = None

    @property
    def total(self) -> int:
        """The count of an ungrouped aggregate, under whichever name the deployment uses; the sum of the groups else."""
        if self._is_grouped:
            return sum(self.groups.values())
        return next((int(self.agg[key]) for key in _TOTAL_KEYS if key in self.agg), 0)

    @property
    def groups(self) -> dict[str, int]:
        """Count by value. Keys are strings, as JSON has them, whatever the field's type."""
        return {key: int(count) for key, count in self.agg.items()} if self._is_grouped else {}

    @property
    def _is_grouped(self) -> bool:
        field = self.group_by or self.field or "__NONE__"
        return field != "__NONE__" or not any(key in self.agg for key in _TOTAL_KEYS)


class SortItem(ResponseModel):
    """A row and its similarity."""

    id: Id
    score: float | None = None


class SortResult(ResponseModel):
    """Rows in order, and keys that do not exist."""

    items: list[SortItem] = Field(default_factory=list, validation_alias="sort", serialization_alias="sort")
    ids_not_exist: list[Id] = Field(default_factory=list)


class FetchDataInIndexResponse(DataApiResponse):
    result: FetchDataInIndexResult


class SearchResponse(DataApiResponse):
    result: SearchResult


class AggResponse(DataApiResponse):
    result: AggResult


class SortResponse(DataApiResponse):
    result: SortResult
