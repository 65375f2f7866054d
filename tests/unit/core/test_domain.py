"""Domain: a record that is refused when it contradicts itself, and finds errors and sites."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.vector.fakes import MANAGE, READ, TOY
from vikingdb_core.domain import Domain, Site
from vikingdb_core.exceptions import BadRequest, ExtensionError, NotFound, RateLimited
from vikingdb_core.models import AnyRequest, AnyResponse
from vikingdb_core.operation import Operation
from vikingdb_core.version import DOMAIN_API


class ShelfNotFound(NotFound):
    pass


def domain(*operations: Operation[Any, Any], **fields: Any) -> Domain:
    return Domain("shop", "Shop", "shop", operations, **{"planes": {"data": "shop"}, **fields})


def operation(name: str = "shop.read", path: str = "/read", **traits: Any) -> Operation[Any, Any]:
    return Operation(name, path, AnyRequest, AnyResponse, **traits)


def test_two_operations_of_one_name_are_refused() -> None:
    with pytest.raises(ExtensionError, match=r"domain 'shop' has two operations named shop\.read; rename one"):
        domain(operation(), operation(path="/other"))


@pytest.mark.parametrize(
    "twin",
    [operation("shop.other"), operation("shop.other", method="POST", query=())],
)
def test_two_operations_of_one_address_are_refused(twin: Operation[Any, Any]) -> None:
    says = r"shop\.read and shop\.other are both POST /read; correct one path, or tell them apart by query="
    with pytest.raises(ExtensionError, match=says):
        domain(operation(), twin)


def test_an_address_is_the_same_whatever_the_order_of_its_query() -> None:
    one = operation("shop.one", query=(("Action", "Get"), ("Version", "1")))
    other = operation("shop.other", query=(("Version", "1"), ("Action", "Get")))
    with pytest.raises(ExtensionError, match=r"are both POST /read\?Version=1&Action=Get"):
        domain(one, other)


@pytest.mark.parametrize(
    "other",
    [
        operation("shop.other", path="/Read"),
        operation("shop.other", method="GET"),
        operation("shop.other", query=(("Action", "Read"),)),
    ],
)
def test_operations_may_share_a_part_of_their_address(other: Operation[Any, Any]) -> None:
    assert domain(operation(), other).operations == (operation(), other)


def test_an_operation_on_a_plane_the_domain_lacks_is_refused() -> None:
    says = r"operation toy\.manage uses plane 'control', which 'shop' lacks; add it to planes=.*: data"
    with pytest.raises(ExtensionError, match=says):
        domain(READ, MANAGE)
    with pytest.raises(ExtensionError, match=r"domain 'shop' has no plane 'data'.*planes=\{'data': "):
        domain(planes={"control": "shop"})


@pytest.mark.parametrize("other", [DOMAIN_API - 1, DOMAIN_API + 1])
def test_a_domain_for_another_core_is_refused(other: int) -> None:
    with pytest.raises(ExtensionError, match=rf"'shop' was written for domain API {other}; this core has {DOMAIN_API}"):
        domain(domain_api=other)


ERRORS = {"NotFound": NotFound, "NotFound.Shelf": ShelfNotFound, "Slow": RateLimited, "1000003": BadRequest}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("NotFound.Shelf", ShelfNotFound),
        ("NotFound.Book", NotFound),
        ("NotFound.Shelf.Deep", NotFound),
        ("NotFound", NotFound),
        ("notfound", None),
        ("Slow.Down", RateLimited),
        (1000003, BadRequest),
        ("1000003", BadRequest),
        ("Unheard", None),
        (0, None),
        ("", None),
        (None, None),
    ],
)
def test_the_class_of_a_code_is_that_of_the_whole_or_of_its_part_before_the_dot(
    code: str | int | None, expected: type | None
) -> None:
    assert domain(errors=ERRORS).error_for(code) is expected


def test_a_site_is_found_by_any_of_its_hosts_and_the_first_of_a_region() -> None:
    first, second = Site("r", {"data": "a", "control": "b"}), Site("r", {"data": "c", "control": "d"})
    found = domain(sites=(first, second))
    assert [found.site_of_host(host) for host in "abcde"] == [first, first, second, second, None]
    assert found.site_of_region("r") is first
    assert found.site_of_region("other") is None
    assert TOY.site_of_host("") is None


def test_a_domain_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        TOY.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"safety": "unsafe"}, r"safety is 'unsafe'; give one of"),
        ({"safety": None}, "safety is None"),
        ({"auth": "CUSTOM"}, "auth is 'CUSTOM'; give a frozenset of AuthMode"),
        ({"request": dict}, "give a subclass of RequestModel"),
        ({"response": AnyRequest}, "give a subclass of ResponseModel"),
        ({"path": "read"}, "path is 'read'; it begins with /"),
        ({"path": "/read?x=1"}, "has no query, which goes into query="),
        ({"method": "get"}, "method is 'get'; write it in capitals"),
    ],
)
def test_an_operation_that_cannot_be_is_refused_when_it_is_declared(wrong: dict[str, Any], says: str) -> None:
    right: dict[str, Any] = {"path": "/read", "request": AnyRequest, "response": AnyResponse}
    with pytest.raises(ExtensionError, match=rf"operation 'shop\.read': .*{says}"):
        Operation("shop.read", **{**right, **wrong})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"errors": {"X": ValueError}}, r"errors\['X'\] is .*; give a subclass of APIError"),
        ({"errors": {"X": "NotFound"}}, r"errors\['X'\] is 'NotFound'; give a subclass of APIError"),
        ({"throttle_codes": "TooManyX"}, "throttle_codes is one string"),
    ],
)
def test_a_domain_whose_errors_are_none_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ExtensionError, match=says):
        domain(operation(), **wrong)
