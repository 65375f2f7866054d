"""Handlers: what the engine does for each operation. One missing here is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vikingdb_vector import operations as data
from vikingdb_vector import operations_admin as control

from ..session import Call, Session
from . import aggregate, collections, embedding, indexes, keywords, rerank, rows, search, sort, tasks

Handler = Callable[[Session, Call[Any]], Any]
"""Gives the result of the envelope; raises ``ServiceError``."""


def _ping(session: Session, call: Call[Any]) -> Any:
    return None


HANDLERS: Mapping[str, Handler] = {
    data.PING.name: _ping,
    data.UPSERT.name: rows.upsert,
    data.UPDATE.name: rows.update,
    data.DELETE.name: rows.delete,
    data.FETCH_IN_COLLECTION.name: rows.fetch_in_collection,
    data.FETCH_IN_INDEX.name: rows.fetch_in_index,
    data.SEARCH_BY_VECTOR.name: search.by_vector,
    data.SEARCH_BY_MULTI_MODAL.name: search.by_multi_modal,
    data.SEARCH_BY_ID.name: search.by_id,
    data.SEARCH_BY_SCALAR.name: search.by_scalar,
    data.SEARCH_BY_KEYWORDS.name: keywords.by_keywords,
    data.SEARCH_BY_RANDOM.name: search.at_random,
    data.AGGREGATE.name: aggregate.aggregate,
    data.SORT.name: sort.sort,
    data.EMBEDDING.name: embedding.embed,
    data.RERANK.name: rerank.rerank,
    control.CREATE_COLLECTION.name: collections.create,
    control.GET_COLLECTION.name: collections.get,
    control.LIST_COLLECTIONS.name: collections.list_page,
    control.UPDATE_COLLECTION.name: collections.update,
    control.DELETE_COLLECTION.name: collections.delete,
    control.CREATE_INDEX.name: indexes.create,
    control.GET_INDEX.name: indexes.get,
    control.LIST_INDEXES.name: indexes.list_page,
    control.UPDATE_INDEX.name: indexes.update,
    control.ENABLE_INDEX.name: indexes.enable,
    control.DISABLE_INDEX.name: indexes.disable,
    control.DELETE_INDEX.name: indexes.delete,
    control.CREATE_TASK.name: tasks.create,
    control.GET_TASK.name: tasks.get,
    control.LIST_TASKS.name: tasks.list_page,
    control.UPDATE_TASK.name: tasks.update,
    control.DELETE_TASK.name: tasks.delete,
}
"""By the operation's name."""
