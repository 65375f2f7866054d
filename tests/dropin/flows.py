"""A program as the official package's examples are written, for the official package and for ours.

It walks the flows of the official examples 1 to 6 over the collections ``text`` and ``vector`` and prints, as one JSON
document, what it saw of them that does not vary from run to run. It cannot tell which package runs it. From the
environment: VIKINGDB_HOST, VIKINGDB_REGION, VIKINGDB_AK and VIKINGDB_SK as the examples have them, and
VIKINGDB_CLOSED_HOST, where nobody listens.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from vikingdb import IAM, RequestOptions
from vikingdb.exceptions import VikingAPIException, VikingException
from vikingdb.vector import (
    AggRequest,
    CollectionClient,
    DeleteDataRequest,
    EmbeddingData,
    EmbeddingModelOpt,
    EmbeddingRequest,
    FetchDataInCollectionRequest,
    FetchDataInIndexRequest,
    FullModalData,
    IndexClient,
    SearchAdvance,
    SearchByIDRequest,
    SearchByKeywordsRequest,
    SearchByMultiModalRequest,
    SearchByRandomRequest,
    SearchByScalarRequest,
    SearchByVectorRequest,
    UpdateDataRequest,
    UpsertDataRequest,
    VikingDB,
)
from vikingdb.vector.exceptions import VikingConnectionException, VikingVectorException

BGE = EmbeddingModelOpt(name="bge-m3")
HARBOUR = {"title": "Harbour", "paragraph": 1, "score": 42.5, "text": "Boats wait in the harbour for the tide."}
LIGHTHOUSE = {"title": "Lighthouse", "paragraph": 2, "score": 91.0, "text": "A lighthouse warns of rocks at night."}
FERRIES = {"title": "Ferries", "paragraph": 3, "score": 78.25, "text": "When the ferry leaves and when it returns."}
CHAPTERS = [HARBOUR, LIGHTHOUSE, FERRIES]


def connect(host: str) -> VikingDB:
    return VikingDB(
        host=host,
        region=os.environ["VIKINGDB_REGION"],
        auth=IAM(ak=os.environ["VIKINGDB_AK"], sk=os.environ["VIKINGDB_SK"]),
        scheme="http",
        timeout=30,
    )


def titles(response: Any) -> list[Any]:
    return [hit.fields.get("title") for hit in response.result.data]


def seen(response: Any) -> dict[str, Any]:
    """What every response shows: its code, and how it prints."""
    printed = json.loads(response.model_dump_json(indent=2, by_alias=True))
    return {"code": response.code, "has an id": bool(response.request_id), "printed": shape(printed)}


def shape(value: Any) -> Any:
    """A document with kinds in place of values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [len(value), *(shape(item) for item in value[:1])]
    return None if value is None else type(value).__name__


def options_of(session: str) -> RequestOptions:
    """Options as the examples' helper makes them: empty first, filled in afterwards."""
    options = RequestOptions()
    options.request_id = session
    options.max_attempts = 5
    options.timeout = 20
    options.headers["X-Session"] = session
    options.query["session"] = session
    return options


def connectivity(client: VikingDB) -> Any:
    """Example 1."""
    index = client.index(collection_name="text", index_name="text_index")
    response = index.search_by_random(SearchByRandomRequest(limit=1))
    return {"hits": len(response.result.data or []), **seen(response)}


def lifecycle(collection: CollectionClient, index: IndexClient) -> Any:
    """Example 2: the id of a row without a key of its own is found by searching."""
    options = options_of("lifecycle-1")
    upserted = collection.upsert(UpsertDataRequest(data=[HARBOUR]), request_options=options)
    query = SearchByMultiModalRequest(
        text="where boats wait", need_instruction=False, limit=1, output_fields=["title", "score"]
    )
    found = index.search_by_multi_modal(query)
    key = found.result.data[0].id
    updated = collection.update(UpdateDataRequest(data=[{"__AUTO_ID__": key, "score": 47.0}]))
    as_mapping = collection.update({"data": [{"__AUTO_ID__": key, "paragraph": 9}]}, request_options=options)
    fetched = collection.fetch(FetchDataInCollectionRequest(ids=[key]))
    item = fetched.result.items[0]
    in_index = index.fetch(FetchDataInIndexRequest(ids=[key], output_fields=["paragraph"]))
    deleted = collection.delete(DeleteDataRequest(ids=[key]))
    gone = collection.fetch({"ids": [key]})
    return {
        "upsert": {"request_id": upserted.request_id, **seen(upserted)},
        "search": {"titles": titles(found), "fields": found.result.data[0].fields, **seen(found)},
        "update": seen(updated),
        "update by mapping": {"request_id": as_mapping.request_id, **seen(as_mapping)},
        "fetch": {
            "same id": item.id == key,
            "id among the fields": item.fields["__AUTO_ID__"] == key,
            "score": float(item.fields.get("score")),
            "paragraph": item.fields["paragraph"],
            "text": item.fields["text"],
            "missing": fetched.result.ids_not_exist,
            **seen(fetched),
        },
        "fetch in index": {
            "fields": in_index.result.items[0].fields,
            "dim": in_index.result.items[0].dense_dim,
            **seen(in_index),
        },
        "delete": {"result": deleted.result, **seen(deleted)},
        "fetch again": {"items": len(gone.result.items), "missing is it": gone.result.ids_not_exist == [key]},
    }


def multi_modal(collection: CollectionClient, index: IndexClient) -> Any:
    """Example 3.1."""
    for chapter in CHAPTERS:
        collection.upsert(UpsertDataRequest(data=[chapter]))
    within = {"op": "range", "field": "paragraph", "gte": 1, "lte": 2}
    good = {"op": "range", "field": "score", "gt": 85.0}
    request = SearchByMultiModalRequest(
        text="What warns ships of rocks at night?",
        need_instruction=False,
        limit=3,
        output_fields=["title", "score", "paragraph"],
        filter=within,
    )
    response = index.search_by_multi_modal(request)
    both = index.search_by_multi_modal(request.model_copy(update={"filter": {"op": "and", "conds": [within, good]}}))
    ids = [hit.id for hit in response.result.data]
    rest = index.search_by_random(SearchByRandomRequest(limit=9, advance=SearchAdvance(ids_not_in=ids)))
    near = index.search_by_id(SearchByIDRequest(id=ids[0], limit=1))
    ordered = index.search_by_scalar(SearchByScalarRequest(field="score", order="asc", output_fields=[]))
    return {
        "titles": titles(response),
        "scores": [hit.score for hit in response.result.data],
        "ann scores": [hit.ann_score for hit in response.result.data],
        "matched": response.result.filter_matched_count,
        "query": response.result.real_text_query,
        **seen(response),
        "both filters": titles(both),
        "not these": titles(rest),
        "by id": {"finds itself": near.result.data[0].id == ids[0], **seen(near)},
        "by scalar": {"scores": [hit.score for hit in ordered.result.data], **seen(ordered)},
    }


def by_vector(client: VikingDB) -> Any:
    """Example 3.2: embed, write the vectors, embed the question, search."""
    collection = client.collection(collection_name="vector")
    index = client.index(collection_name="vector", index_name="vector_index")
    embedding = client.embedding()
    embedded = embedding.embedding(
        EmbeddingRequest(data=[{"text": chapter["text"]} for chapter in CHAPTERS], dense_model=BGE)
    )
    vectors = [[float(number) for number in item.dense] for item in embedded.result.data]
    rows = [{**chapter, "vector": vector} for chapter, vector in zip(CHAPTERS, vectors, strict=True)]
    upserted = collection.upsert(UpsertDataRequest(data=rows))
    asked = embedding.embedding(EmbeddingRequest(data=[{"text": "When does the ferry leave?"}], dense_model=BGE))
    request = SearchByVectorRequest(
        dense_vector=asked.result.data[0].dense,
        limit=2,
        output_fields=["title", "score", "paragraph"],
        filter={"op": "range", "field": "paragraph", "gte": 1, "lt": 4},
    )
    response = index.search_by_vector(request)
    return {
        "dims": [len(vector) for vector in vectors],
        "embedding": seen(embedded),
        "upsert": {"result": upserted.result, **seen(upserted)},
        "titles": titles(response),
        "scores": [hit.score for hit in response.result.data],
        "matched": response.result.filter_matched_count,
        **seen(response),
    }


def by_keywords(index: IndexClient) -> Any:
    """Example 3.3."""
    request = SearchByKeywordsRequest(
        keywords=["ferry"],
        limit=2,
        output_fields=["title", "score"],
        filter={"op": "range", "field": "paragraph", "gte": 1, "lt": 4},
    )
    response = index.search_by_keywords(request)
    return {"titles": titles(response), "scores": [hit.score for hit in response.result.data], **seen(response)}


def aggregate(index: IndexClient) -> Any:
    """Example 4, and the condition its test has."""
    response = index.aggregate(AggRequest(field="paragraph", op="count", cond={"gte": 1}))
    more = index.aggregate(AggRequest(field="paragraph", op="count", cond={"gt": 1}))
    total = index.aggregate({"op": "count"})
    return {
        "agg": response.result.agg,
        "op": response.result.op,
        "field": response.result.field,
        "none so many": more.result.agg,
        "total": total.result.agg,
        **seen(response),
    }


def embeddings(client: VikingDB) -> Any:
    """Examples 5.1 and 5.2."""
    embedding = client.embedding()
    vision = EmbeddingModelOpt(name="doubao-embedding-vision", version="250615")
    sequence = EmbeddingData(full_modal_seq=[FullModalData(text="A short prompt of one modality.")])
    multi = embedding.embedding(EmbeddingRequest(dense_model=vision, sparse_model=BGE, data=[sequence]))
    text = EmbeddingData(text="Dense and sparse at once.")
    both = embedding.embedding(EmbeddingRequest(dense_model=BGE, sparse_model=BGE, data=[text]))
    return {
        "multi-modal": {"dim": len(multi.result.data[0].dense), **seen(multi)},
        "dense and sparse": {
            "dim": len(both.result.data[0].dense),
            "weights": both.result.data[0].sparse,
            "usage": both.result.token_usage,
            **seen(both),
        },
    }


def exceptions(client: VikingDB, collection: CollectionClient, index: IndexClient) -> Any:
    """Example 6, and what else a service refuses."""
    once = RequestOptions(max_attempts=1, request_id="refused-1")
    unknown = client.index(collection_name="unknown", index_name="unknown")
    no_index = client.index(collection_name="text", index_name="unknown")
    nowhere = {"op": "must", "field": "nowhere", "conds": [1]}
    calls = {
        "unknown collection": lambda: unknown.search_by_random(SearchByRandomRequest(limit=1), request_options=once),
        "unknown index": lambda: no_index.search_by_random({"limit": 1}, request_options=once),
        "unknown row": lambda: index.search_by_id(SearchByIDRequest(id=1), request_options=once),
        "no such field": lambda: index.search_by_random({"filter": nowhere}, request_options=once),
        "nothing to search by": lambda: index.search_by_multi_modal({"limit": 1}, request_options=once),
        "too many rows": lambda: collection.upsert({"data": CHAPTERS}, request_options=once),
        "retried by habit": lambda: unknown.search_by_random(SearchByRandomRequest(limit=1)),
    }
    return {what: caught(call) for what, call in calls.items()}


def caught(call: Any) -> Any:
    try:
        call()
    except VikingVectorException as error:
        return {
            "class": type(error).__name__,
            "code": error.code,
            "message": error.message,
            "request_id": error.request_id if error.request_id == "refused-1" else bool(error.request_id),
            "status": error.status_code,
            "says": [part in str(error) for part in (error.message, error.code, error.request_id)],
            "is a VikingException": isinstance(error, VikingException),
            "is a VikingAPIException": isinstance(error, VikingAPIException),
        }


def unreachable() -> Any:
    """Nobody listens. The examples would catch it around the client and its first call."""
    stage = "building the client"
    try:
        client = connect(os.environ["VIKINGDB_CLOSED_HOST"])
        stage = "first call"
        index = client.index(collection_name="text", index_name="text_index")
        index.search_by_random({"limit": 1}, request_options=RequestOptions(max_attempts=1))
    except VikingConnectionException as error:
        return {"stage": stage, "is a VikingException": isinstance(error, VikingException)}


def main() -> None:
    client = connect(os.environ["VIKINGDB_HOST"])
    collection = client.collection(collection_name="text")
    index = client.index(collection_name="text", index_name="text_index")
    document = {
        "1 connectivity, empty": connectivity(client),
        "2 lifecycle": lifecycle(collection, index),
        "3.1 multi-modal": multi_modal(collection, index),
        "3.2 vector": by_vector(client),
        "3.3 keywords": by_keywords(index),
        "4 aggregate": aggregate(index),
        "5 embedding": embeddings(client),
        "6 exceptions": exceptions(client, collection, index),
        "1 connectivity": connectivity(client),
        "unreachable": unreachable(),
    }
    json.dump(document, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
