"""The HTTP transport sends just what it was given, over connections it keeps, and adds nothing of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import PATIENT, request_to
from tests.support.notes import Notes
from tests.support.server import Connection, LoopbackServer
from vikingdb_core.exceptions import APIError, RequestError
from vikingdb_core.messages import Response
from vikingdb_core.transport.base import TransportSettings
from vikingdb_core.transport.https import RequestsTransport
from vikingdb_core.transport.select import SchemeTransport


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    made = RequestsTransport()
    yield made
    made.close()


def test_headers_arrive_byte_for_byte_and_the_transport_adds_only_what_framing_needs(
    transport: RequestsTransport,
) -> None:
    headers = {"Authorization": "HMAC-SHA256 Credential=AK/20260102/x, Signature=ab", "X-Tt-Logid": "caf\xe9 = \u00bd"}
    with LoopbackServer() as server:
        transport.send(request_to(server.url, headers=headers, body=b'{"a":1}'), PATIENT)
    lines = set(server.received[0].lines)
    assert {
        b"Host: 127.0.0.1:%d" % server.port,
        b"Content-Type: application/json",
        b"Authorization: HMAC-SHA256 Credential=AK/20260102/x, Signature=ab",
        b"X-Tt-Logid: caf\xe9 = \xbd",
        b"Content-Length: 7",
    } <= lines
    added = {line.split(b":")[0].lower() for line in lines} - {
        b"host", b"content-type", b"authorization", b"x-tt-logid", b"content-length",
    }  # fmt: skip
    assert added <= {b"accept-encoding", b"user-agent", b"connection"}


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/api/notes/read", (), "/api/notes/read"),
        ("/", (("Version", "1"), ("Action", "Found")), "/?Action=Found&Version=1"),
        ("/a b/三体", (("q", "a b&c=d/é"),), "/a%20b/%E4%B8%89%E4%BD%93?q=a%20b%26c%3Dd%2F%C3%A9"),
        ("/a%2Fb~c", (), "/a%252Fb~c"),
    ],
)
def test_the_address_is_sent_as_it_was_signed(
    transport: RequestsTransport, path: str, query: tuple[tuple[str, str], ...], target: str
) -> None:
    with LoopbackServer() as server:
        transport.send(request_to(server.url, path=path, query=query), PATIENT)
    assert server.received[0].target == target


@pytest.mark.parametrize("body", ['{"title":"三体 – café 🚀"}'.encode(), b"", b"\x00\xff" * 3, b"x" * 300_000])
def test_a_body_arrives_byte_for_byte(transport: RequestsTransport, body: bytes) -> None:
    with LoopbackServer() as server:
        transport.send(request_to(server.url, body=body), PATIENT)
    assert server.received[0].body == body
    assert server.received[0].headers["Content-Length"] == str(len(body))


def test_a_get_has_no_body_and_no_length(transport: RequestsTransport) -> None:
    with LoopbackServer() as server:
        transport.send(request_to(server.url, method="GET"), PATIENT)
    assert server.received[0].method == "GET"
    assert "Content-Length" not in server.received[0].headers


def test_a_response_arrives_whole(transport: RequestsTransport) -> None:
    body = '{"message":"没有这样的集合"}'.encode() * 5000

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply(404, body, b"x-tt-logid: abc", b"Content-Type: application/json")

    with LoopbackServer(serve) as server:
        response = transport.send(request_to(server.url), PATIENT)
    assert (response.status, response.body) == (404, body)
    assert response.headers["X-Tt-Logid"] == "abc"


def test_a_response_in_chunks_arrives_whole(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.send(b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n')

    with LoopbackServer(serve) as server:
        assert transport.send(request_to(server.url), PATIENT).body == b'{"a":1}'


def test_a_response_whose_end_is_the_end_of_the_connection_arrives_whole(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.send(b'HTTP/1.1 200 OK\r\n\r\n{"a":1}')

    with LoopbackServer(serve) as server:
        assert transport.send(request_to(server.url), PATIENT).body == b'{"a":1}'


def test_a_header_that_no_request_may_have_is_tolerated_in_a_response(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply(200, b"{}", b"X-Folded: one\r\n  two", b"X-Tt-Logid: abc", b"X-Text: \xe4\xb8\x89")

    with LoopbackServer(serve) as server:
        response = transport.send(request_to(server.url), PATIENT)
    assert response.headers["X-Tt-Logid"] == "abc"
    assert response.headers["X-Folded"].split() == ["one", "two"]


def test_one_connection_carries_many_calls(transport: RequestsTransport) -> None:
    with LoopbackServer() as server:
        for _ in range(5):
            transport.send(request_to(server.url), PATIENT)
    assert [received.connection for received in server.received] == [0] * 5


def test_an_error_response_does_not_cost_the_connection(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(503, b"busy")

    with LoopbackServer(serve) as server:
        assert [transport.send(request_to(server.url), PATIENT).status for _ in range(3)] == [503] * 3
    assert server.connections == 1


def test_threads_share_the_pool_and_get_their_own_answers(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        while received := connection.read_request():
            connection.reply(200, received.body)

    answers: dict[int, list[bytes]] = {}
    with LoopbackServer(serve) as server:

        def work(number: int) -> None:
            bodies = [b"%d/%d" % (number, turn) for turn in range(10)]
            answers[number] = [transport.send(request_to(server.url, body=body), PATIENT).body for body in bodies]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {number: [b"%d/%d" % (number, turn) for turn in range(10)] for number in range(8)}
    assert server.connections <= 8


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(transport: RequestsTransport, status: int) -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(status, b"", b"Location: /elsewhere")

    with LoopbackServer(serve) as server:
        assert transport.send(request_to(server.url), PATIENT).status == status
    assert len(server.received) == 1


def test_a_redirect_reaches_the_user_as_an_error_with_its_status() -> None:
    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply(302, b"", b"Location: https://login.example")

    with LoopbackServer(serve) as server, Notes(endpoint=server.url) as notes, pytest.raises(APIError) as caught:
        notes.shelf().read()
    assert caught.value.status_code == 302


def test_cookies_are_not_kept(transport: RequestsTransport) -> None:
    def serve(connection: Connection) -> None:
        while connection.read_request():
            connection.reply(200, b"{}", b"Set-Cookie: session=1; Path=/")

    with LoopbackServer(serve) as server:
        for _ in range(2):
            transport.send(request_to(server.url), PATIENT)
    assert all("cookie" not in name.lower() for received in server.received for name in received.headers)


def test_netrc_does_not_replace_the_authorization(
    transport: RequestsTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with LoopbackServer() as server:
        transport.send(request_to(server.url, headers={"Authorization": "Bearer mine"}), PATIENT)
        transport.send(request_to(server.url), PATIENT)
    signed, unsigned = server.received
    assert signed.headers["Authorization"] == "Bearer mine"
    assert "Authorization" not in unsigned.headers


def test_a_transport_that_was_closed_may_be_closed_again_and_sends_nothing_more(transport: RequestsTransport) -> None:
    with LoopbackServer() as server:
        transport.send(request_to(server.url), PATIENT)
        transport.close()
        transport.close()
        with pytest.raises(RequestError, match="closed"):
            transport.send(request_to(server.url), PATIENT)
    assert len(server.received) == 1


def test_closing_a_client_closes_its_connections() -> None:
    closed = threading.Event()

    def serve(connection: Connection) -> None:
        connection.read_request()
        connection.reply()
        connection.wait_for_the_client_to_close()
        closed.set()

    with LoopbackServer(serve) as server:
        client = Notes(endpoint=server.url)
        client.shelf().read()
        client.close()
        assert closed.wait(5)


def test_one_transport_serves_every_http_endpoint_of_a_client() -> None:
    with LoopbackServer() as data, LoopbackServer() as control:
        transport = SchemeTransport(TransportSettings())
        answers: list[Response] = [transport.send(request_to(url), PATIENT) for url in (data.url, control.url)]
        transport.close()
        transport.close()
    assert [answer.status for answer in answers] == [200, 200]
    assert (len(data.received), len(control.received)) == (1, 1)


FORKING = """
import os, sys
from tests.support.http import PATIENT, request_to
from vikingdb_core.transport.https import RequestsTransport

transport = RequestsTransport()
url = sys.argv[1]
transport.send(request_to(url, body=b"parent"), PATIENT)
child = os.fork()
if child == 0:
    status = 1
    try:
        transport.send(request_to(url, body=b"child"), PATIENT)
        transport.close()
        status = 0
    finally:
        os._exit(status)
assert os.waitpid(child, 0)[1] == 0
transport.send(request_to(url, body=b"parent again"), PATIENT)
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system does not fork")
def test_a_forked_process_does_not_share_its_parents_sockets() -> None:
    with LoopbackServer() as server:
        root = Path(__file__).parents[3]
        done = subprocess.run(
            [sys.executable, "-c", FORKING, server.url],
            cwd=root,
            timeout=30,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert [(received.body, received.connection) for received in server.received] == [
        (b"parent", 0),
        (b"child", 1),
        (b"parent again", 0),
    ]
