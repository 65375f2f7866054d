"""The facade: one import for everything, nothing loaded before it is used, clear words when something is missing."""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from typing import Any

import pytest

import vikingdb
import vikingdb_core
import vikingdb_vector
from vikingdb_core import conflicts, discovery
from vikingdb_core.domain import Domain
from vikingdb_core.exceptions import DomainNotInstalled

DOCUMENTED = ["config", "credentials", "transport", "request_options", "exceptions", "version", "auth", "vector"]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_module_imports(name: str) -> None:
    module = importlib.import_module(f"vikingdb.{name}")
    for exported in getattr(module, "__all__", ["__version__"]):
        assert getattr(module, exported) is not None


def test_names_are_the_same_objects_everywhere() -> None:
    from vikingdb.vector import models

    assert vikingdb.IAM is vikingdb_core.IAM is vikingdb.auth.IAM is vikingdb.vector.IAM
    assert vikingdb.VikingDB is vikingdb_vector.VikingDB is vikingdb.vector.VikingDB
    assert vikingdb.F is vikingdb.vector.F is vikingdb_core.F
    assert models.UpsertDataRequest is vikingdb.vector.UpsertDataRequest


@pytest.mark.parametrize("module", [vikingdb, vikingdb_core])
def test_lazy_names_and_listed_names_are_the_same(module: Any) -> None:
    lazy = set(module._HOME_OF)
    assert lazy <= set(module.__all__)
    assert set(dir(module)) == set(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("name", ["memory", "knowledge"])
def test_a_domain_that_is_not_installed_says_what_to_install(name: str) -> None:
    with pytest.raises(DomainNotInstalled, match=rf"pip install 'vikingdb\[{name}\]'") as caught:
        importlib.import_module(f"vikingdb.{name}")
    assert isinstance(caught.value, ModuleNotFoundError)
    assert caught.value.name == f"vikingdb_{name}"
    assert not hasattr(vikingdb, name)
    with pytest.raises(AttributeError, match="pip install"):
        getattr(vikingdb, name)


def test_an_import_error_inside_an_installed_domain_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(types.ModuleType):
        @property
        def __all__(self) -> list[str]:
            raise ModuleNotFoundError("No module named 'numpyy'", name="numpyy")

    monkeypatch.setitem(sys.modules, "vikingdb_memory", Broken("vikingdb_memory"))
    with pytest.raises(ModuleNotFoundError, match="numpyy") as caught:
        importlib.import_module("vikingdb.memory")
    assert not isinstance(caught.value, DomainNotInstalled)


def test_a_strangers_domain_is_an_attribute_by_its_entry_point_name(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("acme_audit")
    monkeypatch.setitem(sys.modules, "acme_audit", package)
    domain = Domain("audit", "Audit", "acme_audit", (), {"data": "audit"})
    discovery.add(discovery.DOMAINS, "audit", domain)
    try:
        assert vikingdb.audit is package
    finally:
        discovery.remove(discovery.DOMAINS, "audit")


def test_a_name_nobody_has_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no installed domain has that name"):
        _ = vikingdb.nonsense
    assert not hasattr(vikingdb, "__wrapped__")


def test_the_official_package_beside_ours_is_warned_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib_metadata

    monkeypatch.setattr(conflicts, "_checked", False)
    monkeypatch.setattr(
        importlib_metadata, "version", lambda name: {"vikingdb-python-sdk": "0.1.35"}.get(name, "0.1.0")
    )
    with pytest.warns(conflicts.PackageConflictWarning, match="pip uninstall vikingdb-python-sdk"):
        vikingdb.VikingDB(endpoint="http://127.0.0.1:9")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vikingdb.VikingDB(endpoint="http://127.0.0.1:9")


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint": "https://h.example", "region": "cn-beijing", "timeout": 30.0, "user_agent": "demo"},
        {
            "host": "h.example",
            "region": "cn-beijing",
            "scheme": "https",
            "sts_token": "",
            "timeout": 30,
            "pool_connections": 10,
            "pool_maxsize": 10,
        },
    ],
)
def test_both_constructor_styles_work(options: dict[str, Any]) -> None:
    positional, by_keyword = vikingdb.IAM("<AK>", "<SK>"), vikingdb.IAM(ak="<AK>", sk="<SK>")
    for auth in (positional, by_keyword):
        client = vikingdb.VikingDB(auth=auth, **options)
        assert str(client.config.endpoint) == "https://h.example"
