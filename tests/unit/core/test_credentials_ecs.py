"""Keys from the metadata of a cloud server: how they are asked for, and what is done where there are none."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.platform import FakeMetadata
from tests.support.server import Connection, LoopbackServer, free_port
from tests.unit.vector.fakes import READ, FakeTransport, Toy, reply
from vikingdb_core.credentials import IAM, Credentials, ECSRole
from vikingdb_core.credentials.base import within
from vikingdb_core.effects import Timeouts
from vikingdb_core.exceptions import ConfigError, DeadlineExceeded, MissingCredentials, RequestTimeout

ROLES = "/volcstack/latest/iam/security_credentials"


@pytest.fixture
def metadata() -> Iterator[FakeMetadata]:
    with FakeMetadata("search", "other") as server:
        yield server


def test_the_keys_of_a_role_are_asked_for_with_a_session_token(metadata: FakeMetadata) -> None:
    keys = ECSRole("other", endpoint=metadata.url).load()
    assert (keys.access_key, keys.secret_key, keys.session_token) == ("AKECS1", "SKECS1", "STSECS1")
    assert keys.expires_at is not None
    assert [(received.method, received.target) for received in metadata.received] == [
        ("PUT", "/latest/api/token"),
        ("GET", f"{ROLES}/other"),
    ]


@pytest.mark.parametrize("listed", [b'["search", "other"]', b"search\nother\n", b'["", "search"]'])
def test_without_a_role_the_first_of_the_server_is_taken(metadata: FakeMetadata, listed: bytes) -> None:
    metadata.answers[ROLES] = (200, listed)
    assert ECSRole(endpoint=metadata.url).load().access_key == "AKECS1"
    assert metadata.received[1].target == f"{ROLES}?format=json&type=user"
    assert metadata.received[2].target == f"{ROLES}/search"


@pytest.mark.parametrize(
    "listed", [b"", b"[]", b"{}", b"5", b'["../../secrets"]', b"<html>\n", b'[{"role": "search"}]']
)
def test_a_server_without_a_role_is_an_error_that_says_so(metadata: FakeMetadata, listed: bytes) -> None:
    metadata.answers[ROLES] = (200, listed)
    with pytest.raises(MissingCredentials, match="names no role; give this server one, or name it"):
        ECSRole(endpoint=metadata.url).load()


def test_a_role_the_server_does_not_have_is_an_error_with_the_status(metadata: FakeMetadata) -> None:
    with pytest.raises(MissingCredentials, match="gave no credentials but answered 404") as caught:
        ECSRole("nobody", endpoint=metadata.url).load()
    assert caught.value.status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/latest/api/token", 403, b"PLANTED"),
        ("/latest/api/token", 200, b""),
        ("/latest/api/token", 200, b"PLANTED PLANTED"),
        ("/latest/api/token", 200, b"PLANTED\r\nX-Other: PLANTED"),
        (f"{ROLES}/search", 200, b"PLANTED"),
        (f"{ROLES}/search", 200, b"[]"),
        (f"{ROLES}/search", 200, b'{"AccessKeyId": "AKDEMO", "SecretAccessKey": "", "SessionToken": "PLANTED"}'),
        (f"{ROLES}/search", 500, b"PLANTED"),
    ],
)
def test_an_answer_without_keys_is_an_error_and_is_not_repeated(
    metadata: FakeMetadata, path: str, status: int, body: bytes
) -> None:
    metadata.answers[path] = (status, body)
    with pytest.raises(MissingCredentials, match=rf"ECS metadata at {metadata.url}.* answered {status}") as caught:
        ECSRole("search", endpoint=metadata.url).load()
    assert caught.value.status_code == status
    assert "PLANTED" not in str(caught.value)


def test_keys_without_an_expiry_are_taken_and_replaced_in_time(metadata: FakeMetadata) -> None:
    keys = {"AccessKeyId": "AKDEMO", "SecretAccessKey": "SKDEMO"}
    metadata.answers[f"{ROLES}/search"] = (200, json.dumps(keys).encode())
    role = ECSRole("search", endpoint=metadata.url)
    assert role.load() == Credentials("AKDEMO", "SKDEMO")
    assert role.reread_seconds == 600


def test_each_answer_may_take_a_second() -> None:
    wire = FakeTransport(RequestTimeout("late"), RequestTimeout("late"))
    with pytest.raises(MissingCredentials, match=r"metadata at http://100\.96\.0\.96 gave no credentials: late"):
        ECSRole(send=wire.send).load()
    assert wire.timeouts == [Timeouts(connect=1, total=1)] * 2
    assert wire.requests[0].url == "http://100.96.0.96/latest/api/token"


def test_a_service_that_does_not_answer_is_not_waited_for_past_the_deadline_of_a_call() -> None:
    def never(connection: Connection) -> None:
        connection.read_request()
        connection.wait_for_the_client_to_close()

    left = iter((0.05, 0.0))
    with LoopbackServer(never) as server, pytest.raises(DeadlineExceeded, match="before the ECS metadata"):
        within(lambda: next(left), ECSRole(endpoint=server.url).load)


def test_where_nothing_listens_it_is_no_cloud_server() -> None:
    with pytest.raises(MissingCredentials, match="gave no credentials: could not connect"):
        ECSRole(endpoint=f"http://127.0.0.1:{free_port()}").load()


def test_no_proxy_sees_the_keys(metadata: FakeMetadata, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert ECSRole("search", endpoint=metadata.url).load().access_key == "AKECS1"


@pytest.mark.parametrize("said", ["true", "TRUE", " True "])
def test_it_can_be_switched_off(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLCENGINE_ECS_METADATA_DISABLED", said)
    with pytest.raises(MissingCredentials, match="switched off by VOLCENGINE_ECS_METADATA_DISABLED"):
        ECSRole()


@pytest.mark.parametrize("role", ["a/b", "../token", "a b", "a?b", "x" * 65])
def test_a_role_that_would_change_the_path_is_refused(role: str) -> None:
    with pytest.raises(MissingCredentials, match="name of a role"):
        ECSRole(role)


def test_an_endpoint_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="no host"):
        ECSRole(endpoint="http://")


def test_what_is_shown_is_the_role_alone() -> None:
    assert repr(ECSRole()) == "ECSRole()"
    assert repr(ECSRole("search")) == "ECSRole('search')"


def test_a_client_signs_with_the_keys_of_its_server(metadata: FakeMetadata) -> None:
    wire = FakeTransport(reply(401, {"code": "Unauthorized"}), reply(), reply())
    client = Toy(endpoint="https://h.example", auth=IAM(provider=ECSRole(endpoint=metadata.url)), transport=wire)
    client.call(READ)
    assert [request.headers["X-Security-Token"] for request in wire.requests] == ["STSECS1", "STSECS2"]
