"""The reference signer agrees with the published vectors, and its server side refuses what it must."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.reference_signer import DATE_FORMAT, Refusal, canonical_request, sign, verify

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "signing_vectors.json").read_text("utf-8"))
SECRETS = {"AKDEMO0000000000": "SKDEMO1111111111"}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])


@dataclass(frozen=True)
class Signed:
    """A signed request as a server receives it, with the server's clock."""

    target: str = "/api/vikingdb/data/upsert"
    body: bytes = '{"title":"三体"}'.encode()
    headers: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW

    def refusal(self) -> Refusal | None:
        return verify("POST", self.target, self.headers, self.body, secrets=SECRETS, now=self.now, region="cn-beijing")


def signed(
    path: str = "/api/vikingdb/data/upsert",
    target: str | None = None,
    query: tuple[tuple[str, str], ...] = (),
    headers: dict[str, str] | None = None,
    **scope: Any,
) -> Signed:
    request = Signed(target=target or path)
    inputs = {
        "access_key": "AKDEMO0000000000",
        "secret_key": "SKDEMO1111111111",
        "region": "cn-beijing",
        "x_date": NOW.strftime(DATE_FORMAT),
        **scope,
    }
    given = {"Content-Type": "application/json", "Host": "127.0.0.1:8080"} if headers is None else headers
    return replace(request, headers=sign("POST", path, query, given, request.body, **inputs))


def altered(request: Signed, name: str, change: Callable[[str], str]) -> Signed:
    return replace(request, headers={**request.headers, name: change(request.headers[name])})


def without(request: Signed, name: str) -> Signed:
    return replace(request, headers={key: value for key, value in request.headers.items() if key != name})


def sign_vector(vector: dict[str, Any]) -> dict[str, str]:
    inputs = {name: vector[name] for name in ("access_key", "secret_key", "region", "service", "x_date")}
    query = list(vector["query"].items())
    return sign(vector["method"], vector["path"], query, vector["headers"], vector["body"].encode(), **inputs)


@each_vector
def test_signing_reproduces_the_vector(vector: dict[str, Any]) -> None:
    headers = sign_vector(vector)

    assert headers["X-Content-Sha256"].startswith(vector["body_sha256_prefix"])
    assert headers["Authorization"] == (
        f"HMAC-SHA256 Credential={vector['access_key']}/20260102/cn-beijing/vikingdb/request, "
        f"SignedHeaders={';'.join(vector['signed_headers'])}, Signature={vector['signature']}"
    )


@each_vector
def test_the_canonical_request_has_the_hash_of_the_vector(vector: dict[str, Any]) -> None:
    headers, query = sign_vector(vector), list(vector["query"].items())

    text = canonical_request(vector["method"], vector["path"], query, headers, vector["signed_headers"])

    assert sha256(text.encode()).hexdigest().startswith(vector["canonical_request_sha256_prefix"])


@each_vector
def test_the_server_side_accepts_the_vector(vector: dict[str, Any]) -> None:
    query = "&".join(f"{name}={value}" for name, value in vector["query"].items())
    target = f"{vector['path']}?{query}"

    headers, body = sign_vector(vector), vector["body"].encode()

    assert verify(vector["method"], target, headers, body, secrets=SECRETS, now=NOW) is None


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(signed(), id="plain"),
        pytest.param(signed(target="/api/vikingdb/data/upsert?"), id="bare trailing question mark"),
        pytest.param(signed(headers={}), id="neither host nor content type signed"),
        pytest.param(signed(headers={"Host": "example.com:443"}), id="default port in host"),
        pytest.param(signed(headers={"X-Tt-Logid": "log-1"}), id="caller's own X header"),
        pytest.param(signed(session_token="STSDEMO=="), id="signed session token"),
        pytest.param(signed(path="/书 架/a", target="/%E4%B9%A6%20%E6%9E%B6/a"), id="path beyond ASCII"),
        pytest.param(signed(path="", target="/"), id="empty path"),
        pytest.param(
            signed("/p", "/p?b=x+y&b=&a=%E4%B8%89", (("b", "x y"), ("a", "三"), ("b", ""))),
            id="query repeated, spaced and beyond ASCII",
        ),
        pytest.param(replace(signed(), now=NOW + timedelta(minutes=15)), id="just inside the window"),
        pytest.param(
            altered(signed(), "Authorization", lambda value: value.replace(", ", " ,  ")), id="spaces between items"
        ),
        pytest.param(
            replace(signed(), headers={name.upper(): value for name, value in signed().headers.items()}),
            id="header names in another case",
        ),
    ],
)
def test_the_server_side_accepts_a_genuine_request(request_: Signed) -> None:
    assert request_.refusal() is None


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (without(signed(), "Authorization"), Refusal.MISSING_HEADER),
        (without(signed(), "X-Date"), Refusal.MISSING_HEADER),
        (without(signed(), "X-Content-Sha256"), Refusal.MISSING_HEADER),
        (without(signed(), "Host"), Refusal.MISSING_HEADER),
        (altered(signed(), "Authorization", lambda _: "Bearer key"), Refusal.MALFORMED),
        (altered(signed(), "Authorization", lambda value: value.partition(", Signature")[0]), Refusal.MALFORMED),
        (altered(signed(), "X-Date", lambda _: "yesterday"), Refusal.MALFORMED),
        (altered(signed(), "X-Date", lambda _: "20260103T030405Z"), Refusal.BAD_SCOPE),
        (signed(service="air"), Refusal.BAD_SCOPE),
        (signed(region="cn-shanghai"), Refusal.BAD_SCOPE),
        (altered(signed(), "Authorization", lambda value: value.replace("/request", "/")), Refusal.BAD_SCOPE),
        (altered(signed(), "Authorization", lambda value: value.replace("AKDEMO", "AKOTHER")), Refusal.UNKNOWN_KEY),
        (replace(signed(), now=NOW + timedelta(minutes=15, seconds=1)), Refusal.SKEW),
        (replace(signed(), now=NOW - timedelta(hours=1)), Refusal.SKEW),
        (replace(signed(), body=b"{}"), Refusal.BODY_HASH),
        (
            replace(signed(), headers={**signed().headers, "X-Security-Token": "STSDEMO=="}),
            Refusal.UNSIGNED_TOKEN,
        ),
        (signed(secret_key="SKOTHER"), Refusal.SIGNATURE),
        (replace(signed(), target="/api/vikingdb/data/delete"), Refusal.SIGNATURE),
        (replace(signed(), target="/api/vikingdb/data/upsert?a=1"), Refusal.SIGNATURE),
        (altered(signed(), "Host", lambda _: "elsewhere.example"), Refusal.SIGNATURE),
        (altered(signed(), "X-Date", lambda _: "20260102T030406Z"), Refusal.SIGNATURE),
        (altered(signed(session_token="STSDEMO=="), "X-Security-Token", lambda _: "STSOTHER"), Refusal.SIGNATURE),
        (altered(signed(), "Authorization", lambda value: f"{value[:-4]}数"), Refusal.SIGNATURE),
    ],
)
def test_the_server_side_says_why_it_refuses(request_: Signed, reason: Refusal) -> None:
    assert request_.refusal() is reason


def test_only_names_that_begin_with_a_capital_x_are_signed() -> None:
    request = signed(headers={"x-lower": "1", "X-Upper": "2", "Accept": "application/json"})

    assert "SignedHeaders=x-content-sha256;x-date;x-upper," in request.headers["Authorization"]
