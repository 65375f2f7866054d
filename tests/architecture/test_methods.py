"""The shape of resources: one sentence a method, and an async twin derived from each."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

import vikingdb_vector as v
from vikingdb_core.resource import Resource
from vikingdb_vector.domain import DOMAIN

RESOURCES = [
    (v.CollectionClient, v.AsyncCollectionClient),
    (v.IndexClient, v.AsyncIndexClient),
    (v.EmbeddingClient, v.AsyncEmbeddingClient),
    (v.RerankClient, v.AsyncRerankClient),
    (v.AdminClient, v.AsyncAdminClient),
]
METHODS = [
    pytest.param(method, id=f"{sync.__name__}.{name}")
    for sync, _ in RESOURCES
    for name, method in sorted(vars(sync).items())
    if not name.startswith("_") and callable(method)
]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_one_sentence_and_says_its_wire_operation(method: Callable[..., Any]) -> None:
    body = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0].body  # type: ignore[attr-defined]
    _docstring, *statements = body
    assert "Wire: ``POST /" in (inspect.getdoc(method) or "")
    assert len(statements) == 1
    assert isinstance(statements[0], ast.Return)
    call = statements[0].value
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    assert call.func.attr in {"_call", "_run", "_iterate"}


def test_what_is_experimental_says_so_where_it_is_called() -> None:
    wires = {
        operation.path: operation for operation in DOMAIN.operations if operation.experimental and not operation.query
    }
    assert wires
    for path, operation in wires.items():
        (method,) = [each.values[0] for each in METHODS if f"POST {path}``" in (inspect.getdoc(each.values[0]) or "")]
        assert f"Experimental: {operation.experimental}" in (inspect.getdoc(method) or "")


@pytest.mark.parametrize(("sync", "asynchronous"), RESOURCES)
def test_an_async_resource_has_the_same_methods_with_the_same_arguments(sync: type, asynchronous: type) -> None:
    assert _public(sync) == _public(asynchronous)
    for name in _public(sync):
        assert inspect.signature(getattr(sync, name)) == inspect.signature(getattr(asynchronous, name))
        assert inspect.getdoc(getattr(asynchronous, name)) == inspect.getdoc(getattr(sync, name))


def test_the_clients_offer_the_same() -> None:
    assert _public(v.VikingDB) == _public(v.AsyncVikingDB)
    assert inspect.signature(v.VikingDB) == inspect.signature(v.AsyncVikingDB)


def test_every_resource_of_the_domain_is_checked_here() -> None:
    known = {cls for pair in RESOURCES for cls in pair}
    exported = [getattr(v, name) for name in v.__all__]
    assert {cls for cls in exported if isinstance(cls, type) and issubclass(cls, Resource)} == known


def _public(cls: type) -> list[str]:
    return sorted(name for name in dir(cls) if not name.startswith("_"))
