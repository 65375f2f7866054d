"""Search: by vector, by text, by id, by scalar and at random. By keywords is next door."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vikingdb_vector import models as m
from vikingdb_vector.models import FieldType

from ..embedding.models import embed_query, token_usage
from ..embedding.relevance import check_model, score_texts, usage
from ..embedding.sparse import embed_sparse
from ..engine.columns import Numbers
from ..engine.scoring import Hit, Rows, best, late_interaction, nearest, nearest_with
from ..engine.segment import Snapshot
from ..engine.values import read_id, read_sparse, read_tensor, read_vector
from ..errors import DATA, invalid, missing, not_found, not_implemented, shown
from ..session import Call, Session
from .incoming import check_embedder
from .output import Selection, refuse_truthy, select_fields
from .postprocess import Operator, read_operators
from .recall import MAX_CANDIDATES, Recall, open_recall

DEFAULT_LIMIT = 10
OVERSAMPLE = 3
"""How many times the hits asked for go into the operators, unless the request says how many."""
MAX_RERANKED = 100
DEFAULT_DENSE_WEIGHT = 0.5
DEFAULT_TENSOR_INPUT, MAX_TENSOR_INPUT = 100, 1000
MAX_SCORE = float(np.finfo(np.float32).max)

Rank = Callable[[Snapshot, Rows, int], list[Hit]]
"""From the admitted rows to so many hits, best first."""
More = Callable[[Mapping[str, Any]], dict[str, Any]]
"""From a row's fields to what its hit has beside the usual."""


@dataclass(frozen=True)
class Search:
    """What every search has."""

    recall: Recall
    limit: int
    offset: int
    selection: Selection
    wants_fields: bool
    wants_details: bool
    operators: Sequence[Operator]
    input_limit: int | None
    dense_weight: float

    @property
    def most(self) -> int:
        return self.offset + self.limit

    def hits(self, snapshot: Snapshot, rank: Rank, most: int) -> tuple[list[Hit], int | None]:
        """The ``most`` best of what the operators leave, and how many rows the filter matched."""
        rows, matched = self.recall.rows(snapshot)
        if not self.operators:
            return rank(snapshot, rows, most), matched
        hits = rank(snapshot, rows, max(most, self.input_limit or OVERSAMPLE * most))
        for operator in self.operators:
            hits = operator(snapshot, hits)
        return hits[:most], matched

    @property
    def text_field(self) -> str:
        """The field that was embedded."""
        vectorizer = self.recall.collection.schema.vectorizer
        assert vectorizer is not None
        return vectorizer.text_field


@dataclass(frozen=True)
class Found:
    """Hits, the numbers of the rows to be read for them, and how many rows the filter matched."""

    hits: list[Hit]
    numbers: list[int]
    matched: int | None


@dataclass(frozen=True)
class Candidates:
    """Hits with all their fields, and how many rows the filter matched."""

    hits: list[Hit]
    documents: list[dict[str, Any]]
    matched: int | None


def by_vector(session: Session, call: Call[m.SearchByVectorRequest]) -> Any:
    request = call.request
    search = open_search(session, call)
    sparse = _sparse_query(search, request.sparse_vector)
    rank = near(search.recall, _query_vector(search, request.dense_vector), sparse, search.dense_weight)
    if request.tensor_rerank is not None:
        return _reranked_by_tensor(search, rank, request.tensor_rerank)
    return answer(search, rank, ann=True)


def by_multi_modal(session: Session, call: Call[m.SearchByMultiModalRequest]) -> Any:
    """By text, embedded as the collection's rows were. The local embedder has no instructions to fill in."""
    request = call.request
    refuse_truthy(request, "image", "video")
    if request.tensor_rerank is not None:
        raise not_implemented("tensor_rerank", "leave it out")
    if not request.text:
        raise missing("give text to search by")
    search = open_search(session, call)
    vector, usage = embed_text(session, search, request.text)
    sparse = embed_sparse(request.text) if search.recall.index.is_hybrid else None
    rank = near(search.recall, vector, sparse, search.dense_weight)
    if request.rerank is None:
        found = {**answer(search, rank, ann=True), "token_usage": usage}
    else:
        found = _reranked(session, search, rank, usage, request.text, request.rerank)
    return {**found, "real_text_query": request.text}


def by_id(session: Session, call: Call[m.SearchByIDRequest]) -> Any:
    """By the vector of a row, which is among the hits if it is admitted."""
    search = open_search(session, call)
    collection = search.recall.collection
    search.recall.distance  # noqa: B018  # says that there are no vectors, before a row is looked for
    key = read_id(collection.schema.primary_key, call.request.id, "id")

    def rank(snapshot: Snapshot, rows: Rows, most: int) -> list[Hit]:
        keys: list[Any] = [key]
        own = np.flatnonzero(snapshot.with_keys(keys) & snapshot.alive(search.recall.now_ms))
        if not own.size:
            raise not_found(DATA, f"index {search.recall.index.name!r} has no row {shown(key)}")
        query = snapshot.vectors.matrix.row(int(own[-1]))
        return near(search.recall, query)(snapshot, rows, most)

    return answer(search, rank, ann=True)


def by_scalar(session: Session, call: Call[m.SearchByScalarRequest]) -> Any:
    """By a number; the score is its value."""
    request = call.request
    if not request.field:
        raise missing("give field, the int64 or float32 field to order by")
    if request.order not in (None, "asc", "desc"):
        raise invalid(f"order {shown(request.order)} is neither asc nor desc")
    search = open_search(session, call)
    field = search.recall.index.scalar_field(request.field, "field")
    if field.type not in (FieldType.INT64, FieldType.FLOAT32):
        raise invalid(f"field {field.name!r} is {field.type}; rows are ordered by int64 and float32 fields")

    def rank(snapshot: Snapshot, rows: Rows, most: int) -> list[Hit]:
        column = snapshot.columns[field.name]
        assert isinstance(column, Numbers)
        rows = rows[column.present[rows]]
        return best(rows, column.values[rows], snapshot.keys, most, ascending=request.order == "asc")

    return answer(search, rank)


def at_random(session: Session, call: Call[m.SearchByRandomRequest]) -> Any:
    """By chance, each row once at most; every score is 0."""

    def rank(snapshot: Snapshot, rows: Rows, most: int) -> list[Hit]:
        drawn = rows[random.sample(range(len(rows)), min(most, len(rows)))]
        return [Hit(int(row), key, 0.0) for row, key in zip(drawn, snapshot.keys(drawn), strict=True)]

    return answer(open_search(session, call), rank)


def open_search(session: Session, call: Call[Any]) -> Search:
    """What every search has, checked."""
    request: m.SearchBase = call.request
    refuse_truthy(request, "return_schema", "return_download_url", "return_analyzed_result")
    recall = open_recall(session, call)
    limit = DEFAULT_LIMIT if request.limit is None else request.limit
    offset = request.offset or 0
    if not 1 <= limit <= MAX_CANDIDATES:
        raise invalid(f"limit is {limit}; it must be from 1 to {MAX_CANDIDATES}")
    if offset < 0:
        raise invalid(f"offset is {offset}; it must not be negative")
    selection = select_fields(
        recall.collection.schema, request.output_fields, ignore_unknown=bool(request.ignore_unknown_fields)
    )
    advance = request.advance or m.SearchAdvance()
    if advance.post_process_input_limit is not None and advance.post_process_input_limit < limit:
        raise invalid(f"advance.post_process_input_limit must be at least limit ({limit})")
    return Search(
        recall,
        limit,
        offset,
        selection,
        wants_fields=request.output_fields is None or len(request.output_fields) > 0,
        wants_details=bool(request.return_detail_info),
        operators=read_operators(advance.post_process_ops, recall.collection.schema, recall.now_ms),
        input_limit=advance.post_process_input_limit,
        dense_weight=DEFAULT_DENSE_WEIGHT if advance.dense_weight is None else advance.dense_weight,
    )


def answer(search: Search, rank: Rank, *, ann: bool = False, more: More | None = None) -> dict[str, Any]:
    """Rank, read and page.

    Args:
        search: what to search.
        rank: how.
        ann: whether the score is one of vectors.
        more: what a hit has beside the usual.
    """
    wants_fields = search.wants_fields or more is not None

    def look(snapshot: Snapshot) -> Found:
        hits, matched = search.hits(snapshot, rank, search.most)
        hits = hits[search.offset :]
        return Found(hits, [int(snapshot.numbers[hit.row]) for hit in hits], matched)

    found, documents = search.recall.collection.read(look, lambda found: found.numbers if wants_fields else [])
    data = []
    for hit, number in zip(found.hits, found.numbers, strict=True):
        document = documents.get(number, {})
        item = {"id": hit.key, "fields": search.selection(document), "score": as_score(hit.score)}
        if ann:
            item["ann_score"] = as_score(hit.score if hit.origin is None else hit.origin)
        data.append({**item, **_details(search, hit), **(more(document) if more else {})})
    return _result(data, found.matched)


def candidates(search: Search, rank: Rank, most: int) -> Candidates:
    """The best rows with all their fields, to be scored again."""

    def look(snapshot: Snapshot) -> Found:
        hits, matched = search.hits(snapshot, rank, most)
        return Found(hits, [int(snapshot.numbers[hit.row]) for hit in hits], matched)

    found, documents = search.recall.collection.read(look, lambda found: found.numbers)
    return Candidates(found.hits, [documents[number] for number in found.numbers], found.matched)


def answer_again(
    search: Search, found: Candidates, scores: Sequence[float], *, least: float = 0, more: More | None = None
) -> dict[str, Any]:
    """Order candidates by new scores, equal ones as the vectors ordered them, and page.

    Args:
        search: what was searched.
        found: the candidates.
        scores: a new score for each.
        least: candidates below it are dropped.
        more: what a hit has beside the usual.
    """
    scored = [each for each in zip(scores, found.hits, found.documents, strict=True) if each[0] >= least]
    scored.sort(key=lambda each: each[0], reverse=True)  # stable
    data = [
        {
            "id": hit.key,
            "fields": search.selection(document),
            "score": as_score(score),
            "ann_score": as_score(hit.score if hit.origin is None else hit.origin),
            **_details(search, hit),
            **(more(document) if more else {}),
        }
        for score, hit, document in scored[search.offset : search.most]
    ]
    return _result(data, found.matched)


def _details(search: Search, hit: Hit) -> dict[str, Any]:
    """The parts of a fused score, as they were before they were normalised."""
    if not search.wants_details or hit.origin is None:
        return {}
    return {"origin_score": as_score(hit.origin), "addition_score": as_score(hit.addition or 0.0)}


def _result(data: list[dict[str, Any]], matched: int | None) -> dict[str, Any]:
    """The result of a search; ``filter_matched_count`` when there was a filter."""
    counts = {"total_return_count": len(data)}
    return {"data": data, **(counts if matched is None else {"filter_matched_count": matched, **counts})}


def _reranked(
    session: Session,
    search: Search,
    rank: Rank,
    used: Mapping[str, Any],
    text: str,
    given: m.ModelRerank,
) -> dict[str, Any]:
    """The nearest rows, scored again by their text. The local scorer does not fail and takes no time to speak of."""
    name = check_model(given.model_name, "rerank.model_name")
    if not given.model_version:
        raise missing("rerank.model_version is missing, such as 251028")
    most = search.limit if given.input_limit is None else given.input_limit
    if not search.limit <= most <= MAX_RERANKED:
        raise invalid(f"rerank.input_limit is {most}; it must be from limit ({search.limit}) to {MAX_RERANKED}")
    if given.fail_strategy not in (None, "fallback", "fail_fast"):
        raise invalid(f"rerank.fail_strategy {shown(given.fail_strategy)} is neither fallback nor fail_fast")
    if given.timeout_ms is not None and given.timeout_ms < 1:
        raise invalid(f"rerank.timeout_ms is {given.timeout_ms}; it must be above 0")
    found = candidates(search, rank, most)
    texts = [document[search.text_field] for document in found.documents]
    answered = answer_again(search, found, score_texts(session.embedder, text, texts), least=given.score_threshold or 0)
    return {**answered, "token_usage": {**used, **usage(name, given.model_version, text, texts)}}


def embed_text(session: Session, search: Search, text: str) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
    """The vector of a query, and what embedding it used."""
    collection = search.recall.collection
    if collection.schema.vectorizer is None:
        raise invalid(
            f"collection {collection.name!r} does not vectorise text (created without Vectorize). Search by vector"
        )
    model = check_embedder(session, collection).model
    return embed_query(session.embedder, model, text), token_usage([model], [text])


def as_score(score: float) -> Any:
    """Scores go out in single precision; int64 values as they are."""
    return score if isinstance(score, int) else np.float32(score)


def _reranked_by_tensor(search: Search, rank: Rank, given: m.TensorRerank) -> dict[str, Any]:
    """The best rows, scored again by late interaction: for every token of the query its best match, summed."""
    tensor = search.recall.collection.schema.tensor
    if tensor is None:
        raise invalid("tensor_rerank needs a collection with a tensor field; leave it out")
    if given.tensor is None:
        raise missing("tensor_rerank.tensor is missing: the query's rows of numbers")
    if given.max_similarity_algo is not None:
        raise not_implemented("tensor_rerank.max_similarity_algo", "leave it out: the best matches are summed")
    most = DEFAULT_TENSOR_INPUT if given.input_limit is None else given.input_limit
    if not 1 <= most <= MAX_TENSOR_INPUT:
        raise invalid(f"tensor_rerank.input_limit is {most}; it must be from 1 to {MAX_TENSOR_INPUT}")
    query = read_tensor(given.tensor, tensor.shape[1], "tensor_rerank.tensor")
    found = candidates(search, rank, most)
    scores = [late_interaction(query, document.get(tensor.name)) for document in found.documents]
    return answer_again(search, found, scores, least=-MAX_SCORE)


def _sparse_query(search: Search, given: Mapping[Any, Any] | None) -> Mapping[str, float] | None:
    if not given:
        return None
    if not search.recall.index.is_hybrid:
        raise invalid(f"sparse_vector: index {search.recall.index.name!r} is not hybrid; leave it out")
    return read_sparse({str(token): weight for token, weight in given.items()}, "sparse_vector")


def near(
    recall: Recall, query: NDArray[np.float32], sparse: Mapping[str, float] | None = None, weight: float = 1.0
) -> Rank:
    """By the distance to a vector; with a sparse one, ``weight`` says how much the dense one counts."""
    collection, index, distance = recall.collection, recall.index, recall.distance

    def mixed(snapshot: Snapshot, rows: Rows, most: int) -> list[Hit]:
        assert snapshot.sparse is not None
        others = snapshot.sparse.products(sparse or {})
        scored = nearest_with(snapshot.vectors, rows, query, distance, most, weight, others)
        return best(*scored, snapshot.keys, most)

    def rank(snapshot: Snapshot, rows: Rows, most: int) -> list[Hit]:
        rows = collection.nearby(index, snapshot, rows, query, most)
        return best(*nearest(snapshot.vectors, rows, query, distance, most), snapshot.keys, most)

    return rank if sparse is None else mixed


def _query_vector(search: Search, given: Any) -> NDArray[np.float32]:
    search.recall.distance  # noqa: B018  # says that there are no vectors, before their dimension is compared
    vector: NDArray[np.float32] = read_vector(given, search.recall.collection.schema.dim, "dense_vector")
    return vector
