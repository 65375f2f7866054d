"""What the tests of packaging share: a clean copy of the tree, and its wheels. Building takes a while."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.building import FOLDERS, LEFTOVERS, ROOT, build_wheels


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as a clone has it, without its tests: no build leftovers, no caches."""
    target = tmp_path_factory.mktemp("clone") / "tree"
    shutil.copytree(ROOT, target, ignore=LEFTOVERS)
    return target


@pytest.fixture(scope="session")
def wheels(clone: Path) -> dict[str, Path]:
    """The wheel of each distribution, by import package."""
    return build_wheels(clone.parent / "wheels", [clone / folder for folder in FOLDERS.values()])
