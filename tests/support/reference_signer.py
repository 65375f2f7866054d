"""Reference signer: signature V4 on both sides of the wire, written from the wire specification alone (2.2, 2.4).

A test oracle. It shares no code with the SDK, with the emulator or with any vendor's package, so that agreeing with
it means something. It reads no clock: callers pass the time.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ALGORITHM = "HMAC-SHA256"
SIGNED_NAMES = ("Content-Type", "Content-Md5", "Host")
DATE_FORMAT = "%Y%m%dT%H%M%SZ"


class Refusal(StrEnum):
    """Why a server refuses a request."""

    MALFORMED = "the Authorization header or X-Date cannot be parsed"
    MISSING_HEADER = "a header that the signature needs is not in the request"
    BAD_SCOPE = "the credential scope is not DATE/region/service/request of this server and this X-Date"
    UNKNOWN_KEY = "no such access key"
    SKEW = "X-Date is too far from the server's clock"
    BODY_HASH = "X-Content-Sha256 is not the hash of the received body"
    UNSIGNED_TOKEN = "X-Security-Token is not among the signed headers"
    SIGNATURE = "the signature does not match"


def sign(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
    *,
    access_key: str,
    secret_key: str,
    region: str,
    x_date: str,
    service: str = "vikingdb",
    session_token: str | None = None,
) -> dict[str, str]:
    """The request's headers with those of the signature added. Host is signed when it is among ``headers``."""
    signed = {**headers, "X-Date": x_date, "X-Content-Sha256": sha256(body).hexdigest()}
    if session_token:
        signed["X-Security-Token"] = session_token
    names = sorted(name.lower() for name in signed if name in SIGNED_NAMES or name.startswith("X-"))
    scope = f"{x_date[:8]}/{region}/{service}/request"
    signature = _signature(canonical_request(method, path, query, signed, names), x_date, scope, secret_key)
    signed["Authorization"] = (
        f"{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return signed


def verify(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Mapping[str, str],
    now: datetime,
    region: str | None = None,
    service: str = "vikingdb",
    skew: timedelta = timedelta(minutes=15),
) -> Refusal | None:
    """Why the server must refuse this request, or ``None`` when its signature holds.

    Args:
        target: path and query as they came in the request line.
        secrets: secret key by access key.
        now: the server's clock, aware of its zone.
        region: the only region accepted; ``None`` accepts any.
    """
    received = {name.lower(): value for name, value in headers.items()}
    if not {"authorization", "x-date", "x-content-sha256"} <= received.keys():
        return Refusal.MISSING_HEADER
    algorithm, _, rest = received["authorization"].strip().partition(" ")
    items = {name.strip(): value.strip() for name, _, value in (item.partition("=") for item in rest.split(","))}
    if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= items.keys():
        return Refusal.MALFORMED
    x_date = received["x-date"]
    try:
        signed_at = datetime.strptime(x_date, DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return Refusal.MALFORMED

    access_key, _, scope = items["Credential"].partition("/")
    date, _, place = scope.partition("/")
    signed_region = place.partition("/")[0]
    if date != x_date[:8] or place != f"{region or signed_region}/{service}/request" or not signed_region:
        return Refusal.BAD_SCOPE
    if access_key not in secrets:
        return Refusal.UNKNOWN_KEY
    if abs(now - signed_at) > skew:
        return Refusal.SKEW
    if not _same(received["x-content-sha256"], sha256(body).hexdigest()):
        return Refusal.BODY_HASH

    names = sorted(items["SignedHeaders"].split(";"))
    if "x-security-token" in received and "x-security-token" not in names:
        return Refusal.UNSIGNED_TOKEN
    if not set(names) <= received.keys():
        return Refusal.MISSING_HEADER
    url = urlsplit(f"//server{target}")
    query = parse_qsl(url.query, keep_blank_values=True)
    request = canonical_request(method, unquote(url.path), query, received, names)
    if not _same(items["Signature"], _signature(request, x_date, scope, secrets[access_key])):
        return Refusal.SIGNATURE
    return None


def canonical_request(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], names: list[str]
) -> str:
    """The text that is hashed and signed. ``path`` and ``query`` come unencoded, ``names`` lower-case and sorted."""
    values = {name.lower(): value for name, value in headers.items()}
    host = values.get("host", "")
    values["host"] = host.rpartition(":")[0] if host.endswith((":80", ":443")) else host
    pairs = sorted(query, key=lambda pair: pair[0])
    return "\n".join(
        [
            method,
            quote(path, safe="/") or "/",
            "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs),
            "".join(f"{name}:{values[name]}\n" for name in names),
            ";".join(names),
            values["x-content-sha256"],
        ]
    )


def _signature(request: str, x_date: str, scope: str, secret_key: str) -> str:
    key = secret_key.encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return _hmac(key, "\n".join([ALGORITHM, x_date, scope, sha256(request.encode()).hexdigest()])).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _same(received: str, expected: str) -> bool:
    # compare_digest refuses text beyond ASCII, and a caller may send anything.
    return hmac.compare_digest(received.encode(), expected.encode())
