"""The types users see: mypy accepts what is right in the files beside this one and finds what is wrong.

mypy runs as it does for users: strict, and without this repository's configuration and its pydantic plugin.

A line that is wrong on purpose ends in ``# E: [code]``, with the code of each error mypy must report there. Every other
line must be free of errors; ``assert_type`` says what a result is. All files are checked in one run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(path for path in HERE.glob("*.py") if path != Path(__file__))

Errors = dict[int, list[str]]


def expected(path: Path) -> Errors:
    errors: Errors = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        marked = re.search(r"#\s*E: (?P<codes>(\[[a-z-]+\]\s*)+)$", line)
        assert marked or "# E:" not in line, f"{path.name}:{number}: write '# E: [code]'"
        if marked:
            errors[number] = sorted(re.findall(r"\[([a-z-]+)\]", marked["codes"]))
    return errors


@pytest.fixture(scope="session")
def found() -> dict[str, Errors]:
    """What mypy finds, by file and line."""
    # A cache of its own: mypy throws away what was found with other options.
    options = ["--strict", "--config-file=", "--follow-imports=silent", "--explicit-package-bases", "--cache-dir"]
    command = [sys.executable, "-m", "mypy", *options, str(ROOT / ".mypy_cache" / "users"), "--no-pretty"]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}
    done = subprocess.run(
        [*command, *map(str, FILES)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    errors: dict[str, Errors] = defaultdict(lambda: defaultdict(list))
    for line in done.stdout.splitlines():
        match = re.match(r"(?P<path>[^:]+):(?P<line>\d+)(:\d+)?: error: .* \[(?P<code>[a-z-]+)\]$", line)
        if match:
            errors[Path(match["path"]).name][int(match["line"])].append(match["code"])
        else:
            assert ": error:" not in line, line
    return {name: {number: sorted(codes) for number, codes in lines.items()} for name, lines in errors.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_mypy_finds_what_is_wrong_and_nothing_else(path: Path, found: dict[str, Errors]) -> None:
    assert found.get(path.name, {}) == expected(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_has_lines_that_are_wrong(path: Path) -> None:
    assert expected(path)


def test_errors_are_only_found_where_they_were_looked_for(found: dict[str, Errors]) -> None:
    assert set(found) <= {path.name for path in FILES}, "an error in the packages themselves"
