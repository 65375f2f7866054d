"""Command lines, run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ran:
    """A command line that was run."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """What was printed, with its lines joined again."""
        return " ".join(self.out.split())

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def problems(self) -> str:
        return "\n".join(self.document["problems"])


Run = Callable[..., Ran]
