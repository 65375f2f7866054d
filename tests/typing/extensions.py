"""What a stranger writes: an auth scheme, a plugin, a provider, a transport, a domain."""

from typing import Any

from pytest_vikingdb import AuthContract, DomainContract, PluginContract, TransportContract
from vikingdb_core import BaseClient, Domain, Operation, Safety
from vikingdb_core.credentials import IAM, Auth, Credentials, Scope
from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.hooks import Call, hookimpl
from vikingdb_core.messages import Draft, Request, Response
from vikingdb_core.models import AnyRequest, AnyResponse
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.resource import AsyncResource, Resource, awaitable
from vikingdb_core.retry import STOP, Retry, Stop
from vikingdb_vector.client import VikingDB


class Badge(Auth):
    def sign(self, request: Request, scope: Scope) -> Request:
        return request.with_headers({"X-Badge": scope.service})


class WithoutSign(Auth):
    pass


class Vault:
    def load(self) -> Credentials:
        return Credentials("ak", "sk", expires_at=5.0)


class Shed:
    def load(self) -> tuple[str, str]:
        return "ak", "sk"


class Meter:
    hook_api = 1

    @hookimpl
    def before_request(self, call: Call, request: Draft) -> None:
        request.headers["X-Attempt"] = str(call.attempt)
        request.headers["X-Attempt"] = call.attempt  # E: [assignment]
        request.body = b""  # E: [misc]

    @hookimpl
    def should_retry(self, call: Call) -> Retry | Stop | None:
        return STOP if call.attempt > 1 else Retry(after=1)


class Pigeon:
    def send(self, request: Request, timeouts: Timeouts) -> Response:
        raise NotImplementedError

    def stream(self, request: Request, timeouts: Timeouts) -> Response:
        raise NotImplementedError

    def close(self) -> None: ...


class Cart:
    def send(self, request: Request) -> Response:
        raise NotImplementedError


VikingDB(auth=Badge(), plugins=[Meter()], transport=Pigeon())
WithoutSign()  # E: [abstract]
IAM(provider=Vault())
IAM(provider=Shed())  # E: [arg-type]
VikingDB(transport=Cart())  # E: [arg-type]

READ = Operation("shop.read", "/read", AnyRequest, AnyResponse, safety=Safety.READ)
Operation("shop.read", "/read", dict, AnyResponse)  # E: [type-var]
Operation("shop.read", "/read", AnyRequest)  # E: [call-arg]
Operation("shop.read", "/read", AnyRequest, AnyResponse, safety="read")  # E: [arg-type]
SHOP = Domain("shop", "Shop", "shop", (READ,), {"data": "shop"})
Domain("shop", "Shop", "shop", [READ], {"data": "shop"})  # E: [arg-type]


class TestBadge(AuthContract):
    secrets = ("badge-number-1",)

    def make_auth(self) -> Badge:
        return Badge()


class TestPigeon(TransportContract):
    def make_transport(self, endpoint: Endpoint) -> Pigeon:
        return Pigeon()


class TestCart(TransportContract):
    def make_transport(self, endpoint: Endpoint) -> Cart:  # E: [override]
        return Cart()


class TestMeter(PluginContract):
    may = frozenset({"retry"})

    def make_plugin(self) -> Meter:
        return Meter()


class TestShop(DomainContract):
    domain = SHOP


class Shop(BaseClient):
    domain = SHOP


class Shelf(Resource):
    def read(self, request: dict[str, Any], *, request_options: RequestOptions | None = None) -> AnyResponse:
        return self._call(READ, request, request_options)


class AsyncShelf(AsyncResource):
    read = awaitable(Shelf.read)


Shelf(Shop(endpoint="https://h.example")).read({})
Shelf(Shop()).read()  # E: [call-arg]


async def read(shelf: AsyncShelf) -> AnyResponse:
    await shelf.read(5)  # E: [arg-type]
    return await shelf.read({})
