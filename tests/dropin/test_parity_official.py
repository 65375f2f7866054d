"""What the parity checklist says of the official Python package 0.1.35 is what that package has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.docs.parity import OPERATIONS, claims, fields_of, tables
from tests.dropin.test_dropin import walk
from vikingdb_vector import legacy
from vikingdb_vector.models import IndexMeta

pytestmark = pytest.mark.packaging


@pytest.fixture(scope="module")
def found(official_python: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return walk(official_python, tmp_path_factory.mktemp("parity"))


def test_it_has_the_operations_it_is_said_to_have(found: dict[str, Any]) -> None:
    named = {name for name in vars(legacy) if name.startswith("API_") and f"vikingdb.vector.client.{name}" in found}
    there = {legacy.by_official_name(getattr(legacy, name)).name for name in named}
    said = {row.names[0]: row.python for table in tables("operation") for row in table.rows}
    assert said == {name: "yes" if name in there else "no" for name in OPERATIONS}


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_has_the_options_it_is_said_to_have(name: str, found: dict[str, Any]) -> None:
    said = {option: row.python for (operation, option), (row, *_) in claims().items() if operation == name}
    ways = dict(fields_of(OPERATIONS[name].request))
    ways |= {option: (IndexMeta, option) for option in set(said) - set(ways)}  # what a handle adds
    there = {option: all(is_field(found, *ways[part]) for part in parts_of(option)) for option in said}
    assert said == {option: "yes" if is_there else "no" for option, is_there in there.items()}


@pytest.mark.parametrize(
    ("subject", "path"),
    [("VikingDB", "vikingdb.vector.client.VikingDB"), ("RequestOptions", "vikingdb.request_options.RequestOptions")],
)
def test_it_takes_the_arguments_it_is_said_to_take(subject: str, path: str, found: dict[str, Any]) -> None:
    (table,) = [table for table in tables("argument") if table.subjects == (subject,)]
    said = {name: row.python for row in table.rows for name in row.names}
    there = {name for name, _, _ in found[path]["call"]}
    assert said == {name: "yes" if name in there else "no" for name in said}


def is_field(found: dict[str, Any], model: type, wire: str) -> bool:
    about = found.get(f"vikingdb.vector.models.{model.__name__}", {"fields": {}})
    return wire in {alias or name for name, alias in about["fields"].items()}


def parts_of(option: str) -> list[str]:
    """An option and what it is a part of."""
    way = option.split(".")
    return [".".join(way[:length]) for length in range(1, len(way) + 1)]
