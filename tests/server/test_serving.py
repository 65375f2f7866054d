"""``vikingdb-local serve``: who is served, what is refused, and how it starts and stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import AK, API_KEY, FIELDS, SK
from tests.server.raw import ask, head, read
from tests.support.reference_signer import DATE_FORMAT, sign
from tests.support.served import HASHED, Served
from tests.support.server import CERTIFICATE
from vikingdb import IAM, APIKey
from vikingdb_core.exceptions import AuthModeError, ConfigError, PermissionDenied
from vikingdb_vector import VikingDB

LIST = "/?Action=ListVikingdbCollection&Version=2025-06-09"
SEARCH = "/api/vikingdb/data/search/random"

Make = Callable[[VikingDB], str]


def refused_start(*arguments: str, **environment: str) -> str:
    """What is said by a server that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "vikingdb_local", "serve", "--port", "0", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stdout
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


# --- without keys ---------------------------------------------------------------------------------------------------


def test_a_client_uses_it_like_the_service(served: Served, collection: Make) -> None:
    with VikingDB(endpoint=served.url) as db:
        name = collection(db)
        db.collection(collection_name=name).upsert({"data": [{"id": 1, "title": "灯塔", "vec": [1, 0, 0, 0]}]})
        hits = db.index(collection_name=name, index_name="i").search_by_vector({"dense_vector": [1, 0, 0, 0]})
    assert [(hit.id, hit.fields["title"]) for hit in hits.result.data] == [(1, "灯塔")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ping_answers_both_methods(served: Served, method: str) -> None:
    answer = ask(served.port, "/api/vikingdb/Ping", b"" if method == "POST" else None, method=method)
    assert (answer.status, answer.document["code"]) == (200, "Success")


def test_answers_have_the_date_the_request_s_id_and_no_server_name(served: Served) -> None:
    answer = ask(served.port, LIST, headers={"X-Tt-Logid": "id-of-mine"})
    assert answer.headers["x-tt-logid"] == answer.document["ResponseMetadata"]["RequestId"] == "id-of-mine"
    assert abs(parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers


@pytest.mark.parametrize("given", ["x" * 500, "a\x7fb", "caf\xe9"])
def test_an_id_that_no_header_should_have_is_not_echoed(served: Served, given: str) -> None:
    answer = ask(served.port, LIST, headers={"X-Tt-Logid": given})
    assert answer.status == 200
    assert answer.headers["x-tt-logid"] != given


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "10.0.0.1", "localhost.evil.example", "", "[::2]"])
@pytest.mark.parametrize("target", [LIST, "/", "/openapi.json", "/api/vikingdb/Ping"])
def test_without_keys_another_host_is_refused(served: Served, host: str, target: str) -> None:
    """A page whose name was made to point here sends its own name."""
    method, body = ("GET", None) if target in ("/", "/openapi.json") else ("POST", b"{}")
    answer = ask(served.port, target, body, method=method, headers={"Host": host})
    assert answer.status in (400, 403)
    if answer.status == 403:
        assert b"Host header" in answer.body


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:80.evil", "[::1]evil.example", "[::1", "localhost:evil", "::1%evil", "[::1%evil]", "127.0.0.1:80:1"],
)
def test_a_host_that_only_begins_like_this_machine_is_refused(served: Served, host: str) -> None:
    answer = ask(served.port, LIST, headers={"Host": host})
    assert (answer.status, b"Host header" in answer.body) == (403, True)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.9.9.9:1", "[::1]:80", "[::1]", "::1"]
)
def test_names_of_this_machine_are_taken(served: Served, host: str) -> None:
    assert ask(served.port, LIST, headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"]
)
def test_without_keys_what_a_page_can_send_unasked_is_refused(served: Served, kind: str) -> None:
    for target in (LIST, SEARCH):
        answer = ask(served.port, target, b"{}", headers={"Content-Type": kind})
        assert answer.status == 400
        assert b"application/json" in answer.body


def test_a_page_that_asks_first_is_told_nothing(served: Served) -> None:
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = ask(served.port, SEARCH, None, method="OPTIONS", headers=asking)
    assert answer.status == 400
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("target", ["/a%0a/", "/%0a", "*", "foo", "//evil.example/", "http:"])
def test_every_target_is_answered_in_one_shape_and_guarded(served: Served, target: str) -> None:
    answer = ask(served.port, target)
    assert (answer.status, answer.document["code"]) == (404, "NotFound.Path")
    assert ask(served.port, target, headers={"Host": "evil.example"}).status == 403


@pytest.mark.parametrize(("target", "is_control"), [(LIST, True), ("/api/vikingdb/Ping", False)])
def test_a_whole_url_is_taken_as_its_path(served: Served, target: str, is_control: bool) -> None:
    answer = ask(served.port, f"http://127.0.0.1:{served.port}{target}")
    assert answer.status == 200
    assert ("ResponseMetadata" in answer.document) == is_control
    assert ask(served.port, f"http://127.0.0.1{target}", headers={"Host": "evil.example"}).status == 403


def test_it_does_not_listen_elsewhere_without_keys() -> None:
    assert "without keys the server listens on this machine alone" in refused_start("--host", "0.0.0.0")


# --- keys -----------------------------------------------------------------------------------------------------------


def test_signed_requests_and_api_keys_are_served(keyed: Served, collection: Make) -> None:
    with VikingDB(endpoint=keyed.url, auth=IAM(ak=AK, sk=SK)) as db:
        name = collection(db)
    with VikingDB(endpoint=keyed.url, auth=APIKey(API_KEY)) as db:
        assert db.index(collection_name=name, index_name="i").search_by_random().result.data == []
        with pytest.raises(AuthModeError):
            db.admin.list_collections()


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        (IAM(ak=AK, sk="wrong"), "signature does not match"),
        (IAM(ak="AKOTHER", sk=SK), "is not known"),
        (APIKey("wrong"), "API key is not known"),
    ],
)
def test_wrong_keys_are_refused(keyed: Served, auth: Any, why: str) -> None:
    with VikingDB(endpoint=keyed.url, auth=auth, retry=1) as db, pytest.raises(PermissionDenied, match=why):
        db.index(collection_name="c", index_name="i").search_by_random()


def test_no_key_is_refused_on_both_planes_in_their_shapes(keyed: Served) -> None:
    data, control = ask(keyed.port, SEARCH), ask(keyed.port, LIST)
    assert (data.status, data.document["code"], control.status) == (403, "AccessDenied", 403)
    assert "Authorization" in data.document["message"]
    assert control.document["ResponseMetadata"]["Error"]["Code"] == "AccessDenied"


def test_who_has_no_key_is_refused_before_the_body(keyed: Served) -> None:
    length = 60_000_000
    stale = {"Authorization": f"HMAC-SHA256 Credential={AK}/20260102/r/vikingdb/request, SignedHeaders=a, Signature=b"}
    for authorization in ({}, {"Authorization": "Bearer wrong"}, stale):
        with socket.create_connection(("127.0.0.1", keyed.port), timeout=20) as connection:
            headers = {"Host": "127.0.0.1", "Content-Type": "application/json", **authorization}
            connection.sendall(head("POST", SEARCH, headers, length))
            answer = read(connection)
        assert (answer.status, answer.headers["connection"]) == (403, "close")


def test_who_signed_another_body_is_refused(keyed: Served) -> None:
    headers = {"Host": f"127.0.0.1:{keyed.port}", "Content-Type": "application/json"}
    x_date = datetime.now(UTC).strftime(DATE_FORMAT)
    signed = sign("POST", SEARCH, [], headers, b"{}", access_key=AK, secret_key=SK, region="r", x_date=x_date)
    answer = ask(keyed.port, SEARCH, b"{ }", headers=signed)
    assert (answer.status, "not the hash of the body" in answer.document["message"]) == (403, True)


def test_a_key_that_is_sent_in_the_wrong_form_is_not_shown(keyed: Served) -> None:
    answer = ask(keyed.port, SEARCH, headers={"Authorization": API_KEY})
    assert (answer.status, API_KEY.encode() in answer.body) == (403, False)
    assert "send the API key as a bearer token" in answer.document["message"]


def test_an_api_key_is_nothing_to_the_control_plane(keyed: Served) -> None:
    answer = ask(keyed.port, LIST, headers={"Authorization": f"Bearer {API_KEY}"})
    assert answer.status == 403
    assert "data plane" in answer.document["ResponseMetadata"]["Error"]["Message"]


def test_ping_and_the_page_need_no_key_and_tell_nothing(keyed: Served, collection: Make) -> None:
    with VikingDB(endpoint=keyed.url, auth=IAM(ak=AK, sk=SK)) as db:
        name = collection(db)
    assert ask(keyed.port, "/api/vikingdb/Ping", None, method="GET").status == 200
    page = ask(keyed.port, "/", None, method="GET").body.decode()
    assert "is up" in page
    assert f">{name}<" not in page


def test_a_request_of_an_hour_ago_is_refused(keyed: Served) -> None:
    x_date = (datetime.now(UTC) - timedelta(hours=1)).strftime(DATE_FORMAT)
    headers = {"Host": f"127.0.0.1:{keyed.port}", "Content-Type": "application/json"}
    signed = sign("POST", SEARCH, [], headers, b"{}", access_key=AK, secret_key=SK, region="r", x_date=x_date)
    answer = ask(keyed.port, SEARCH, headers=signed)
    assert answer.status == 403
    assert "60 minutes behind" in answer.document["message"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "no keys: it answers programs on this machine"),
        (("--api-key", "key1"), "no access keys: nobody can make collections"),
        (("--access-key", AK, "--secret-key", SK), "keys: requests have to be signed\n"),
        (("--access-key", AK, "--secret-key", SK, "--api-key", "key1"), "have to be signed, or bear the API key\n"),
    ],
)
def test_the_greeting_says_who_may_call(options: tuple[str, ...], says: str) -> None:
    with Served(*HASHED, *options) as server:
        assert says in server.greeting


def test_keys_come_from_a_file_and_temporary_ones_need_their_token(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(f'access_key = "{AK}"\nsecret_key = "{SK}"\nsession_token = "right"\n')
    with Served(*HASHED, "--keys", file, "--region", "cn-beijing") as server:
        with VikingDB(endpoint=server.url, region="cn-beijing", auth=IAM(ak=AK, sk=SK), sts_token="right") as db:
            assert db.admin.list_collections().result.total_count == 0
        for options in ({"sts_token": "wrong"}, {}, {"sts_token": "right", "region": "cn-shanghai"}):
            chosen: Any = {"region": "cn-beijing", "retry": 1, **options}
            db = VikingDB(endpoint=server.url, auth=IAM(ak=AK, sk=SK), **chosen)
            with db, pytest.raises(PermissionDenied):
                db.admin.list_collections()
        log = server.stop()
    assert SK not in server.greeting + log
    assert "right" not in server.greeting + log


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("access_key", "is no TOML"),
        ('acces_key = "a"', "Did you mean 'access_key'"),
        ("access_key = 5", "must be a string"),
        ('access_key = "secret-looking"', "there is no secret key"),
    ],
)
def test_a_file_of_keys_that_is_none_is_refused_without_showing_it(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)
    said = refused_start("--keys", str(file))
    assert why in said
    assert "secret-looking" not in said


# --- bodies ---------------------------------------------------------------------------------------------------------


def test_a_body_beyond_the_cap_is_refused_and_the_connection_closed() -> None:
    with Served(*HASHED, "--max-body-mb", "1") as server:
        answer = ask(server.port, SEARCH, b" " * (1024 * 1024 + 1))
        assert (answer.status, answer.document["code"]) == (413, "InvalidParameter")
        assert answer.headers["connection"] == "close"
        assert ask(server.port, LIST, b"{}" + b" " * (1024 * 1024 - 2)).status == 200


@pytest.mark.parametrize(("target", "length"), [(LIST, 64 * 1024 * 1024 + 1), ("/api/vikingdb/Ping", 5000)])
def test_a_length_beyond_the_cap_is_refused_before_the_body(served: Served, target: str, length: int) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        headers = {"Host": "127.0.0.1", "Content-Type": "application/json"}
        connection.sendall(head("POST", target, headers, length))
        answer = read(connection)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_a_chunked_body_is_read(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        headers = {"Host": "127.0.0.1", "Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        connection.sendall(head("POST", LIST, headers, None) + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
        assert read(connection).status == 200


# --- pages ----------------------------------------------------------------------------------------------------------


def test_the_page_shows_what_is_there_and_escapes_it(served: Served, collection: Make) -> None:
    with VikingDB(endpoint=served.url) as db:
        name = collection(db)
        db.collection(collection_name=name).upsert({"data": [{"id": 1, "title": "a", "vec": [1, 0, 0, 0]}]})
    answer = ask(served.port, "/", None, method="GET")
    text = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert f">{name}<" in text
    assert "vector.data.upsert" in text
    assert "<script" not in ask(served.port, "/?<script>alert(1)</script>", None, method="GET").body.decode()


def test_the_page_says_when_there_are_more_collections_than_it_shows() -> None:
    with Served(*HASHED) as server:
        with VikingDB(endpoint=server.url) as db:
            for number in range(100):
                db.admin.create_collection(collection_name=f"c{number}", fields=FIELDS)
            assert b"The first" not in ask(server.port, "/", None, method="GET").body
            db.admin.create_collection(collection_name="more", fields=FIELDS)
        assert b"The first 100 of 101." in ask(server.port, "/", None, method="GET").body


# --- starting and stopping ------------------------------------------------------------------------------------------


def test_tls_is_served(tmp_path: Path) -> None:
    with Served(*HASHED, "--tls-cert", CERTIFICATE) as server:
        assert server.url.startswith("https://")
        with VikingDB(endpoint=server.url, verify=str(CERTIFICATE)) as db:
            db.ping()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--tls-cert", "absent.pem"], "there is no such file"),
        (["--tls-key", "absent.pem"], "of no use without --tls-cert"),
        (["--fault", "nonsense"], "there is no fault 'nonsense'"),
        (["--fault", "500:0.1&lattency_ms=5"], "Did you mean 'latency_ms'"),
        (["--seed", "walktrough"], "Did you mean 'walkthrough'"),
        (["--access-key", "a"], "there is no secret key"),
        (["--session-token", "a"], "goes with an access key"),
        (["--data", ""], "--data is empty"),
        (["--max-body-mb", "0"], "at least 1"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(arguments: list[str], why: str) -> None:
    assert why in refused_start(*arguments)


def test_a_port_that_is_taken_is_refused(served: Served) -> None:
    assert "cannot listen on 127.0.0.1" in refused_start("--port", str(served.port))


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    with Served(*HASHED, "--data", tmp_path / "db") as server:
        assert "open in another process" in refused_start("--data", str(tmp_path / "db"))
        with pytest.raises(ConfigError, match="open in another process"):
            VikingDB(endpoint=f"local://{tmp_path.as_posix()}/db").ping()
        server.stop()
        with VikingDB(endpoint=f"local://{tmp_path.as_posix()}/db") as db:
            assert db.admin.list_collections().result.total_count == 0


def test_variables_of_other_servers_are_none_of_ours() -> None:
    with Served(*HASHED, environment={"WEB_CONCURRENCY": "abc"}) as server:
        assert ask(server.port, "/api/vikingdb/Ping", None, method="GET").status == 200
        assert "Traceback" not in server.stop()


def test_sample_data_is_there_when_asked_for() -> None:
    with Served(*HASHED, "--seed", "walkthrough") as server, VikingDB(endpoint=server.url) as db:
        assert {each.collection_name for each in db.admin.iter_collections()} == {"text", "vector"}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_is_finished_and_kept_when_it_is_told_to_stop(tmp_path: Path, how: signal.Signals) -> None:
    folder = tmp_path / "db"
    row = {"id": 1, "title": "in flight", "vec": [1, 0, 0, 0]}
    body = json.dumps({"collection_name": "c", "data": [row]}).encode()
    headers = {"Host": "127.0.0.1", "Content-Type": "application/json", "Expect": "100-continue"}
    with Served(*HASHED, "--data", folder) as server:
        with VikingDB(endpoint=server.url) as db:
            db.admin.create_collection(collection_name="c", fields=FIELDS)
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(head("POST", "/api/vikingdb/data/upsert", headers, len(body)))
            assert connection.recv(1024).startswith(b"HTTP/1.1 100")  # it is being worked on
            server.process.send_signal(how)
            connection.sendall(body)
            answer = read(connection)
        server.stop()
    assert (answer.status, answer.document["code"]) == (200, "Success")
    assert server.process.returncode == 0
    with VikingDB(endpoint=f"local://{folder.as_posix()}?embedder=hash-v1") as db:
        assert db.collection(collection_name="c").fetch({"ids": [1]}).result.items[0].fields["title"] == "in flight"


def test_clients_that_are_idle_do_not_keep_it_from_stopping() -> None:
    with Served(*HASHED) as server, VikingDB(endpoint=server.url) as db:
        db.ping()
        with socket.create_connection(("127.0.0.1", server.port)):
            server.stop()
        assert server.process.returncode == 0


def test_help_says_what_there_is() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vikingdb_local", "serve", "--help"], capture_output=True, text=True, timeout=60
    )
    for option in ("--host", "--port", "--data", "--access-key", "--api-key", "--seed", "--tls-cert", "--fault"):
        assert option in done.stdout
