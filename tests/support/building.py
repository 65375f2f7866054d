"""Wheels and environments: distributions built from a clean copy of the tree, and installed where nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "vikingdb": ".",
    "vikingdb_core": "vikingdb_core",
    "vikingdb_vector": "vikingdb_vector",
    "vikingdb_local": "plugins/vikingdb_local",
    "vikingdb_otel": "plugins/vikingdb_otel",
    "vikingdb_resilience": "plugins/vikingdb_resilience",
    "pytest_vikingdb": "plugins/pytest_vikingdb",
}
"""The folder of each distribution, by import package."""

LEFTOVERS = shutil.ignore_patterns(
    ".git", ".venv*", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "tests"
)


def run(*command: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None, code: int = 0) -> str:
    """Run a command that is to end with this code; what it printed."""
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def build_wheels(out: Path, projects: Iterable[Path]) -> dict[str, Path]:
    """Build projects into a folder; its wheels by normalised name."""
    folders = [str(project) for project in projects]
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(out), *folders)
    return {wheel.name.partition("-")[0]: wheel for wheel in out.glob("*.whl")}


class Environment:
    """A virtual environment of its own, with no setting of whoever runs the tests.

    Attributes:
        folder: a folder that programs run in; it is not the clone.
    """

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "venv", with_pip=False)
        self.folder = folder
        self._python = str(folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("VIKINGDB_", "VOLC", "PYTHON"))
        }
        self._environ = {**kept, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def install(self, *what: Path | str, dependencies: bool = False) -> None:
        """Install wheels, and what they need only if that is said."""
        alone = () if dependencies else ("--no-deps", "--no-index")
        self._pip("install", "--no-compile", *alone, *map(str, what))

    def uninstall(self, *names: str) -> None:
        self._pip("uninstall", "--yes", *names)

    def files(self) -> set[str]:
        """Every file in the environment."""
        folder = self.folder / "venv"
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    def python(self, *arguments: str, cwd: Path | None = None, code: int = 0, **environ: str) -> str:
        """Run its interpreter; what that printed."""
        return run(
            self._python, *arguments, cwd=cwd or self.folder, environ={**self._environ, **environ}, code=code
        ).strip()

    def ask(self, program: Path, *arguments: str) -> Any:
        """Run a program that prints JSON; the value."""
        return json.loads(self.python(str(program), *arguments))

    def _pip(self, *arguments: str) -> None:
        run(sys.executable, "-m", "pip", "--python", self._python, "--disable-pip-version-check", *arguments)
