"""E3.2, vectors of your own: embed, write, search by a vector and by a row, and read what the index holds.

The collection ``vector`` is given its vectors. Here the embedding API makes them; any model of 1024 dimensions would
do, as long as rows and questions go through the same one.

    python examples/vector/e3_2_search_by_vector.py
"""

from __future__ import annotations

from typing import NamedTuple

from guide import VECTOR, VECTOR_INDEX, OwnRows, Setting, start

from vikingdb.vector import (
    EmbeddingClient,
    EmbeddingData,
    EmbeddingModelOpt,
    EmbeddingRequest,
    FetchDataInIndexRequest,
    InvalidParameter,
    SearchByIDRequest,
    SearchByVectorRequest,
    UpsertDataRequest,
    VikingDB,
)

COMETS = (
    ("Halley", 0, 17.8, "Halley's comet returns every 76 years and was seen by the Babylonians."),
    ("Hale-Bopp", 0, 186.0, "Hale-Bopp could be seen without a telescope for eighteen months, longer than any before."),
    ("Churyumov-Gerasimenko", 1, 3.5, "A probe landed on this comet, bounced, and sent pictures of its surface."),
)
QUESTION = "a probe landed on the surface of a comet"


class Vectors(NamedTuple):
    dim: int
    by_vector: list[str]
    by_row: list[str]
    indexed_dim: int | None
    indexed_length: float
    refusal: str


def run(setting: Setting) -> Vectors:
    with VikingDB(**setting.options) as client:
        collection = client.collection(**VECTOR, **setting.scope)
        index = client.index(**VECTOR_INDEX, **setting.scope)
        with OwnRows(setting, collection, index) as own:
            texts = [text for *_, text in COMETS]
            *vectors, query = embed(client.embedding(), [*texts, QUESTION])
            rows = [own.row(*comet, vector=vector) for comet, vector in zip(COMETS, vectors, strict=True)]
            collection.upsert(UpsertDataRequest(data=rows))  # with vectors of its own, up to 100 rows a call
            own.wait()

            wanted = ["title"]
            near = SearchByVectorRequest(dense_vector=query, filter=own.filter, limit=2, output_fields=wanted)
            hits = index.search_by_vector(near).result.data
            print(f"{QUESTION}?")
            for hit in hits:
                print(f"  {hit.score:.3f}  {hit.fields['title']}")

            like = SearchByIDRequest(id=hits[0].id, filter=own.filter, output_fields=wanted)
            similar = index.search_by_id(like).result.data
            print(f"Like {similar[0].fields['title']}: {', '.join(hit.fields['title'] for hit in similar[1:])}")

            fetch = FetchDataInIndexRequest(ids=[hits[0].id], output_fields=wanted)
            held = index.fetch(fetch).result.items[0]
            length = sum(number * number for number in held.dense_vector or []) ** 0.5
            print(f"The index holds {held.dense_dim} numbers for it, of length {length:.3f}")

            refusal = ""
            try:
                index.search_by_vector(SearchByVectorRequest(dense_vector=query[:512]))
            except InvalidParameter as error:  # nothing else of the call was done
                refusal = error.message
                print(f"Half a vector is refused: {refusal}")
            return Vectors(
                len(query),
                [hit.fields["title"] for hit in hits],
                [hit.fields["title"] for hit in similar],
                held.dense_dim,
                length,
                refusal,
            )


def embed(embedding: EmbeddingClient, texts: list[str]) -> list[list[float]]:
    """A vector for each of up to ten texts."""
    inputs = [EmbeddingData(text=text) for text in texts]
    request = EmbeddingRequest(data=inputs, dense_model=EmbeddingModelOpt(name="bge-m3"))
    return [made.dense or [] for made in embedding.embedding(request).result.data]


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
