"""Signatures as the server checks them: what the reference signer signs is taken, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reference_signer import DATE_FORMAT, sign
from vikingdb_local.errors import ServiceError
from vikingdb_local.server.incoming import Incoming
from vikingdb_local.server.signature import Keys, verify_body, verify_head

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "signing_vectors.json").read_text("utf-8")
)
AK, SK = "AKDEMO0000000000", "SKDEMO1111111111"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEYS = Keys(AK, SK)
UPSERT = "/api/vikingdb/data/upsert"
JSON = {"Content-Type": "application/json", "Host": "127.0.0.1:8080"}


def verify(request: Incoming, keys: Keys, now: float, region: str | None) -> None:
    verify_head(request, keys, now, region)
    verify_body(request)


def incoming(method: str, path: str, query: list[tuple[str, str]], headers: Mapping[str, str], body: bytes) -> Incoming:
    lines = [(name.lower(), value) for name, value in headers.items()]
    return Incoming(method, quote(path), urlencode(query, quote_via=quote), lines, body)


def signed(
    path: str = UPSERT,
    query: list[tuple[str, str]] | None = None,
    headers: Mapping[str, str] = JSON,
    body: bytes = b'{"a":1}',
    **scope: Any,
) -> Incoming:
    given = {"access_key": AK, "secret_key": SK, "region": "cn-beijing", "x_date": NOW.strftime(DATE_FORMAT), **scope}
    return incoming("POST", path, query or [], sign("POST", path, query or [], headers, body, **given), body)


def refusal(request: Incoming, *, keys: Keys = KEYS, region: str | None = None, now: datetime = NOW) -> str:
    with pytest.raises(ServiceError) as caught:
        verify(request, keys, now.timestamp(), region)
    assert (caught.value.code, caught.value.status) == ("AccessDenied", 403)
    return caught.value.message


def changed(request: Incoming, name: str, value: str | None) -> Incoming:
    """The request with a header replaced, or without it."""
    others = [pair for pair in request.headers if pair[0] != name]
    return replace(request, headers=others if value is None else [*others, (name, value)])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_specification_s_own_signatures_are_taken(vector: dict[str, Any]) -> None:
    headers = {
        **vector["headers"],
        "X-Date": vector["x_date"],
        "X-Content-Sha256": __import__("hashlib").sha256(vector["body"].encode()).hexdigest(),
        "Authorization": (
            f"HMAC-SHA256 Credential={vector['access_key']}/20260102/{vector['region']}/vikingdb/request, "
            f"SignedHeaders={';'.join(vector['signed_headers'])}, Signature={vector['signature']}"
        ),
    }
    query = list(vector["query"].items())
    request = incoming(vector["method"], vector["path"], query, headers, vector["body"].encode())
    verify(request, Keys(vector["access_key"], vector["secret_key"]), NOW.timestamp(), vector["region"])


@given(
    path=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20).map(lambda text: f"/{text}"),
    query=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4),
    body=st.binary(max_size=64),
    session_token=st.none() | st.from_regex(r"[A-Za-z0-9+/=]{1,40}", fullmatch=True),
)
def test_whatever_was_signed_is_taken(
    path: str, query: list[tuple[str, str]], body: bytes, session_token: str | None
) -> None:
    request = signed(path, query, body=body, session_token=session_token)
    verify(request, Keys(AK, SK, session_token), NOW.timestamp(), "cn-beijing")


def test_headers_that_were_not_signed_do_not_matter() -> None:
    request = changed(signed(), "user-agent", "anything")
    verify(request, KEYS, NOW.timestamp(), None)


def test_a_trailing_question_mark_is_no_query() -> None:
    verify(replace(signed(), query_string=""), KEYS, NOW.timestamp(), None)


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (lambda r: replace(r, body=b'{"a":2}'), "not the hash of the body"),
        (lambda r: replace(r, method="PUT"), "signature does not match"),
        (lambda r: replace(r, path="/api/vikingdb/data/delete"), "signature does not match"),
        (lambda r: replace(r, query_string="a=1"), "signature does not match"),
        (lambda r: changed(r, "host", "elsewhere"), "signature does not match"),
        (lambda r: changed(r, "content-type", "text/plain"), "signature does not match"),
        (lambda r: changed(r, "host", None), "'host' is missing"),
        (lambda r: changed(r, "x-date", None), "'x-date' is missing"),
        (lambda r: changed(r, "x-content-sha256", None), "'x-content-sha256' is missing"),
        (lambda r: replace(r, headers=[*r.headers, ("host", "127.0.0.1:8080")]), "more than once"),
        (lambda r: replace(r, headers=[*r.headers, ("x-date", "20260102T030405Z")]), "more than once"),
        (lambda r: changed(r, "x-security-token", "t"), "not among the signed headers"),
        (lambda r: changed(r, "authorization", "Basic abc"), "must begin with HMAC-SHA256"),
        (lambda r: changed(r, "authorization", "HMAC-SHA256 Credential=a/b/c/d/request"), "no SignedHeaders"),
        (lambda r: changed(r, "authorization", "HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c"), "must be"),
        (lambda r: changed(r, "authorization", r.header("authorization")[:-1] + "z"), "signature does not match"),
        (lambda r: changed(r, "authorization", r.header("authorization") + "é"), "signature does not match"),
    ],
)
def test_a_changed_request_is_refused(alter: Any, why: str) -> None:
    assert why in refusal(alter(signed()))


def test_an_unknown_key_and_a_wrong_secret_are_refused() -> None:
    assert "'AKOTHER' is not known" in refusal(signed(access_key="AKOTHER"))
    assert "signature does not match" in refusal(signed(secret_key="SKOTHER"))


def test_the_scope_must_name_this_service_and_perhaps_this_region() -> None:
    assert "service 'air'" in refusal(signed(service="air"))
    assert "region 'cn-beijing'" in refusal(signed(), region="cn-shanghai")
    verify(signed(region="anywhere"), KEYS, NOW.timestamp(), None)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_too_far_off_is_refused_and_the_answer_says_by_how_much(minutes: int) -> None:
    x_date = (NOW + timedelta(minutes=minutes)).strftime(DATE_FORMAT)
    direction = "ahead of" if minutes > 0 else "behind"
    assert f"16 minutes {direction}" in refusal(signed(x_date=x_date))


@pytest.mark.parametrize("minutes", [-15, 0, 15])
def test_a_clock_nearly_right_is_taken(minutes: int) -> None:
    verify(signed(x_date=(NOW + timedelta(minutes=minutes)).strftime(DATE_FORMAT)), KEYS, NOW.timestamp(), None)


def test_a_date_of_another_day_than_the_scope_is_refused() -> None:
    other = signed(x_date=(NOW + timedelta(minutes=1)).strftime(DATE_FORMAT))
    yesterday = other.header("authorization").replace("/20260102/", "/20260101/")
    assert "another day" in refusal(changed(other, "authorization", yesterday))


def test_temporary_keys_need_their_token() -> None:
    keys = Keys(AK, SK, "right")
    verify(signed(session_token="right"), keys, NOW.timestamp(), None)
    assert "X-Security-Token is missing" in refusal(signed(), keys=keys)
    assert "another one" in refusal(signed(session_token="wrong"), keys=keys)


def test_keys_are_not_shown() -> None:
    assert SK not in repr(KEYS)
    assert "secret-token" not in repr(Keys(AK, SK, "secret-token"))
