"""The asynchronous client: the same arguments, results after ``await``, and a forgotten ``await`` is found."""

from collections.abc import AsyncIterator
from typing import assert_type

from vikingdb.vector import AsyncVikingDB, SearchResponse, UpsertDataResponse, VikingDB
from vikingdb_core.models import Envelope
from vikingdb_core.request_options import RequestOptions
from vikingdb_vector.admin import AsyncAdminClient
from vikingdb_vector.collection import AsyncCollectionClient
from vikingdb_vector.index import AsyncIndexClient
from vikingdb_vector.models import CollectionInfo, GetIndexResponse

client = AsyncVikingDB(endpoint="https://h.example")
books = client.collection(collection_name="books")
by_mood = client.index(collection_name="books", index_name="by_mood")
assert_type(books, AsyncCollectionClient)
assert_type(by_mood, AsyncIndexClient)
assert_type(client.admin, AsyncAdminClient)
assert_type(client.admin.iter_collections(), AsyncIterator[CollectionInfo])


async def right() -> None:
    assert_type(await client.ping(), Envelope)
    assert_type(await books.upsert({"data": [{"id": 1}]}), UpsertDataResponse)
    found = await by_mood.search_by_vector({"dense_vector": [0.5]}, request_options=RequestOptions(timeout=5))
    assert_type(found, SearchResponse)
    assert_type([hit.score for hit in found.result.data], list[float | None])
    assert_type(await client.admin.get_index(collection_name="books", index_name="i"), GetIndexResponse)
    async for info in client.admin.iter_collections(project_name="shop"):
        assert_type(info.collection_name, str | None)
    async with AsyncVikingDB() as opened:
        assert_type(opened, AsyncVikingDB)


async def forgotten() -> None:
    books.upsert({"data": []})  # E: [unused-coroutine]
    client.ping()  # E: [unused-coroutine]
    client.close()  # E: [unused-coroutine]
    print(by_mood.search_by_random().result)  # E: [attr-defined]
    found: SearchResponse = by_mood.search_by_random()  # E: [assignment]
    for info in client.admin.iter_collections():  # E: [attr-defined]
        print(info)
    await client.admin.iter_collections()  # E: [misc]
    with AsyncVikingDB() as opened:  # E: [attr-defined] [attr-defined]
        print(opened, found)


async def wrong() -> None:
    await books.upsert()  # E: [call-arg]
    await books.upsert(5)  # E: [arg-type]
    await books.upsert({"data": []}, options=None)  # E: [call-arg]
    await books.upsert({"data": []}, RequestOptions())  # E: [call-arg]
    await by_mood.search_by_vector({"dense_vector": []}, request_options={"timeout": 5})  # E: [arg-type]
    await client.admin.create_collection(colection_name="books")  # E: [call-arg]
    await client.collection(collection_name="books")  # E: [misc]
    await VikingDB().ping()  # E: [misc]
    await client.call("/api")  # E: [arg-type]
