"""The guard around our own tests: no other machine, no real environment, no plugin that fails unheard."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from pytest_vikingdb import NetworkGuard

# The law is what is tested, not this machine's speed.
settings.register_profile("suite", deadline=None, max_examples=40)
settings.load_profile("suite")

_FOREIGN_PREFIXES = ("VIKINGDB_", "VOLC")
_FOREIGN_NAMES = {"all_proxy", "http_proxy", "https_proxy", "no_proxy", "netrc", "requests_ca_bundle", "curl_ca_bundle"}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that build wheels and environments share them, so one process runs them all."""
    for item in items:
        if item.get_closest_marker("packaging"):
            item.add_marker(pytest.mark.xdist_group("packaging"))


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def guarded_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    """No key, endpoint, profile, proxy or netrc of whoever runs the tests."""
    if request.node.get_closest_marker("packaging"):
        return  # they run pip in other processes, and pip needs its user's configuration
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES) or name.lower() in _FOREIGN_NAMES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.setenv("USERPROFILE", str(empty_home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(empty_home / "config"))
    monkeypatch.setenv("VIKINGDB_PLUGIN_ERRORS", "raise")


# From the first import to the last test. The fixture viking_no_network guards a single test in this way.
NetworkGuard().start()
