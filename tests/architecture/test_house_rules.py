"""Rules a reader relies on: short files, no placeholders, layers kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("vikingdb", "vikingdb_core", "vikingdb_vector", "plugins", "examples", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "build" not in path.parts
)
LONGER_FOR_A_REASON = {
    "vikingdb_vector/admin/indexes.py": "one job: the control plane's methods, spelt out for completion in editors",
    "vikingdb_core/exceptions.py": "one tree, to be read as a whole",
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""'), "begin with a docstring that says what the module is"
    if path.relative_to(ROOT).as_posix() not in LONGER_FOR_A_REASON:
        assert text.count("\n") <= 330, "past 300 lines a module has two jobs"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_placeholder_is_left(path: Path) -> None:
    marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]  # spelt so that this file has none itself
    assert [mark for mark in marks if mark in path.read_text(encoding="utf-8")] == []


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
