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
UPDATE_COLLECTION = _action(
    "vector.collection.update", "UpdateVikingdbCollection", m.UpdateCollectionRequest, m.MessageResponse
)
DELETE_COLLECTION = _action(
    "vector.collection.delete", "DeleteVikingdbCollection", m.DeleteCollectionRequest, m.MessageResponse
)
CREATE_INDEX = _action("vector.index.create", "CreateVikingdbIndex", m.CreateIndexRequest, m.MessageResponse)
GET_INDEX = _action("vector.index.get", "GetVikingdbIndex", m.GetIndexRequest, m.GetIndexResponse, Safety.READ)
LIST_INDEXES = _action(
    "vector.index.list", "ListVikingdbIndex", m.ListIndexesRequest, m.ListIndexesResponse, Safety.READ
)
UPDATE_INDEX = _action("vector.index.update", "UpdateVikingdbIndex", m.UpdateIndexRequest, m.MessageResponse)
ENABLE_INDEX = _action(
    "vector.index.enable", "EnableVikingdbIndex", m.EnableIndexRequest, m.MessageResponse, Safety.IDEMPOTENT
)
DISABLE_INDEX = _action(
    "vector.index.disable", "DisableVikingdbIndex", m.DisableIndexRequest, m.MessageResponse, Safety.IDEMPOTENT
)
DELETE_INDEX = _action("vector.index.delete", "DeleteVikingdbIndex", m.DeleteIndexRequest, m.MessageResponse)
CREATE_TASK = _action("vector.task.create", "CreateVikingdbTask", m.CreateTaskRequest, m.CreateTaskResponse)
GET_TASK = _action("vector.task.get", "GetVikingdbTask", m.GetTaskRequest, m.GetTaskResponse, Safety.READ)
LIST_TASKS = _action("vector.task.list", "ListVikingdbTask", m.ListTasksRequest, m.ListTasksResponse, Safety.READ)
UPDATE_TASK = _action("vector.task.update", "UpdateVikingdbTask", m.UpdateTaskRequest, m.MessageResponse)
DELETE_TASK = _action("vector.task.delete", "DeleteVikingdbTask", m.DeleteTaskRequest, m.MessageResponse)

OPERATIONS = (
    CREATE_COLLECTION,
    GET_COLLECTION,
    LIST_COLLECTIONS,
    UPDATE_COLLECTION,
    DELETE_COLLECTION,
    CREATE_INDEX,
    GET_INDEX,
    LIST_INDEXES,
    UPDATE_INDEX,
    ENABLE_INDEX,
    DISABLE_INDEX,
    DELETE_INDEX,
    CREATE_TASK,
    GET_TASK,
    LIST_TASKS,
    UPDATE_TASK,
    DELETE_TASK,
)
