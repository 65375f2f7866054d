"""Incoming: rows as requests and files have them, checked and brought into the form in which they are kept.

What holds a row is named in messages as ``where``, such as ``data[3]``.
"""

from __future__ import annotations

from collections.abc import Collection as Container
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from vikingdb_core.hints import suggest

from ..embedding.models import embed_documents, token_usage
from ..embedding.sparse import embed_sparse
from ..engine.collection import Collection, NewRow, Patch
from ..engine.rows import Key
from ..engine.schema import AUTO_ID, OPTIONAL, SPARSE, Field, Schema, Vectorizer
from ..engine.values import Vector, read_key, read_value, read_vector, read_vectors
from ..errors import COLLECTION, denied, invalid, shown
from ..session import Session

Written = TypeVar("Written", NewRow, Patch)


def refuse_unknown(row: Mapping[str, Any], known: Container[str], where: str, *, ignore: bool | None = None) -> None:
    """Refuse fields that are not among those known, unless the request says ``ignore``; ``None`` where it cannot."""
    for name in row:
        if name == AUTO_ID and name not in known:
            raise invalid(f"{where}: {AUTO_ID} is made by the engine; leave it out, or use update to change a row")
        if name not in known and not ignore:
            raise invalid(
                f"{where}: the collection has no field {shown(name)}.{suggest(name, known)} "
                f"Correct it{'' if ignore is None else ', or say ignore_unknown_fields'}"
            )


def read_all_new(schema: Schema, rows: Sequence[Mapping[str, Any]], where: str) -> list[NewRow]:
    """The rows of an array to insert, as :func:`read_new` reads one; their vectors are read at once, if all are fit."""
    vectors = None
    if schema.vector is not None:
        vectors = read_vectors([row.get(schema.vector.name) for row in rows], schema.vector.dim)
    if vectors is None:
        return [read_new(schema, row, f"{where}[{position}]") for position, row in enumerate(rows)]
    whole = [_whole_row(schema, row, f"{where}[{position}]") for position, row in enumerate(rows)]
    return [NewRow(_own_key(schema, fields), fields, vector) for fields, vector in zip(whole, vectors, strict=True)]


def read_new(schema: Schema, row: Mapping[str, Any], where: str) -> NewRow:
    """A row to insert, defaults filled in; not yet embedded."""
    fields = _whole_row(schema, row, where)
    if schema.vector is not None and schema.vector.name not in row:
        raise invalid(f"{where}: field {schema.vector.name!r} (vector) is missing; every row needs its vector")
    return NewRow(_own_key(schema, fields), fields, own_vector(schema, row, where))


def read_patch(schema: Schema, row: Mapping[str, Any], where: str) -> Patch:
    """A change to the row with the key; not yet embedded."""
    return Patch(_key_of(schema.primary_key, row, where), part_row(schema, row, where), own_vector(schema, row, where))


def part_row(schema: Schema, row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields a row says; neither its key nor its vector."""
    stored = schema.stored_fields
    fields = {
        name: read_value(stored[name], value, where)
        for name, value in row.items()
        if name in stored and not stored[name].is_primary_key
    }
    _check_text(schema, fields, where)
    return fields


def own_vector(schema: Schema, row: Mapping[str, Any], where: str) -> Vector | None:
    """The vector a row brings, if it brings one."""
    field = schema.vector
    if field is None or field.name not in row:
        return None
    return read_vector(row[field.name], field.dim, f"{where}: field {field.name!r} (vector)")


def embed_texts(
    session: Session, collection: Collection, rows: Sequence[Written]
) -> tuple[list[Written], dict[str, Any] | None]:
    """The rows, with the vectors of those that have a text to embed, of both kinds; and what embedding used."""
    if collection.schema.vectorizer is None:
        return list(rows), None
    vectorizer = check_embedder(session, collection)
    name = vectorizer.text_field
    places = [place for place, row in enumerate(rows) if name in row.fields]
    if not places:
        return list(rows), None
    texts, embedded = [rows[place].fields[name] for place in places], list(rows)
    vectors = embed_documents(session.embedder, vectorizer.model, texts)
    for place, text, vector in zip(places, texts, vectors, strict=True):
        sparse = {} if vectorizer.sparse_model is None else {SPARSE: embed_sparse(text)}
        embedded[place] = replace(rows[place], vector=vector, fields={**rows[place].fields, **sparse})
    return embedded, {"token_usage": token_usage([vectorizer.model], texts)}


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


def _whole_row(schema: Schema, row: Mapping[str, Any], where: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, field in schema.stored_fields.items():
        if field.is_primary_key:
            if not schema.has_auto_id:
                fields[name] = _key_of(field, row, where)
        elif name in row:
            fields[name] = read_value(field, row[name], where)
        elif field.type not in OPTIONAL:
            fields[name] = _default_of(field, where)
    _check_text(schema, fields, where)
    return fields


def _own_key(schema: Schema, fields: Mapping[str, Any]) -> Key | None:
    return None if schema.has_auto_id else fields[schema.primary_key.name]


def _key_of(key: Field, row: Mapping[str, Any], where: str) -> Key:
    if key.name not in row:
        raise invalid(f"{where}: primary key {key.name!r} is missing")
    return read_key(key, row[key.name], where)


def _check_text(schema: Schema, fields: Mapping[str, Any], where: str) -> None:
    """Refuse an empty text that is to be embedded."""
    if schema.vectorizer is None:
        return
    name = schema.vectorizer.text_field
    if name in fields and not fields[name].strip():
        raise invalid(f"{where}: field {name!r} is to be embedded and must not be empty")


def _default_of(field: Field, where: str) -> Any:
    if field.fallback is None:
        raise invalid(f"{where}: field {field.name!r} ({field.type}) is missing and has no default; give it a value")
    return field.fallback
