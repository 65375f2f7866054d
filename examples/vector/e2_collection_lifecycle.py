"""E2, the life of a row: written, found, changed, read and deleted.

The collection embeds its field ``text`` by itself, and it makes the ids, which no write returns. So the row is found by
what it says, and changed by its ``__AUTO_ID__``.

    python examples/vector/e2_collection_lifecycle.py
"""

from __future__ import annotations

from typing import NamedTuple

from guide import TEXT, TEXT_INDEX, OwnRows, Setting, start

from vikingdb.vector import (
    DeleteDataRequest,
    FetchDataInCollectionRequest,
    SearchByMultiModalRequest,
    UpdateDataRequest,
    UpsertDataRequest,
    VikingDB,
)


class Lifecycle(NamedTuple):
    id: int | str
    found_title: str
    score_before: float
    score_after: float
    text_after: str
    is_gone: bool


def run(setting: Setting) -> Lifecycle:
    with VikingDB(**setting.options) as client:
        collection = client.collection(**TEXT, **setting.scope)
        index = client.index(**TEXT_INDEX, **setting.scope)
        with OwnRows(setting, collection, index) as own:
            row = own.row("Titan", 0, 9.0, "Titan is a moon of Saturn with rain, rivers and lakes of methane.")
            written = collection.upsert(UpsertDataRequest(data=[row]))
            print(f"Upserted; embedding it used {written.result.token_usage if written.result else 'nothing'}")
            own.wait()

            question = SearchByMultiModalRequest(text="a moon with lakes of methane", filter=own.filter, limit=1)
            hit = index.search_by_multi_modal(question).result.data[0]
            print(f"Found {hit.fields['title']} as {hit.id}, similarity {hit.score:.3f}")

            collection.update(UpdateDataRequest(data=[{"__AUTO_ID__": hit.id, "score": 9.58}]))
            changed = collection.fetch(FetchDataInCollectionRequest(ids=[hit.id])).result.items[0].fields
            print(f"Updated its score from {hit.fields['score']} to {changed['score']}; the rest is as it was")

            collection.delete(DeleteDataRequest(ids=[hit.id]))
            missing = collection.fetch(FetchDataInCollectionRequest(ids=[hit.id])).result.ids_not_exist
            print(f"Deleted; a fetch now says that {missing} does not exist")
            return Lifecycle(
                hit.id, hit.fields["title"], hit.fields["score"], changed["score"], changed["text"], missing == [hit.id]
            )


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
