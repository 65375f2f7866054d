"""Mistakes a user makes: each gives one clear exception of the tree, says what to do, and leaves nothing half-done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.reference_signer import verify
from vikingdb import IAM
from vikingdb.exceptions import ConfigError, InvalidRequest, PermissionDenied, PluginLoadError, UnknownOption
from vikingdb.vector import AggRequest, InvalidParameter, RequestOptions, VikingDB

LOCAL = "local://?embedder=hash-v1"


@pytest.fixture
def books() -> Iterator[VikingDB]:
    with VikingDB(endpoint=LOCAL) as client:
        client.admin.create_collection(
            collection_name="books",
            fields=[
                {"field_name": "id", "field_type": "int64", "is_primary_key": True},
                {"field_name": "mood", "field_type": "vector", "dim": 4},
            ],
        )
        client.admin.create_index(
            collection_name="books", index_name="by_mood", vector_index={"index_type": "flat", "distance": "ip"}
        )
        yield client


def write(client: VikingDB, request: Any) -> None:
    client.collection(collection_name="books").upsert(request)


def upsert(client: VikingDB, *rows: Any, **extra: Any) -> None:
    write(client, {"data": list(rows), **extra})


def row(*mood: Any) -> dict[str, Any]:
    return {"id": 1, "mood": mood[0] if len(mood) == 1 else list(mood)}


def search(client: VikingDB, **request: Any) -> None:
    client.index(collection_name="books", index_name="by_mood").search_by_vector(request)


GOOD = [0.1, 0.2, 0.3, 0.4]
NAN = float("nan")
OTHER_REQUEST = AggRequest(op="count")
REQUESTS: list[tuple[str, Callable[[VikingDB], None], type[Exception], str]] = [
    ("a row that is no mapping", lambda c: upsert(c, ["id", 1]), InvalidRequest, r"data\[0\].*dictionary"),
    ("NaN in a vector", lambda c: upsert(c, row(0.1, NAN, 0, 0)), InvalidRequest, r"data\[0\]\.mood\[1\] is nan"),
    ("infinity in an array", lambda c: upsert(c, row(np.array([0, 0, np.inf, 0]))), InvalidRequest, "position 2"),
    ("NaN in a query", lambda c: search(c, dense_vector=[NAN] * 4), InvalidRequest, "dense_vector"),
    ("a wrong dimension on write", lambda c: upsert(c, row(0.1, 0.2)), InvalidParameter, "mood.*4"),
    ("a wrong dimension in a query", lambda c: search(c, dense_vector=[0.1] * 8), InvalidParameter, "4"),
    ("words for a vector", lambda c: search(c, dense_vector="0.1, 0.2"), InvalidRequest, "sequence of numbers"),
    ("another collection", lambda c: upsert(c, row(*GOOD), collection_name="x"), InvalidRequest, "bound to"),
    ("another resource id", lambda c: upsert(c, row(*GOOD), resource_id="vdb-x"), InvalidRequest, "bound handle"),
    ("a handle on nothing", lambda c: c.collection().upsert({"data": []}), InvalidRequest, "name collection_name or"),
    ("a list for a request", lambda c: write(c, [{"id": 1}]), InvalidRequest, "UpsertDataRequest or a mapping"),
    ("a model of another method", lambda c: write(c, OTHER_REQUEST), InvalidRequest, "UpsertDataRequest"),
]


@pytest.mark.parametrize(("mistake", "make", "error", "says"), REQUESTS, ids=[case[0] for case in REQUESTS])
def test_a_wrong_request_changes_nothing(
    mistake: str, make: Callable[[VikingDB], None], error: type[Exception], says: str, books: VikingDB
) -> None:
    upsert(books, {"id": 7, "mood": GOOD})
    with pytest.raises(error, match=says):
        make(books)
    index = books.index(collection_name="books", index_name="by_mood")
    assert [hit.id for hit in index.search_by_random({"limit": 10}).result.data] == [7]


def test_a_collection_name_and_the_resource_id_of_another_are_refused(books: VikingDB) -> None:
    made = books.admin.create_collection(
        collection_name="other", fields=[{"field_name": "id", "field_type": "int64", "is_primary_key": True},
                                         {"field_name": "mood", "field_type": "vector", "dim": 4}]
    )  # fmt: skip
    both = books.collection(collection_name="books", resource_id=made.result.resource_id)
    with pytest.raises(InvalidParameter, match="resource_id"):
        both.upsert({"data": [{"id": 1, "mood": GOOD}]})
    agreeing = books.collection(collection_name="other", resource_id=made.result.resource_id)
    agreeing.upsert({"data": [{"id": 1, "mood": GOOD}]})


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"timeuot": 3}, UnknownOption, "Did you mean 'timeout'"),
        ({"endpoint": "grpc://host"}, ConfigError, "grpc://.*https://.*local://"),
        ({"endpoint": "locl://demo"}, ConfigError, "locl://"),
        ({"endpoint": "https://host", "host": "host"}, ConfigError, "not both"),
        ({"region": "cn-nowhere", "auth": IAM("ak", "sk")}, ConfigError, "cn-beijing"),
        ({"endpoint": LOCAL, "timeout": -1}, ConfigError, "timeout"),
        ({"endpoint": LOCAL, "auth": IAM}, ConfigError, "did you mean IAM"),
        ({"endpoint": LOCAL, "plugins": ["otle"]}, PluginLoadError, "otle"),
        ({"endpoint": LOCAL, "retry": 0}, ConfigError, "max_attempts"),
    ],
)
def test_a_wrong_client_is_not_built(options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        VikingDB(**options)


def test_a_misspelt_endpoint_option_is_suggested_at_the_first_call() -> None:
    client = VikingDB(endpoint="local://?embeder=hash-v1")
    with pytest.raises(ConfigError, match="Did you mean 'embedder'"):
        client.ping()


def test_a_misspelt_request_option_is_suggested() -> None:
    with pytest.raises(UnknownOption, match="Did you mean 'max_attempts'"):
        RequestOptions(max_attemps=2)  # type: ignore[arg-type]


def test_a_broken_profile_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "config.toml"
    broken.write_text("[default\nregion = ")
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(broken))
    with pytest.raises(ConfigError, match=r"config\.toml cannot be read"):
        VikingDB(endpoint=LOCAL)


@pytest.mark.parametrize(
    ("auth", "minutes_off", "says"),
    [(IAM("AKDEMO", "SKWRONG"), 0, "check the keys"), (IAM("AKDEMO", "SKDEMO"), 90, "clock is 90 minutes ahead")],
)
def test_wrong_credentials_are_refused_once_with_what_to_check(auth: IAM, minutes_off: int, says: str) -> None:
    with _signed_server(minutes_off) as (endpoint, answered), VikingDB(endpoint=endpoint, auth=auth) as client:
        with pytest.raises(PermissionDenied, match="signature") as caught:
            client.index(collection_name="books", index_name="by_mood").search_by_random()
        assert answered == [403]
    assert caught.value.code == "AccessDenied"
    assert caught.value.status_code == 403
    assert says in "".join(caught.value.__notes__)


class _signed_server:
    """A loopback server that accepts one key pair and checks signatures as the specification says."""

    def __init__(self, minutes_off: int) -> None:
        self.answered: list[int] = []
        answered, ahead = self.answered, minutes_off * 60

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                now = datetime.now(UTC) - timedelta(seconds=ahead)
                refusal = verify("POST", self.path, dict(self.headers), body, secrets={"AKDEMO": "SKDEMO"}, now=now)
                answer = b'{"code":"AccessDenied","message":"signature check failed","request_id":"r"}'
                answered.append(403 if refusal else 200)
                self.send_response_only(answered[-1])
                self.send_header("Date", self.date_time_string(now.timestamp()))
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> tuple[str, list[int]]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}", self.answered

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
