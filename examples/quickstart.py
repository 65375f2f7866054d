"""Semantic search over the Python language reference, in five minutes and without an account.

Every CPython carries the reference's topics. This program splits them into passages, lets the collection embed them,
and asks for them by meaning, with a filter, by keywords, and counted by topic.

    make quickstart

It runs on the embedded engine. To run it on the managed service, change ENDPOINT and AUTH below, and nothing else.
"""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pydoc_data.topics import topics

from vikingdb import IAM  # noqa: F401  # for AUTH
from vikingdb.exceptions import NotFound
from vikingdb.vector import CollectionClient, F, IndexClient, SearchResult, VikingDB

ENDPOINT = "local://"  # or "https://api-vikingdb.vikingdb.cn-beijing.volces.com"
AUTH = None  # or IAM("<access key>", "<secret key>")

COLLECTION = "python_reference"
INDEX = "by_meaning"
PASSAGE_CHARACTERS = 600


def main() -> None:
    with VikingDB(endpoint=ENDPOINT, region="cn-beijing", auth=AUTH) as client:
        try:
            create(client)
            collection = client.collection(collection_name=COLLECTION, primary_key="id")
            index = client.index(collection_name=COLLECTION, index_name=INDEX)
            rows = list(passages())
            fill(collection, rows)
            wait_until_searchable(client, index, len(rows))
            ask(index)
        finally:
            drop(client)


def create(client: VikingDB) -> None:
    client.admin.create_collection(
        collection_name=COLLECTION,
        fields=[
            {"field_name": "id", "field_type": "string", "is_primary_key": True},
            {"field_name": "topic", "field_type": "string"},
            {"field_name": "part", "field_type": "int64"},
            {"field_name": "passage", "field_type": "text"},
        ],
        vectorize={"dense": {"model_name": "bge-m3", "text_field": "passage"}},
        full_text=[{"field": "passage", "analyzer": {"tokenizer": "standard"}}],
    )
    client.admin.create_index(
        collection_name=COLLECTION,
        index_name=INDEX,
        vector_index={"index_type": "flat", "distance": "cosine", "quant": "float"},
        scalar_index=["topic", "part"],
    )


def drop(client: VikingDB) -> None:
    with suppress(NotFound):
        client.admin.delete_index(collection_name=COLLECTION, index_name=INDEX)
    with suppress(NotFound):
        client.admin.delete_collection(collection_name=COLLECTION)


def passages() -> Iterator[dict[str, object]]:
    """Paragraphs of every topic, joined up to a readable length. What two topics share is taken once."""
    seen = set()
    for topic, text in topics.items():
        part, passage = 0, ""
        for paragraph in [*text.split("\n\n"), ""]:
            if passage and (not paragraph or len(passage) + len(paragraph) > PASSAGE_CHARACTERS):
                if passage not in seen:
                    seen.add(passage)
                    yield {"id": f"{topic}#{part}", "topic": topic, "part": part, "passage": passage}
                part, passage = part + 1, ""
            passage = f"{passage}\n\n{paragraph}" if passage else paragraph


def fill(collection: CollectionClient, rows: Sequence[dict[str, object]]) -> None:
    """A collection that embeds takes one row a call; others take a hundred."""
    for row in with_progress(rows, "embedding passages"):
        collection.upsert({"data": [row]})


def wait_until_searchable(client: VikingDB, index: IndexClient, rows: int, seconds: float = 600) -> None:
    """At once on the embedded engine; the service builds indexes in the background."""
    ends = time.monotonic() + seconds
    while client.admin.get_index(collection_name=COLLECTION, index_name=INDEX).result.status != "READY" or (
        index.aggregate({"op": "count"}).result.total < rows
    ):
        if time.monotonic() > ends:
            raise TimeoutError(f"the index did not hold all {rows} rows after {seconds:.0f} seconds")
        time.sleep(2)


def ask(index: IndexClient) -> None:
    question = "what happens to an error that nobody handles?"
    show(f"By meaning: {question}", index.search_by_multi_modal({"text": question, "limit": 5}).result)

    question = "giving a function as many arguments as you like"
    narrowed = F("topic").any_of("calls", "function", "lambda") & (F("part") >= 1)
    found = index.search_by_multi_modal({"text": question, "filter": narrowed, "limit": 5}).result
    show(f"With a filter, {narrowed}: {question}", found)

    found = index.search_by_keywords({"keywords": ["nonlocal", "closure"], "limit": 5}).result
    show("By keywords: nonlocal, closure", found)

    counts = index.aggregate({"op": "count", "field": "topic"}).result.groups
    print("\nLongest topics, by number of passages")
    for topic, count in sorted(counts.items(), key=lambda item: -item[1])[:5]:
        print(f"  {count:>5}  {topic}")


def show(title: str, result: SearchResult) -> None:
    print(f"\n{title}")
    for hit in result.data:
        words = " ".join(str(hit.fields.get("passage", "")).split())
        print(f"  {hit.score or 0:>6.3f}  {hit.id:<24} {textwrap.shorten(words, 76, placeholder=' …')}")


def with_progress(items: Sequence[dict[str, object]], what: str) -> Iterable[dict[str, object]]:
    shown = -1
    for done, item in enumerate(items, 1):
        yield item
        percent = 100 * done // len(items)
        if percent != shown and (sys.stderr.isatty() or percent % 25 == 0 < percent):
            shown = percent
            bar = "█" * (percent // 4)
            end = "\n" if done == len(items) or not sys.stderr.isatty() else ""
            print(f"\r{what} [{bar:<25}] {done}/{len(items)}", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
