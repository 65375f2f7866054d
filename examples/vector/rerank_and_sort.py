"""A second look: what was found is scored again, by a model that reads question and text together, or by a vector.

python examples/vector/rerank_and_sort.py
"""

from __future__ import annotations

from typing import NamedTuple

from guide import TEXT, TEXT_INDEX, OwnRows, Setting, start

from vikingdb.exceptions import APIError
from vikingdb.vector import (
    EmbeddingData,
    EmbeddingModelOpt,
    EmbeddingRequest,
    FullModalData,
    ModelRerank,
    RerankRequest,
    SearchByMultiModalRequest,
    SortRequest,
    UpsertDataRequest,
    VikingDB,
)

MODEL, VERSION = "doubao-seed-rerank", "251028"
PROBES = (
    ("Cassini", 0, 9.6, "Cassini circled Saturn for thirteen years and dived into it at the end."),
    ("Voyager 2", 1, 30.1, "Voyager 2 is the only probe that has visited Uranus and Neptune."),
    ("Juno", 2, 5.2, "Juno runs on sunlight and looks under the clouds of Jupiter."),
)
QUESTION = "Which probe has visited Neptune?"


class SecondLook(NamedTuple):
    reranked: list[int | None]
    in_search: list[str]
    sorted_titles: list[str]


def run(setting: Setting) -> SecondLook:
    with VikingDB(**setting.options) as client:
        reranked = rerank(client)
        collection = client.collection(**TEXT, **setting.scope)
        index = client.index(**TEXT_INDEX, **setting.scope)
        with OwnRows(setting, collection, index) as own:
            for probe in PROBES:
                collection.upsert(UpsertDataRequest(data=[own.row(*probe)]))
            own.wait()

            # Within a search: the nearest rows are scored again before the best of them come back.
            again = ModelRerank(model_name=MODEL, model_version=VERSION, input_limit=10)
            asked = SearchByMultiModalRequest(text=QUESTION, filter=own.filter, limit=3, rerank=again)
            hits = index.search_by_multi_modal(asked).result.data
            for hit in hits:
                print(f"  {hit.score:.3f}, by the vector alone {hit.ann_score:.3f}  {hit.fields['title']}")

            # Rows already known, in the order of their similarity to a vector.
            data, model = [EmbeddingData(text=QUESTION)], EmbeddingModelOpt(name="bge-m3")
            made = client.embedding().embedding(EmbeddingRequest(data=data, dense_model=model)).result.data[0]
            titles = {hit.id: hit.fields["title"] for hit in hits}
            try:
                order = index.sort(SortRequest(ids=list(titles), query_vector=made.dense or [])).result
            except APIError as error:  # experimental: no page of the service documents it
                print(f"Sort is not to be had here: {error.message}")
                return SecondLook(reranked, list(titles.values()), [])
            print(f"Sorted: {', '.join(f'{titles[item.id]} {item.score:.3f}' for item in order.items)}")
            return SecondLook(reranked, list(titles.values()), [titles[item.id] for item in order.items])


def rerank(client: VikingDB) -> list[int | None]:
    """Documents that are in no collection. The answer names them by their position, best first."""
    request = RerankRequest(
        model_name=MODEL,
        model_version=VERSION,
        query=[FullModalData(text=QUESTION)],
        data=[[FullModalData(text=text)] for *_, text in PROBES],
    )
    scored = client.rerank().rerank(request).result.data
    print(f"{QUESTION} Reranked:")
    for document in scored:
        print(f"  {document.score:.3f}  {PROBES[document.id or 0][0]}")
    return [document.id for document in scored]


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
