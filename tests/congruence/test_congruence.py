"""The same program sees the same in memory, in a folder that is reopened between any two calls, and over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.congruence.scenarios import ALL, Scenario
from tests.congruence.worlds import WORLDS, World, play


@cache
def expected(scenario: Callable[[], Scenario]) -> list[Any]:
    """What is seen in the first world."""
    return play(WORLDS[0], scenario, Path())


@pytest.mark.parametrize("world", WORLDS[1:], ids=str)
@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.__name__)
def test_a_program_sees_the_same_everywhere(scenario: Callable[[], Scenario], world: World, tmp_path: Path) -> None:
    seen = play(world, scenario, tmp_path)
    assert seen == expected(scenario)
    assert len(seen) > 3
