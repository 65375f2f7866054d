"""Works: the kinds of questions that are asked, in the order they are asked in, and what ours is to reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from .data import Question
from .engines.base import Engine

TOP = 10

ORDERS = (("ts", True), ("score", True), ("ts", False), ("score", False))
"""What rows are sorted by, in turn: a field, and whether the largest come first."""

Ask = Callable[[Engine, int, NDArray[Any], Question], Any]
"""From an engine, the number of a question, its vector and the rest of it to the answer."""


@dataclass(frozen=True)
class Work:
    """A kind of question.

    Attributes:
        most_ms: the median that ours may take, with the standard data.
        least_right: the share of the answers that has to be right.
    """

    name: str
    title: str
    ask: Ask
    most_ms: float | None = None
    least_right: float | None = None


def _sort(engine: Engine, number: int) -> list[int]:
    field, descending = ORDERS[number % len(ORDERS)]
    return engine.sort(field, TOP, descending=descending)


WORKS = (
    Work("hnsw", "top 10, hnsw", lambda e, _, v, q: e.search(v, TOP), 1.5, 0.98),
    Work("flat", "top 10, flat", lambda e, _, v, q: e.search(v, TOP, exact=True), None, 1.0),
    Work("half", "top 10, hnsw, filter 50 %", lambda e, _, v, q: e.search(v, TOP, q.half), 3, 0.98),
    Work("percent", "top 10, hnsw, filter 1 %", lambda e, _, v, q: e.search(v, TOP, q.percent), 1, 1.0),
    Work("permille", "top 10, hnsw, filter 0.1 %", lambda e, _, v, q: e.search(v, TOP, q.permille), 1, 1.0),
    Work("fields", "top 10, hnsw, with all scalar fields", lambda e, _, v, q: e.search_with_fields(v, TOP)),
    Work("keywords", "top 10 by three keywords (BM25)", lambda e, _, v, q: e.keywords(list(q.words), TOP), 4),
    Work("sorted", "top 10 sorted by a scalar", lambda e, n, v, q: _sort(e, n), 1, 1.0),
    Work("count", "count what a filter admits (50 %)", lambda e, _, v, q: e.count(q.half), 1, 1.0),
    Work("groups", "count by tag (100 groups)", lambda e, _, v, q: dict(e.count_by_tag()), 2, 1.0),
)
