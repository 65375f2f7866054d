"""Collections: create, get, list, update and delete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from vikingdb_vector import models as m
from vikingdb_vector.models.admin import CollectionRequest

from ..engine.catalog import DEFAULT_PROJECT
from ..engine.changing import change_collection
from ..engine.collection import Collection
from ..engine.defining import check_description, check_name, define_schema
from ..errors import invalid
from ..session import Call, Session
from .locate import locate

DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 100

Item = TypeVar("Item")


def create(session: Session, call: Call[m.CreateCollectionRequest]) -> Any:
    request = call.request
    check_name(request.collection_name, "CollectionName")
    check_description(request.description)
    schema = define_schema(request)
    collection = session.catalog.create(
        name=request.collection_name,
        project=request.project_name or DEFAULT_PROJECT,
        schema=schema,
        embedder=session.embedder.id if schema.vectorizer else None,
        definition=request.to_wire(),
        now_ms=session.now_ms,
    )
    return {"Message": "success", "ResourceId": collection.resource_id}


def get(session: Session, call: Call[m.GetCollectionRequest]) -> Any:
    return _describe(session, _named(session, call.request))


def list_page(session: Session, call: Call[m.ListCollectionsRequest]) -> Any:
    """A page of the collections of a project, or of all."""
    request = call.request
    keyword = (request.filter.collection_name_keyword if request.filter else None) or ""
    chosen = [
        collection
        for collection in session.catalog.collections()
        if keyword in collection.name and request.project_name in (None, "", collection.project)
    ]
    page, paging = paged(chosen, request.page_number, request.page_size)
    items = [{**_describe(session, collection), "Tags": collection.definition.get("Tags", [])} for collection in page]
    return {"Collections": items, **paging}


def update(session: Session, call: Call[m.UpdateCollectionRequest]) -> Any:
    """Add fields or full text, or change what is said about the collection."""
    request = call.request
    check_description(request.description)
    collection = _named(session, request)
    session.catalog.update(collection, lambda current: change_collection(current, request), session.now_ms)
    return {"Message": "success"}


def delete(session: Session, call: Call[m.DeleteCollectionRequest]) -> Any:
    session.catalog.delete(_named(session, call.request))
    return {"Message": "success"}


def paged(items: Sequence[Item], number: int | None, size: int | None) -> tuple[Sequence[Item], dict[str, int]]:
    """One page (from 1; 0 means the first too), and what is said about it."""
    number, size = number or 1, DEFAULT_PAGE_SIZE if size is None else size
    if number < 1:
        raise invalid(f"PageNumber is {number}; pages are counted from 1")
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise invalid(f"PageSize is {size}; it must be from 1 to {MAX_PAGE_SIZE}")
    page = items[(number - 1) * size : number * size]
    return page, {"PageNumber": number, "PageSize": size, "TotalCount": len(items)}


def written_time(ms: int) -> str:
    """A time as the control plane writes it, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _named(session: Session, request: CollectionRequest) -> Collection:
    return locate(session, request.collection_name, request.resource_id, request.project_name)


def _describe(session: Session, collection: Collection) -> dict[str, Any]:
    count, size = collection.measure(session.now_ms)
    definition = collection.definition
    indexes = list(collection.indexes)
    return {
        "CollectionName": collection.name,
        "ResourceId": collection.resource_id,
        "ProjectName": collection.project,
        "Description": definition.get("Description", ""),
        "Fields": definition["Fields"],
        **{name: definition[name] for name in ("Vectorize", "FullText") if definition.get(name)},
        "EnableKeywordsSearch": bool(collection.schema.full_text or collection.schema.vectorizer),
        "IndexCount": len(indexes),
        "IndexNames": indexes,
        "CollectionStats": {"DataCount": count, "DataStorage": size},
        "CreateTime": written_time(collection.created_ms),
        "UpdateTime": written_time(collection.updated_ms),
        "UpdatePerson": "local",
        "DelProtection": bool(definition.get("DelProtection")),
    }
