"""Postings: which rows of a full-text field contain a term and how often, and BM25 over them.

``idf = ln(1 + (N - df + 0.5) / (df + 0.5))``, with N, df and the average length over the rows alive in the collection,
whatever the search filters. The idf is never negative, so every row with a term scores above zero.

Terms of the rows a collection was opened with lie one behind the other in two arrays; those of rows added since have
small arrays of their own.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..words import indexed_terms, placed_pieces, placed_terms, queried_terms, spaced_terms
from .columns import Mask, Parts
from .growing import Growing
from .schema import Analyzer

Occurrences = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Rows, ascending, and how often a term occurs in each."""


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


class _Packed:
    """Postings that do not change: those of term number ``t`` lie from ``ends[t - 1]`` to ``ends[t]``."""

    def __init__(self, parts: Parts) -> None:
        self.terms: list[str] = list(parts.get("terms", ()))
        self._numbers = {term: number for number, term in enumerate(self.terms)}
        self.ends: NDArray[np.int64] = parts.get("ends", np.empty(0, np.int64))
        self.rows: NDArray[np.int32] = parts.get("rows", np.empty(0, np.int32))
        self.counts: NDArray[np.int32] = parts.get("counts", np.empty(0, np.int32))

    def of(self, term: str) -> Occurrences | None:
        number = self._numbers.get(term)
        if number is None:
            return None
        start, end = int(self.ends[number - 1]) if number else 0, int(self.ends[number])
        return self.rows[start:end], self.counts[start:end]


class Postings:
    """One full-text field of all rows. One writer appends; readers look through a view."""

    def __init__(self, analyzer: Analyzer, parts: Parts | None = None) -> None:
        self._analyzer = analyzer
        self._packed = _Packed(parts or {})
        self._lengths = Growing(np.int32, (parts or {}).get("lengths"))
        self._by_term: dict[str, _Posting] = {}

    def append(self, text: str) -> None:
        terms = analyse(self._analyzer, text)
        row = len(self._lengths)
        for term, count in Counter(terms).items():
            posting = self._by_term.get(term)
            if posting is None:
                posting = self._by_term[term] = _Posting()
            posting.counts.append(count)  # before rows, by which readers go
            posting.rows.append(row)
        self._lengths.append(len(terms))

    def view(self) -> PostingsView:
        return PostingsView(self._lengths.view(), self._packed, self._by_term)


def _joined(arrays: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate(arrays) if arrays else np.empty(0, np.int32)


@dataclass(frozen=True)
class PostingsView:
    """The postings of the rows there were."""

    lengths: NDArray[np.int32]
    packed: _Packed
    by_term: Mapping[str, _Posting]

    def score(self, terms: Sequence[str], alive: Mask, knobs: Bm25, scores: NDArray[np.float64], weight: float) -> None:
        """Add ``weight`` times the BM25 of every row in which a term occurs to ``scores``."""
        total = int(np.count_nonzero(alive))
        whole = total == len(alive)
        average = float(self.lengths.mean() if whole else self.lengths[alive].mean()) if total else 1.0
        for rows, counts in self._living(terms, alive, whole):
            idf = math.log(1 + (total - rows.size + 0.5) / (rows.size + 0.5))
            norm = 1 - knobs.b + knobs.b * self.lengths[rows] / average
            scores[rows] += weight * idf * counts * (knobs.k1 + 1) / (counts + knobs.k1 * norm)

    def occurrences(self, term: str) -> Occurrences:
        """Rows with a term, dead ones too."""
        packed, tail = self.packed.of(term), self._tail(term)
        if packed is None or tail is None:
            return packed or tail or (np.empty(0, np.int32), np.empty(0, np.int32))
        return np.concatenate((packed[0], tail[0])), np.concatenate((packed[1], tail[1]))

    def parts(self) -> Parts:
        """What these postings can be made of again, all packed."""
        more = (term for term in list(self.by_term) if self.packed.of(term) is None)  # a list: a writer adds to it
        terms = [*self.packed.terms, *more]
        found = [self.occurrences(term) for term in terms]
        return {
            "lengths": self.lengths,
            "terms": terms,
            "ends": np.cumsum([len(rows) for rows, _ in found], dtype=np.int64),
            "rows": _joined([rows for rows, _ in found]),
            "counts": _joined([counts for _, counts in found]),
        }

    def _living(self, terms: Sequence[str], alive: Mask, whole: bool) -> Iterator[Occurrences]:
        for term in terms:
            rows, counts = self.occurrences(term)
            if not whole:
                here = alive[rows]
                rows, counts = rows[here], counts[here]
            if rows.size:
                yield rows, counts

    def _tail(self, term: str) -> Occurrences | None:
        posting = self.by_term.get(term)
        if posting is None:
            return None
        # Slices copy: an array that numpy looks into could not grow, and the writer is not to wait.
        end = bisect_left(posting.rows, len(self.lengths))
        return np.array(posting.rows[:end], np.int32), np.array(posting.counts[:end], np.int32)
