"""Postings: which rows of a full-text field contain a term and how often, and BM25 over them.

``idf = ln(1 + (N - df + 0.5) / (df + 0.5))``, with N, df and the average length over the rows alive in the collection,
whatever the search filters. The idf is never negative, so every row with a term scores above zero.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..words import indexed_terms, placed_pieces, placed_terms, queried_terms, spaced_terms
from .columns import Parts
from .growing import Growing
from .schema import Analyzer
from .termlists import Occurrences, TermLists, TermListsView
from .which import Mask


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


class Postings:
    """One full-text field of all rows. One writer appends; readers look through a view."""

    def __init__(self, analyzer: Analyzer, parts: Parts | None = None) -> None:
        self._analyzer = analyzer
        self._lengths = Growing(np.int32, (parts or {}).get("lengths"))
        self._lists = TermLists(np.int32, parts or {})

    def append(self, text: str) -> None:
        terms = analyse(self._analyzer, text)
        self._lists.add(len(self._lengths), Counter(terms))
        self._lengths.append(len(terms))

    def view(self) -> PostingsView:
        lengths = self._lengths.view()
        return PostingsView(lengths, self._lists.view(len(lengths)))


@dataclass(frozen=True)
class PostingsView:
    """The postings of the rows there were."""

    lengths: NDArray[np.int32]
    lists: TermListsView

    def score(self, terms: Sequence[str], alive: Mask, knobs: Bm25, scores: NDArray[np.float64], weight: float) -> None:
        """Add ``weight`` times the BM25 of every row in which a term occurs to ``scores``."""
        total = int(np.count_nonzero(alive))
        whole = total == len(alive)
        average = float(self.lengths.mean() if whole else self.lengths[alive].mean()) if total else 1.0
        for rows, counts in self._living(terms, alive, whole):
            idf = math.log(1 + (total - rows.size + 0.5) / (rows.size + 0.5))
            norm = 1 - knobs.b + knobs.b * self.lengths[rows] / average
            scores[rows] += weight * idf * counts * (knobs.k1 + 1) / (counts + knobs.k1 * norm)

    def parts(self) -> Parts:
        return {"lengths": self.lengths, **self.lists.parts()}

    def _living(self, terms: Sequence[str], alive: Mask, whole: bool) -> Iterator[Occurrences]:
        for term in terms:
            rows, counts = self.lists.of(term)
            if not whole:
                here = alive[rows]
                rows, counts = rows[here], counts[here]
            if rows.size:
                yield rows, counts
