"""Operations of the control plane (specification §10): ``POST /?Action=…&Version=2025-06-09``.

Creating and deleting are not resent blindly: a second create would report that the thing exists, a second delete that
it does not, and the caller could not tell its own work from somebody else's.
"""

from __future__ import annotations

from typing import TypeVar

from vikingdb_core.models import RequestModel, ResponseModel
from vikingdb_core.operation import Operation
from vikingdb_core.traits import NO_API_KEY, Safety

from . import models as m

VERSION = "2025-06-09"

Req = TypeVar("Req", bound=RequestModel)
Res = TypeVar("Res", bound=ResponseModel)


def _action(
    name: str, action: str, request: type[Req], response: type[Res], safety: Safety = Safety.UNSAFE
) -> Operation[Req, Res]:
    query = (("Action", action), ("Version", VERSION))
    return Operation(name, "/", request, response, safety=safety, auth=NO_API_KEY, plane="control", query=query)


CREATE_COLLECTION = _action(
    "vector.collection.create", "CreateVikingdbCollection", m.CreateCollectionRequest, m.CreateCollectionResponse
)
GET_COLLECTION = _action(
    "vector.collection.get", "GetVikingdbCollection", m.GetCollectionRequest, m.GetCollectionResponse, Safety.READ
)
LIST_COLLECTIONS = _action(
    "vector.collection.list", "ListVikingdbCollection", m.ListCollectionsRequest, m.ListCollectionsResponse, Safety.READ
)
DELETE_COLLECTION = _action(
    "vector.collection.delete", "DeleteVikingdbCollection", m.DeleteCollectionRequest, m.MessageResponse
)
CREATE_INDEX = _action("vector.index.create", "CreateVikingdbIndex", m.CreateIndexRequest, m.MessageResponse)
GET_INDEX = _action("vector.index.get", "GetVikingdbIndex", m.GetIndexRequest, m.GetIndexResponse, Safety.READ)
LIST_INDEXES = _action(
    "vector.index.list", "ListVikingdbIndex", m.ListIndexesRequest, m.ListIndexesResponse, Safety.READ
)
DELETE_INDEX = _action("vector.index.delete", "DeleteVikingdbIndex", m.DeleteIndexRequest, m.MessageResponse)

OPERATIONS = (
    CREATE_COLLECTION,
    GET_COLLECTION,
    LIST_COLLECTIONS,
    DELETE_COLLECTION,
    CREATE_INDEX,
    GET_INDEX,
    LIST_INDEXES,
    DELETE_INDEX,
)
