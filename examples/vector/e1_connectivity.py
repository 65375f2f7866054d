"""E1, connectivity: is anyone there, which collections are there, and one row to look at.

python examples/vector/e1_connectivity.py
"""

from __future__ import annotations

from typing import NamedTuple

from guide import TEXT_INDEX, Setting, start

from vikingdb.vector import SearchByRandomRequest, VikingDB


class Connectivity(NamedTuple):
    request_id: str | None
    collections: list[str | None]
    title: str


def run(setting: Setting) -> Connectivity:
    with VikingDB(**setting.options) as client:  # building a client sends nothing: ping is the first request
        pong = client.ping()
        print(f"Ping answered, request id {pong.request_id}")

        page = client.admin.list_collections(page_size=100, project_name=setting.project).result
        collections = [collection.collection_name for collection in page.collections]
        print(f"{page.total_count} collections: {', '.join(map(str, collections))}")

        index = client.index(**TEXT_INDEX, **setting.scope)
        found = index.search_by_random(SearchByRandomRequest(limit=1, output_fields=["title", "text"])).result
        for hit in found.data:
            print(f"A row: {hit.fields['title']}. {hit.fields['text']}")
        return Connectivity(pong.request_id, collections, found.data[0].fields["title"] if found.data else "")


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
