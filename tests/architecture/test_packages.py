"""Every distribution names just the packages it has, and every folder is in the layer contracts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(path for pattern in ("*/pyproject.toml", "plugins/*/pyproject.toml") for path in ROOT.glob(pattern))


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def packages_below(folder: Path, name: str) -> list[str]:
    found = [path.parent.relative_to(folder) for path in folder.rglob("__init__.py")]
    return sorted(".".join((name, *parts.parts)) for parts in found if "build" not in parts.parts)


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_a_distribution_lists_the_packages_its_folder_has(path: Path) -> None:
    listed = read(path)["tool"]["setuptools"]["packages"]
    assert sorted(listed) == packages_below(path.parent, path.parent.name)


def test_the_facade_lists_the_packages_its_folder_has() -> None:
    listed = read(ROOT / "pyproject.toml")["tool"]["setuptools"]["packages"]
    assert sorted(listed) == packages_below(ROOT / "vikingdb", "vikingdb")


def test_every_distribution_is_in_the_requirements_the_types_and_the_layers() -> None:
    root = read(ROOT / "pyproject.toml")
    names = {path.parent.name for path in PROJECTS} | {"vikingdb"}
    requirements = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    assert set(root["tool"]["importlinter"]["root_packages"]) == names
    assert {Path(name).name for name in root["tool"]["mypy"]["files"]} >= names
    for path in PROJECTS:
        assert f"-e ./{path.parent.relative_to(ROOT).as_posix()}" in requirements


@pytest.mark.parametrize("path", [*PROJECTS, ROOT / "pyproject.toml"], ids=lambda path: path.parent.name)
def test_every_distribution_is_typed_and_licensed(path: Path) -> None:
    name = "vikingdb" if path.parent == ROOT else path.parent.name
    folder = ROOT / "vikingdb" if path.parent == ROOT else path.parent
    project = read(path)
    assert (folder / "py.typed").is_file()
    assert project["project"]["license"] == "Apache-2.0"
    assert "py.typed" in project["tool"]["setuptools"]["package-data"][name]


def test_minimal_versions_are_those_declared() -> None:
    declared = {}
    for path in [*PROJECTS, ROOT / "pyproject.toml"]:
        project = read(path)["project"]
        lists = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
        for requirement in (item for each in lists for item in each):
            name, _, bounds = requirement.partition(">=")
            if bounds and not name.startswith("vikingdb"):
                declared.setdefault(name.partition("[")[0], set()).add(bounds.partition(",")[0])
    pins = dict(
        line.split("==") for line in (ROOT / "constraints-min.txt").read_text().splitlines() if line and line[0] != "#"
    )
    for name, versions in declared.items():
        assert len(versions) == 1, f"{name} is declared with different minimums: {versions}"
        assert pins[name].startswith(next(iter(versions))), name
