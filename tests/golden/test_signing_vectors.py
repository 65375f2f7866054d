"""The signature our IAM writes, against the specification's vectors (2.5) and the reference signer."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.reference_signer import DATE_FORMAT, Refusal, verify
from vikingdb_core.credentials import IAM, Scope
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Headers, Request

VECTORS = {
    vector["name"]: vector for vector in json.loads(Path(__file__).with_name("signing_vectors.json").read_text())
}
AK, SK, REGION, X_DATE = "AKDEMO0000000000", "SKDEMO1111111111", "cn-beijing", "20260102T030405Z"
NOW = datetime.strptime(X_DATE, DATE_FORMAT).replace(tzinfo=UTC)
SIGNER = "volcengine.auth.SignerV4"


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{SIGNER}.SignerV4.get_current_format_date", lambda: X_DATE)


def request_of(vector: dict[str, Any]) -> Request:
    headers = Headers(vector["headers"])
    query = tuple(vector["query"].items())
    return Request(
        vector["method"], Endpoint("https", headers["Host"]), vector["path"], query, headers, vector["body"].encode()
    )


def authorization(vector: dict[str, Any]) -> str:
    return (
        f"HMAC-SHA256 Credential={AK}/20260102/{REGION}/vikingdb/request, "
        f"SignedHeaders={';'.join(vector['signed_headers'])}, Signature={vector['signature']}"
    )


def refusal(request: Request, **expected: Any) -> Refusal | None:
    """What a server that knows our keys says to a request as it goes over the wire."""
    url = urlsplit(request.url)
    target = f"{url.path}?{url.query}" if url.query else url.path
    scope = {"region": REGION, **expected}
    return verify(request.method, target, request.headers, request.body, secrets={AK: SK}, now=NOW, **scope)


@pytest.mark.parametrize("name", ["data_plane_with_host", "control_plane_with_query"])
def test_iam_reproduces_the_vector(name: str) -> None:
    vector = VECTORS[name]
    signed = IAM(AK, SK).sign(request_of(vector), Scope("vikingdb", REGION))
    assert signed.headers["Authorization"] == authorization(vector)
    assert signed.headers["X-Date"] == vector["x_date"]
    assert signed.headers["X-Content-Sha256"].startswith(vector["body_sha256_prefix"])


def test_the_signer_below_reproduces_the_vector_without_host() -> None:
    # Our own requests always have a Host, so this one is signed as the official client signs it.
    vector = VECTORS["data_plane_without_host"]
    signer = importlib.import_module(SIGNER).SignerV4
    keys = importlib.import_module("volcengine.Credentials").Credentials(AK, SK, "vikingdb", REGION)
    shim = SimpleNamespace(
        method=vector["method"],
        path=vector["path"],
        query=dict(vector["query"]),
        headers=dict(vector["headers"]),
        body=vector["body"],
    )
    signer.sign(shim, keys)
    assert shim.headers["Authorization"] == authorization(vector)


def make(**changes: Any) -> Request:
    given = {
        "method": "POST",
        "endpoint": Endpoint("https", "h.example", 8443),
        "path": "/api/vikingdb/data/upsert",
        "query": (),
        "headers": {"Host": "h.example:8443", "Content-Type": "application/json"},
        "body": b'{"data":[{"title":"\xe4\xb8\x89\xe4\xbd\x93"}]}',
    } | changes
    return Request(**{**given, "headers": Headers(given["headers"])})


HOST = {"Host": "h.example"}


@pytest.mark.parametrize(
    ("request_", "signed_names"),
    [
        pytest.param(make(), "content-type;host;x-content-sha256;x-date", id="plain"),
        pytest.param(make(method="GET", headers=HOST, body=b""), "host;x-content-sha256;x-date", id="get without body"),
        pytest.param(
            make(headers={**HOST, "Content-Type": "application/json", "x-tt-logid": "my-id"}),
            "content-type;host;x-content-sha256;x-date;x-tt-logid",
            id="the caller's request id, spelled in lower case",
        ),
        pytest.param(
            make(headers={**HOST, "Content-Type": "application/json", "accept": "text/plain", "x-a": "  two  words "}),
            "content-type;host;x-a;x-content-sha256;x-date",
            id="a header of a plugin, spaces and all",
        ),
        pytest.param(make(query=(("b", "x y"), ("a", "三&=+/~"), ("B", ""))), None, id="query beyond ASCII"),
        pytest.param(
            make(query=(("Version", "2025-06-09"), ("Action", "Get"), ("Action", "A"))), None, id="repeated name"
        ),
        pytest.param(make(path="/网关 a/%41/read"), None, id="path beyond ASCII"),
        pytest.param(
            make(endpoint=Endpoint("https", "h.example", 443), headers={"Host": "h.example:443"}), None, id="443"
        ),
        pytest.param(make(body=b""), None, id="empty body"),
    ],
)
def test_a_server_accepts_what_iam_signs(request_: Request, signed_names: str | None) -> None:
    signed = IAM(AK, SK).sign(request_, Scope("vikingdb", REGION))
    assert refusal(signed) is None
    assert signed_names is None or f"SignedHeaders={signed_names}," in signed.headers["Authorization"]


def test_a_session_token_is_sent_and_signed() -> None:
    signed = IAM(AK, SK, "STSDEMO+/==").sign(make(), Scope("vikingdb", REGION))
    assert signed.headers["X-Security-Token"] == "STSDEMO+/=="
    assert "x-security-token" in signed.headers["Authorization"]
    assert refusal(signed) is None
    assert refusal(signed.with_headers({"X-Security-Token": "STSOTHER"})) is Refusal.SIGNATURE


@pytest.mark.parametrize(
    "altered",
    [
        {"path": "/api/vikingdb/data/delete"},
        {"query": (("dry_run", "1"),)},
        {"method": "PUT"},
        {"headers": {"Host": "other.example"}},
        {"headers": {"Content-Type": "text/plain"}},
    ],
)
def test_a_server_refuses_what_was_changed_after_signing(altered: dict[str, Any]) -> None:
    signed = IAM(AK, SK).sign(make(), Scope("vikingdb", REGION))
    headers = {**signed.headers, **altered.get("headers", {})}
    assert refusal(make(**{**altered, "headers": headers})) is Refusal.SIGNATURE


def test_one_iam_signs_for_any_service_and_region() -> None:
    auth = IAM(AK, SK)
    for service, region in [
        ("vikingdb", REGION),
        ("air", REGION),
        ("vikingdb", "ap-southeast-1"),
        ("vikingdb", REGION),
    ]:
        signed = auth.sign(make(), Scope(service, region))
        assert refusal(signed, service=service, region=region) is None
        assert refusal(signed, service=service, region="cn-shanghai") is Refusal.BAD_SCOPE


def test_signing_is_pure() -> None:
    auth, request = IAM(AK, SK, "STSDEMO"), make()
    before = dict(request.headers)
    signed = auth.sign(request, Scope("vikingdb", REGION))
    assert dict(request.headers) == before
    assert auth.sign(request, Scope("vikingdb", REGION)) == signed


def test_signing_again_replaces_the_signature_with_a_fresh_date(monkeypatch: pytest.MonkeyPatch) -> None:
    auth = IAM(AK, SK)
    first = auth.sign(make(), Scope("vikingdb", REGION))
    monkeypatch.setattr(f"{SIGNER}.SignerV4.get_current_format_date", lambda: "20260102T030406Z")
    second = auth.sign(first, Scope("vikingdb", REGION))
    assert second.headers["X-Date"] == "20260102T030406Z"
    assert second.headers["Authorization"] != first.headers["Authorization"]
    assert refusal(second) is None
