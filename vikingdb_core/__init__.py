"""vikingdb-core: what every domain of the VikingDB SDK is built on.

Configuration, credentials, transport, retry, errors, per-request options, filters and the hook registry. It knows no
domain and installs alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import DOMAIN_API, HOOK_API, __version__

if TYPE_CHECKING:
    from .client import AsyncBaseClient, BaseClient
    from .config import ClientConfig
    from .credentials import IAM, APIKey, Auth, Credentials, HeaderAuth, NoAuth, Scope
    from .domain import Domain, Site
    from .endpoint import Endpoint
    from .exceptions import VikingDBError
    from .filters import F, Filter
    from .hooks import Call, hookimpl
    from .messages import Draft, Headers, Request, Response
    from .models import Envelope, RequestModel, ResponseModel
    from .operation import AuthMode, Operation, Safety
    from .plans import Emit, Pause, Plan, Step
    from .request_options import RequestOptions
    from .resource import AsyncResource, Resource, aiterable, awaitable
    from .retry import STOP, Retry, RetryPolicy

_HOMES = {
    "client": ("AsyncBaseClient", "BaseClient"),
    "config": ("ClientConfig",),
    "credentials": ("IAM", "APIKey", "Auth", "Credentials", "HeaderAuth", "NoAuth", "Scope"),
    "domain": ("Domain", "Site"),
    "endpoint": ("Endpoint",),
    "exceptions": ("VikingDBError",),
    "filters": ("F", "Filter"),
    "hooks": ("Call", "hookimpl"),
    "messages": ("Draft", "Headers", "Request", "Response"),
    "models": ("Envelope", "RequestModel", "ResponseModel"),
    "operation": ("AuthMode", "Operation", "Safety"),
    "plans": ("Emit", "Pause", "Plan", "Step"),
    "request_options": ("RequestOptions",),
    "resource": ("AsyncResource", "Resource", "aiterable", "awaitable"),
    "retry": ("STOP", "Retry", "RetryPolicy"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "DOMAIN_API",
    "HOOK_API",
    "IAM",
    "STOP",
    "APIKey",
    "AsyncBaseClient",
    "AsyncResource",
    "Auth",
    "AuthMode",
    "BaseClient",
    "Call",
    "ClientConfig",
    "Credentials",
    "Domain",
    "Draft",
    "Emit",
    "Endpoint",
    "Envelope",
    "F",
    "Filter",
    "HeaderAuth",
    "Headers",
    "NoAuth",
    "Operation",
    "Pause",
    "Plan",
    "Request",
    "RequestModel",
    "RequestOptions",
    "Resource",
    "Response",
    "ResponseModel",
    "Retry",
    "RetryPolicy",
    "Safety",
    "Scope",
    "Site",
    "Step",
    "VikingDBError",
    "__version__",
    "aiterable",
    "awaitable",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    """Load a public name where it lives, when it is first used: importing the package costs nothing."""
    from importlib import import_module

    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
