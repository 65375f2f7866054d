"""Many threads and many tasks at once, for some seconds; ``make soak`` does it for a minute."""

from __future__ import annotations

from pathlib import Path

from tests.support import load


def test_nothing_is_lost_or_left_open_under_load(tmp_path: Path) -> None:
    assert "nothing lost" in load.run(tmp_path / "db", seconds=3)
