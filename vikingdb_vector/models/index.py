"""Requests on an index: fetch, the six searches, aggregate and sort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vikingdb_core.models import RequestModel

from .base import FilterLike, Id, IndexDataRequest, Vector


class FetchDataInIndexRequest(IndexDataRequest):
    """Read rows as the index holds them.

    Attributes:
        ids: up to 100 primary keys.
        partition: sub-index; a feature of older deployments.
        output_fields: scalar fields to return; ``None`` all, ``[]`` none.
    """

    ids: Sequence[Id]
    partition: str | int | None = None
    output_fields: Sequence[str] | None = None


class SearchAdvance(RequestModel):
    """Finer control of a search.

    Attributes:
        dense_weight: weight of the dense score in hybrid search, 0.2 to 1.
        ids_in: only these rows. An empty list admits none.
        ids_not_in: not these rows.
        post_process_ops: operators run over the candidates, in order.
        post_process_input_limit: how many candidates they get.
        scale_k: search breadth of approximate indexes, 0.1 to 100.
        filter_pre_ann_limit: up to so many matching rows the filter goes first and scoring is exhaustive.
        filter_pre_ann_ratio: the same as a share of the index.
    """

    dense_weight: float | None = None
    ids_in: Sequence[Id] | None = None
    ids_not_in: Sequence[Id] | None = None
    post_process_ops: Sequence[Mapping[str, Any]] | None = None
    post_process_input_limit: int | None = None
    scale_k: float | None = None
    filter_pre_ann_limit: int | None = None
    filter_pre_ann_ratio: float | None = None


class RecallBase(IndexDataRequest):
    """What narrows the rows: a filter, and the partition of older deployments."""

    filter: FilterLike | None = None
    partition: str | int | None = None


class SearchBase(RecallBase):
    """What every search takes.

    Attributes:
        output_fields: scalar fields to return; ``None`` all, ``[]`` none.
        limit: how many hits, 10 unless given.
        offset: how many hits to skip.
        advance: finer control.
        return_schema: add the schema to the result.
        return_download_url: add download links of media fields.
        return_analyzed_result: add what the text analyser made of full-text fields.
        return_detail_info: add the parts of fused scores to every hit.
        ignore_unknown_fields: tolerate unknown names in ``output_fields``.
    """

    output_fields: Sequence[str] | None = None
    limit: int | None = None
    offset: int | None = None
    advance: SearchAdvance | None = None
    return_schema: bool | None = None
    return_download_url: bool | None = None
    return_analyzed_result: bool | None = None
    return_detail_info: bool | None = None
    ignore_unknown_fields: bool | None = None


class Highlight(RequestModel):
    """Whether to say where keywords matched."""

    enable: bool | None = None


class Instruction(RequestModel):
    """Whether the model's query instruction is filled in."""

    auto_fill: bool | None = None


class TensorRerank(RequestModel):
    """Rerank by late interaction.

    Attributes:
        tensor: query matrix, tokens by dimension; not allowed in multi-modal search, where the model makes it.
        input_limit: how many candidates, 1 to 1000.
        max_similarity_algo: how token similarities are summed.
    """

    tensor: Sequence[Vector] | None = None
    input_limit: int | None = None
    max_similarity_algo: str | None = None


class ModelRerank(RequestModel):
    """Rerank with a model.

    Attributes:
        model_name: such as ``doubao-seed-rerank``.
        model_version: such as ``251028``.
        instruction: what to judge by.
        input_limit: how many candidates, from the search's limit to 100.
        score_threshold: drop hits below.
        fail_strategy: ``fallback`` keeps the recall order when the model fails, ``fail_fast`` fails the call.
        timeout_ms: how long the model may take.
    """

    model_name: str | None = None
    model_version: str | None = None
    instruction: str | None = None
    input_limit: int | None = None
    score_threshold: float | None = None
    fail_strategy: str | None = None
    timeout_ms: int | None = None


class SearchByVectorRequest(SearchBase):
    """Nearest rows to a vector.

    Attributes:
        dense_vector: as long as the index's dimension.
        sparse_vector: token to weight; for hybrid indexes.
        tensor_rerank: rerank the candidates by late interaction.
    """

    dense_vector: Vector
    sparse_vector: Mapping[str | int, float] | None = None
    tensor_rerank: TensorRerank | None = None


class SearchByMultiModalRequest(SearchBase):
    """Nearest rows to text, image or video, embedded by the collection's own model. At least one of the three.

    Attributes:
        text: the query.
        image: a ``tos://`` or http(s) URL, or ``base64://…``.
        video: ``{"value": url, "fps": frames per second}``.
        need_instruction: older form of ``instruction``.
        instruction: whether the model's query instruction is filled in.
        tensor_rerank: rerank by late interaction; the model makes the tensor.
        rerank: rerank with a model.
    """

    text: str | None = None
    image: Any = None
    video: Any = None
    need_instruction: bool | None = None
    instruction: Instruction | None = None
    tensor_rerank: TensorRerank | None = None
    rerank: ModelRerank | None = None


class SearchByIDRequest(SearchBase):
    """Nearest rows to a row of the index, itself among them."""

    id: Id


class SearchByScalarRequest(SearchBase):
    """Rows ordered by a number.

    Attributes:
        field: an int64 or float32 field with a scalar index.
        order: ``asc`` or ``desc`` (the default).
    """

    field: str | None = None
    order: str | None = None


class SearchByKeywordsRequest(SearchBase):
    """Rows that contain words.

    Attributes:
        mode: ``bm25`` (needs full text) or ``semantic_then_match`` (needs vectorised text); chosen by the service
            unless given.
        keywords: 1 to 10 words, 512 bytes in all. Either this or ``query``.
        query: a phrase to be split into words, at most 512 bytes.
        highlight: say where the words stand.
        case_sensitive: for ``semantic_then_match``.
        fields: full-text fields to search; all unless given.
        fields_weights: how much each field counts.
        bm25_k1: term saturation, above 0; 1.25 unless given.
        bm25_b: length normalisation, 0 to 1; 0.75 unless given.
    """

    mode: str | None = None
    keywords: Sequence[str] | None = None
    query: str | None = None
    highlight: Highlight | None = None
    case_sensitive: bool | None = None
    fields: Sequence[str] | None = None
    fields_weights: Mapping[str, float] | None = None
    bm25_k1: float | None = None
    bm25_b: float | None = None


class SearchByRandomRequest(SearchBase):
    """Rows drawn by chance, without replacement."""


class AggRequest(RecallBase):
    """Count rows, in all or by group.

    Attributes:
        op: ``count``.
        group_by: newer name of ``field``.
        field: a string, int64 or bool field with a scalar index.
        calc_value_on: for vector aggregates.
        ids: for vector aggregates.
        weights: for vector aggregates.
        cond: ``{"gt": n}`` keeps groups with more than ``n`` rows.
        order: ``asc`` or ``desc``.
    """

    op: str
    group_by: str | None = None
    field: str | None = None
    calc_value_on: str | None = None
    ids: Sequence[Id] | None = None
    weights: Sequence[float] | None = None
    cond: Mapping[str, Any] | None = None
    order: str | None = None


class SortRequest(IndexDataRequest):
    """Order given rows by their similarity to a vector. Experimental: no page documents it.

    Attributes:
        ids: rows to order.
        query_vector: as long as the index's dimension.
    """

    ids: Sequence[Id]
    query_vector: Vector
