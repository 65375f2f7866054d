"""VikingDB: one import for every domain.

``from vikingdb import IAM``, ``from vikingdb.vector import VikingDB``. Importing this package loads nothing else; each
name is loaded where it lives when it is first used. A domain that somebody else wrote is an attribute too, by its
entry-point name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from vikingdb_core.credentials import IAM, APIKey, Auth, HeaderAuth, NoAuth
    from vikingdb_core.exceptions import VikingDBError
    from vikingdb_core.request_options import RequestOptions
    from vikingdb_core.retry import RetryPolicy
    from vikingdb_vector import (
        AsyncVikingDB,
        CollectionClient,
        EmbeddingClient,
        F,
        Filter,
        IndexClient,
        RerankClient,
        VikingDB,
        VikingVector,
    )

    from . import auth, config, credentials, exceptions, request_options, transport, vector, version

_HOMES = {
    "vikingdb_core.credentials": ("IAM", "APIKey", "Auth", "HeaderAuth", "NoAuth"),
    "vikingdb_core.exceptions": ("VikingDBError",),
    "vikingdb_core.request_options": ("RequestOptions",),
    "vikingdb_core.retry": ("RetryPolicy",),
    "vikingdb_core.filters": ("F", "Filter"),
    "vikingdb_vector.client": ("AsyncVikingDB", "VikingDB", "VikingVector"),
    "vikingdb_vector.collection": ("CollectionClient",),
    "vikingdb_vector.embedding": ("EmbeddingClient",),
    "vikingdb_vector.index": ("IndexClient",),
    "vikingdb_vector.rerank": ("RerankClient",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
_SUBMODULES = frozenset(
    {"auth", "config", "credentials", "exceptions", "knowledge", "memory", "request_options", "transport", "vector"}
)

__all__ = [
    "IAM",
    "APIKey",
    "AsyncVikingDB",
    "Auth",
    "CollectionClient",
    "EmbeddingClient",
    "F",
    "Filter",
    "HeaderAuth",
    "IndexClient",
    "NoAuth",
    "RequestOptions",
    "RerankClient",
    "RetryPolicy",
    "VikingDB",
    "VikingDBError",
    "VikingVector",
    "__version__",
    "auth",
    "config",
    "credentials",
    "exceptions",
    "request_options",
    "transport",
    "vector",
    "version",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOME_OF:
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            # A domain that is not installed is simply no attribute; ``import vikingdb.memory`` says what to install.
            raise AttributeError(str(error)) from error
    if not name.startswith("_"):
        return _domain_of_a_stranger(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _domain_of_a_stranger(name: str) -> Any:
    from importlib import import_module

    from vikingdb_core import discovery

    if name not in discovery.names(discovery.DOMAINS):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}, and no installed domain has that name")
    domain = discovery.lookup(discovery.DOMAINS, name)
    if not isinstance(getattr(domain, "package", None), str):
        raise AttributeError(f"what was registered as the domain {name!r} is no Domain; register the record itself")
    return import_module(domain.package)


def __dir__() -> list[str]:
    return sorted(__all__)
