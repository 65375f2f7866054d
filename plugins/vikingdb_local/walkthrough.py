"""Walkthrough: the sample data of ``local://…?seed=walkthrough``, something to search for a first program.

Two collections with the same rows, the planets of the Sun. ``text`` embeds its field ``text``; ``vector`` is given
vectors that the embedding API makes of it. Neither declares a primary key.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from vikingdb_vector import models as m
from vikingdb_vector.models import Distance, FieldType, IndexType

from .engine.catalog import Catalog
from .handlers import collections, embedding, indexes, rows
from .session import Call, Session

SEED = "walkthrough"
TEXT = "text"
VECTOR = "vector"

PLANETS: tuple[dict[str, Any], ...] = (
    {
        "title": "Mercury",
        "paragraph": 1,
        "score": 0.39,
        "text": "Mercury is the smallest planet and the closest to the Sun. It has almost no air to keep the heat, so "
        "a day of 430 degrees is followed by a night of minus 180.",
    },
    {
        "title": "Venus",
        "paragraph": 1,
        "score": 0.72,
        "text": "Venus is wrapped in carbon dioxide and clouds of sulphuric acid. The greenhouse effect makes it the "
        "hottest planet of all, and it turns backwards.",
    },
    {
        "title": "Earth",
        "paragraph": 2,
        "score": 1.0,
        "text": "Earth is the only planet known to bear life. Seas of liquid water cover most of its surface, and one "
        "large moon raises the tides.",
    },
    {
        "title": "Mars",
        "paragraph": 1,
        "score": 1.52,
        "text": "Mars is cold and dry, and rust in its soil makes it red. Its volcano Olympus Mons is higher than any "
        "other mountain on a planet, and robots drive about looking for traces of water.",
    },
    {
        "title": "Jupiter",
        "paragraph": 3,
        "score": 5.2,
        "text": "Jupiter is a ball of hydrogen and helium, heavier than all other planets together. A storm known as "
        "the Great Red Spot has raged there for centuries.",
    },
    {
        "title": "Saturn",
        "paragraph": 3,
        "score": 9.58,
        "text": "Saturn wears bright rings of ice and rock, wide but very thin. It is less dense than water and has "
        "more known moons than any other planet.",
    },
    {
        "title": "天王星",
        "paragraph": 4,
        "score": 19.2,
        "text": "天王星是一颗冰巨星，躺着绕太阳公转，所以它的两极各有四十多年的白昼和黑夜。",
    },
    {
        "title": "海王星",
        "paragraph": 4,
        "score": 30.1,
        "text": "海王星离太阳最远，那里的风是太阳系中最快的。人们先用数学算出它的位置，然后才用望远镜看到它。",
    },
)
"""Rows of both collections, from the Sun outwards; ``score`` is the distance from it in astronomical units."""

_FIELDS = [
    m.CollectionField(field_name="title", field_type=FieldType.STRING),
    m.CollectionField(field_name="paragraph", field_type=FieldType.INT64),
    m.CollectionField(field_name="score", field_type=FieldType.FLOAT32),
    m.CollectionField(field_name="text", field_type=FieldType.TEXT),
]
_MODEL = "bge-m3"
_DIM = 1024


class Walkthrough:
    """Lays the sample data at the first call and does nothing after it. Safe for many threads.

    A collection is made in a database of its own and comes over in one transaction, so nobody meets half of it, and no
    crash leaves half of it in a folder. One that exists already is left as it is.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_laid = False

    def __call__(self, session: Session) -> None:
        """Lay it.

        Raises:
            ServiceError: it cannot be made, such as without an embedding model. The next call tries again.
        """
        if self._is_laid:
            return
        with self._lock:
            if not self._is_laid:
                _lay(session)
                self._is_laid = True


def _lay(session: Session) -> None:
    there = {collection.name for collection in session.catalog.collections()}
    for name, make in ((TEXT, _make_text), (VECTOR, _make_vector)):
        if name in there:
            continue
        draft = replace(session, catalog=Catalog(), seed=None)
        try:
            make(draft)
            session.catalog.adopt(draft.catalog, name)
        finally:
            draft.catalog.database.close()


def _make_text(session: Session) -> None:
    embedded = m.Vectorize(dense=m.VectorizeModel(model_name=_MODEL, text_field="text"))
    _create(session, m.CreateCollectionRequest(collection_name=TEXT, fields=_FIELDS, vectorize=embedded))
    for planet in PLANETS:  # a collection that embeds takes one row a call
        _upsert(session, TEXT, [planet])


def _make_vector(session: Session) -> None:
    field = m.CollectionField(field_name="vector", field_type=FieldType.VECTOR, dim=_DIM)
    _create(session, m.CreateCollectionRequest(collection_name=VECTOR, fields=[*_FIELDS, field]))
    inputs = [m.EmbeddingData(text=planet["text"]) for planet in PLANETS]  # a call takes ten
    request = m.EmbeddingRequest(data=inputs, dense_model=m.EmbeddingModelOpt(name=_MODEL))
    embedded = embedding.embed(session, Call(request, m.IndexMeta(), 0))["data"]
    vectors = [made["dense"].tolist() for made in embedded]
    data = [{**planet, "vector": vector} for planet, vector in zip(PLANETS, vectors, strict=True)]
    _upsert(session, VECTOR, data)


def _create(session: Session, request: m.CreateCollectionRequest) -> None:
    """A collection and its index, over every field a filter may use."""
    name = request.collection_name
    collections.create(session, Call(request, m.IndexMeta(), 0))
    searched = m.VectorIndex(index_type=IndexType.HNSW, distance=Distance.COSINE)
    index = m.CreateIndexRequest(collection_name=name, index_name=f"{name}_index", vector_index=searched)
    indexes.create(session, Call(index, m.IndexMeta(), 0))


def _upsert(session: Session, name: str, data: list[dict[str, Any]]) -> None:
    rows.upsert(session, Call(m.UpsertDataRequest(data=data), m.IndexMeta(collection_name=name), 0))
