"""Runs of pytest inside a test."""

from __future__ import annotations

from collections import defaultdict

import pytest

# Here, before pytester saves sys.meta_path: first imported in between, it leaves a process that finds no metadata.
from importlib_metadata import entry_points

LOADED = [] if entry_points(group="pytest11", name="vikingdb") else ["-p", "pytest_vikingdb.plugin"]
"""Installed, the kit is loaded by itself, and naming it again would be a conflict."""


def failed_tests(pytester: pytest.Pytester, source: str) -> dict[str, set[str]]:
    """Run a test file; for each of its classes the names of the tests that failed, parameters left out."""
    path = pytester.makepyfile(test_inner=source)
    failed: dict[str, set[str]] = defaultdict(set)
    for report in pytester.inline_run(*LOADED, path).getreports("pytest_runtest_logreport"):
        _, kind, test = report.nodeid.split("::")
        failed[kind] |= {test.partition("[")[0]} if report.failed else set()
    return dict(failed)
