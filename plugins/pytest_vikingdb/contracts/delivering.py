"""What a transport promises of the bytes on a network."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ..loopback import Connection
from .carrying import Carrying, request_to

_FRAMING = {b"host", b"content-length", b"connection", b"accept-encoding"}


class Delivering(Carrying, contract=True, network=True):
    """What was signed is what arrives, and what was answered is what comes back."""

    def test_headers_arrive_byte_for_byte(self) -> None:
        """Every header arrives as it was given, name and value, and once. The transport adds nothing of its own but
        what frames the message."""
        given = {
            "Authorization": "HMAC-SHA256 Credential=AK/20260102/x, SignedHeaders=a;b, Signature=ab",
            "X-Date": "20260102T030405Z",
            "X-Tt-Logid": "a  b=c;d,%20",
            "X-Empty": "",
        }
        with self._over_network() as (driven, endpoint, server):
            request = request_to(endpoint, headers=given)
            driven.send(request, self.patient)
        lines = [line.rstrip() for line in server.received[0].lines]
        expected = [f"{name}: {value}".rstrip().encode() for name, value in request.headers.items()]
        assert sorted(line for line in lines if line in expected) == sorted(expected)
        added = {line.partition(b":")[0].lower() for line in lines if line not in expected}
        assert added <= _FRAMING, f"it adds {sorted(added - _FRAMING)}"

    def test_a_header_beyond_ascii_travels_as_latin_1(self) -> None:
        """A value may have characters up to U+00FF; they are one byte each, as they were signed."""
        with self._over_network() as (driven, endpoint, server):
            driven.send(request_to(endpoint, headers={"X-Team": "caf\xe9 \xbd"}), self.patient)
        assert b"X-Team: caf\xe9 \xbd" in server.received[0].lines

    @pytest.mark.parametrize(
        ("path", "query", "target"),
        [
            ("/api/read", (), "/api/read"),
            ("/", (("Version", "1"), ("Action", "Read")), "/?Action=Read&Version=1"),
            ("/a b/三体", (("q", "a b&c=d/é+"),), "/a%20b/%E4%B8%89%E4%BD%93?q=a%20b%26c%3Dd%2F%C3%A9%2B"),
            ("/a%2Fb~c/../d", (), "/a%252Fb~c/../d"),
        ],
        ids=["plain", "query", "beyond ascii", "encoded and dotted"],
    )
    def test_the_address_is_sent_as_it_was_signed(
        self, path: str, query: tuple[tuple[str, str], ...], target: str
    ) -> None:
        """Path and query are those of ``request.url``: not encoded again, not tidied up, in its order."""
        with self._over_network() as (driven, endpoint, server):
            driven.send(request_to(endpoint, path, query=query), self.patient)
        assert server.received[0].target == target

    @pytest.mark.parametrize(
        "body",
        ['{"title":"三体 🚀"}'.encode(), b"", b"\x00\xff\r\n" * 3, b"x" * 300_000],
        ids=["text", "empty", "binary", "long"],
    )
    def test_a_body_arrives_byte_for_byte(self, body: bytes) -> None:
        """The body arrives as it was given, with its length and uncompressed."""
        with self._over_network() as (driven, endpoint, server):
            driven.send(request_to(endpoint, body=body), self.patient)
        received = server.received[0]
        assert received.body == body
        assert {name.lower(): value for name, value in received.headers.items()}["content-length"] == str(len(body))

    def test_a_get_has_no_body(self) -> None:
        """A ``GET`` goes out without body and length."""
        with self._over_network() as (driven, endpoint, server):
            driven.send(request_to(endpoint, method="GET", body=b""), self.patient)
        received = server.received[0]
        assert received.method == "GET"
        assert not {name.lower() for name in received.headers} & {"content-length", "transfer-encoding", "content-type"}

    def test_a_response_arrives_whole(self) -> None:
        """Status, headers and a long body come back as the server sent them."""
        body = '{"message":"没有这样的集合"}'.encode() * 5000

        def serve(connection: Connection) -> None:
            connection.read_request()
            connection.reply(418, body, b"x-tt-logid: abc", b"Content-Type: application/json")

        with self._over_network(serve) as (driven, endpoint, _):
            response = driven.send(request_to(endpoint), self.patient)
        assert (response.status, response.body) == (418, body)
        assert response.headers["X-Tt-Logid"] == "abc"

    @pytest.mark.parametrize(
        "answer",
        [
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n',
            b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"a":1}',
        ],
        ids=["in chunks", "until the connection ends"],
    )
    def test_a_body_without_a_length_arrives_whole(self, answer: bytes) -> None:
        """A body may come in chunks, or end with the connection."""

        def serve(connection: Connection) -> None:
            connection.read_request()
            connection.send(answer)

        with self._over_network(serve) as (driven, endpoint, _):
            assert driven.send(request_to(endpoint), self.patient).body == b'{"a":1}'

    def test_a_compression_it_asks_for_it_can_read(self) -> None:
        """When it says ``Accept-Encoding: gzip``, a compressed body is read like any other."""

        def serve(connection: Connection) -> None:
            received = connection.read_request()
            assert received is not None
            asked = {name.lower(): value for name, value in received.headers.items()}.get("accept-encoding", "")
            if "gzip" in asked:
                connection.reply(200, gzip.compress(b'{"a":1}'), b"Content-Encoding: gzip")
            else:
                connection.reply(200, b'{"a":1}')

        with self._over_network(serve) as (driven, endpoint, _):
            assert driven.send(request_to(endpoint), self.patient).body == b'{"a":1}'

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int) -> None:
        """A redirect is a response: following it would carry credentials and a signature to where they are not for."""

        def serve(connection: Connection) -> None:
            while connection.read_request():
                connection.reply(status, b"", b"Location: /elsewhere")

        with self._over_network(serve) as (driven, endpoint, server):
            response = driven.send(request_to(endpoint), self.patient)
        assert response.status == status
        assert response.headers["Location"] == "/elsewhere"
        assert len(server.received) == 1

    def test_cookies_are_not_kept(self) -> None:
        """What a server sets as a cookie is not sent back: calls do not depend on those before them."""

        def serve(connection: Connection) -> None:
            while connection.read_request():
                connection.reply(200, b"{}", b"Set-Cookie: session=1; Path=/")

        with self._over_network(serve) as (driven, endpoint, server):
            for _ in range(2):
                driven.send(request_to(endpoint), self.patient)
        assert not [
            line for received in server.received for line in received.lines if line.lower().startswith(b"cookie")
        ]

    def test_netrc_does_not_touch_the_authorization(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A password in the user's ``netrc`` neither replaces the ``Authorization`` of a request nor gives it one."""
        netrc = tmp_path / ".netrc"
        netrc.write_text("machine 127.0.0.1 login someone password secret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(netrc))
        with self._over_network() as (driven, endpoint, server):
            driven.send(request_to(endpoint, headers={"Authorization": "Bearer mine"}), self.patient)
            driven.send(request_to(endpoint), self.patient)
        signed, unsigned = server.received
        assert signed.headers["Authorization"] == "Bearer mine"
        assert "authorization" not in {name.lower() for name in unsigned.headers}
