"""Rows: upsert, update, delete and fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vikingdb_vector import models as m
from vikingdb_vector.models import Distance

from ..engine.collection import Collection
from ..engine.rows import Key
from ..engine.schema import SPARSE, Schema
from ..engine.values import Vector, read_id
from ..errors import invalid, missing
from ..session import Call, Session
from .incoming import embed_texts, read_all_new, read_patch, refuse_unknown
from .locate import find_collection, find_index
from .output import refuse_partition, refuse_truthy, select_fields

MAX_ROWS = 100
MAX_IDS = 100
MAX_TTL_SECONDS = 2**31 - 1


def upsert(session: Session, call: Call[m.UpsertDataRequest]) -> Any:
    """Insert rows, replacing those whose key exists. Text is embedded before the database is touched."""
    collection = find_collection(session, call.locator)
    schema, request = collection.schema, call.request
    given = _read_rows(collection, request)
    rows, usage = embed_texts(session, collection, read_all_new(schema, given, "data"))
    now_ms = session.now_ms
    collection.upsert(rows, _expiry(request.ttl, now_ms), now_ms, schema)
    return usage


def update(session: Session, call: Call[m.UpdateDataRequest]) -> Any:
    """Change fields of rows. Without ``ttl`` a row ends when it would have; ``ttl: 0`` lets it live on."""
    collection = find_collection(session, call.locator)
    schema, request = collection.schema, call.request
    given = _read_rows(collection, request)
    checked = [read_patch(schema, row, f"data[{position}]") for position, row in enumerate(given)]
    patches, usage = embed_texts(session, collection, checked)
    now_ms = session.now_ms
    collection.update(patches, _expiry(request.ttl, now_ms), now_ms, keep_expiry=request.ttl is None)
    return usage


def delete(session: Session, call: Call[m.DeleteDataRequest]) -> Any:
    """Delete rows by key, or all."""
    collection = find_collection(session, call.locator)
    ids = call.request.ids or []
    if call.request.delete_all:
        if ids:
            raise invalid("ids and del_all exclude each other; give one")
        collection.delete_all(session.now_ms)
    elif not ids:
        raise missing("give ids of one row or more, or del_all")
    else:
        collection.delete(read_ids(collection.schema, ids), session.now_ms)
    return None


def fetch_in_collection(session: Session, call: Call[m.FetchDataInCollectionRequest]) -> Any:
    """Rows as the database has them, vectors included, in the order asked for."""
    refuse_truthy(call.request, "return_download_url", "return_analyzed_result")
    collection = find_collection(session, call.locator)
    schema = collection.schema
    keys = read_ids(schema, call.request.ids)
    found = collection.fetch(keys, session.now_ms)
    items = []
    for key in keys:
        if key in found:
            fields = {name: value for name, value in found[key].fields.items() if name != SPARSE}
            if schema.vector is not None:
                fields[schema.vector.name] = found[key].vector
            items.append({"id": key, "fields": fields})
    return {"fetch": items, "ids_not_exist": [key for key in keys if key not in found]}


def fetch_in_index(session: Session, call: Call[m.FetchDataInIndexRequest]) -> Any:
    """Rows as an index has them: a cosine index normalises its vectors."""
    request = call.request
    refuse_partition(request.partition)
    collection = find_collection(session, call.locator)
    index = find_index(collection, call.locator.index_name)
    wanted = select_fields(collection.schema, request.output_fields)
    keys = read_ids(collection.schema, request.ids)
    found = collection.fetch(keys, session.now_ms)
    items = []
    for key in keys:
        if key in found:
            item: dict[str, Any] = {"id": key, "fields": wanted(found[key].fields)}
            if index.distance is not None:
                item |= {
                    "dense_dim": collection.schema.dim,
                    "dense_vector": _as_indexed(found[key].vector, index.distance),
                }
            if index.is_hybrid and collection.schema.sparse is not None:
                item["sparse_vector"] = found[key].fields.get(collection.schema.sparse.name, {})
            items.append(item)
    return {"fetch": items, "ids_not_exist": [key for key in keys if key not in found]}


def read_ids(schema: Schema, ids: Sequence[Any]) -> list[Key]:
    """Keys to look for, each once, in order."""
    if not 1 <= len(ids) <= MAX_IDS:
        raise invalid(f"ids has {len(ids)} keys; a call takes 1 to {MAX_IDS}")
    return list(dict.fromkeys(read_id(schema.primary_key, key, f"ids[{position}]") for position, key in enumerate(ids)))


def _read_rows(collection: Collection, request: m.WriteDataBase) -> list[Mapping[str, Any]]:
    """The rows, with the fields the collection knows."""
    most = 1 if collection.schema.vectorizer else MAX_ROWS
    if not 1 <= len(request.data) <= most:
        why = (
            f"collection {collection.name!r} embeds text, so it takes 1 row"
            if most == 1
            else f"a call takes 1 to {most} rows"
        )
        too_many = "" if not request.data else ". Send the rows in several calls"
        raise invalid(f"data has {len(request.data)} rows; {why}{too_many}")
    if request.ttl is not None and not 0 <= request.ttl <= MAX_TTL_SECONDS:
        raise invalid(f"ttl is {request.ttl}; it must be 0 (never) to {MAX_TTL_SECONDS} seconds")
    known = set(collection.schema.fields)
    if isinstance(request, m.UpdateDataRequest):
        known.add(collection.schema.primary_key.name)
    rows = []
    for position, row in enumerate(request.data):
        if not row.keys() <= known:
            refuse_unknown(row, known, f"data[{position}]", ignore=bool(request.ignore_unknown_fields))
            row = {name: value for name, value in row.items() if name in known}
        rows.append(row)
    return rows


def _expiry(ttl: int | None, now_ms: int) -> int | None:
    return now_ms + ttl * 1000 if ttl else None


def _as_indexed(vector: Vector | None, distance: Distance) -> Vector | None:
    if vector is None or distance is not Distance.COSINE:
        return vector
    length = np.linalg.norm(vector)
    return vector / length if length else vector
