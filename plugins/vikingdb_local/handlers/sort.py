"""Sort: given rows ordered by their similarity to a vector."""

from __future__ import annotations

from typing import Any

from vikingdb_vector import models as m

from ..engine.scoring import best, nearest
from ..engine.values import read_vector
from ..session import Call, Session
from .answering import as_score
from .locate import find_collection, find_index
from .recall import Recall
from .rows import read_ids


def sort(session: Session, call: Call[m.SortRequest]) -> Any:
    """Best first, equal ones by key; keys without a row apart."""
    collection = find_collection(session, call.locator)
    index = find_index(collection, call.locator.index_name)
    recall = Recall(collection, index, {}, None, None, session.now_ms)
    schema, distance = collection.schema, recall.distance
    keys = read_ids(schema, call.request.ids)
    query = read_vector(call.request.query_vector, schema.dim, "query_vector")
    snapshot = collection.snapshot()
    rows = snapshot.living(keys, recall.now_ms)
    hits = best(*nearest(snapshot.vectors, rows, query, distance, len(keys)), snapshot.keys, len(keys))
    found = {hit.key for hit in hits}
    return {
        "sort": [{"id": hit.key, "score": as_score(hit.score)} for hit in hits],
        "ids_not_exist": [key for key in keys if key not in found],
    }
