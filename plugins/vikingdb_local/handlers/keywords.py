"""Keywords: search by words, lexically (``bm25``) or by meaning first (``semantic_then_match``).

``semantic_then_match`` takes the nearest rows (three times as many as asked for, at least 100) and adds 1 to a row's
score for each keyword that its text contains literally.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vikingdb_core.hints import suggest
from vikingdb_vector import models as m

from ..engine.postings import Bm25, analyse_query, find_terms
from ..engine.schema import Schema
from ..engine.scoring import Hit, Rows, best, single
from ..engine.segment import Snapshot
from ..errors import invalid, missing, shown
from ..session import Call, Session
from ..words import find_words
from .answering import More, Search, answer, answer_again, candidates, near, open_search
from .search import embed_text

BM25 = "bm25"
SEMANTIC = "semantic_then_match"
MAX_KEYWORDS = 10
MAX_QUERY_BYTES = 512
MIN_CANDIDATES = 100


Occurrences = Callable[[Mapping[str, Any]], Mapping[str, Mapping[str, list[int]]]]
"""From a row's fields to where words stand: field to word to positions."""


@dataclass(frozen=True)
class FieldQuery:
    """What to look for in one full-text field, and how much it counts."""

    name: str
    terms: Sequence[str]
    weight: float


def by_keywords(session: Session, call: Call[m.SearchByKeywordsRequest]) -> Any:
    request = call.request
    search = open_search(session, call)
    mode = _mode(request, search.recall.collection.schema)
    _check_words(request)
    if mode == BM25:
        return _by_terms(search, request)
    return _by_meaning(session, search, request)


def _by_terms(search: Search, request: m.SearchByKeywordsRequest) -> Any:
    if request.case_sensitive:
        raise invalid("case_sensitive goes with mode semantic_then_match; bm25 never tells upper from lower case")
    queries = _field_queries(request, search.recall.collection.schema)
    knobs = _knobs(request)

    def rank(snapshot: Snapshot, rows: Rows, most: int) -> list[Hit]:
        alive = snapshot.alive(search.recall.now_ms)
        scores = np.zeros(len(alive))
        for query in queries:
            snapshot.postings[query.name].score(query.terms, alive, knobs, scores, query.weight)
        rows = rows[scores[rows] > 0]
        return best(rows, single(scores[rows]), snapshot.keys, most)

    def occurrences(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, list[int]]]:
        analyzers = search.recall.collection.schema.full_text
        return {
            query.name: find_terms(analyzers[query.name], query.terms, document.get(query.name) or "")
            for query in queries
        }

    found = answer(search, rank, more=_highlight(request, occurrences))
    return {**found, "effective_keywords": {query.name: list(query.terms) for query in queries}}


def _by_meaning(session: Session, search: Search, request: m.SearchByKeywordsRequest) -> Any:
    for name in ("fields", "fields_weights", "bm25_k1", "bm25_b"):
        if getattr(request, name) is not None:
            raise invalid(f"{name} goes with mode bm25; leave it out")
    words = list(request.keywords) if request.keywords else (request.query or "").split()
    vector, usage = embed_text(session, search, " ".join(words))
    found = candidates(search, near(search.recall, vector), max(MIN_CANDIDATES, 3 * search.most))

    def occurrences(document: Mapping[str, Any]) -> dict[str, list[int]]:
        return find_words(words, document[search.text_field], case_sensitive=bool(request.case_sensitive))

    scores = [hit.score + len(occurrences(row)) for hit, row in zip(found.hits, found.documents, strict=True)]
    more = _highlight(request, lambda document: {search.text_field: occurrences(document)})
    return {**answer_again(search, found, scores, least=-math.inf, more=more), "token_usage": usage}


def _highlight(request: m.SearchByKeywordsRequest, occurrences: Occurrences) -> More | None:
    """Where the words stand: for every field in which any does, the positions of their first characters."""
    if request.highlight is None or not request.highlight.enable:
        return None
    return lambda document: {"highlight": {field: words for field, words in occurrences(document).items() if words}}


def _mode(request: m.SearchByKeywordsRequest, schema: Schema) -> str:
    if request.mode not in (None, BM25, SEMANTIC):
        raise invalid(
            f"mode {shown(request.mode)} is none of: {BM25}, {SEMANTIC}.{suggest(request.mode or '', [BM25, SEMANTIC])}"
        )
    if not schema.full_text and schema.vectorizer is None:
        raise invalid(
            "the collection has no words to search: create it with FullText on a text field, or with Vectorize"
        )
    if request.mode == BM25 and not schema.full_text:
        raise invalid("mode bm25 needs a collection created with FullText")
    if request.mode == SEMANTIC and schema.vectorizer is None:
        raise invalid("mode semantic_then_match needs a collection created with Vectorize")
    return request.mode or (BM25 if schema.full_text else SEMANTIC)


def _check_words(request: m.SearchByKeywordsRequest) -> None:
    if request.keywords and request.query:
        raise invalid("keywords and query exclude each other; give one")
    if not request.keywords and not (request.query or "").strip():
        raise missing("give keywords or query, with one word or more")
    keywords = request.keywords or ()
    if len(keywords) > MAX_KEYWORDS:
        raise invalid(f"keywords has {len(keywords)} words; at most {MAX_KEYWORDS} are allowed")
    if any(not word.strip() for word in keywords):
        raise invalid("keywords must not hold an empty word")
    if len("".join(keywords).encode()) > MAX_QUERY_BYTES or len((request.query or "").encode()) > MAX_QUERY_BYTES:
        raise invalid(f"keywords or query is longer than {MAX_QUERY_BYTES} bytes")


def _field_queries(request: m.SearchByKeywordsRequest, schema: Schema) -> list[FieldQuery]:
    names = list(dict.fromkeys(request.fields)) if request.fields else list(schema.full_text)
    weights = dict(request.fields_weights or {})
    for name in (*names, *weights):
        if name not in schema.full_text:
            raise invalid(
                f"field {shown(name)} is not a full-text field; these are: {', '.join(schema.full_text)}."
                f"{suggest(name, schema.full_text)}"
            )
    for name, weight in weights.items():
        if not weight > 0:
            raise invalid(f"fields_weights.{name} is {weight}; a weight is above 0")
    queries = []
    for name in names:
        terms = analyse_query(
            schema.full_text[name], " ".join(request.keywords) if request.keywords else request.query or ""
        )
        queries.append(FieldQuery(name, terms if request.keywords else terms[:MAX_KEYWORDS], weights.get(name, 1.0)))
    return queries


def _knobs(request: m.SearchByKeywordsRequest) -> Bm25:
    usual = Bm25()
    k1 = usual.k1 if request.bm25_k1 is None else request.bm25_k1
    b = usual.b if request.bm25_b is None else request.bm25_b
    if not k1 > 0:
        raise invalid(f"bm25_k1 is {k1}; it must be above 0")
    if not 0 <= b <= 1:
        raise invalid(f"bm25_b is {b}; it must be from 0 to 1")
    return Bm25(k1, b)
