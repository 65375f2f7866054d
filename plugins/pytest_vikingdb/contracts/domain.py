"""DomainContract: what every domain promises."""

from __future__ import annotations

import importlib
import inspect
import pickle
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar

from pydantic import BaseModel

from vikingdb_core import discovery
from vikingdb_core.client import AsyncBaseClient, BaseClient
from vikingdb_core.domain import Domain
from vikingdb_core.encoding import decode, encode
from vikingdb_core.exceptions import APIError
from vikingdb_core.models import RequestModel, ResponseModel
from vikingdb_core.operation import Operation
from vikingdb_core.resource import merge_body
from vikingdb_core.traits import AuthMode, Safety

from ..clients import ENDPOINT, ClientFactory, StampAuth
from ..network import NetworkGuard
from ..wire import Wire
from .base import Contract
from .methods import async_twin, handles_of, modules_of, offered, operations_called, signature
from .samples import missing, sample


class DomainContract(Contract, contract=True):
    """What every domain promises: operations that can be told apart, models that lose nothing, clients that agree.

    A subclass gives ``domain``. Bodies are made up from the fields of the models; where that cannot be done, or is not
    enough, ``requests`` and ``responses`` give them by the name of the operation.
    """

    domain: ClassVar[Domain]

    requests: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Request bodies as they are on the wire, by name of the operation."""

    responses: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Response bodies as they are on the wire, by name of the operation."""

    no_async: ClassVar[str] = ""
    """Why there is no async client, for a domain without."""

    def client_class(self) -> type[BaseClient]:
        """The sync client, as the domain names it."""
        assert self.domain.client, "the domain names no client: client='package.module:Class'"
        loaded: type[BaseClient] = _load(self.domain.client)
        return loaded

    def async_client_class(self) -> type[AsyncBaseClient]:
        """The async client, as the domain names it."""
        assert self.domain.async_client, "the domain names no async_client; name it, or say no_async = 'why'"
        loaded: type[AsyncBaseClient] = _load(self.domain.async_client)
        return loaded

    def modules(self) -> list[ModuleType]:
        """Where its clients and handles are: its package, and what is below."""
        return modules_of(self.domain.package)

    # Operations

    def test_operations_have_names_and_addresses_of_their_own(self) -> None:
        """No two operations share a name, nor method, path and query. A name begins with the domain's, so that logs and
        limits of several domains can be told apart."""
        assert isinstance(self.domain, Domain)
        assert self.domain.operations, "it has no operation"
        names = [operation.name for operation in self.domain.operations]
        places = [(one.method, one.path, frozenset(one.query)) for one in self.domain.operations]
        assert len(set(names)) == len(names)
        assert len(set(places)) == len(places)
        strange = [name for name in names if not name.startswith(f"{self.domain.name}.")]
        assert not strange, f"the names {strange} do not begin with {self.domain.name!r} and a dot"

    def test_every_plane_is_known(self) -> None:
        """Operations and sites use planes that the domain has, each with a signing name."""
        planes = self.domain.planes
        assert all(isinstance(service, str) and service for service in planes.values()), f"no signing name in {planes}"
        assert {operation.plane for operation in self.domain.operations} <= planes.keys()
        for site in self.domain.sites:
            assert site.hosts.keys() == planes.keys(), f"the site of {site.region} has other planes than the domain"

    def test_operations_say_what_they_are(self) -> None:
        """Models are request and response models, safety is a ``Safety``, the credentials accepted are ``AuthMode``s,
        and a path begins with a slash."""
        for operation in self.domain.operations:
            assert issubclass(operation.request, RequestModel), operation.name
            assert issubclass(operation.response, ResponseModel), operation.name
            assert isinstance(operation.safety, Safety), operation.name
            assert operation.auth, f"{operation.name} accepts no credentials"
            assert all(isinstance(mode, AuthMode) for mode in operation.auth), operation.name
            assert operation.path.startswith("/"), operation.name
            assert operation.method.isupper(), operation.name

    def test_every_operation_is_documented_where_it_is_called(self) -> None:
        """Each operation is called by a public method of a client or a handle, and that method has a docstring."""
        modules = self.modules()
        documented: set[str] = set()
        for kind in [self.client_class(), *handles_of(modules)]:
            for member in offered(kind).values():
                method = getattr(member, "fget", None) or getattr(member, "func", None) or member
                if callable(method) and inspect.getdoc(method):
                    documented |= {operation.name for operation in operations_called(method)}
        lost = [operation.name for operation in self.domain.operations if operation.name not in documented]
        assert not lost, f"no public method with a docstring calls {lost}"

    # Models

    def test_requests_are_sent_as_they_were_given(self) -> None:
        """A request given by wire names goes out as it was given; given by Python names, or read again from what went
        out, it is the same request."""
        for operation in self.domain.operations:
            body = self._request(operation)
            model = operation.request.read(body)
            sent = _through_json(model.to_wire())
            assert sent == _through_json(body), f"{operation.name}: what goes out is not what was given"
            assert _through_json(operation.request.read(sent).to_wire()) == sent, (
                f"{operation.name}: read again, it differs"
            )
            by_name = {name: getattr(model, name) for name in operation.request.model_fields} | (
                model.model_extra or {}
            )
            given = {name: value for name, value in by_name.items() if value is not None}
            assert _through_json(operation.request(**given).to_wire()) == sent, (
                f"{operation.name}: by Python names it differs"
            )

    def test_responses_are_read_whole(self) -> None:
        """What the service answers is in the response model, under the names of the wire, and reading that again gives
        the same."""
        for operation in self.domain.operations:
            body = self._response(operation)
            response = operation.response.model_validate(body)
            written = _written(response)
            assert not _lost(_through_json(body), written), f"{operation.name}: {_lost(_through_json(body), written)}"
            assert operation.response.model_validate(written) == response, f"{operation.name}: read again, it differs"

    def test_unknown_fields_of_a_response_are_kept(self) -> None:
        """The service grows: a field that a model does not know is kept under its name, in the envelope and below."""
        for operation in self.domain.operations:
            body = self._response(operation)
            grown = _with_news(operation.response.model_validate(body), body)
            lost = _lost(_through_json(grown), _written(operation.response.model_validate(grown)))
            assert not lost, f"{operation.name}: {lost}"

    # Errors

    def test_errors_are_api_errors_that_survive_pickling(self) -> None:
        """The table of errors maps codes to classes below ``APIError``. They are built like it, and come out of another
        process as they went in."""
        for code, kind in self.domain.errors.items():
            assert isinstance(kind, type), f"{code} is mapped to {kind!r}"
            assert issubclass(kind, APIError), f"{code} is mapped to {kind.__name__}, which is no APIError"
            assert self.domain.error_for(code) is kind
            error = kind("no", code=code, status_code=404, request_id="r1", retry_after=2.0, body=b"{}")
            twin = pickle.loads(pickle.dumps(error))
            assert type(twin) is kind
            assert (str(twin), vars(twin)) == (str(error), vars(error)), f"{kind.__name__} is another after pickling"

    # Clients

    def test_clients_are_built_without_a_network(self, viking_env: None) -> None:
        """Building a client opens no connection, shows no secret, and says which domain it is of."""
        with NetworkGuard(loopback=False):
            client = self.client_class()(endpoint=ENDPOINT, auth=StampAuth(), plugins=())
            assert client.domain is self.domain
            assert repr(client)
            client.close()

    def test_async_clients_offer_the_same(self) -> None:
        """The async client and the async handles have the methods of the sync ones, with the same arguments."""
        if self.no_async:
            assert self.domain.async_client is None, "there is an async client, so no_async is wrong"
            return
        modules = self.modules()
        pairs: list[tuple[type, type | None]] = [(self.client_class(), self.async_client_class())]
        pairs += [(handle, async_twin(handle, modules)) for handle in handles_of(modules)]
        for sync, later in pairs:
            assert later is not None, f"{sync.__name__} has no Async{sync.__name__}"
            one, other = offered(sync), offered(later)
            assert one.keys() == other.keys(), f"{later.__name__} differs in {sorted(one.keys() ^ other.keys())}"
            for name in one:
                assert signature(one[name]) == signature(other[name]), f"{later.__name__}.{name} takes other arguments"

    def test_every_operation_can_be_called(self, viking_client: ClientFactory) -> None:
        """A client sends each operation with a body of its own, to its address, and reads the answer."""
        for operation in self.domain.operations:
            body = None if operation.method == "GET" else self._request(operation)
            wire = Wire().reply(200, self._response(operation))
            if operation.streaming:
                wire = Wire().reply_chunks(200, [b"data: {}\n\n"])
            viking_client(self.client_class(), transport=wire).call(operation, body)
            (request,) = wire.requests
            assert (request.method, request.path) == (operation.method, operation.path)
            assert set(operation.query) <= set(request.query)
            assert wire.bodies == [None if body is None else _through_json(merge_body(operation, body, {}))]

    def test_it_is_installed_under_its_own_name(self) -> None:
        """Where the domain is installed, its entry point has its name, and stands for this very object."""
        for name, found in discovery.catalog(discovery.DOMAINS).items():
            for extension in found:
                if extension.target.partition(":")[0].partition(".")[0] == self.domain.package:
                    assert name == self.domain.name, f"the entry point is {name!r}, the domain {self.domain.name!r}"
                    assert discovery.lookup(discovery.DOMAINS, name) is self.domain

    def _request(self, operation: Operation[Any, Any]) -> dict[str, Any]:
        body = dict(self.requests.get(operation.name, {})) or sample(operation.request)
        lacking = missing(operation.request, body)
        assert not lacking, f"no value can be made up for {lacking} of {operation.name}; give a body in requests"
        for alternatives in operation.request.required:
            if not any(name in body for name in alternatives):
                body[alternatives[0]] = "text"
        return body

    def _response(self, operation: Operation[Any, Any]) -> dict[str, Any]:
        body = dict(self.responses.get(operation.name, {})) or sample(operation.response)
        lacking = missing(operation.response, body)
        assert not lacking, f"no value can be made up for {lacking} of {operation.name}; give a body in responses"
        return body if operation.opaque or "code" not in body else {**body, "code": "Success"}


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _through_json(body: Mapping[str, Any]) -> Any:
    return decode(encode(body))


def _written(response: ResponseModel) -> Any:
    return _through_json(response.model_dump(by_alias=True, exclude_none=True))


def _with_news(read: Any, body: Any) -> Any:
    """The same body with a field nobody knows wherever a model reads it."""
    if isinstance(read, BaseModel) and isinstance(body, Mapping):
        fields = {info.alias or name: getattr(read, name) for name, info in type(read).model_fields.items()}
        grown = {name: _with_news(fields.get(name), value) for name, value in body.items()}
        return {**grown, "UnheardOf": {"deep": [1]}}
    if isinstance(read, list) and isinstance(body, list):
        return [_with_news(*pair) for pair in zip(read, body, strict=True)]
    return body


def _lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """Where what was given is not in what was kept, which may have more."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [lost for name in given for lost in _lost(given[name], kept.get(name), f"{path}.{name}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [lost for i, pair in enumerate(zip(given, kept, strict=True)) for lost in _lost(*pair, f"{path}[{i}]")]
    return [] if given == kept else [f"{path.lstrip('.')} was {given!r} and is {kept!r}"]
