"""Exceptions of the vector domain: the service's codes as classes, and the official package's names."""

from __future__ import annotations

from collections.abc import Mapping

from vikingdb_core.exceptions import (
    APIError,
    BadRequest,
    Conflict,
    NotFound,
    OperationNotSupported,
    PermissionDenied,
    RateLimited,
    ServerError,
    VikingConnectionException,
    VikingDBError,
    VikingException,
)


class MissingParameter(BadRequest):
    """A required parameter is absent (``MissingParameter``)."""


class InvalidParameter(BadRequest):
    """A parameter has the wrong type, format or value (``InvalidParameter``)."""


class InvalidActionOrVersion(BadRequest):
    """The control plane has no such API, or not in this version (``InvalidActionOrVersion``, ``InvalidAction``)."""


class OperationDenied(BadRequest):
    """The state of the thing forbids it (``OperationDenied.…``), such as deleting a collection that has indexes."""


class CollectionNotFound(NotFound):
    """``NotFound.VikingdbCollection``."""


class IndexNotFound(NotFound):
    """``NotFound.VikingdbIndex``."""


class DataNotFound(NotFound):
    """A row that must exist does not (``NotFound.VikingdbData``)."""


class TaskNotFound(NotFound):
    """``NotFound.VikingdbTask``."""


class TaskFailed(VikingDBError):
    """A task that was waited for has failed. The call that found out succeeded, so there is no code."""


class CollectionAlreadyExists(Conflict):
    """``AlreadyExists.VikingdbCollection``."""


class IndexAlreadyExists(Conflict):
    """``AlreadyExists.VikingdbIndex``."""


ERRORS: Mapping[str, type[APIError]] = {
    "MissingParameter": MissingParameter,
    "InvalidParameter": InvalidParameter,
    "InvalidActionOrVersion": InvalidActionOrVersion,
    "InvalidAction": InvalidActionOrVersion,
    "AccessDenied": PermissionDenied,
    "TooManyRequests": RateLimited,
    "InternalError": ServerError,
    "NotImplemented": OperationNotSupported,
    "OperationDenied": OperationDenied,
    "NotFound": NotFound,
    "NotFound.VikingdbCollection": CollectionNotFound,
    "NotFound.VikingdbIndex": IndexNotFound,
    "NotFound.VikingdbData": DataNotFound,
    "NotFound.VikingdbTask": TaskNotFound,
    "AlreadyExists": Conflict,
    "AlreadyExists.VikingdbCollection": CollectionAlreadyExists,
    "AlreadyExists.VikingdbIndex": IndexAlreadyExists,
}
"""Service code, whole or before the dot, to class."""

VikingVectorException = VikingException
"""Official name: what every failed call of the vector client raised, network trouble included."""

__all__ = [
    "ERRORS",
    "CollectionAlreadyExists",
    "CollectionNotFound",
    "DataNotFound",
    "IndexAlreadyExists",
    "IndexNotFound",
    "InvalidActionOrVersion",
    "InvalidParameter",
    "MissingParameter",
    "OperationDenied",
    "TaskFailed",
    "TaskNotFound",
    "VikingConnectionException",
    "VikingVectorException",
]
