"""The client, and the official package's names of the APIs for :meth:`VikingDB.request`."""

from vikingdb_core.credentials import Auth
from vikingdb_core.request_options import RequestOptions, ensure_request_options
from vikingdb_vector.client import AsyncVikingDB, VikingDB, VikingVector
from vikingdb_vector.exceptions import VikingConnectionException, VikingVectorException
from vikingdb_vector.legacy import *  # noqa: F403  # vikingdb_vector.legacy lists its names
from vikingdb_vector.legacy import __all__ as _legacy_names

from ..exceptions import VikingException

__all__ = [
    "AsyncVikingDB",
    "Auth",
    "RequestOptions",
    "VikingConnectionException",
    "VikingDB",
    "VikingException",
    "VikingVector",
    "VikingVectorException",
    "ensure_request_options",
]
__all__ += _legacy_names
