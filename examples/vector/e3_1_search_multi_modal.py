"""E3.1, search by meaning: a question in words, a filter, and only the fields that are wanted.

The collection's own model embeds the question as it embedded the rows. With a model that sees, ``image`` and ``video``
are asked in the same way.

    python examples/vector/e3_1_search_multi_modal.py
"""

from __future__ import annotations

from typing import NamedTuple

from guide import TEXT, TEXT_INDEX, OwnRows, Setting, start

from vikingdb.vector import F, SearchByMultiModalRequest, UpsertDataRequest, VikingDB

MOONS = (
    ("Io", 0, 5.2, "Io has hundreds of active volcanoes; lava covers the ground."),
    ("Europa", 0, 5.2, "Europa hides a salty ocean of water below a shell of ice."),
    ("Enceladus", 1, 9.6, "Enceladus throws water out of cracks in its ice, from an ocean below."),
    ("Triton", 2, 30.1, "Triton circles its planet backwards, and geysers of nitrogen rise from it."),
)
QUESTION = "an ocean of water below the ice"


class Answers(NamedTuple):
    everywhere: list[str]
    far_away: list[str]
    fields: set[str]


def run(setting: Setting) -> Answers:
    with VikingDB(**setting.options) as client:
        collection = client.collection(**TEXT, **setting.scope)
        index = client.index(**TEXT_INDEX, **setting.scope)
        with OwnRows(setting, collection, index) as own:
            for moon in MOONS:  # a collection that embeds takes one row a call
                collection.upsert(UpsertDataRequest(data=[own.row(*moon)]))
            own.wait()

            question = SearchByMultiModalRequest(
                text=QUESTION, filter=own.filter, limit=2, output_fields=["title", "score"]
            )
            everywhere = index.search_by_multi_modal(question).result.data
            print(f"{QUESTION}?")
            for hit in everywhere:
                print(f"  {hit.score:.3f}  {hit.fields['title']}")

            far = own.filter & (F("score") > 9)
            narrowed = index.search_by_multi_modal(question.model_copy(update={"filter": far})).result
            print(f"The same where {far}: {narrowed.filter_matched_count} rows match")
            for hit in narrowed.data:
                print(f"  {hit.score:.3f}  {hit.fields['title']}")
            return Answers(
                [hit.fields["title"] for hit in everywhere],
                [hit.fields["title"] for hit in narrowed.data],
                set(everywhere[0].fields),
            )


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
