"""Postings: which rows of a full-text field contain a term and how often, and BM25 over them.

``idf = ln(1 + (N - df + 0.5) / (df + 0.5))``, with N, df and the average length over the rows alive in the collection,
whatever the search filters. The idf is never negative, so every row with a term scores above zero.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..words import indexed_terms, placed_pieces, placed_terms, queried_terms, spaced_terms
from .columns import Mask
from .growing import Growing
from .schema import Analyzer


def analyse(analyzer: Analyzer, text: str) -> list[str]:
    """The terms a field can be found by."""
    if analyzer.tokenizer == "whitespace":
        return spaced_terms(text, keep_symbols=not analyzer.drops_symbols)
    return indexed_terms(text)  # standard and zh alike: symbols never become terms


def analyse_query(analyzer: Analyzer, text: str) -> list[str]:
    """The terms to look for, each once, in order."""
    if analyzer.tokenizer == "whitespace":
        return list(dict.fromkeys(spaced_terms(text, keep_symbols=not analyzer.drops_symbols)))
    return queried_terms(text)


def find_terms(analyzer: Analyzer, terms: Sequence[str], text: str) -> dict[str, list[int]]:
    """Where the terms stand in a field's text: the positions of their first characters."""
    found: dict[str, list[int]] = {}
    for term, position in placed_pieces(text) if analyzer.tokenizer == "whitespace" else placed_terms(text):
        if term in terms:
            found.setdefault(term, []).append(position)
    return found


@dataclass(frozen=True)
class Bm25:
    """BM25's two knobs: how fast repetition saturates, and how much a long text counts less."""

    k1: float = 1.25
    b: float = 0.75


class _Posting:
    __slots__ = ("counts", "rows")

    def __init__(self) -> None:
        self.rows, self.counts = array("i"), array("i")


class Postings:
    """One full-text field of all rows. One writer appends; readers look through a view."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._lengths = Growing(np.int32)
        self._by_term: dict[str, _Posting] = {}

    def append(self, text: str) -> None:
        terms = analyse(self._analyzer, text)
        row = len(self._lengths)
        for term, count in Counter(terms).items():
            posting = self._by_term.setdefault(term, _Posting())
            posting.counts.append(count)  # before rows, by which readers go
            posting.rows.append(row)
        self._lengths.append(len(terms))

    def view(self) -> PostingsView:
        return PostingsView(self._lengths.view(), self._by_term)


@dataclass(frozen=True)
class PostingsView:
    """The postings of the rows there were."""

    lengths: NDArray[np.int32]
    by_term: dict[str, _Posting]

    def score(self, terms: Sequence[str], alive: Mask, knobs: Bm25) -> NDArray[np.float64]:
        """BM25 of every row; 0 where no term occurs."""
        scores = np.zeros(len(self.lengths))
        total = int(alive.sum())
        average = float(self.lengths[alive].mean()) if total else 1.0
        for term in terms:
            rows, counts = self._occurrences(term)
            here = alive[rows]
            rows, counts = rows[here], counts[here]
            if rows.size:
                idf = math.log(1 + (total - rows.size + 0.5) / (rows.size + 0.5))
                norm = 1 - knobs.b + knobs.b * self.lengths[rows] / average
                scores[rows] += idf * counts * (knobs.k1 + 1) / (counts + knobs.k1 * norm)
        return scores

    def _occurrences(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        posting = self.by_term.get(term)
        if posting is None:
            return np.empty(0, np.int32), np.empty(0, np.int32)
        # Slices copy: an array that numpy looks into could not grow, and the writer is not to wait.
        end = bisect_left(posting.rows, len(self.lengths))
        return np.array(posting.rows[:end], np.int32), np.array(posting.counts[:end], np.int32)
