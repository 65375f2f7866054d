"""Environments: one for each peer below a folder, made when first needed and when its line in ``peers.txt`` changes."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

PEERS = Path(__file__).with_name("peers.txt")
INSTALL_SECONDS = 600
_STAMP = "installed.txt"


class NotInstalled(Exception):
    """An engine cannot be installed here. The message says why."""


def requirements() -> dict[str, list[str]]:
    """What each peer needs, from ``peers.txt``."""
    lines = (line.split() for line in PEERS.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {name: needed for name, *needed in lines}


def python_of(peer: str, folder: Path) -> Path:
    """The interpreter of a peer's environment, which is made if it is not there.

    Raises:
        NotInstalled: pip fails, or takes too long.
    """
    here = folder / peer
    python = here / ("Scripts" if os.name == "nt" else "bin") / "python"
    needed = requirements()[peer]
    stamp = here / _STAMP
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8").split() == needed:
        return python
    print(f"{peer}: making its environment", file=sys.stderr, flush=True)
    venv.create(here, with_pip=True, clear=True)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        *needed,
    ]
    try:
        done = subprocess.run(
            install, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"pip was not done after {INSTALL_SECONDS} seconds") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalled(errors[-1] if errors else f"pip ended with {done.returncode}")
    stamp.write_text(" ".join(needed), encoding="utf-8")
    return python


def environment_variables(root: Path) -> dict[str, str]:
    """What workers run with: one thread for linear algebra, no telemetry, and nothing of whoever runs the benchmark."""
    foreign = ("VIKINGDB", "VOLC", "PYTHON", "OPENBLAS", "OMP_", "MKL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "LANCE_LOG": "error",
        "PYTHONPATH": str(root),
        "PYTHONWARNINGS": "ignore",
    }
