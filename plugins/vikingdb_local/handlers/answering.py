"""Answering: what every search shares. It is opened, ranks the rows it admits, and reads and pages the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vikingdb_vector import models as m

from ..engine.scoring import LARGEST, Hit, Rows, best, nearest, nearest_with
from ..engine.segment import Snapshot
from ..errors import invalid
from ..session import Call, Session
from .output import Selection, refuse_truthy, select_fields
from .postprocess import Operator, read_operators
from .recall import MAX_CANDIDATES, Recall, open_recall

DEFAULT_LIMIT = 10
OVERSAMPLE = 3
"""How many times the hits asked for go into the operators, unless the request says how many."""
DEFAULT_DENSE_WEIGHT = 0.5

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
    advance = request.advance or _no_advance()
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


@cache
def _no_advance() -> m.SearchAdvance:
    """One that says nothing, for all requests to read."""
    return m.SearchAdvance()


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
        return Found(hits, _numbers(snapshot, hits) if wants_fields else [], matched)

    found, documents = search.recall.collection.read(look, lambda found: found.numbers)
    contents = [documents.get(number, {}) for number in found.numbers] if wants_fields else [{}] * len(found.hits)
    data = []
    for hit, document in zip(found.hits, contents, strict=True):
        score = as_score(hit.score)
        item = {"id": hit.key, "fields": search.selection(document), "score": score}
        if ann:
            item["ann_score"] = score if hit.origin is None else as_score(hit.origin)
        if search.wants_details:
            item |= _details(hit)
        if more is not None:
            item |= more(document)
        data.append(item)
    return _result(data, found.matched)


def candidates(search: Search, rank: Rank, most: int) -> Candidates:
    """The best rows with all their fields, to be scored again."""

    def look(snapshot: Snapshot) -> Found:
        hits, matched = search.hits(snapshot, rank, most)
        return Found(hits, _numbers(snapshot, hits), matched)

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
            **(_details(hit) if search.wants_details else {}),
            **(more(document) if more else {}),
        }
        for score, hit, document in scored[search.offset : search.most]
    ]
    return _result(data, found.matched)


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
        rows = collection.nearby(index, snapshot, rows, query, most, recall.scale_k)
        return best(*nearest(snapshot.vectors, rows, query, distance, most), snapshot.keys, most)

    return rank if sparse is None else mixed


def as_score(score: float) -> Any:
    """Scores go out in single precision; int64 values as they are."""
    if isinstance(score, int):
        return score
    return np.float32(score if -LARGEST <= score <= LARGEST else min(max(score, -LARGEST), LARGEST))


def _numbers(snapshot: Snapshot, hits: Sequence[Hit]) -> list[int]:
    numbers: list[int] = snapshot.numbers[[hit.row for hit in hits]].tolist()
    return numbers


def _details(hit: Hit) -> dict[str, Any]:
    """The parts of a fused score, as they were before they were normalised."""
    if hit.origin is None:
        return {}
    return {"origin_score": as_score(hit.origin), "addition_score": as_score(hit.addition or 0.0)}


def _result(data: list[dict[str, Any]], matched: int | None) -> dict[str, Any]:
    """The result of a search; ``filter_matched_count`` when there was a filter."""
    counts = {"total_return_count": len(data)}
    return {"data": data, **(counts if matched is None else {"filter_matched_count": matched, **counts})}
