"""Async: many searches at once, a limit of time for all of them, one that is given up, and a listing read as it comes.

On the managed service this needs vikingdb-aio; the embedded engine does without.

    python examples/vector/async_client.py
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from guide import PATIENCE_SECONDS, TEXT_INDEX, Setting, start

from vikingdb import RequestOptions
from vikingdb.vector import AsyncIndexClient, AsyncVikingDB, SearchByMultiModalRequest, SearchByRandomRequest

QUESTIONS = ("bright rings", "a giant with a great storm", "a red desert", "the planet we live on")


class Answers(NamedTuple):
    titles: list[str]
    is_cancelled: bool
    is_too_late: bool
    collections: list[str | None]


def run(setting: Setting) -> Answers:
    return asyncio.run(ask(setting))


async def ask(setting: Setting) -> Answers:
    async with AsyncVikingDB(**setting.options) as client:  # one for all tasks; leaving closes its connections
        index = client.index(**TEXT_INDEX, **setting.scope)

        async with asyncio.timeout(PATIENCE_SECONDS):  # for all of them together
            titles = await asyncio.gather(*(best(index, question) for question in QUESTIONS))
        for question, title in zip(QUESTIONS, titles, strict=True):
            print(f"  {question}: {title}")

        is_cancelled = await give_up(index)
        is_too_late = await hurry(index)

        names = []
        async for collection in client.admin.iter_collections(project_name=setting.project):  # page by page
            names.append(collection.collection_name)
        print(f"Collections: {', '.join(map(str, names))}")
        return Answers(titles, is_cancelled, is_too_late, names)


async def best(index: AsyncIndexClient, question: str) -> str:
    """The title of what answers a question best. The SDK's own limit, for this call alone, is its deadline."""
    request = SearchByMultiModalRequest(text=question, limit=1, output_fields=["title"])
    found = await index.search_by_multi_modal(request, request_options=RequestOptions(deadline=PATIENCE_SECONDS))
    return found.result.data[0].fields["title"] if found.result.data else ""


async def give_up(index: AsyncIndexClient) -> bool:
    """Cancel a search that has begun. It is not tried again, and the client goes on."""
    search = asyncio.create_task(index.search_by_random(SearchByRandomRequest(limit=1)))
    await asyncio.sleep(0)  # now it is under way
    search.cancel()
    await asyncio.wait([search])
    print(f"Given up: {search.cancelled()}")
    return search.cancelled()


async def hurry(index: AsyncIndexClient) -> bool:
    """Wait for less time than any search takes. The SDK's RequestTimeout and DeadlineExceeded end here too."""
    try:
        async with asyncio.timeout(0):
            await index.search_by_random(SearchByRandomRequest(limit=1))
    except TimeoutError:
        print("Too late: nothing is found in no time")
        return True
    return False


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
