"""Keys of a role: what the token service is asked, and what comes of every answer it may give."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.platform import ROLE, FakeSts, error
from tests.support.server import free_port
from tests.unit.vector.fakes import READ, AsyncFakeTransport, AsyncToy, FakeClock, FakeTransport, Toy, reply
from vikingdb_core.credentials import IAM, OIDC, AssumeRole, CredentialProvider, Credentials, StaticProvider
from vikingdb_core.credentials.base import within
from vikingdb_core.credentials.iam import REFRESH_BEFORE_SECONDS
from vikingdb_core.exceptions import ConfigError, ConnectError, DeadlineExceeded, MissingCredentials, RequestTimeout

Provider = AssumeRole | OIDC


@pytest.fixture
def sts() -> Iterator[FakeSts]:
    with FakeSts({"AKDEMO": "SKDEMO"}, identity_token="IDENTITY") as server:
        yield server


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("IDENTITY\n")
    return path


@pytest.fixture
def role(sts: FakeSts) -> AssumeRole:
    return AssumeRole(ROLE, "AKDEMO", "SKDEMO", sts_endpoint=sts.url)


@pytest.fixture
def pod(sts: FakeSts, token_file: Path) -> OIDC:
    return OIDC(ROLE, token_file, sts_endpoint=sts.url)


@pytest.fixture(params=["role", "pod"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """Either of the two: what is true of the answers is true for both."""
    made: Provider = request.getfixturevalue(request.param)
    return made


def test_a_role_is_taken_on_with_a_request_signed_for_sts(sts: FakeSts, role: AssumeRole) -> None:
    before = time.time()
    keys = role.load()
    assert (keys.access_key, keys.secret_key, keys.session_token) == ("AKROLE1", "SKROLE1", "STSROLE1")
    assert keys.expires_at is not None
    assert before + 3590 < keys.expires_at < time.time() + 3601
    assert sts.received[0].method == "GET"
    assert sts.asked() == {
        "Action": "AssumeRole",
        "Version": "2018-01-01",
        "RoleTrn": ROLE,
        "RoleSessionName": "vikingdb-python",
        "DurationSeconds": "3600",
    }
    assert "/cn-beijing/sts/request" in sts.received[0].headers["Authorization"]


def test_keys_that_are_not_known_to_sts_take_on_no_role(sts: FakeSts) -> None:
    with pytest.raises(MissingCredentials, match="SignatureDoesNotMatch"):
        AssumeRole(ROLE, "AKDEMO", "SKOTHER", sts_endpoint=sts.url).load()


def test_everything_that_may_be_said_of_a_role_is_sent(sts: FakeSts) -> None:
    AssumeRole(
        ROLE,
        "AKDEMO",
        "SKDEMO",
        "STSDEMO",
        session_name="nightly",
        policy='{"Statement": []}',
        duration_seconds=900,
        sts_endpoint=sts.url,
        region="ap-southeast-1",
    ).load()
    asked = sts.asked()
    assert (asked["RoleSessionName"], asked["Policy"], asked["DurationSeconds"]) == (
        "nightly",
        '{"Statement": []}',
        "900",
    )
    headers = sts.received[0].headers
    assert headers["X-Security-Token"] == "STSDEMO"
    assert "/ap-southeast-1/sts/request" in headers["Authorization"]
    assert "x-security-token" in headers["Authorization"]


def test_a_role_may_be_taken_on_with_keys_of_a_provider(sts: FakeSts) -> None:
    sts.secrets["AKROLE1"] = "SKROLE1"
    first = AssumeRole(ROLE, "AKDEMO", "SKDEMO", sts_endpoint=sts.url)
    second = AssumeRole("trn:iam::1:role/inner", provider=first, sts_endpoint=sts.url)
    assert second.load().access_key == "AKROLE2"
    assert sts.asked()["RoleTrn"] == "trn:iam::1:role/inner"
    assert second.load().access_key == "AKROLE3", "the keys that ask are kept while they are fresh"


def test_an_identity_token_is_sent_unsigned_in_a_form(sts: FakeSts, pod: OIDC) -> None:
    keys = pod.load()
    assert (keys.access_key, keys.secret_key, keys.session_token) == ("AKROLE1", "SKROLE1", "STSROLE1")
    assert keys.expires_at is not None
    received = sts.received[0]
    assert (received.method, received.target) == ("POST", "/?Action=AssumeRoleWithOIDC&Version=2018-01-01")
    assert received.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in received.headers
    assert sts.asked()["OIDCToken"] == "IDENTITY"
    assert sts.asked()["RoleTrn"] == ROLE


def test_the_identity_token_is_read_anew_each_time(sts: FakeSts, pod: OIDC, token_file: Path) -> None:
    pod.load()
    token_file.write_text("ROTATED")
    with pytest.raises(MissingCredentials, match="InvalidIdentityToken"):
        pod.load()
    sts.identity_token = "ROTATED"
    assert pod.load().access_key == "AKROLE2"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_token_file_without_a_token_is_named(pod: OIDC, token_file: Path, content: bytes) -> None:
    token_file.write_bytes(content)
    with pytest.raises(MissingCredentials, match=r"token file .*token holds no identity token"):
        pod.load()


def test_a_token_file_that_is_gone_is_named(pod: OIDC, token_file: Path) -> None:
    token_file.unlink()
    with pytest.raises(MissingCredentials, match=r"token file .*token cannot be read: No such file"):
        pod.load()


@pytest.mark.parametrize(
    ("status", "code", "body"),
    [
        (403, "AccessDenied", error(403, "AccessDenied", "PLANTED")[1]),
        (200, "InvalidRole", error(200, "InvalidRole", "PLANTED")[1]),
        (404, None, b"<html>PLANTED</html>"),
        (302, None, b""),
        (200, None, b"PLANTED"),
        (200, None, b"[]"),
        (200, None, b"{}"),
        (200, None, b'{"ResponseMetadata": {}, "Result": "PLANTED"}'),
        (200, None, b'{"ResponseMetadata": {}, "Result": {"Credentials": {"AccessKeyId": "PLANTED"}}}'),
        (
            200,
            None,
            b'{"ResponseMetadata": {}, "Result": {"Credentials": {"AccessKeyId": 5, "SecretAccessKey": "PLANTED"}}}',
        ),
    ],
)
def test_an_answer_without_keys_is_an_error_with_the_status_and_the_code_and_none_of_the_rest(
    sts: FakeSts, provider: Provider, status: int, code: str | None, body: bytes
) -> None:
    sts.answers = [(status, body)]
    with pytest.raises(MissingCredentials, match=rf"search at {sts.url} gave no credentials") as caught:
        provider.load()
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert "PLANTED" not in str(caught.value)
    assert len(sts.received) == 1


def test_a_refusal_has_the_id_of_the_request(sts: FakeSts, provider: Provider) -> None:
    sts.answers = [error(403, "AccessDenied")]
    with pytest.raises(MissingCredentials) as caught:
        provider.load()
    assert caught.value.request_id == "20260101E0"
    assert "(code=AccessDenied, http_status=403, request_id=20260101E0)" in str(caught.value)


def test_keys_that_cannot_be_keys_are_refused_and_not_repeated(sts: FakeSts, provider: Provider) -> None:
    keys = {"AccessKeyId": "AKDEMO", "SecretAccessKey": "PLANTED\nPLANTED", "SessionToken": "STS"}
    sts.answers = [(200, json.dumps({"ResponseMetadata": {}, "Result": {"Credentials": keys}}).encode())]
    with pytest.raises(MissingCredentials, match="secret key has blanks") as caught:
        provider.load()
    assert "PLANTED" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-01-15T17:41:16+08:00", 1_768_470_076.0),
        ("2026-01-15T09:41:16Z", 1_768_470_076.0),
        ("2026-01-15T09:41:16", 1_768_470_076.0),
        ("2026-01-15T09:41:16.123456789Z", 1_768_470_076.123456),
        ("soon", None),
        (None, None),
    ],
)
def test_the_time_of_expiry_is_read_in_every_way_it_is_written(
    sts: FakeSts, provider: Provider, written: str | None, seconds: float | None
) -> None:
    keys = {"AccessKeyId": "AKDEMO", "SecretAccessKey": "SKDEMO", "ExpiredTime": written}
    sts.answers = [(200, json.dumps({"ResponseMetadata": {}, "Result": {"Credentials": keys}}).encode())]
    assert provider.load() == Credentials("AKDEMO", "SKDEMO", None, seconds)


def test_keys_that_came_without_an_expiry_are_replaced_nevertheless(sts: FakeSts, provider: Provider) -> None:
    keys = {"AccessKeyId": "AKDEMO", "SecretAccessKey": "SKDEMO"}
    sts.answers = [(200, json.dumps({"ResponseMetadata": {}, "Result": {"Credentials": keys}}).encode())]
    now = [0.0]
    auth = IAM(provider=provider, clock=lambda: now[0])
    auth.refresh()
    now[0] = provider.reread_seconds - 1
    assert not auth.is_stale()
    now[0] += 1
    assert auth.is_stale()


@pytest.mark.parametrize("lost", [500, 503, ConnectError("refused"), RequestTimeout("late")])
def test_what_got_no_answer_is_asked_once_more(sts: FakeSts, token_file: Path, lost: int | Exception) -> None:
    for make in makers(token_file):
        first = reply(lost, b"") if isinstance(lost, int) else lost
        keys = {"AccessKeyId": "AKDEMO", "SecretAccessKey": "SKDEMO"}
        good = reply(body={"ResponseMetadata": {}, "Result": {"Credentials": keys}})
        wire = FakeTransport(first, good)
        assert make(wire).load().access_key == "AKDEMO"
        wire = FakeTransport(first, first, good)
        with pytest.raises(MissingCredentials) as caught:
            make(wire).load()
        assert len(wire.requests) == 2
        assert caught.value.__cause__ is (lost if isinstance(lost, Exception) else None)


def makers(token_file: Path) -> list[Callable[[FakeTransport], Provider]]:
    return [
        lambda wire: AssumeRole(ROLE, "AKDEMO", "SKDEMO", send=wire.send),
        lambda wire: OIDC(ROLE, token_file, send=wire.send),
    ]


def test_where_nobody_listens_the_error_says_so() -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(MissingCredentials, match=rf"{closed} gave no credentials: could not connect") as caught:
        AssumeRole(ROLE, "AKDEMO", "SKDEMO", sts_endpoint=closed).load()
    assert isinstance(caught.value.__cause__, ConnectError)


def test_the_service_is_the_platforms_unless_another_is_named(token_file: Path) -> None:
    for make in makers(token_file):
        wire = FakeTransport(reply(403, b""))
        with pytest.raises(MissingCredentials):
            make(wire).load()
        assert wire.requests[0].url.startswith("https://sts.volcengineapi.com/?Action=")
        assert wire.requests[0].headers["Host"] == "sts.volcengineapi.com"


@pytest.mark.parametrize("endpoint", ["http://sts.example", "ftp://sts.example", "local://sts"])
def test_secrets_do_not_go_to_a_token_service_unencrypted(endpoint: str, token_file: Path) -> None:
    with pytest.raises(ConfigError, match=r"endpoint of STS: .* unencrypted; use https"):
        AssumeRole(ROLE, "AKDEMO", "SKDEMO", sts_endpoint=endpoint)
    with pytest.raises(ConfigError, match="unencrypted; use https"):
        OIDC(ROLE, token_file, sts_endpoint=endpoint)


def test_what_a_role_needs_is_said_when_it_is_built(token_file: Path) -> None:
    with pytest.raises(MissingCredentials, match="AssumeRole needs a role"):
        AssumeRole("", "AKDEMO", "SKDEMO")
    with pytest.raises(MissingCredentials, match="secret key is empty"):
        AssumeRole(ROLE, "AKDEMO")
    with pytest.raises(ConfigError, match="either ak= and sk=, or provider="):
        AssumeRole(ROLE, "AKDEMO", provider=StaticProvider(Credentials("AKDEMO", "SKDEMO")))
    for wrong in (("", token_file), (ROLE, "")):
        with pytest.raises(MissingCredentials, match="OIDC needs role_trn="):
            OIDC(*wrong)
    for duration in (0, True, 1.5, "900"):
        with pytest.raises(ConfigError, match="duration_seconds must be a whole number"):
            OIDC(ROLE, token_file, duration_seconds=duration)  # type: ignore[arg-type]


def test_they_are_providers_and_show_the_role_alone(role: AssumeRole, pod: OIDC, token_file: Path) -> None:
    assert isinstance(role, CredentialProvider)
    assert isinstance(pod, CredentialProvider)
    assert repr(role) == f"AssumeRole({ROLE!r})"
    assert repr(pod) == f"OIDC({ROLE!r}, {str(token_file)!r})"


def test_a_client_takes_on_its_role_at_the_first_call(sts: FakeSts, provider: Provider) -> None:
    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", auth=IAM(provider=provider), transport=wire)
    assert sts.received == []
    client.call(READ)
    client.call(READ)
    assert len(sts.received) == 1
    assert {request.headers["X-Security-Token"] for request in wire.requests} == {"STSROLE1"}


def test_an_asynchronous_client_does_the_same(sts: FakeSts, provider: Provider) -> None:
    transport = AsyncFakeTransport()

    async def calls() -> None:
        client = AsyncToy(endpoint="https://h.example", auth=IAM(provider=provider), transport=transport)
        await asyncio.gather(client.call(READ), client.call(READ))

    asyncio.run(calls())
    assert len(sts.received) == 1
    assert {request.headers["X-Security-Token"] for request in transport.wire.requests} == {"STSROLE1"}


def test_a_refusal_stops_the_call_before_anything_is_sent(sts: FakeSts, provider: Provider) -> None:
    sts.answers, wire = [error(403, "AccessDenied")], FakeTransport()
    with pytest.raises(MissingCredentials, match="AccessDenied") as caught:
        Toy(endpoint="https://h.example", auth=IAM(provider=provider), transport=wire).call(READ)
    assert caught.value.operation == "toy.read"
    assert wire.requests == []


def test_keys_about_to_expire_are_renewed_by_one_thread_while_the_others_go_on_with_the_old_ones(
    sts: FakeSts, role: AssumeRole
) -> None:
    ahead = [0.0]
    auth = IAM(provider=role, clock=lambda: time.time() + ahead[0])
    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", auth=auth, transport=wire)
    client.call(READ)
    ahead[0] = 3600 - REFRESH_BEFORE_SECONDS / 2
    sts.held.clear()
    renewing = threading.Thread(target=client.call, args=(READ,))
    renewing.start()
    sts.wait_for_notes(2)  # it has asked, and waits for the answer
    others = [threading.Thread(target=client.call, args=(READ,)) for _ in range(8)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()
    assert {request.headers["X-Security-Token"] for request in wire.requests} == {"STSROLE1"}
    assert len(wire.requests) == 9
    sts.held.set()
    renewing.join()
    client.call(READ)
    assert [request.headers["X-Security-Token"] for request in wire.requests[9:]] == ["STSROLE2", "STSROLE2"]
    assert len(sts.received) == 2


def test_keys_that_still_work_are_kept_when_they_cannot_be_renewed(sts: FakeSts, role: AssumeRole) -> None:
    ahead = [0.0]
    auth = IAM(provider=role, clock=lambda: time.time() + ahead[0])
    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", auth=auth, transport=wire)
    client.call(READ)
    ahead[0] = 3600 - REFRESH_BEFORE_SECONDS / 2
    sts.answers = [error(403, "AccessDenied")]
    client.call(READ)
    client.call(READ)
    assert {request.headers["X-Security-Token"] for request in wire.requests} == {"STSROLE1"}
    assert len(sts.received) == 2, "nor is the service asked again at once"
    ahead[0] = 3601
    client.call(READ)
    assert wire.requests[-1].headers["X-Security-Token"] == "STSROLE2"


def test_a_call_with_a_deadline_does_not_wait_for_keys_past_it(sts: FakeSts, role: AssumeRole) -> None:
    sts.held.clear()
    with pytest.raises(DeadlineExceeded, match=r"deadline passed before AssumeRole .* gave credentials") as caught:
        Toy(endpoint="https://h.example", auth=IAM(provider=role), deadline=0.05, transport=FakeTransport()).call(READ)
    sts.held.set()
    assert caught.value.operation == "toy.read"


def test_a_request_for_keys_may_take_no_longer_than_the_call_has_left() -> None:
    wire = FakeTransport(reply(403, b""), reply(403, b""))
    role = AssumeRole(ROLE, "AKDEMO", "SKDEMO", send=wire.send)
    for left in (lambda: 3.0, lambda: 60.0):
        with pytest.raises(MissingCredentials):
            within(left, role.load)
    with pytest.raises(DeadlineExceeded):
        within(lambda: 0.0, role.load)
    assert [(timeouts.connect, timeouts.total) for timeouts in wire.timeouts] == [(3.0, 3.0), (5.0, 10.0)]


def test_a_call_with_a_deadline_does_not_wait_past_it_for_another_thread_that_loads(
    sts: FakeSts, role: AssumeRole
) -> None:
    auth = IAM(provider=role)
    sts.held.clear()
    loading = threading.Thread(target=auth.refresh)
    loading.start()
    sts.wait_for_notes(1)
    with pytest.raises(DeadlineExceeded, match="while another thread was loading"):
        Toy(endpoint="https://h.example", auth=auth, deadline=0.05, transport=FakeTransport()).call(READ)
    sts.held.set()
    loading.join()
    assert len(sts.received) == 1


def test_a_call_whose_keys_came_too_late_is_not_sent() -> None:
    clock = FakeClock()

    class Slow:
        def load(self) -> Credentials:
            clock.now += 6
            return Credentials("AKDEMO", "SKDEMO")

    wire = FakeTransport()
    client = Toy(endpoint="https://h.example", auth=IAM(provider=Slow()), deadline=5, transport=wire, clock=clock)
    with pytest.raises(DeadlineExceeded):
        client.call(READ)
    assert wire.requests == []
