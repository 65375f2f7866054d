"""vikingdb-audit: who did what, on an audit service. With the facade installed it is ``vikingdb.audit``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import vikingdb_core as core
from vikingdb_core.exceptions import Conflict, NotFound, RateLimited

__all__ = ["AsyncAuditClient", "AuditClient", "Event", "EventNotFound", "TrailClient", "TrailSealed"]

Details = Mapping[str, Any] | None
Options = core.RequestOptions | None


class TrailRequest(core.RequestModel):
    locators = frozenset({"trail"})
    required = (("trail",),)


class RecordRequest(TrailRequest):
    actor: str
    action: str
    details: Details = None


class GetRequest(TrailRequest):
    event_id: str


class ListRequest(TrailRequest):
    actor: str | None = None
    cursor: str | None = None


class Event(core.ResponseModel):
    event_id: str
    actor: str
    action: str
    details: Details = None


class OneEvent(core.Envelope):
    event: Event


class Page(core.Envelope):
    events: Sequence[Event] = ()
    next_cursor: str | None = None


class EventNotFound(NotFound):
    """``NotFound.Event``."""


class TrailSealed(Conflict):
    """``TrailSealed``: nothing is recorded there any more."""


RECORD = core.Operation("audit.record", "/api/audit/record", RecordRequest, OneEvent)
GET = core.Operation("audit.get", "/api/audit/get", GetRequest, OneEvent, safety=core.Safety.READ)
LIST = core.Operation("audit.list", "/api/audit/list", ListRequest, Page, safety=core.Safety.READ)
DOMAIN = core.Domain(
    name="audit",
    title="Audit trails",
    package="vikingdb_audit",
    operations=(RECORD, GET, LIST),
    planes={"data": "audit"},
    errors={"NotFound.Event": EventNotFound, "TrailSealed": TrailSealed, "TooManyEvents": RateLimited},
    throttle_codes=frozenset({"TooManyEvents"}),
    client="vikingdb_audit:AuditClient",
    async_client="vikingdb_audit:AsyncAuditClient",
)


class TrailClient(core.Resource):
    """A handle on one trail."""

    def record(self, actor: str, action: str, details: Details = None, *, request_options: Options = None) -> OneEvent:
        """Write down an event. Sent again only when it certainly was not recorded."""
        return self._call(RECORD, RecordRequest(actor=actor, action=action, details=details), request_options)

    def get(self, event_id: str, *, request_options: Options = None) -> OneEvent:
        """Read one event. Raises ``EventNotFound``."""
        return self._call(GET, GetRequest(event_id=event_id), request_options)

    def list(self, *, actor: str | None = None, request_options: Options = None) -> Iterator[Event]:
        """Every event, page after page, as they are asked for."""
        return self._iterate(_pages({"actor": actor}, request_options))


class AsyncTrailClient(core.AsyncResource):
    record, get = core.awaitable(TrailClient.record), core.awaitable(TrailClient.get)
    list = core.aiterable(TrailClient.list)


class AuditClient(core.BaseClient):
    """The audit service: ``AuditClient(endpoint="https://audit.example", auth=…).trail("orders")``."""

    domain = DOMAIN

    def trail(self, name: str) -> TrailClient:
        """A handle on a trail."""
        return TrailClient(self, {"trail": name})


class AsyncAuditClient(core.AsyncBaseClient):
    domain = DOMAIN

    def trail(self, name: str) -> AsyncTrailClient:
        return AsyncTrailClient(self, {"trail": name})


def _pages(request: Mapping[str, Any], options: Options) -> core.Plan[None]:
    while True:
        page = yield core.Step(LIST, request, options)
        for event in page.events:
            yield core.Emit(event)
        if not page.next_cursor:
            return
        request = {**request, "cursor": page.next_cursor}
