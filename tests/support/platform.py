"""The platform's services that hand out keys, on this machine: the token service and a cloud server's metadata.

They check what they are sent as the real ones do, and answer in their envelopes. Keys are numbered in the order they
are handed out: ``AKROLE1`` with ``SKROLE1`` and ``STSROLE1``, and so on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.reference_signer import verify
from tests.support.server import Connection, LoopbackServer, Received

ROLE = "trn:iam::2100000000:role/search"
LIFETIME = timedelta(hours=1)


class FakeSts(LoopbackServer):
    """The token service.

    Attributes:
        secrets: secret key by access key, of those who may ask.
        identity_token: the identity token it believes.
        answers: what to answer instead, in order: a status with a body. When used up, it does its work.
        held: while cleared, answers wait.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None, identity_token: str = "") -> None:
        super().__init__(self._serve_sts)
        self.secrets = dict(secrets or {})
        self.identity_token = identity_token
        self.answers: list[tuple[int, bytes]] = []
        self.held = threading.Event()
        self.held.set()
        self.handed_out = 0

    def asked(self, number: int = -1) -> dict[str, str]:
        """Everything one request asked for."""
        received = self.received[number]
        return {**query_of(received), **dict(parse_qsl(received.body.decode()))}

    def _serve_sts(self, connection: Connection) -> None:
        while received := connection.read_request():
            self.notes.append("asked")
            self.held.wait(5)
            status, body = self.answers.pop(0) if self.answers else self._answer(received)
            connection.reply(status, body)

    def _answer(self, received: Received) -> tuple[int, bytes]:
        asked = {**query_of(received), **dict(parse_qsl(received.body.decode()))}
        if asked.get("Version") != "2018-01-01" or not asked.get("RoleTrn") or not asked.get("RoleSessionName"):
            return error(400, "InvalidParameter")
        if (received.method, asked["Action"]) == ("GET", "AssumeRole"):
            refusal = verify(
                received.method,
                received.target,
                received.headers,
                received.body,
                secrets=self.secrets,
                now=datetime.now(UTC),
                service="sts",
            )
            return error(403, "SignatureDoesNotMatch") if refusal else self._keys("ExpiredTime")
        if (received.method, asked["Action"]) == ("POST", "AssumeRoleWithOIDC"):
            if "Authorization" in received.headers or asked.get("OIDCToken") != self.identity_token:
                return error(403, "InvalidIdentityToken")
            return self._keys("Expiration")
        return error(404, "InvalidActionOrVersion")

    def _keys(self, expiry: str) -> tuple[int, bytes]:
        self.handed_out += 1
        keys = numbered("ROLE", self.handed_out, expiry)
        return 200, json.dumps(
            {"ResponseMetadata": {"RequestId": "20260101A0"}, "Result": {"Credentials": keys}}
        ).encode()


class FakeMetadata(LoopbackServer):
    """The metadata service of a cloud server.

    Attributes:
        roles: names of the server's roles.
        answers: what to answer instead, by path.
    """

    def __init__(self, *roles: str) -> None:
        super().__init__(self._serve_metadata)
        self.roles = roles
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.handed_out = 0

    def _serve_metadata(self, connection: Connection) -> None:
        while received := connection.read_request():
            path = urlsplit(received.target).path
            connection.reply(*(self.answers.get(path) or self._answer(received, path)))

    def _answer(self, received: Received, path: str) -> tuple[int, bytes]:
        headers = {name.lower(): value for name, value in received.headers.items()}
        if (received.method, path) == ("PUT", "/latest/api/token"):
            asked_for = headers.get("x-volc-ecs-metadata-token-ttl-seconds")
            return (200, b"SESSION1\n") if asked_for == "21600" else (400, b"")
        if received.method != "GET" or headers.get("x-volc-ecs-metadata-token") != "SESSION1":
            return 401, b"no session"
        folder = "/volcstack/latest/iam/security_credentials"
        if path == folder and query_of(received) == {"type": "user", "format": "json"}:
            return 200, json.dumps(self.roles).encode()
        if path.removeprefix(f"{folder}/") in self.roles:
            self.handed_out += 1
            return 200, json.dumps(numbered("ECS", self.handed_out, "ExpiredTime")).encode()
        return 404, b"not found"


def query_of(received: Received) -> dict[str, str]:
    """The query of a request."""
    return dict(parse_qsl(urlsplit(received.target).query))


def numbered(kind: str, number: int, expiry: str) -> dict[str, Any]:
    """Keys as the services write them."""
    return {
        "AccessKeyId": f"AK{kind}{number}",
        "SecretAccessKey": f"SK{kind}{number}",
        "SessionToken": f"STS{kind}{number}",
        expiry: (datetime.now(UTC) + LIFETIME).isoformat(timespec="seconds"),
    }


def error(status: int, code: str, message: str = "no") -> tuple[int, bytes]:
    """A refusal in the platform's envelope."""
    metadata = {"RequestId": "20260101E0", "Error": {"Code": code, "Message": message}}
    return status, json.dumps({"ResponseMetadata": metadata}).encode()
