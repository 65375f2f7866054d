"""AdminClient: the control plane.

Every method takes keyword arguments, or one request: a model, or a mapping in the documented PascalCase shape.
It needs IAM keys; API keys are bound to data sets and refused before anything is sent.
"""

from __future__ import annotations

from .collections import AsyncCollectionAdmin, CollectionAdmin
from .indexes import AsyncIndexAdmin, IndexAdmin
from .tasks import AsyncTaskAdmin, TaskAdmin


class AdminClient(CollectionAdmin, IndexAdmin, TaskAdmin):
    """A handle on the control plane: collections, indexes and tasks."""


class AsyncAdminClient(AsyncCollectionAdmin, AsyncIndexAdmin, AsyncTaskAdmin):
    """The same methods, awaited; see :class:`AdminClient`."""


__all__ = ["AdminClient", "AsyncAdminClient"]
