"""``vikingdb doctor --ping``: what is sent, what the answers say, and what to do about each."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Run
from tests.support.installing import SitePackages
from tests.support.server import Connection, LoopbackServer, Serve, free_port
from tests.unit.vector.fakes import READ, WRITE, FakeClock
from vikingdb_core.commands import FOUND_TROUBLE, OK
from vikingdb_core.commands.diagnosis import diagnose
from vikingdb_core.commands.ping import Pinged, ping
from vikingdb_core.domain import Domain
from vikingdb_core.exceptions import ExtensionError
from vikingdb_vector.domain import DOMAIN

PLANTED = "PLANTEDSECRET"
ACCESS_KEY = "AKLTPLANTEDKEY"
SUCCESS = b'{"code":"Success","request_id":"r-1","result":{}}'


def date(seconds_behind: float = 0.0) -> bytes:
    """The Date header of a server whose clock is behind."""
    return b"Date: " + formatdate(time.time() - seconds_behind, usegmt=True).encode()


def answering(status: int = 200, body: bytes = SUCCESS, *headers: bytes) -> Serve:
    """A service that is there, and that answers the list of collections so."""

    def serve(connection: Connection) -> None:
        while received := connection.read_request():
            if received.method == "GET":
                connection.reply(200, b"pong", *(headers or (date(),)))
            else:
                connection.reply(status, body, *(headers or (date(),)))

    return serve


def refusal(code: str, message: str) -> bytes:
    return json.dumps({"ResponseMetadata": {"RequestId": "r-9", "Error": {"Code": code, "Message": message}}}).encode()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment."""
    monkeypatch.setenv("VIKINGDB_AK", ACCESS_KEY)
    monkeypatch.setenv("VIKINGDB_SK", PLANTED)


def sent(document: Any) -> list[tuple[str, str | None, int | None]]:
    return [(each["operation"], each["address"], each["status"]) for each in document["ping"]["sent"]]


def test_a_service_that_answers_is_no_trouble_and_what_was_sent_is_said(run: Run) -> None:
    with LoopbackServer(answering()) as server:
        ran = run("doctor", "--ping", "--json", "--endpoint", server.url)
    assert ran.code == OK
    assert sent(ran.document) == [
        ("vector.ping", f"GET {server.url}/api/vikingdb/Ping", 200),
        ("vector.collection.list", f"POST {server.url}/?Action=ListVikingdbCollection&Version=2025-06-09", 200),
    ]
    assert [(each.method, each.target) for each in server.received] == [
        ("GET", "/api/vikingdb/Ping"),
        ("POST", "/?Action=ListVikingdbCollection&Version=2025-06-09"),
    ]
    assert abs(ran.document["ping"]["seconds_ahead"]) < 300


def test_the_page_says_it_in_words(run: Run) -> None:
    with LoopbackServer(answering()) as server:
        ran = run("doctor", "--ping", "--endpoint", server.url)
    assert ran.code == OK
    assert "data GET /api/vikingdb/Ping answered (status 200 in " in ran.text
    assert "control POST /?Action=ListVikingdbCollection&Version=2025-06-09 answered (status 200 in " in ran.text


@pytest.mark.usefixtures("keys")
def test_credentials_that_are_accepted_are_said_to_be(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer(answering()) as proxy:  # what is found in the environment is not sent to this machine itself
        monkeypatch.setenv("HTTP_PROXY", f"http://user:{PLANTED}@127.0.0.1:{proxy.port}")
        ran = run("doctor", "--ping", "--json", "--endpoint", "http://service.example")
        page = run("doctor", "--ping", "--endpoint", "http://service.example")
    assert [each["says"] for each in ran.document["ping"]["sent"]] == [
        "answered",
        "answered, and accepts the credentials",
    ]
    assert proxy.received[1].target.startswith("http://service.example/?Action=ListVikingdbCollection")
    assert proxy.received[1].headers["Authorization"].startswith(f"HMAC-SHA256 Credential={ACCESS_KEY}/")
    assert ran.document["problems"] == ["requests to http://service.example travel unencrypted; use https"]
    for shown in (ran.out, page.out, ran.err, page.err):
        assert PLANTED not in shown
        assert ACCESS_KEY not in shown


def test_what_the_credentials_are_not_good_for_is_not_sent(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[default]\nallow_insecure = true\n")
    monkeypatch.setenv("VIKINGDB_CONFIG_FILE", str(path))
    monkeypatch.setenv("VIKINGDB_API_KEY", PLANTED)
    with LoopbackServer(answering()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        ran = run("doctor", "--ping", "--json", "--endpoint", "http://service.example")
    _, listing = ran.document["ping"]["sent"]
    assert (listing["address"], listing["error"]) == (None, None)
    assert "vector.collection.list does not accept api_key credentials" in listing["says"]
    assert [each.method for each in proxy.received] == ["GET"]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_without_credentials_it_is_still_seen_whether_anybody_is_there(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    with LoopbackServer(answering()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        ran = run("doctor", "--ping", "--endpoint", "http://service.example", *words)
    assert ran.code == FOUND_TROUBLE
    assert [each.method for each in proxy.received] == ["GET"]
    assert "there are no credentials to try" in ran.text
    assert "needs credentials" in ran.text


@pytest.mark.parametrize(
    ("behind", "says"),
    [
        (4020, "67 minutes ahead of the service's"),
        (-4020, "67 minutes behind the service's"),
        (3 * 86400, "3 days ahead of the service's"),
    ],
)
def test_a_wrong_clock_is_a_problem_and_explains_a_refusal(run: Run, behind: float, says: str) -> None:
    body = refusal("SignatureDoesNotMatch", "no")
    with LoopbackServer(answering(403, body, date(behind))) as server:
        ran = run("doctor", "--ping", "--json", "--endpoint", server.url)
    assert ran.code == FOUND_TROUBLE
    clock, refused = ran.document["problems"]
    assert clock == f"this machine's clock is {says}. Signatures are refused until it is set right"
    assert refused.startswith("vector.collection.list: PermissionDenied: no (status 403, code SignatureDoesNotMatch")
    assert f"{abs(behind) / 60:.0f} minutes" in refused


@pytest.mark.parametrize(
    ("seconds", "says", "wrong"),
    [
        (None, "not known: no answer had a date", False),
        (0.4, "right, to the second", False),
        (-1.9, "right, to the second", False),
        (12.0, "12 seconds ahead of the service's", False),
        (-250.0, "4 minutes behind the service's", False),
        (301.0, "5 minutes ahead of the service's", True),
        (-7300.0, "2 hours behind the service's", True),
    ],
)
def test_a_clock_is_described_in_units_that_mean_something(seconds: float | None, says: str, wrong: bool) -> None:
    pinged = Pinged((), seconds)
    assert (pinged.clock(), pinged.is_clock_wrong, len(list(pinged.problems()))) == (says, wrong, int(wrong))


def test_an_answer_without_a_date_says_nothing_of_the_clock(run: Run) -> None:
    with LoopbackServer() as server:
        ran = run("doctor", "--ping", "--json", "--endpoint", server.url)
    assert (ran.code, ran.document["ping"]["seconds_ahead"]) == (OK, None)


@pytest.mark.parametrize(
    ("status", "body", "kind", "advice"),
    [
        (400, b'{"code":"BadRequest","message":"what?"}', "BadRequest", "check that it is VikingDB"),
        (401, b'{"code":"Unauthorized","message":"who?"}', "Unauthorized", "No credentials were sent"),
        (403, refusal("AccessDenied", "no right"), "PermissionDenied", "pass auth="),
        (404, b"<html>nothing here</html>", "NotFound", "it has no such API; check the endpoint and its path"),
        (429, b'{"code":"TooManyRequests","message":"busy"}', "RateLimited", "try again later"),
        (500, b'{"code":"InternalError","message":"oh"}', "ServerError", "report the request id"),
        (501, b"", "OperationNotSupported", "does not have this operation"),
        (200, b"<html>Please log in</html>", "DecodeError", "What answers there is not VikingDB"),
        (302, b"", "APIError", "302"),
    ],
)
def test_each_kind_of_refusal_comes_with_what_to_do(run: Run, status: int, body: bytes, kind: str, advice: str) -> None:
    with LoopbackServer(answering(status, body)) as server:
        ran = run("doctor", "--ping", "--json", "--endpoint", server.url)
    assert ran.code == FOUND_TROUBLE
    (problem,) = ran.document["problems"]
    assert f"{kind}: " in problem
    assert advice in problem
    assert ran.document["ping"]["sent"][1]["error"]["class"].endswith(kind)
    assert len(server.received) == 2, "each is sent once"


def test_where_nobody_listens_it_says_so_and_does_not_try_again(run: Run) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ran = run("doctor", "--ping", "--json", "--endpoint", url)
    assert ran.code == FOUND_TROUBLE
    (problem,) = ran.document["problems"]
    assert problem.startswith(f"vector.ping: ConnectError: could not connect to {url}")
    assert problem.endswith("Check the endpoint, the network, and the proxy if there is one")
    assert ran.document["ping"]["sent"][1]["says"] == "nobody answers there"


@pytest.mark.parametrize(
    ("serve", "kind", "advice"),
    [
        (lambda connection: connection.read_request(), "ConnectionLost", "Something on the way closed the connection"),
        (lambda connection: connection.wait_for_the_client_to_close(), "RequestTimeout", "Check the network"),
    ],
)
def test_a_service_that_does_not_answer_is_explained(
    run: Run, monkeypatch: pytest.MonkeyPatch, serve: Serve, kind: str, advice: str
) -> None:
    monkeypatch.setenv("VIKINGDB_TIMEOUT", "0.2")
    with LoopbackServer(serve) as server:
        ran = run("doctor", "--ping", "--json", "--endpoint", server.url)
    assert ran.code == FOUND_TROUBLE
    for problem in ran.document["problems"]:
        assert kind in problem
        assert advice in problem


def test_active_plugins_take_part(run: Run, site: SitePackages, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install(
        "acme-team",
        entry_points={"vikingdb.plugins": {"team": "acme_team:Team"}},
        acme_team="""
            from vikingdb_core.hooks import hookimpl

            class Team:
                hook_api = 1

                @hookimpl
                def before_request(self, request):
                    request.headers["X-Team"] = "search"
        """,
    )
    monkeypatch.setenv("VIKINGDB_PLUGINS", "team")
    with LoopbackServer(answering()) as server:
        assert run("doctor", "--ping", "--endpoint", server.url).code == OK
    assert [each.headers["X-Team"] for each in server.received] == ["search", "search"]


def test_the_embedded_engine_answers_too(run: Run) -> None:
    ran = run("doctor", "--ping", "--json", "--endpoint", "local://")
    assert ran.code == OK
    assert [each["says"] for each in ran.document["ping"]["sent"]] == ["answered", "answered"]
    assert ran.document["endpoints"]["data"]["transport"].startswith("vikingdb-local ")


def test_how_long_an_answer_took_is_told_by_the_clock_it_is_given() -> None:
    class Ticking(FakeClock):
        def monotonic(self) -> float:
            self.now += 0.25
            return self.now

    pinged = ping(diagnose({"endpoint": "local://"}, profile=None, domain=None), Ticking())
    assert [each.seconds for each in pinged.sent] == [0.25, 0.25]


@pytest.mark.parametrize("probe", [WRITE.name, "toy.nothing"])
def test_a_domain_cannot_probe_with_what_may_change_something(probe: str) -> None:
    with pytest.raises(ExtensionError, match=f"probes with '{probe}', which is no READ operation of it"):
        Domain("toy", "Toy", "toy", (READ, WRITE), {"data": "toy"}, probes=(READ.name, probe))


def test_what_the_vector_domain_probes_with_needs_no_argument() -> None:
    by_name = {operation.name: operation for operation in DOMAIN.operations}
    assert DOMAIN.probes
    for probe in DOMAIN.probes:
        by_name[probe].request.model_validate({})
