"""Indexes: create, get, list and delete. An index is ready as soon as it is created: searches are exact scans."""

from __future__ import annotations

from typing import Any

from vikingdb_vector import models as m

from ..engine.collection import Collection
from ..engine.defining import define_index
from ..engine.indexing import Index
from ..engine.schema import TYPE_DEFAULTS, Field
from ..errors import INDEX, denied
from ..session import Call, Session
from .collections import paged
from .locate import find_index, locate

READY = "READY"


def create(session: Session, call: Call[m.CreateIndexRequest]) -> Any:
    request = call.request
    collection = locate(session, request.collection_name, request.resource_id, request.project_name)
    session.catalog.create_index(collection, define_index(request, collection.schema, session.now_ms))
    return {"Message": "success"}


def get(session: Session, call: Call[m.GetIndexRequest]) -> Any:
    return _describe(*_named(session, call.request))


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
        if keyword in index.name and (not statuses or READY in statuses)
    ]
    page, paging = paged(chosen, request.page_number, request.page_size)
    return {"Indexes": [_describe(*item) for item in page], **paging}


def delete(session: Session, call: Call[m.DeleteIndexRequest]) -> Any:
    collection, index = _named(session, call.request)
    if index.definition["DelProtection"]:
        raise denied(INDEX, f"index {index.name!r} is protected against deletion (DelProtection)")
    session.catalog.delete_index(collection, index)
    return {"Message": "success"}


def _named(session: Session, request: m.GetIndexRequest | m.DeleteIndexRequest) -> tuple[Collection, Index]:
    collection = locate(session, request.collection_name, request.resource_id, request.project_name)
    return collection, find_index(collection, request.index_name)


def _describe(collection: Collection, index: Index) -> dict[str, Any]:
    definition = {name: value for name, value in index.definition.items() if value is not None}
    return {
        **definition,
        "IndexName": index.name,
        "CollectionName": collection.name,
        "ResourceId": collection.resource_id,
        "ProjectName": collection.project,
        "Status": READY,
        "ScalarIndex": [_describe_field(field) for field in index.scalar_fields.values()],
        "ActualCU": definition["CpuQuota"],
    }


def _describe_field(field: Field) -> dict[str, Any]:
    default = TYPE_DEFAULTS.get(field.type) if field.default is None else field.default
    described = {"FieldName": field.name, "FieldType": str(field.type), "IsPrimaryKey": field.is_primary_key}
    return described if default is None or field.is_primary_key else {**described, "DefaultValue": default}
