"""Domains that break one promise each."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from pydantic import ConfigDict, Field, field_validator

from pytest_vikingdb import DomainContract
from vikingdb_core import discovery
from vikingdb_core.client import AsyncBaseClient, BaseClient
from vikingdb_core.domain import Domain, Site
from vikingdb_core.exceptions import APIError, NotFound
from vikingdb_core.models import Envelope, RequestModel, ResponseModel
from vikingdb_core.operation import Operation
from vikingdb_core.request_options import RequestOptions
from vikingdb_core.traits import Safety


class BookRequest(RequestModel):
    book_title: str = Field(alias="BookTitle")
    copies: int | None = Field(default=None, ge=1)


class Book(ResponseModel):
    title: str | None = Field(default=None, alias="Title")
    year: int | None = None


class BookResponse(Envelope):
    result: Book | None = None


class BookNotFound(NotFound):
    """No such book."""


READ = Operation("shop.read", "/api/shop/read", BookRequest, BookResponse, safety=Safety.READ)
BUY = Operation("shop.buy", "/api/shop/buy", BookRequest, BookResponse)
SHOP = Domain("shop", "Shop", "shop", (READ, BUY), {"data": "shop"}, errors={"NotFound.Book": BookNotFound})


class Shop(BaseClient):
    domain = SHOP

    def read(self, title: str, *, request_options: RequestOptions | None = None) -> BookResponse:
        """Look a book up."""
        return self.call(READ, {"BookTitle": title}, request_options=request_options)

    def buy(self, title: str, copies: int = 1) -> BookResponse:
        """Buy a book."""
        return _buy(self, title, copies)


def _buy(shop: Shop, title: str, copies: int) -> BookResponse:
    return shop.call(BUY, {"BookTitle": title, "copies": copies})


class AsyncShop(AsyncBaseClient):
    domain = SHOP

    async def read(self, title: str, *, request_options: RequestOptions | None = None) -> BookResponse:
        """Look a book up."""
        return await self.call(READ, {"BookTitle": title}, request_options=request_options)

    async def buy(self, title: str, copies: int = 1) -> BookResponse:
        """Buy a book."""
        return await self.call(BUY, {"BookTitle": title, "copies": copies})


class HonestContract(DomainContract):
    domain = SHOP
    client: type[BaseClient] = Shop
    async_client: type[AsyncBaseClient] = AsyncShop

    def client_class(self) -> type[BaseClient]:
        return self.client

    def async_client_class(self) -> type[AsyncBaseClient]:
        return self.async_client

    def modules(self) -> list[ModuleType]:
        return [sys.modules[Shop.__module__]]


class TestHonest(HonestContract):
    pass


class LyingContract(HonestContract):
    """With clients of its own domain."""

    @pytest.fixture(autouse=True)
    def _clients_of_the_domain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(self.client, "domain", self.domain)


def with_read(**changes: Any) -> Domain:
    return replace(SHOP, operations=(replace(READ, **changes), BUY))


class TestStrangeName(LyingContract):
    domain = replace(SHOP, operations=(READ, BUY, Operation("read", "/api/shop/again", BookRequest, BookResponse)))


class TestSiteWithoutPlane(LyingContract):
    domain = replace(SHOP, planes={"data": "shop", "control": "shop"}, sites=(Site("here", {"data": "h.example"}),))


class TestPlaneWithoutName(LyingContract):
    domain = replace(SHOP, planes={"data": "shop", "control": ""})


class TestUnsafeWord(LyingContract):
    domain = with_read()
    object.__setattr__(domain.operations[0], "safety", "read")  # an operation refuses it when it is declared


class TestNoMode(LyingContract):
    domain = with_read(auth=frozenset())


class TestUndocumented(LyingContract):
    class client(Shop):
        def read(self, title: str, *, request_options: RequestOptions | None = None) -> BookResponse:
            return self.call(READ, {"BookTitle": title}, request_options=request_options)

        read.__doc__ = ""


class Renaming(BookRequest):
    book_title: str = Field(validation_alias="BookTitle", serialization_alias="Title")


class Rounding(BookRequest):
    @field_validator("copies")
    @classmethod
    def _at_least_ten(cls, copies: int | None) -> int | None:
        return copies and max(copies, 10)


class Forgetful(BookRequest):
    def to_wire(self) -> dict[str, Any]:
        return {"BookTitle": self.book_title}


class ByWireNameOnly(BookRequest):
    model_config = ConfigDict(populate_by_name=False)


class TestRenamesFields(LyingContract):
    domain = with_read(request=Renaming)


class TestRoundsValues(LyingContract):
    domain = with_read(request=Rounding)


class TestForgetsFields(LyingContract):
    domain = with_read(request=Forgetful)


class TestTakesWireNamesOnly(LyingContract):
    domain = with_read(request=ByWireNameOnly)


class Shortening(BookResponse):
    @field_validator("message")
    @classmethod
    def _short(cls, message: str) -> str:
        return message[:2]


class Closed(Book):
    model_config = ConfigDict(extra="ignore")


class ClosedResponse(Envelope):
    result: Closed | None = None


class TestShortensAnswers(LyingContract):
    domain = with_read(response=Shortening)


class TestDropsWhatIsNew(LyingContract):
    domain = with_read(response=ClosedResponse)


class Unheard(Exception):
    """No APIError."""


class Stubborn(APIError):
    """Does not survive a pickle."""

    def __reduce__(self) -> Any:
        return NotFound, ("no",)


class TestErrorOfItsOwn(LyingContract):
    domain = replace(SHOP)
    object.__setattr__(domain, "errors", {"NotFound.Book": Unheard})  # a domain refuses it when it is declared


class TestStubbornError(LyingContract):
    domain = replace(SHOP, errors={"NotFound.Book": Stubborn})


class TestAsksWhenBuilt(LyingContract):
    class client(Shop):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            with socket.socket() as asking, suppress(OSError):
                asking.connect(("127.0.0.1", 9))


class TestAsyncLacksOne(LyingContract):
    class async_client(AsyncBaseClient):
        domain = SHOP
        read = AsyncShop.read


class TestAsyncTakesOthers(LyingContract):
    class async_client(AsyncShop):
        async def buy(self, title: str, copies: int = 2) -> BookResponse:
            """Buy a book."""
            return await super().buy(title, copies)


class TestAsyncUnheard(LyingContract):
    no_async = "nobody asked for it"
    domain = replace(SHOP, async_client="shop:AsyncShop")


class TestInstalledUnderAnotherName(LyingContract):
    @pytest.fixture(autouse=True)
    def _installed(self) -> Iterator[None]:
        extension = discovery.Extension("store", discovery.DOMAINS, "shop 1.0", "shop.domain:SHOP", lambda: SHOP)
        discovery.catalog(discovery.DOMAINS)["store"] = [extension]
        yield
        del discovery.catalog(discovery.DOMAINS)["store"]


ROUND_TRIP = {"test_requests_are_sent_as_they_were_given"}
BREAKS = {
    "TestStrangeName": {
        "test_operations_have_names_and_addresses_of_their_own",
        "test_every_operation_is_documented_where_it_is_called",
    },
    "TestSiteWithoutPlane": {"test_every_plane_is_known"},
    "TestPlaneWithoutName": {"test_every_plane_is_known"},
    "TestUnsafeWord": {"test_operations_say_what_they_are"},
    "TestNoMode": {"test_operations_say_what_they_are", "test_every_operation_can_be_called"},
    "TestUndocumented": {"test_every_operation_is_documented_where_it_is_called"},
    "TestRenamesFields": {*ROUND_TRIP, "test_every_operation_can_be_called"},
    "TestRoundsValues": ROUND_TRIP,
    "TestForgetsFields": ROUND_TRIP,
    "TestTakesWireNamesOnly": ROUND_TRIP,
    "TestShortensAnswers": {"test_responses_are_read_whole", "test_unknown_fields_of_a_response_are_kept"},
    "TestDropsWhatIsNew": {"test_unknown_fields_of_a_response_are_kept"},
    "TestErrorOfItsOwn": {"test_errors_are_api_errors_that_survive_pickling"},
    "TestStubbornError": {"test_errors_are_api_errors_that_survive_pickling"},
    "TestAsksWhenBuilt": {"test_clients_are_built_without_a_network"},
    "TestAsyncLacksOne": {"test_async_clients_offer_the_same"},
    "TestAsyncTakesOthers": {"test_async_clients_offer_the_same"},
    "TestAsyncUnheard": {"test_async_clients_offer_the_same"},
    "TestInstalledUnderAnotherName": {"test_it_is_installed_under_its_own_name"},
}
