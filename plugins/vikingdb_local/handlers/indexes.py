"""Indexes: create, get, list, update, enable, disable and delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vikingdb_vector import models as m
from vikingdb_vector.models.admin import IndexRequest

from ..engine.changing import change_index, switch_index
from ..engine.collection import Collection
from ..engine.defining import check_description
from ..engine.defining_indexes import define_index
from ..engine.indexing import Index
from ..engine.schema import Field
from ..session import Call, Session
from .collections import paged
from .locate import locate


def create(session: Session, call: Call[m.CreateIndexRequest]) -> Any:
    request = call.request
    collection = locate(session, request.collection_name, request.resource_id, request.project_name)
    session.catalog.create_index(collection, define_index(request, collection.schema, session.now_ms))
    return {"Message": "success"}


def get(session: Session, call: Call[m.GetIndexRequest]) -> Any:
    collection = _collection_of(session, call.request)
    return _describe(collection, collection.index(call.request.index_name))


def list_page(session: Session, call: Call[m.ListIndexesRequest]) -> Any:
    """A page of the indexes of all collections, or of those the filter names."""
    request = call.request
    names = request.filter.collection_name if request.filter else None
    keyword = (request.filter.index_name_keyword if request.filter else None) or ""
    statuses = request.filter.status if request.filter else None
    chosen = [
        (collection, index)
        for collection in session.catalog.collections()
        if request.project_name in (None, "", collection.project) and (not names or collection.name in names)
        for index in collection.indexes.values()
        if keyword in index.name and (not statuses or index.status in statuses)
    ]
    page, paging = paged(chosen, request.page_number, request.page_size)
    return {"Indexes": [_describe(*item) for item in page], **paging}


def update(session: Session, call: Call[m.UpdateIndexRequest]) -> Any:
    """Cover more scalar fields, or change how the index searches or what is said about it."""
    request = call.request
    check_description(request.description)
    return _change(session, request, lambda index, collection: change_index(index, request, collection.schema))


def enable(session: Session, call: Call[m.EnableIndexRequest]) -> Any:
    return _change(session, call.request, lambda index, _: switch_index(index, True))


def disable(session: Session, call: Call[m.DisableIndexRequest]) -> Any:
    """Take an index out of service. It keeps following the collection's rows."""
    return _change(session, call.request, lambda index, _: switch_index(index, False))


def delete(session: Session, call: Call[m.DeleteIndexRequest]) -> Any:
    session.catalog.delete_index(_collection_of(session, call.request), call.request.index_name)
    return {"Message": "success"}


def _change(session: Session, request: IndexRequest, change: Callable[[Index, Collection], Index]) -> Any:
    collection = _collection_of(session, request)
    session.catalog.update_index(collection, request.index_name, lambda index: change(index, collection))
    return {"Message": "success"}


def _collection_of(session: Session, request: IndexRequest) -> Collection:
    return locate(session, request.collection_name, request.resource_id, request.project_name)


def _describe(collection: Collection, index: Index) -> dict[str, Any]:
    definition = {name: value for name, value in index.definition.items() if value is not None}
    return {
        **definition,
        "IndexName": index.name,
        "CollectionName": collection.name,
        "ResourceId": collection.resource_id,
        "ProjectName": collection.project,
        "Status": index.status,
        "ScalarIndex": [_describe_field(field) for field in index.scalar_fields.values()],
        "ActualCU": definition["CpuQuota"],
    }


def _describe_field(field: Field) -> dict[str, Any]:
    described = {"FieldName": field.name, "FieldType": str(field.type), "IsPrimaryKey": field.is_primary_key}
    has_none = field.fallback is None or field.is_primary_key
    return described if has_none else {**described, "DefaultValue": field.fallback}
