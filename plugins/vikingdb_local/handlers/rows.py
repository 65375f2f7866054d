"""Rows: upsert, update, delete and fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vikingdb_core.hints import suggest
from vikingdb_vector import models as m
from vikingdb_vector.models import Distance

from ..embedding.models import embed_documents, token_usage
from ..engine.collection import Collection, NewRow, Patch
from ..engine.rows import Key
from ..engine.schema import AUTO_ID, Field, Schema, Vectorizer
from ..engine.values import Vector, read_id, read_key, read_value, read_vector
from ..errors import COLLECTION, denied, invalid, missing, shown
from ..session import Call, Session
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
    fields = [_whole_row(schema, row, f"data[{position}]") for position, row in enumerate(given)]
    vectors, usage = _vectors(session, collection, given)
    keys = [None if schema.has_auto_id else row[schema.primary_key.name] for row in fields]
    now_ms = session.now_ms
    collection.upsert(
        [NewRow(key, row, vector) for key, row, vector in zip(keys, fields, vectors, strict=True)],
        _expiry(request.ttl, now_ms),
        now_ms,
        schema,
    )
    return usage


def update(session: Session, call: Call[m.UpdateDataRequest]) -> Any:
    """Change fields of rows. Without ``ttl`` a row ends when it would have; ``ttl: 0`` lets it live on."""
    collection = find_collection(session, call.locator)
    schema, request = collection.schema, call.request
    given = _read_rows(collection, request)
    patches = []
    keys = [_key_of(schema.primary_key, row, f"data[{position}]") for position, row in enumerate(given)]
    fields = [_part_row(schema, row, f"data[{position}]") for position, row in enumerate(given)]
    vectors, usage = _vectors(session, collection, given)
    patches = [Patch(key, row, vector) for key, row, vector in zip(keys, fields, vectors, strict=True)]
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
            fields = dict(found[key].fields)
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
            items.append(item)
    return {"fetch": items, "ids_not_exist": [key for key in keys if key not in found]}


def read_ids(schema: Schema, ids: Sequence[Any]) -> list[Key]:
    """Keys to look for, each once, in order."""
    if not 1 <= len(ids) <= MAX_IDS:
        raise invalid(f"ids has {len(ids)} keys; a call takes 1 to {MAX_IDS}")
    return list(dict.fromkeys(read_id(schema.primary_key, key, f"ids[{position}]") for position, key in enumerate(ids)))


def check_embedder(session: Session, collection: Collection) -> Vectorizer:
    """Refuse to mix vectors of two embedders in one collection."""
    vectorizer = collection.schema.vectorizer
    assert vectorizer is not None
    if collection.embedder != session.embedder.id:
        raise denied(
            COLLECTION,
            f"collection {collection.name!r} was embedded by {collection.embedder!r}, but this client's embedder is "
            f"{session.embedder.id!r}; their vectors cannot be compared. Open the database with the first one, or make "
            "a new collection",
        )
    return vectorizer


def _read_rows(collection: Collection, request: m.WriteDataBase) -> list[dict[str, Any]]:
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
        _refuse_unknown(row, known, bool(request.ignore_unknown_fields), f"data[{position}]")
        rows.append({name: value for name, value in row.items() if name in known})
    return rows


def _refuse_unknown(row: Mapping[str, Any], known: set[str], ignore: bool, where: str) -> None:
    for name in row:
        if name == AUTO_ID and name not in known:
            raise invalid(f"{where}: {AUTO_ID} is made by the engine; leave it out, or use update to change a row")
        if name not in known and not ignore:
            raise invalid(
                f"{where}: the collection has no field {shown(name)}.{suggest(name, known)} "
                "Correct it, or say ignore_unknown_fields"
            )


def _whole_row(schema: Schema, row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Every field of a row, defaults filled in; all but the vector."""
    fields: dict[str, Any] = {}
    for name, field in schema.document_fields.items():
        if field.is_primary_key:
            if not schema.has_auto_id:
                fields[name] = _key_of(field, row, where)
        elif name in row:
            fields[name] = _value_of(schema, field, row[name], where)
        else:
            fields[name] = _default_of(field, where)
    if schema.vector is not None and schema.vector.name not in row:
        raise invalid(f"{where}: field {schema.vector.name!r} (vector) is missing; every row needs its vector")
    return fields


def _part_row(schema: Schema, row: Mapping[str, Any], where: str) -> dict[str, Any]:
    documented = schema.document_fields
    return {
        name: _value_of(schema, documented[name], value, where)
        for name, value in row.items()
        if name in documented and not documented[name].is_primary_key
    }


def _key_of(key: Field, row: Mapping[str, Any], where: str) -> Key:
    if key.name not in row:
        raise invalid(f"{where}: primary key {key.name!r} is missing")
    return read_key(key, row[key.name], where)


def _value_of(schema: Schema, field: Field, value: Any, where: str) -> Any:
    read = read_value(field, value, where)
    if schema.vectorizer and schema.vectorizer.text_field == field.name and not read.strip():
        raise invalid(f"{where}: field {field.name!r} is to be embedded and must not be empty")
    return read


def _default_of(field: Field, where: str) -> Any:
    if field.fallback is None:
        raise invalid(f"{where}: field {field.name!r} ({field.type}) is missing and has no default; give it a value")
    return field.fallback


def _vectors(
    session: Session, collection: Collection, rows: Sequence[Mapping[str, Any]]
) -> tuple[list[Vector | None], dict[str, Any] | None]:
    """The vector of every row that brings one or has a text to embed, and what embedding used."""
    schema = collection.schema
    if schema.vector is not None:
        name, dim = schema.vector.name, schema.vector.dim
        return [
            read_vector(row[name], dim, f"data[{position}]: field {name!r} (vector)") if name in row else None
            for position, row in enumerate(rows)
        ], None
    vectors: list[Vector | None] = [None] * len(rows)
    if schema.vectorizer is None:
        return vectors, None
    vectorizer = check_embedder(session, collection)
    texts = {position: row[vectorizer.text_field] for position, row in enumerate(rows) if vectorizer.text_field in row}
    if not texts:
        return vectors, None
    embedded = embed_documents(session.embedder, vectorizer.model, list(texts.values()))
    for position, vector in zip(texts, embedded, strict=True):
        vectors[position] = vector
    return vectors, {"token_usage": token_usage([vectorizer.model], list(texts.values()))}


def _expiry(ttl: int | None, now_ms: int) -> int | None:
    return now_ms + ttl * 1000 if ttl else None


def _as_indexed(vector: Vector | None, distance: Distance) -> Vector | None:
    if vector is None or distance is not Distance.COSINE:
        return vector
    length = np.linalg.norm(vector)
    return vector / length if length else vector
