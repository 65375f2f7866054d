"""Notes: a small domain that exists for tests of core. It has one operation of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from vikingdb_core.client import AsyncBaseClient, BaseClient
from vikingdb_core.domain import Domain
from vikingdb_core.exceptions import NotFound
from vikingdb_core.models import AnyRequest, Envelope, RequestModel, ResponseModel
from vikingdb_core.operation import Operation
from vikingdb_core.plans import Emit, Plan, Step
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, aiterable, awaitable
from vikingdb_core.traits import NO_API_KEY, Safety


class NoteRequest(RequestModel):
    """A request about notes."""

    locators: ClassVar[frozenset[str]] = frozenset({"shelf", "room"})

    text: str | None = None
    notes: list[Mapping[str, Any]] | None = None
    page: int | None = None


class OtherRequest(RequestModel):
    """A request no operation of this domain takes."""


class NoteResult(ResponseModel):
    items: list[str] = Field(default_factory=list)
    count: int = 0


class NoteResponse(Envelope):
    result: NoteResult = Field(default_factory=NoteResult)


class NoteNotFound(NotFound):
    """``NotFound.Note``."""


READ = Operation("notes.read", "/api/notes/read", NoteRequest, NoteResponse, safety=Safety.READ)
PUT = Operation("notes.put", "/api/notes/put", NoteRequest, NoteResponse, safety=Safety.IDEMPOTENT)
ADD = Operation("notes.add", "/api/notes/add", NoteRequest, NoteResponse)
WATCH = Operation("notes.watch", "/api/notes/watch", NoteRequest, NoteResponse, safety=Safety.READ, streaming=True)
PING = Operation("notes.ping", "/api/notes/ping", AnyRequest, Envelope, method="GET", safety=Safety.READ, opaque=True)
FOUND = Operation(
    "notes.found",
    "/",
    NoteRequest,
    NoteResponse,
    auth=NO_API_KEY,
    plane="control",
    query=(("Version", "1"), ("Action", "FoundLibrary")),
)

DOMAIN = Domain(
    name="notes",
    title="Notes",
    package="notes",
    operations=(READ, PUT, ADD, WATCH, PING, FOUND),
    planes={"data": "notes", "control": "notes_admin"},
    errors={"NotFound.Note": NoteNotFound},
    throttle_codes=frozenset({"SlowDown"}),
)

BY_SAFETY = {Safety.READ: READ, Safety.IDEMPOTENT: PUT, Safety.UNSAFE: ADD}


class Shelf(Resource):
    """A handle on one shelf."""

    def read(
        self, request: NoteRequest | Mapping[str, Any] | None = None, *, request_options: RequestOptions | None = None
    ) -> NoteResponse:
        """Read notes."""
        return self._call(READ, request, request_options)

    def add(
        self, request: NoteRequest | Mapping[str, Any] | None = None, *, request_options: RequestOptions | None = None
    ) -> NoteResponse:
        """Add notes."""
        return self._call(ADD, request, request_options)

    def count(self, pages: int) -> int:
        """Count the notes of some pages, one call a page."""
        return self._run(_count(pages))

    def each(self, pages: int) -> Any:
        """Every note of some pages."""
        return self._iterate(_each(pages))


class AsyncShelf(AsyncResource):
    """The same, awaited."""

    read = awaitable(Shelf.read)
    add = awaitable(Shelf.add)
    count = awaitable(Shelf.count)
    each = aiterable(Shelf.each)


class Notes(BaseClient):
    domain = DOMAIN

    def shelf(self, name: str | None = "poems", room: str | None = None) -> Shelf:
        return Shelf(self, {"shelf": name, "room": room})


class AsyncNotes(AsyncBaseClient):
    domain = DOMAIN

    def shelf(self, name: str | None = "poems", room: str | None = None) -> AsyncShelf:
        return AsyncShelf(self, {"shelf": name, "room": room})


def _count(pages: int) -> Plan[int]:
    total = 0
    for page in range(1, pages + 1):
        response = yield Step(READ, {"page": page})
        total += response.result.count
    return total


def _each(pages: int) -> Plan[None]:
    for page in range(1, pages + 1):
        response = yield Step(READ, {"page": page})
        for item in response.result.items:
            yield Emit(item)
