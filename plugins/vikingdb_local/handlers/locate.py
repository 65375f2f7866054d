"""Locate: the collection and index a request is addressed to."""

from __future__ import annotations

from vikingdb_vector.models import CollectionMeta

from ..engine.collection import Collection
from ..engine.indexing import Index
from ..errors import INDEX, denied, invalid, missing, shown
from ..session import Session


def find_collection(session: Session, locator: CollectionMeta) -> Collection:
    """The collection a locator names."""
    return locate(session, locator.collection_name, locator.resource_id, locator.project_name)


def locate(session: Session, name: str | None, resource_id: str | None, project: str | None) -> Collection:
    """A collection by name or resource id; both may be given when they agree."""
    if not name and not resource_id:
        raise missing("the request names no collection; give collection_name or resource_id")
    if not name:
        return session.catalog.by_resource_id(resource_id or "", project)
    collection = session.catalog.by_name(name, project)
    if resource_id and collection.resource_id != resource_id:
        raise invalid(f"collection {name!r} has another resource_id than {shown(resource_id)}; give one of the two")
    return collection


def find_index(collection: Collection, name: str | None) -> Index:
    """An index of the collection, to look something up in."""
    if not name:
        raise missing("the request names no index; give index_name")
    index = collection.index(name)
    if not index.is_enabled:
        raise denied(INDEX, f"index {name!r} of collection {collection.name!r} is disabled; enable it to search it")
    return index
