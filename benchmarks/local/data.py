"""Data: rows and questions that every engine reads from the same files, the same wherever they are made.

Vectors are of length 1, so inner product and cosine agree. They lie in clusters that overlap, in fewer directions than
they have numbers, as embeddings do. Words follow Zipf's law; tags, scores and times are spread evenly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

SEED = 20240229
TAGS = 100
WORDS = 20_000
LEAST_WORDS, MOST_WORDS = 8, 24
CLUSTERS = 300
DIRECTIONS = 64
YEAR = 366 * 24 * 3600
FIRST_SECOND = 1_704_067_200
SCORE_STEPS = 1 << 20  # scores are multiples of this part of 1, which single precision keeps exactly
SHARES = {"half": 0.5, "percent": 0.01, "permille": 0.001}
"""Filters by the share of the rows that they admit."""

_CHUNK = 50_000


@dataclass(frozen=True)
class Size:
    """How much there is of everything."""

    rows: int
    dim: int
    questions: int


@dataclass(frozen=True)
class Where:
    """A filter: a field equals a value, or is from ``least`` up to but without ``below``."""

    field: str
    equals: str | None = None
    least: float = 0
    below: float = 0


@dataclass(frozen=True)
class Columns:
    """The scalars of all rows, by position; the first row's id is 1."""

    tag: NDArray[np.int16]
    score: NDArray[np.float32]
    ts: NDArray[np.int64]

    def part(self, first: int, last: int) -> Columns:
        return Columns(self.tag[first:last], self.score[first:last], self.ts[first:last])

    def admitted(self, where: Where) -> NDArray[np.bool_]:
        """Which rows a filter admits."""
        if where.field == "tag":
            return np.asarray(self.tag == int((where.equals or "").removeprefix("tag-")))
        values = self.score if where.field == "score" else self.ts
        return np.asarray((values >= where.least) & (values < where.below))


@dataclass(frozen=True)
class Question:
    """What is asked beside one query vector."""

    half: Where
    percent: Where
    permille: Where
    words: Sequence[str]


@dataclass(frozen=True)
class Batch:
    """Rows to write together. ``vectors`` has one row for each of the others."""

    ids: list[int]
    tags: list[str]
    scores: list[float]
    times: list[int]
    texts: list[str]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.ids)


class Data:
    """A data set in a folder, made by :func:`make`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.size = Size(**json.loads((folder / "size.json").read_text()))
        self.queries: Vectors = np.load(folder / "queries.npy")

    @property
    def vectors(self) -> Vectors:
        """All vectors, mapped and not read."""
        vectors: Vectors = np.load(self.folder / "vectors.npy", mmap_mode="r")
        return vectors

    @property
    def columns(self) -> Columns:
        with np.load(self.folder / "columns.npz") as kept:
            return Columns(kept["tag"], kept["score"], kept["ts"])

    @property
    def questions(self) -> list[Question]:
        kept = json.loads((self.folder / "questions.json").read_text())
        return [Question(**{name: Where(**item[name]) for name in SHARES}, words=item["words"]) for item in kept]

    def texts(self) -> Iterator[str]:
        for row in self._rows():
            yield row["text"]

    def batches(self, size: int) -> Iterator[Batch]:
        """All rows, so many at a time."""
        vectors, rows = self.vectors, self._rows()
        for first in range(0, self.size.rows, size):
            some = list(islice(rows, size))
            yield Batch(
                [row["id"] for row in some],
                [row["tag"] for row in some],
                [row["score"] for row in some],
                [row["ts"] for row in some],
                [row["text"] for row in some],
                np.array(vectors[first : first + len(some)]),
            )

    def fingerprint(self) -> str:
        """The same for the same data."""
        digest = hashlib.sha256()
        for name in ("size.json", "questions.json", "queries.npy", "vectors.npy", "rows.jsonl"):
            with (self.folder / name).open("rb") as file:
                while chunk := file.read(1 << 22):
                    digest.update(chunk)
        return digest.hexdigest()[:16]

    def _rows(self) -> Iterator[dict[str, Any]]:
        with (self.folder / "rows.jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def make(folder: Path, size: Size) -> Data:
    """Write the data set of a size into an empty folder."""
    rng = np.random.default_rng(SEED)
    mixture = _Mixture(rng, size.dim)
    _write_json(folder / "size.json", asdict(size))
    np.save(folder / "queries.npy", mixture.draw(size.questions))
    vectors = np.lib.format.open_memmap(
        folder / "vectors.npy", mode="w+", dtype=np.float32, shape=(size.rows, size.dim)
    )
    for first in range(0, size.rows, _CHUNK):
        vectors[first : first + _CHUNK] = mixture.draw(min(_CHUNK, size.rows - first))
    vectors.flush()
    columns = Columns(
        rng.integers(TAGS, size=size.rows, dtype=np.int16),
        (rng.integers(SCORE_STEPS, size=size.rows) / SCORE_STEPS).astype(np.float32),
        FIRST_SECOND + rng.permutation(size.rows) * (YEAR // size.rows),
    )
    np.savez(folder / "columns.npz", tag=columns.tag, score=columns.score, ts=columns.ts)
    _write_rows(folder / "rows.jsonl", rng, columns)
    _write_json(folder / "questions.json", [asdict(_question(rng, columns)) for _ in range(size.questions)])
    return Data(folder)


class _Mixture:
    """Clusters in a few directions, and a little noise in all of them."""

    def __init__(self, rng: np.random.Generator, dim: int) -> None:
        self._rng, self._dim = rng, dim
        self._directions = rng.standard_normal((min(DIRECTIONS, dim), dim)).astype(np.float32)
        self._centres = rng.standard_normal((CLUSTERS, len(self._directions))).astype(np.float32)

    def draw(self, count: int) -> Vectors:
        inner = self._centres[self._rng.integers(CLUSTERS, size=count)]
        inner = inner + self._rng.standard_normal(inner.shape, dtype=np.float32)
        # Not by BLAS, whose last bits depend on its threads.
        vectors = np.einsum("ni,id->nd", inner, self._directions, optimize=False)
        vectors += 2 * self._rng.standard_normal((count, self._dim), dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _write_rows(path: Path, rng: np.random.Generator, columns: Columns) -> None:
    vocabulary = [word(rank) for rank in range(WORDS)]
    shares = np.cumsum(1 / np.arange(1, WORDS + 1))
    with path.open("w", encoding="utf-8") as file:
        for first in range(0, len(columns.tag), _CHUNK):
            here = slice(first, first + _CHUNK)
            lengths = rng.integers(LEAST_WORDS, MOST_WORDS + 1, size=len(columns.tag[here]))
            ranks = np.searchsorted(shares, rng.random(int(lengths.sum())) * shares[-1])
            words, ends = [vocabulary[rank] for rank in ranks.tolist()], np.cumsum(lengths).tolist()
            scalars = zip(
                columns.tag[here].tolist(), columns.score[here].tolist(), columns.ts[here].tolist(), strict=True
            )
            start = 0
            for position, ((tag, score, ts), end) in enumerate(zip(scalars, ends, strict=True), first):
                row = {
                    "id": position + 1,
                    "tag": f"tag-{tag:02}",
                    "score": score,
                    "ts": ts,
                    "text": " ".join(words[start:end]),
                }
                file.write(json.dumps(row) + "\n")
                start = end


def word(rank: int) -> str:
    """A made-up word, the same for the same rank and unlike any English one; stemmers and stop words leave it alone."""
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    number = (rank * 7919 + 13) % len(syllables) ** 3  # a prime factor: each rank has a number of its own
    return syllables[number % 70] + syllables[number // 70 % 70] + syllables[number // 4900] + "x"


def _question(rng: np.random.Generator, columns: Columns) -> Question:
    rows = len(columns.tag)
    half = float(rng.integers(SCORE_STEPS // 2)) / SCORE_STEPS
    step = YEAR // rows
    span = max(1, round(rows * SHARES["permille"])) * step
    first = FIRST_SECOND + int(rng.integers(rows)) * step
    first = min(first, FIRST_SECOND + rows * step - span)
    ranks = [int(rng.integers(low, high)) for low, high in ((20, 200), (200, 2_000), (2_000, WORDS))]
    return Question(
        Where("score", least=half, below=half + SHARES["half"]),
        Where("tag", equals=f"tag-{int(rng.integers(TAGS)):02}"),
        Where("ts", least=first, below=first + span),
        [word(rank) for rank in ranks],
    )


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
