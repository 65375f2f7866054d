"""The tests of the guides read no keys, neither the shell's nor a file's."""

from __future__ import annotations

import os

import guide
import pytest


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("VIKINGDB_", "VOLC"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(guide, "ENV_FILES", ())
