"""Access: who may call. With keys, whoever has them; without, programs on this machine alone."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import ServiceError, invalid, shown
from .incoming import Incoming
from .signature import ALGORITHM, SKEW_SECONDS, Keys, verify_body, verify_head

_BEARER = "bearer "
_NETLOC = re.compile(
    r"""
    (?: \[ (?P<bracketed> [0-9a-fA-F:.]+ ) \] | (?P<name> [^:\[\]%\s]+ ) ) (?: : [0-9]* )?
    | (?P<bare> [0-9a-fA-F:.]+ )  # an IPv6 address without a port
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Access:
    """The keys of a server.

    Attributes:
        keys: sign requests for both planes.
        api_key: bearer of the data plane.
        region: the only one that signatures may name; ``None`` for any.
        skew_seconds: how far the clock of a signer may be off.
    """

    keys: Keys | None = None
    api_key: str | None = field(default=None, repr=False)
    region: str | None = None
    skew_seconds: float = SKEW_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether no key is asked for."""
        return self.keys is None and self.api_key is None

    def check_place(self, request: Incoming) -> None:
        """Without keys, refuse what a web page could make a browser send; needs no body.

        A page's own requests carry the page's host, also after its name was made to point here, and a page cannot send
        JSON to another origin without asking first, which nobody answers.

        Raises:
            ServiceError: it is none of this machine, or no JSON.
        """
        if not self.is_open:
            return
        host = request.all_of("host")
        if len(host) != 1 or not is_loopback(host_name(host[0])):
            raise ServiceError(
                "AccessDenied",
                f"the Host header is {shown(', '.join(host))}; without keys this server answers to 127.0.0.1, ::1 and "
                "localhost alone",
            )
        kind = request.header("content-type").partition(";")[0].strip().lower()
        if request.method not in ("GET", "HEAD") and not request.is_ping and kind != "application/json":
            raise invalid(f"the content type is {shown(kind)}; send application/json")

    def check(self, request: Incoming, now: float) -> None:
        """Refuse whoever has no key, of a server that has; needs no body.

        Raises:
            ServiceError: ``AccessDenied``.
        """
        if self.is_open or request.is_ping:
            return
        given = request.all_of("authorization")
        if not given:
            raise ServiceError("AccessDenied", f"there is no Authorization header; {self._expected(request)}")
        if _is_bearer(given):
            self._check_api_key(request, given[0][len(_BEARER) :].strip())
        elif self.keys is None:
            raise ServiceError("AccessDenied", f"this server has no access keys; {self._expected(request)}")
        elif not any(text.lstrip().startswith(ALGORITHM) for text in given):  # what it is instead may be a key
            why = f"Authorization is neither {ALGORITHM} nor a bearer token"
            raise ServiceError("AccessDenied", f"{why}; {self._expected(request)}")
        else:
            verify_head(request, self.keys, now, self.region, self.skew_seconds)

    def check_body(self, request: Incoming) -> None:
        """Refuse a body that was not signed, of a request that is.

        Raises:
            ServiceError: ``AccessDenied``.
        """
        if self.keys is not None and not request.is_ping and not _is_bearer(request.all_of("authorization")):
            verify_body(request)

    def _check_api_key(self, request: Incoming, given: str) -> None:
        if request.is_control:
            raise ServiceError("AccessDenied", f"API keys are for the data plane; {self._expected(request)}")
        if self.api_key is None or not hmac.compare_digest(given.encode(), self.api_key.encode()):
            raise ServiceError("AccessDenied", "the API key is not known")

    def _expected(self, request: Incoming) -> str:
        ways = []
        if self.keys is not None:
            ways.append("sign the request with the access keys")
        if self.api_key is not None and not request.is_control:
            ways.append("send the API key as a bearer token")
        return " or ".join(ways) or "the control plane needs access keys, and this server was started without"


def _is_bearer(given: Sequence[str]) -> bool:
    return len(given) == 1 and given[0][: len(_BEARER)].lower() == _BEARER


def host_name(netloc: str) -> str:
    """The host of ``host[:port]``, without brackets; empty when it is not of that shape."""
    found = _NETLOC.fullmatch(netloc)
    return "" if found is None else found["bracketed"] or found["name"] or found["bare"] or ""


def is_loopback(host: str) -> bool:
    """Whether a name or an address can only be this machine."""
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
