"""Operation: one API of the service, declared once.

Clients, retry, the auth gate, the emulator's router, telemetry, docs and tests all read the same record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .exceptions import ExtensionError
from .models import AnyRequest, AnyResponse, RequestModel, ResponseModel
from .traits import ANY_AUTH, AuthMode, Safety

Req = TypeVar("Req", bound=RequestModel)
Res = TypeVar("Res", bound=ResponseModel)

__all__ = ["AuthMode", "Operation", "Safety"]


@dataclass(frozen=True)
class Operation(Generic[Req, Res]):
    """One API.

    Attributes:
        name: stable id for logs, spans, limits and docs, such as ``vector.data.upsert``.
        path: path below the endpoint.
        request: model of the request body.
        response: model of the response envelope.
        method: HTTP method. A ``GET`` carries no body.
        safety: whether it may be resent blindly. The default is the cautious one.
        auth: kinds of credentials accepted.
        plane: which endpoint and signing service of the domain it uses.
        query: query pairs that are part of the address (``Action`` and ``Version``).
        experimental: why not to rely on it, or ``None``.
        streaming: the response is an event stream.
        opaque: the body of a success says nothing; only the status counts.
        rows: wire name of the list in the request with an entry for each row it is about, for limits and telemetry.
    """

    name: str
    path: str
    request: type[Req]
    response: type[Res]
    method: str = "POST"
    safety: Safety = Safety.UNSAFE
    auth: frozenset[AuthMode] = ANY_AUTH
    plane: str = "data"
    query: tuple[tuple[str, str], ...] = ()
    experimental: str | None = None
    streaming: bool = False
    opaque: bool = False
    rows: str | None = None

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise ExtensionError(f"operation {self.name!r}: {problem}")

    def _problem(self) -> str | None:
        if not isinstance(self.safety, Safety):
            return f"safety is {self.safety!r}; give one of {', '.join(map(str, Safety))}"
        if isinstance(self.auth, str) or not all(isinstance(mode, AuthMode) for mode in self.auth):
            return f"auth is {self.auth!r}; give a frozenset of AuthMode, or leave it out"
        for what, model, base in (("request", self.request, RequestModel), ("response", self.response, ResponseModel)):
            if not (isinstance(model, type) and issubclass(model, base)):
                return f"{what} is {model!r}; give a subclass of {base.__name__}"
        if not self.path.startswith("/") or "?" in self.path or "#" in self.path:
            return (
                f"path is {self.path!r}; it begins with / and has no query, which goes into query=(('name', 'value'),)"
            )
        if self.method != self.method.upper() or not self.method.isalpha():
            return f"method is {self.method!r}; write it in capitals, such as POST"
        return None

    @property
    def address(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """Method, path and query: what tells this operation from every other on the wire."""
        return self.method, self.path, self.query

    @staticmethod
    def raw(
        method: str, path: str, *, name: str | None = None, query: Mapping[str, str] | None = None, **traits: Any
    ) -> Operation[AnyRequest, AnyResponse]:
        """An operation this SDK does not know, for :meth:`BaseClient.call`: any body in, any envelope out."""
        return Operation(
            name or f"raw.{path.strip('/').replace('/', '.')}",
            path,
            AnyRequest,
            AnyResponse,
            method=method.upper(),
            query=tuple((query or {}).items()),
            **traits,
        )
