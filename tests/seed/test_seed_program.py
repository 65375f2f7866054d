"""The program that started the project, word for word but for endpoint, credentials, and the collection made before."""

from __future__ import annotations

from vikingdb import IAM
from vikingdb.vector import UpsertDataRequest, VikingDB

ENDPOINT = "local://seed?embedder=hash-v1"


def test_the_seed_program_runs_unchanged() -> None:
    _create_collection_and_index()

    client = VikingDB(
        endpoint=ENDPOINT,
        region="cn-beijing",
        timeout=30.0,
        user_agent="vikingdb-python-sdk-demo",
        auth=IAM("<AK>", "<SK>"),
    )
    collection = client.collection(collection_name="demo_collection")
    index = client.index(collection_name="demo_collection", index_name="demo_index")
    embedding = client.embedding()

    response = collection.upsert(
        UpsertDataRequest(data=[{"title": "Demo Chapter", "paragraph": 1, "score": 42.0, "text": "hello vikingdb"}])
    )
    request_id, result = response.request_id, response.result
    search_response = index.search_by_random({"limit": 1})

    assert request_id
    assert result is not None
    assert result.token_usage
    assert len(search_response.result.data) == 1
    assert search_response.result.data[0].fields["title"] == "Demo Chapter"
    embedded = embedding.embedding({"dense_model": {"name": "bge-m3"}, "data": [{"text": "hello"}]})
    assert len(embedded.result.data[0].dense or []) == 1024


def _create_collection_and_index() -> None:
    with VikingDB(endpoint=ENDPOINT) as client:
        client.admin.create_collection(
            {
                "CollectionName": "demo_collection",
                "Fields": [
                    {"FieldName": "title", "FieldType": "string"},
                    {"FieldName": "paragraph", "FieldType": "int64"},
                    {"FieldName": "score", "FieldType": "float32"},
                    {"FieldName": "text", "FieldType": "text"},
                ],
                "Vectorize": {"Dense": {"ModelName": "bge-m3", "TextField": "text"}},
            }
        )
        client.admin.create_index(
            {
                "CollectionName": "demo_collection",
                "IndexName": "demo_index",
                "VectorIndex": {"IndexType": "hnsw", "Distance": "ip"},
            }
        )
