"""E3.3, search by words, in both modes.

``semantic_then_match`` needs a collection that embeds its text: it finds by meaning and prefers rows that have the
words. ``bm25`` needs one that was created with full text: it finds rows that have the words, rare words counting more.

    python examples/vector/e3_3_search_by_keywords.py
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from guide import TEXT, TEXT_INDEX, OwnRows, Setting, start

from vikingdb.vector import CollectionField, FullText, SearchByKeywordsRequest, UpsertDataRequest, VikingDB

STARS = (
    ("Sirius", 0, 8.6, "Sirius is the brightest star of the night sky and has a white dwarf for a companion."),
    ("Betelgeuse", 1, 550.0, "Betelgeuse is a red giant that will end as a supernova."),
    ("Polaris", 2, 433.0, "Polaris stands almost still, so sailors took it for a guide to the north."),
)


class Found(NamedTuple):
    by_meaning: list[str]
    with_word: str
    by_terms: list[str]
    terms: list[str]


def run(setting: Setting) -> Found:
    with VikingDB(**setting.options) as client:
        collection = client.collection(**TEXT, **setting.scope)
        index = client.index(**TEXT_INDEX, **setting.scope)
        with OwnRows(setting, collection, index) as own:
            for star in STARS:
                collection.upsert(UpsertDataRequest(data=[own.row(*star)]))
            own.wait()

            words = SearchByKeywordsRequest(
                mode="semantic_then_match", keywords=["supernova"], filter=own.filter, output_fields=["title"]
            )
            hits = index.search_by_keywords(words).result.data
            print("supernova, by meaning and then by the word:")
            for hit in hits:
                print(f"  {hit.score:.3f}  {hit.fields['title']}")
        by_terms, terms = search_full_text(client, setting)
        return Found([hit.fields["title"] for hit in hits], hits[0].fields["title"], by_terms, terms)


def search_full_text(client: VikingDB, setting: Setting) -> tuple[list[str], list[str]]:
    """Search a collection of this run's own, since the sample data has no full text. Embedded only."""
    if setting.is_live:
        print("bm25 is left out: it needs a collection of its own; admin.py shows how one is made")
        return [], []
    name = f"guide_{secrets.token_hex(4)}"
    client.admin.create_collection(
        collection_name=name,
        fields=[
            CollectionField(field_name="title", field_type="string", is_primary_key=True),
            CollectionField(field_name="text", field_type="text"),
        ],
        full_text=[FullText(field="text")],
    )
    try:
        client.admin.create_index(collection_name=name, index_name="by_words")
        rows = [{"title": title, "text": text} for title, _, _, text in STARS]
        client.collection(collection_name=name).upsert(UpsertDataRequest(data=rows))
        phrase = SearchByKeywordsRequest(mode="bm25", query="the star in the night", output_fields=["title"])
        result = client.index(collection_name=name, index_name="by_words").search_by_keywords(phrase).result
        print("the star in the night, by bm25:")
        for hit in result.data:
            print(f"  {hit.score:.3f}  {hit.fields['title']}")
        return [hit.fields["title"] for hit in result.data], (result.effective_keywords or {}).get("text", [])
    finally:
        for listed in list(client.admin.iter_indexes(filter={"CollectionName": [name]})):
            client.admin.delete_index(collection_name=name, index_name=listed.index_name)
        client.admin.delete_collection(collection_name=name)


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
