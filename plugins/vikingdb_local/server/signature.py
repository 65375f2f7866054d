"""Signature: signature V4 as a server checks it, from the request's own list of signed headers (specification §2.4)."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

from ..errors import ServiceError, shown
from .incoming import Incoming

log = logging.getLogger("vikingdb.local")

ALGORITHM = "HMAC-SHA256"
SERVICE = "vikingdb"
SKEW_SECONDS = 15 * 60
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_UNRESERVED = "-_.~"


@dataclass(frozen=True)
class Keys:
    """A pair of keys that may sign, perhaps a temporary one."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class _Claim:
    """What an ``Authorization`` header says."""

    access_key: str
    date: str
    region: str
    service: str
    signed_names: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/request"


def verify_head(
    request: Incoming, keys: Keys, now: float, region: str | None, skew_seconds: float = SKEW_SECONDS
) -> None:
    """Refuse a request whose signature does not hold, before its body has arrived: what is signed is the body's hash.

    Args:
        request: as it came in.
        keys: the only ones known.
        now: seconds since 1970.
        region: the only region accepted, or ``None`` for any.
        skew_seconds: how far the caller's clock may be off.

    Raises:
        ServiceError: ``AccessDenied``, saying why.
    """
    claim = _read_claim(_only(request, "authorization"))
    if claim.service != SERVICE:
        raise _denied(f"the credential scope names the service {shown(claim.service)}; sign for {SERVICE!r}")
    if region is not None and claim.region != region:
        raise _denied(f"the credential scope names the region {shown(claim.region)}; this server is {region!r}")
    if not _same(claim.access_key, keys.access_key):
        raise _denied(f"the access key {shown(claim.access_key)} is not known")
    x_date = _only(request, "x-date")
    _check_date(x_date, claim.date, now, skew_seconds)
    body_hash = _only(request, "x-content-sha256")
    _check_token(request, claim, keys)
    for name in claim.signed_names:
        _only(request, name)
    canonical = _canonical(request, claim.signed_names, body_hash)
    if not _same(claim.signature, _sign(canonical, x_date, claim.scope, keys.secret_key)):
        log.debug("the signature does not match; the canonical request is\n%s", canonical)
        raise _denied("the signature does not match: check the secret key, and that nothing was changed after signing")


def verify_body(request: Incoming) -> None:
    """Refuse a body that is not the one whose hash was signed.

    Raises:
        ServiceError: ``AccessDenied``.
    """
    if not _same(_only(request, "x-content-sha256"), sha256(request.body).hexdigest()):
        raise _denied("X-Content-Sha256 is not the hash of the body that arrived")


def _read_claim(header: str) -> _Claim:
    algorithm, _, rest = header.strip().partition(" ")
    if algorithm != ALGORITHM:
        raise _denied(f"Authorization must begin with {ALGORITHM}")  # what it begins with may be a key
    items = {name.strip(): value.strip() for name, _, value in (item.partition("=") for item in rest.split(","))}
    absent = [name for name in ("Credential", "SignedHeaders", "Signature") if not items.get(name)]
    if absent:
        raise _denied(f"Authorization has no {absent[0]}")
    parts = items["Credential"].split("/")
    if len(parts) != 5 or parts[4] != "request" or not all(parts):
        raise _denied("Credential must be ACCESS_KEY/DATE/REGION/SERVICE/request")
    access_key, date, region, service, _ = parts
    names = tuple(sorted(name.strip().lower() for name in items["SignedHeaders"].split(";")))
    return _Claim(access_key, date, region, service, names, items["Signature"])


def _check_date(x_date: str, date: str, now: float, skew_seconds: float) -> None:
    try:
        signed_at = datetime.strptime(x_date, _DATE_FORMAT).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        raise _denied(f"X-Date {shown(x_date)} is no date such as 20260102T030405Z") from None
    if x_date[:8] != date:
        raise _denied(f"X-Date {shown(x_date)} is of another day than the credential scope ({shown(date)})")
    if abs(now - signed_at) > skew_seconds:
        direction = "ahead of" if signed_at > now else "behind"
        raise _denied(f"X-Date is {abs(now - signed_at) / 60:.0f} minutes {direction} the server's clock")


def _check_token(request: Incoming, claim: _Claim, keys: Keys) -> None:
    given = request.all_of("x-security-token")
    if given and "x-security-token" not in claim.signed_names:
        raise _denied("X-Security-Token is not among the signed headers")
    if keys.session_token is not None and not (given and _same(given[0], keys.session_token)):
        raise _denied("the session token is missing or is another one" if given else "X-Security-Token is missing")


def _canonical(request: Incoming, names: tuple[str, ...], body_hash: str) -> str:
    query = sorted(request.query, key=lambda pair: pair[0])
    return "\n".join(
        [
            request.method,
            quote(request.plain_path, safe=f"/{_UNRESERVED}") or "/",
            "&".join(f"{quote(name, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for name, value in query),
            "".join(f"{name}:{_signed_value(request, name)}\n" for name in names),
            ";".join(names),
            body_hash,
        ]
    )


def _signed_value(request: Incoming, name: str) -> str:
    value = request.header(name)
    if name == "host":  # signers leave out the port that is the scheme's own
        return value.removesuffix(":80").removesuffix(":443")
    return value


def _sign(canonical: str, x_date: str, scope: str, secret_key: str) -> str:
    key = secret_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join([ALGORITHM, x_date, scope, sha256(canonical.encode()).hexdigest()])
    return hmac.digest(key, text.encode(), "sha256").hex()


def _only(request: Incoming, name: str) -> str:
    """The value of a header that must be there once: of two, nobody knows which was signed."""
    values = request.all_of(name)
    if len(values) != 1:
        what = "is missing" if not values else "is there more than once"
        raise _denied(f"the header {shown(name)} {what}")
    return values[0]


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())  # of text it takes ASCII alone


def _denied(why: str) -> ServiceError:
    return ServiceError("AccessDenied", why)
