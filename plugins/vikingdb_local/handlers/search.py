"""Search: by vector, by text, by id, by scalar and at random. By keywords is next door."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vikingdb_vector import models as m
from vikingdb_vector.models import FieldType

from ..embedding.models import embed_query, token_usage
from ..embedding.sparse import embed_sparse
from ..engine.columns import Numbers
from ..engine.scoring import Hit, Rows, best
from ..engine.segment import Snapshot
from ..engine.values import read_id, read_sparse, read_vector
from ..errors import DATA, invalid, missing, not_found, not_implemented, shown
from ..session import Call, Session
from .answering import Search, answer, near, open_search
from .incoming import check_embedder
from .output import refuse_truthy
from .reranking import by_tensor, by_text


def by_vector(session: Session, call: Call[m.SearchByVectorRequest]) -> Any:
    request = call.request
    search = open_search(session, call)
    sparse = _sparse_query(search, request.sparse_vector)
    rank = near(search.recall, _query_vector(search, request.dense_vector), sparse, search.dense_weight)
    if request.tensor_rerank is not None:
        return by_tensor(search, rank, request.tensor_rerank)
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
        found = by_text(session, search, rank, usage, request.text, request.rerank)
    return {**found, "real_text_query": request.text}


def by_id(session: Session, call: Call[m.SearchByIDRequest]) -> Any:
    """By the vector of a row, which is among the hits if it is admitted."""
    search = open_search(session, call)
    collection = search.recall.collection
    search.recall.distance  # noqa: B018  # says that there are no vectors, before a row is looked for
    key = read_id(collection.schema.primary_key, call.request.id, "id")

    def rank(snapshot: Snapshot, rows: Rows, most: int) -> list[Hit]:
        keys: list[Any] = [key]
        own = snapshot.living(keys, search.recall.now_ms)
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
        is_ascending = request.order == "asc"
        if len(rows) == len(snapshot):  # any row will do
            few = column.order.extremes(most, len(snapshot), smallest=is_ascending)
            rows = rows if few is None else few
        if not column.present.all():
            rows = rows[column.present[rows]]
        values = column.values if len(rows) == len(snapshot) else column.values[rows]
        return best(rows, values, snapshot.keys, most, ascending=is_ascending)

    return answer(search, rank)


def at_random(session: Session, call: Call[m.SearchByRandomRequest]) -> Any:
    """By chance, each row once at most; every score is 0."""

    def rank(snapshot: Snapshot, rows: Rows, most: int) -> list[Hit]:
        drawn = rows[random.sample(range(len(rows)), min(most, len(rows)))]
        return [Hit(int(row), key, 0.0) for row, key in zip(drawn, snapshot.keys(drawn), strict=True)]

    return answer(open_search(session, call), rank)


def embed_text(session: Session, search: Search, text: str) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
    """The vector of a query, and what embedding it used."""
    collection = search.recall.collection
    if collection.schema.vectorizer is None:
        raise invalid(
            f"collection {collection.name!r} does not vectorise text (created without Vectorize). Search by vector"
        )
    model = check_embedder(session, collection).model
    return embed_query(session.embedder, model, text), token_usage([model], [text])


def _sparse_query(search: Search, given: Mapping[Any, Any] | None) -> Mapping[str, float] | None:
    if not given:
        return None
    if not search.recall.index.is_hybrid:
        raise invalid(f"sparse_vector: index {search.recall.index.name!r} is not hybrid; leave it out")
    return read_sparse({str(token): weight for token, weight in given.items()}, "sparse_vector")


def _query_vector(search: Search, given: Any) -> NDArray[np.float32]:
    search.recall.distance  # noqa: B018  # says that there are no vectors, before their dimension is compared
    vector: NDArray[np.float32] = read_vector(given, search.recall.collection.schema.dim, "dense_vector")
    return vector
