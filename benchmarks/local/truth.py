"""Truth: exact answers in double precision, and what share of an engine's answer is right.

A hit counts if the filter admits it and it scores no less than the last of the true ones, so that rows of equal score
are as good as each other. Nothing here is shared with an engine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .data import SHARES, Columns, Data, Question, Where
from .works import ORDERS, TOP

SLACK = 1e-6  # engines score in single precision
WORDS_SLACK = 0.05  # of the score: engines differ in BM25's knobs, and some round lengths

_CHUNK = 50_000
_K1, _B = 1.2, 0.75

Answer = Sequence[int]


class Truth:
    """Exact answers to the questions of a data set."""

    def __init__(self, data: Data) -> None:
        self._data, self._columns, self._questions = data, data.columns, data.questions
        self._queries = data.queries.astype(np.float64)
        self._vectors = data.vectors
        filters = [_filters(each) for each in self._questions]
        self._least = _least_scores(self._queries, self._vectors, self._columns, filters)
        self._words = _word_scores(data, self._questions)

    def recall(self, work: str, answers: Sequence[Answer]) -> float:
        """The share of the true hits that was found, over the questions that were answered.

        Args:
            work: ``none`` or the name of a filter.
            answers: ids, for the questions in order.
        """
        found = wanted = 0
        for number, answer in enumerate(answers):
            where = _filters(self._questions[number])[work]
            least, matching = self._least[work][number]
            rows = np.array(sorted(set(answer)), np.int64) - 1
            if where is not None:
                rows = rows[self._columns.admitted(where)[rows]]
            scores = self._vectors[rows].astype(np.float64) @ self._queries[number]
            found += min(TOP, int(np.count_nonzero(scores >= least - SLACK)))
            wanted += min(TOP, matching)
        return found / wanted

    def recall_of_words(self, answers: Sequence[Answer]) -> float:
        """The share of the best texts that was found, by BM25 with the usual knobs."""
        found = wanted = 0
        for answer, scores in zip(answers, self._words, strict=False):
            best = sorted(scores.values(), reverse=True)[:TOP]
            if best:
                least = best[-1] * (1 - WORDS_SLACK)
                found += min(len(best), sum(scores.get(row, 0.0) >= least for row in set(answer)))
                wanted += len(best)
        return found / wanted

    def recall_of_order(self, answers: Sequence[Answer]) -> float:
        """The share of the rows with the largest or smallest values, see :data:`ORDERS`."""
        right = 0
        for number, answer in enumerate(answers):
            field, descending = ORDERS[number % len(ORDERS)]
            values = getattr(self._columns, field)
            best = np.sort(values)[::-1][:TOP] if descending else np.sort(values)[:TOP]
            given = values[np.array(list(answer), np.int64) - 1]
            right += int(np.count_nonzero(given == best[: len(given)]))
        return right / (TOP * len(answers))

    def share_of_counts(self, answers: Sequence[int]) -> float:
        """Which share of the counts of what ``half`` admits is exact."""
        exact = [
            int(np.count_nonzero(self._columns.admitted(question.half))) == answer
            for question, answer in zip(self._questions, answers, strict=False)
        ]
        return sum(exact) / len(exact)

    def share_of_groups(self, answers: Sequence[Mapping[str, int]]) -> float:
        """Which share of the counts by tag is exact throughout."""
        tags, counts = np.unique(self._columns.tag, return_counts=True)
        exact = {f"tag-{tag:02}": count for tag, count in zip(tags.tolist(), counts.tolist(), strict=True)}
        return sum(dict(answer) == exact for answer in answers) / len(answers)


def _filters(question: Question) -> dict[str, Where | None]:
    return {"none": None, **{name: getattr(question, name) for name in SHARES}}


def _least_scores(
    queries: NDArray[np.float64],
    vectors: NDArray[np.float32],
    columns: Columns,
    filters: Sequence[Mapping[str, Where | None]],
) -> dict[str, list[tuple[float, int]]]:
    """By filter and question: the score of the last true hit, and how many rows are admitted."""
    best = {name: [np.empty(0)] * len(queries) for name in filters[0]}
    matching: Counter[tuple[str, int]] = Counter()
    for first in range(0, len(vectors), _CHUNK):
        some_vectors = vectors[first : first + _CHUNK].astype(np.float64)
        some_columns = columns.part(first, first + _CHUNK)
        for number, query in enumerate(queries):
            scores = some_vectors @ query
            for name, where in filters[number].items():
                admitted = scores if where is None else scores[some_columns.admitted(where)]
                matching[name, number] += len(admitted)
                both = np.concatenate((best[name][number], admitted))
                best[name][number] = both if len(both) <= TOP else np.partition(both, -TOP)[-TOP:]
    return {
        name: [(float(kept.min(initial=math.inf)), matching[name, number]) for number, kept in enumerate(each)]
        for name, each in best.items()
    }


def _word_scores(data: Data, questions: Sequence[Question]) -> list[dict[int, float]]:
    """By question: the BM25 score of every row with one of its words."""
    postings: dict[str, list[tuple[int, int]]] = {word: [] for question in questions for word in question.words}
    lengths = []
    for row, text in enumerate(data.texts(), 1):
        words = text.split()
        lengths.append(len(words))
        for word, count in Counter(words).items():
            if word in postings:
                postings[word].append((row, count))
    mean = sum(lengths) / len(lengths)
    answers: list[dict[int, float]] = []
    for question in questions:
        scores: dict[int, float] = {}
        for word in question.words:
            rows = postings[word]
            rarity = math.log(1 + (len(lengths) - len(rows) + 0.5) / (len(rows) + 0.5))
            for row, count in rows:
                fullness = count + _K1 * (1 - _B + _B * lengths[row - 1] / mean)
                scores[row] = scores.get(row, 0.0) + rarity * count * (_K1 + 1) / fullness
        answers.append(scores)
    return answers
