"""The vector domain of the VikingDB SDK: collections, indexes, embedding, rerank and the control plane."""

from vikingdb_core.credentials import IAM, APIKey, HeaderAuth, NoAuth
from vikingdb_core.filters import F, Filter
from vikingdb_core.request_options import RequestOptions

from . import exceptions, models
from .admin import AdminClient, AsyncAdminClient
from .client import AsyncVikingDB, VikingDB, VikingVector
from .collection import AsyncCollectionClient, CollectionClient
from .embedding import AsyncEmbeddingClient, EmbeddingClient
from .exceptions import (
    ERRORS,
    CollectionAlreadyExists,
    CollectionNotFound,
    DataNotFound,
    IndexAlreadyExists,
    IndexNotFound,
    InvalidActionOrVersion,
    InvalidParameter,
    MissingParameter,
    OperationDenied,
    TaskFailed,
    TaskNotFound,
    VikingConnectionException,
    VikingVectorException,
)
from .index import AsyncIndexClient, IndexClient
from .models import *  # noqa: F403  # models/__init__.py lists its names
from .models import __all__ as __all__  # mypy adds the names listed below to these; it follows no other form
from .rerank import AsyncRerankClient, RerankClient
from .version import __version__

__all__ = [  # noqa: F811  # the imported one is for mypy
    "ERRORS",
    "IAM",
    "APIKey",
    "AdminClient",
    "AsyncAdminClient",
    "AsyncCollectionClient",
    "AsyncEmbeddingClient",
    "AsyncIndexClient",
    "AsyncRerankClient",
    "AsyncVikingDB",
    "CollectionAlreadyExists",
    "CollectionClient",
    "CollectionNotFound",
    "DataNotFound",
    "EmbeddingClient",
    "F",
    "Filter",
    "HeaderAuth",
    "IndexAlreadyExists",
    "IndexClient",
    "IndexNotFound",
    "InvalidActionOrVersion",
    "InvalidParameter",
    "MissingParameter",
    "NoAuth",
    "OperationDenied",
    "RequestOptions",
    "RerankClient",
    "TaskFailed",
    "TaskNotFound",
    "VikingConnectionException",
    "VikingDB",
    "VikingVector",
    "VikingVectorException",
    "__version__",
    "exceptions",
    "models",
    *models.__all__,
]
