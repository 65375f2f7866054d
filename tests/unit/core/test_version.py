"""Version: what the distribution says of itself, what it sends, and the contracts others build on."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import vikingdb_core
import vikingdb_vector
from tests.unit.vector.fakes import READ, FakeTransport, Toy
from vikingdb_core.credentials import NoAuth
from vikingdb_core.version import DOMAIN_API, HOOK_API, __version__

ROOT = Path(__file__).parents[3]


def test_the_contracts_have_whole_numbers() -> None:
    assert (type(HOOK_API), type(DOMAIN_API)) == (int, int)
    assert min(HOOK_API, DOMAIN_API) >= 1
    assert (vikingdb_core.HOOK_API, vikingdb_core.DOMAIN_API) == (HOOK_API, DOMAIN_API)


@pytest.mark.parametrize("package", [vikingdb_core, vikingdb_vector])
def test_package_and_distribution_agree_on_the_version(package: object) -> None:
    name = package.__name__  # type: ignore[attr-defined]
    project = tomllib.loads((ROOT / name / "pyproject.toml").read_text(encoding="utf-8"))
    attribute = project.get("tool", {}).get("setuptools", {}).get("dynamic", {}).get("version", {}).get("attr")
    declared = project["project"].get("version")
    assert package.__version__ == declared or attribute == f"{name}.version.__version__"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("given", "sent"), [(None, f"vikingdb-python/{__version__}"), ("shop/1.2", "shop/1.2")])
def test_requests_say_which_version_sent_them(given: str | None, sent: str) -> None:
    wire = FakeTransport()
    Toy(endpoint="https://h.example", auth=NoAuth(), user_agent=given, transport=wire).call(READ)
    assert wire.requests[0].headers["User-Agent"] == sent
