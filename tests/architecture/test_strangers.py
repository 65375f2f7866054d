"""The three strangers are what they say: small, licensed, typed, and written against public names alone."""

from __future__ import annotations

import ast
import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.test_public_api import MODULES

FOLDER = Path(__file__).parents[2] / "examples" / "third_party"
PROJECTS = sorted(path.parent for path in FOLDER.glob("*/pyproject.toml"))
PUBLIC = {*MODULES, "pytest_vikingdb"}
OURS = ("vikingdb", "vikingdb_core", "vikingdb_vector", "vikingdb_local", "pytest_vikingdb")

each = pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)


def test_there_are_three() -> None:
    assert [path.name for path in PROJECTS] == ["vikingdb_audit", "vikingdb_response_cache", "vikingdb_token_auth"]


@each
def test_one_is_120_lines_at_most(project: Path) -> None:
    sources = list((project / "src").rglob("*.py"))
    assert sources
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources) <= 120


@each
def test_one_is_licensed_typed_and_open_to_versions_of_core_to_come(project: Path) -> None:
    read: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    assert read["project"]["license"] == "Apache-2.0"
    assert read["project"]["dependencies"] == ["vikingdb-core>=0.1,<1"]
    assert (project / "README.md").is_file()
    assert (project / "src" / project.name / "py.typed").is_file()


@each
def test_what_one_names_of_ours_is_public(project: Path) -> None:
    for path in sorted(project.rglob("*.py")):
        named = list(_named(ast.parse(path.read_text(encoding="utf-8"))))
        assert named, path
        for module, name in named:
            where = f"{path.relative_to(FOLDER)}: {module}.{name}"
            assert module in PUBLIC, where
            assert name in importlib.import_module(module).__all__, where


def test_an_internal_name_would_be_found() -> None:
    for source in ("from vikingdb_core.masked import discreet", "import vikingdb_core as core\ncore.nothing"):
        ((module, name),) = _named(ast.parse(source))
        assert module not in PUBLIC or name not in importlib.import_module(module).__all__
    assert list(_named(ast.parse("import vikingdb_core.flow"))) == [("vikingdb_core.flow", "")]


def _named(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Modules of ours that a file names, each with the name it takes from there."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and _is_ours(node.module):
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _is_ours(alias.name):
                    aliases[alias.asname or alias.name.partition(".")[0]] = alias.name
                    if "." in alias.name:
                        yield alias.name, ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield aliases[node.value.id], node.attr


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS
