"""Changing: what a collection or an index may become, and what stays as it was created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vikingdb_vector import models as m
from vikingdb_vector.models import FieldType, IndexType

from ..errors import invalid, missing
from .collection import Collection
from .defining_indexes import restore_index
from .indexing import Index
from .schema import INDEXABLE, Schema

_NOT_ADDED = frozenset(FieldType) - INDEXABLE - {FieldType.LIST_GEO_POINT}
"""Types of fields that a collection is created with or never has."""


def change_collection(collection: Collection, request: m.UpdateCollectionRequest) -> m.CreateCollectionRequest:
    """The request that would create the collection as it is to be: with more fields, more full text, other words."""
    if all(each is None for each in (request.description, request.fields, request.full_text, request.del_protection)):
        raise missing("give Description, Fields, FullText or DelProtection, whatever is to change")
    definition = dict(collection.definition)
    for name, value in (("Description", request.description), ("DelProtection", request.del_protection)):
        if value is not None:
            definition[name] = value
    if request.fields:
        added = [_added_field(collection.schema, field) for field in request.fields]
        definition["Fields"] = [*definition["Fields"], *added]
    if request.full_text:
        kept = definition.get("FullText", [])
        definition["FullText"] = [*kept, *_added_full_text(kept, request)]
    return m.CreateCollectionRequest(**definition)


def change_index(index: Index, request: m.UpdateIndexRequest, schema: Schema) -> Index:
    """The index as it is to be: more scalar fields, another kind, other resources."""
    changes = {name: value for name, value in request.to_wire().items() if name in index.definition}
    if not changes:
        raise missing(f"give {', '.join(index.definition)}, whatever is to change")
    if "ScalarIndex" in changes:
        changes["ScalarIndex"] = list(dict.fromkeys([*index.definition["ScalarIndex"], *changes["ScalarIndex"]]))
    if "VectorIndex" in changes:
        changes["VectorIndex"] = _changed_vector_index(index.definition["VectorIndex"] or {}, changes["VectorIndex"])
    if "ShardCount" in changes and "custom" not in (changes.get("ShardPolicy"), index.definition["ShardPolicy"]):
        raise invalid("ShardCount goes with ShardPolicy custom")
    definition = {**index.definition, **changes}
    return restore_index(index.name, definition, schema, index.created_ms, is_enabled=index.is_enabled)


def switch_index(index: Index, is_enabled: bool) -> Index:
    """The index, enabled or disabled."""
    return replace(index, is_enabled=is_enabled)


def _added_field(schema: Schema, given: m.CollectionField) -> dict[str, Any]:
    name = given.field_name
    if name in schema.stored_fields or name in schema.fields:
        raise invalid(f"field {name!r} exists already; fields can be added, not changed")
    if given.is_primary_key:
        raise invalid(f"field {name!r}: a primary key cannot be added; make a new collection")
    if given.field_type in _NOT_ADDED:
        raise invalid(f"field {name!r}: a {given.field_type} field cannot be added; make a new collection")
    return given.to_wire()


def _added_full_text(kept: list[Mapping[str, Any]], request: m.UpdateCollectionRequest) -> list[Mapping[str, Any]]:
    """Full text that is new. What is there already may be named again as it is, but not changed."""
    there = {entry["Field"]: entry for entry in kept}
    added: list[Mapping[str, Any]] = []
    for entry in request.full_text or ():
        wanted = entry.to_wire()
        if entry.field not in there:
            added.append(wanted)
        elif wanted != there[entry.field]:
            raise invalid(f"FullText: field {entry.field!r} has its analyzer already, which cannot be changed")
    return added


def _changed_vector_index(kept: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Another kind keeps the distance and starts from its own defaults; the same kind keeps what is not said."""
    kinds = [kept.get("IndexType"), given.get("IndexType", kept.get("IndexType"))]
    if kinds[0] != kinds[1] and IndexType.HNSW_HYBRID in kinds:
        raise invalid("VectorIndex: an index cannot be changed from or to hnsw_hybrid; make a new index")
    same = {name: value for name, value in kept.items() if name in ("IndexType", "Distance")}
    return {**(kept if kinds[0] == kinds[1] and "Distance" not in given else same), **given}
