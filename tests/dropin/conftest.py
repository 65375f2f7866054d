"""The official package, in an environment of its own: it and ours cannot share one."""

from __future__ import annotations

import os
import subprocess
import venv

import pytest


@pytest.fixture(scope="session")
def official_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter that has the official package."""
    home = tmp_path_factory.mktemp("official")
    venv.create(home, with_pip=True)
    python = str(home / ("Scripts" if os.name == "nt" else "bin") / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "vikingdb-python-sdk==0.1.35"]
    subprocess.run(install, check=True, timeout=600, capture_output=True)
    return python
