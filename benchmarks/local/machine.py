"""Machine: what the numbers were measured on, as a reader needs it to place them. Nothing that tells one of a kind."""

from __future__ import annotations

import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

_FORCED_BYTES = 150_000
_FORCED_TIMES = 50


def describe(folder: Path) -> dict[str, Any]:
    """The machine. ``folder`` is where the databases will be."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "file_system": _file_system(folder),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def force_ms(folder: Path) -> float:
    """The median time of putting as much on the disk as a batch of rows takes: the least a durable batch costs."""
    path = folder / "forced"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_FORCED_TIMES):
            file.write(bytes(_FORCED_BYTES))
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    path.unlink()
    return statistics.median(times) * 1000


def load() -> float | None:
    """How many processes wanted to run in the last minute. Others' work shows here."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def _cpu() -> str:
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def _memory_gib() -> int | None:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal:"):
            return round(int(line.split()[1]) / 1024**2)
    return None


def _file_system(folder: Path) -> str | None:
    """The kind of the file system that holds a folder."""
    found = {Path(point): kind for _, point, kind, *_ in map(str.split, _lines("/proc/mounts"))}
    for parent in (folder.resolve(), *folder.resolve().parents):
        if parent in found:
            return found[parent]
    return None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
