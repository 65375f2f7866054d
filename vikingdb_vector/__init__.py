"""The vector domain of the VikingDB SDK: collections, indexes, embedding, rerank and the control plane."""

from vikingdb_core.credentials import IAM, APIKey, HeaderAuth, NoAuth
from vikingdb_core.filters import F, Filter
from vikingdb_core.request_options import RequestOptions

from . import exceptions, models
from .admin import AdminClient, AsyncAdminClient
from .client import AsyncVikingDB, VikingDB
from .collection import AsyncCollectionClient, CollectionClient
from .embedding import AsyncEmbeddingClient, EmbeddingClient
from .exceptions import *  # noqa: F403  # exceptions.py lists its names
from .index import AsyncIndexClient, IndexClient
from .models import *  # noqa: F403  # models/__init__.py lists its names
from .rerank import AsyncRerankClient, RerankClient
from .version import __version__

__all__ = [
    "IAM",
    "APIKey",
    "AdminClient",
    "AsyncAdminClient",
    "AsyncCollectionClient",
    "AsyncEmbeddingClient",
    "AsyncIndexClient",
    "AsyncRerankClient",
    "AsyncVikingDB",
    "CollectionClient",
    "EmbeddingClient",
    "F",
    "Filter",
    "HeaderAuth",
    "IndexClient",
    "NoAuth",
    "RequestOptions",
    "RerankClient",
    "VikingDB",
    "__version__",
    "exceptions",
    "models",
]
# In this very form: type checkers follow no other.
__all__ += exceptions.__all__
__all__ += models.__all__
