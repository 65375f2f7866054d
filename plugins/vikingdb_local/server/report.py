"""Report: what a server has done so far."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """Counts of what was answered. Written by one thread, the server's loop.

    Attributes:
        since: when the server started, in seconds since 1970.
        answered: how often each operation was answered with each status; without a name what was no operation.
    """

    since: float = field(default_factory=time.time)
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)

    def note(self, operation: str, status: int) -> None:
        """Count an answer."""
        self.answered[operation, status] += 1
