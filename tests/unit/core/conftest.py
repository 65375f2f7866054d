"""Fixtures for the commands: a folder to install into, and a command line to run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Ran, Run
from tests.support.installing import SitePackages
from vikingdb_core.commands import main


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SitePackages]:
    """A folder on the import path; what is installed there is gone after the test."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    packages = SitePackages(folder, monkeypatch)
    yield packages
    monkeypatch.undo()
    packages.forget()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``vikingdb …`` in this process, in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: str) -> Ran:
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run
