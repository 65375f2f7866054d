"""Requests by model, mapping or keywords, and the types of what comes back."""

from collections.abc import Iterator, Mapping
from typing import Any, assert_type

import numpy as np

from vikingdb.vector import (
    AggRequest,
    DeleteDataRequest,
    EmbeddingData,
    EmbeddingModelOpt,
    EmbeddingRequest,
    FetchDataInCollectionRequest,
    SearchAdvance,
    SearchByIDRequest,
    SearchByVectorRequest,
    UpsertDataRequest,
    VikingDB,
)
from vikingdb_core.filters import F
from vikingdb_vector.models import (
    CollectionField,
    CollectionInfo,
    CreateCollectionRequest,
    DataItem,
    FieldType,
    IndexInfo,
    SearchItemResult,
    VectorIndex,
)

client = VikingDB()
books = client.collection(collection_name="books")
index = client.index(collection_name="books", index_name="by_mood")

# Rows: any mapping; a request: a model or a mapping.
books.upsert({"data": [{"id": 1, "mood": [0.5]}]})
books.upsert(UpsertDataRequest(data=[{"id": 1, "mood": np.array([0.5])}], async_write=True, ttl=60))
books.upsert(UpsertDataRequest(data=({"id": 1},)))
books.upsert()  # E: [call-arg]
books.upsert([{"id": 1}])  # E: [arg-type]
books.upsert({"data": []}, timeout=5)  # E: [call-arg]
UpsertDataRequest()  # E: [call-arg]
UpsertDataRequest(data=5)  # E: [arg-type]
UpsertDataRequest(data=[1])  # E: [list-item]
UpsertDataRequest(data=[], ttl="soon")  # E: [arg-type]
DeleteDataRequest(ids=[1, "x"])
DeleteDataRequest(ids=[1.5])  # E: [list-item]
DeleteDataRequest(ids=1)  # E: [arg-type]

# Vectors: lists, tuples and arrays.
SearchByVectorRequest(dense_vector=[0.5, 1], limit=5, filter=F("price") < 20, output_fields=["title"])
SearchByVectorRequest(dense_vector=(0.5, 1.0), filter={"op": "range", "field": "price", "lt": 20})
SearchByVectorRequest(dense_vector=np.array([0.5], dtype=np.float32), advance=SearchAdvance(ids_in=[]))
SearchByVectorRequest()  # E: [call-arg]
SearchByVectorRequest(dense_vector=["0.5"])  # E: [list-item]
SearchByVectorRequest(dense_vector=0.5)  # E: [arg-type]
SearchByVectorRequest(dense_vector=[0.5], limit="5")  # E: [arg-type]
SearchByVectorRequest(dense_vector=[0.5], filter="price < 20")  # E: [arg-type]
SearchByVectorRequest(dense_vector=[0.5], advance=5)  # E: [arg-type]
SearchByIDRequest(id=1.5)  # E: [arg-type]
AggRequest()  # E: [call-arg]

# Results.
fetched = books.fetch(FetchDataInCollectionRequest(ids=[1])).result
assert_type(fetched.items, list[DataItem])
assert_type(fetched.items[0].id, int | str)
assert_type(fetched.items[0].fields, dict[str, Any])
assert_type(fetched.ids_not_exist, list[int | str])

found = index.search_by_vector({"dense_vector": [0.5]}).result
assert_type(found.data, list[SearchItemResult])
assert_type(found.data[0].score, float | None)
assert_type(found.total_return_count, int | None)
assert_type(found.schema, Mapping[str, Any] | None)
print(found.hits)  # E: [attr-defined]
print(found.data[0].titel)  # E: [attr-defined]
print(found.data[0].score + 1)  # E: [operator]

usage = books.upsert({"data": []})
print(usage.result.token_usage)  # E: [union-attr]
assert_type(usage.code, str | int | None)
assert_type(index.aggregate({"op": "count"}).result.total, int)
assert_type(index.aggregate({"op": "count"}).result.groups, dict[str, int])
assert_type(index.search_by_random().result.data, list[SearchItemResult])

request = EmbeddingRequest(data=[EmbeddingData(text="a")], dense_model=EmbeddingModelOpt(name="bge-m3"))
assert_type(client.embedding().embedding(request).result.data[0].dense, list[float] | None)
EmbeddingRequest(data=["a"])  # E: [list-item]

# The control plane: keywords, a model or a mapping.
fields = [CollectionField(field_name="id", field_type=FieldType.INT64, is_primary_key=True)]
created = client.admin.create_collection(collection_name="books", fields=fields)
assert_type(created.result.resource_id, str | None)
client.admin.create_collection(CreateCollectionRequest(collection_name="books", fields=fields))
client.admin.create_collection({"CollectionName": "books"})
client.admin.create_index(collection_name="books", index_name="i", vector_index=VectorIndex(index_type="flat"))
client.admin.create_index(collection_name="books", index_name="i", vector_index={"index_type": "flat"}, scalar_index=[])
assert_type(client.admin.iter_collections(), Iterator[CollectionInfo])
assert_type([info.status for info in client.admin.iter_indexes()], list[str | None])
assert_type(client.admin.get_index(collection_name="books", index_name="i").result, IndexInfo)
client.admin.create_collection(collection_name=5)  # E: [arg-type]
client.admin.create_collection(fields=["id"])  # E: [list-item]
client.admin.create_collection("books")  # E: [arg-type]
client.admin.get_index(collection_name="books", name="i")  # E: [call-arg]
client.admin.list_collections(page_size="5")  # E: [arg-type]
