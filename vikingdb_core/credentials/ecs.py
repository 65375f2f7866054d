"""ECS: keys of the role a cloud server was given, from the metadata service only that server can reach."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping

from ..effects import Timeouts
from ..endpoint import Endpoint
from ..exceptions import MissingCredentials
from ..masked import discreet
from ..messages import Headers, Request, Response
from ..transport.base import TransportSettings
from ..transport.once import send_once
from .base import Credentials
from .network import Sender, ask, keys_in, refusal

METADATA_ENDPOINT = "http://100.96.0.96"
SWITCH = "VOLCENGINE_ECS_METADATA_DISABLED"
REREAD_SECONDS = 600.0
"""Keys that came without a time of expiry are replaced after this long."""

_TOKEN_PATH = "/latest/api/token"
_ROLES_PATH = "/volcstack/latest/iam/security_credentials"
_TOKEN_LIFETIME = "X-Volc-Ecs-Metadata-Token-Ttl-Seconds"
_TOKEN_LIFETIME_SECONDS = "21600"
_TOKEN = "X-Volc-Ecs-Metadata-Token"
_TIMEOUTS = Timeouts(connect=1.0, total=1.0)
_ROLE = re.compile(r"[\w.@+=,-]{1,64}")
_PLAIN = re.compile(r"[\x21-\x7e]+")


def send_directly(request: Request, timeouts: Timeouts) -> Response:
    """Past every proxy: the metadata of another machine would be somebody else's keys."""
    return send_once(request, timeouts, TransportSettings(proxies={}))


def is_switched_off(environ: Mapping[str, str]) -> bool:
    """Whether the metadata service must not be asked here, by :data:`SWITCH`."""
    return environ.get(SWITCH, "").strip().lower() == "true"


class ECSRole:
    """Keys of this cloud server's role: ``IAM(provider=ECSRole())``.

    The metadata service is asked for a session token (IMDSv2), then for the role's keys. Each answer may take a second.

    Args:
        role: name of the role; otherwise the first one the server has.
        endpoint: the metadata service.
        send: carries the requests in place of an HTTP connection of its own, which uses no proxy: ``send`` of any
            transport.

    Raises:
        MissingCredentials: ``VOLCENGINE_ECS_METADATA_DISABLED`` is ``true``; on ``load``: nothing answers (this is no
            cloud server), the server has no role, or the service refused. The error has its ``status_code``.

    Wire: ``PUT /latest/api/token``, then ``GET /volcstack/latest/iam/security_credentials/<role>``.
    """

    reread_seconds = REREAD_SECONDS

    @discreet
    def __init__(self, role: str | None = None, *, endpoint: str | None = None, send: Sender = send_directly) -> None:
        if is_switched_off(os.environ):
            raise MissingCredentials(f"the ECS metadata is switched off by {SWITCH}")
        if role and not _ROLE.fullmatch(role):
            raise MissingCredentials("ECSRole needs the name of a role, without blanks or slashes")
        self.role = role or None
        self._endpoint = Endpoint.parse(endpoint or METADATA_ENDPOINT)
        self._whom = f"the ECS metadata at {self._endpoint.origin}"
        self._send = send

    @discreet
    def load(self) -> Credentials:
        from ..envelope import read_envelope

        session = self._session()
        role = self.role or self._first_role(session)
        response = self._ask("GET", f"{_ROLES_PATH}/{role}", {_TOKEN: session})
        return keys_in(read_envelope(response).body, response, f"{self._whom}, role {role},")

    def _session(self) -> str:
        response = self._ask("PUT", _TOKEN_PATH, {_TOKEN_LIFETIME: _TOKEN_LIFETIME_SECONDS})
        token = _text(response)
        if not _PLAIN.fullmatch(token):
            raise refusal(response, f"{self._whom}, asked for a session token,")
        return token

    def _first_role(self, session: str) -> str:
        response = self._ask("GET", _ROLES_PATH, {_TOKEN: session}, (("format", "json"), ("type", "user")))
        text = _text(response)
        try:
            listed = json.loads(text)
        except ValueError:
            listed = text.splitlines()  # as older metadata services answer
        roles = [role for role in listed if isinstance(role, str) and role] if isinstance(listed, list) else []
        if not roles or not _ROLE.fullmatch(roles[0]):
            raise MissingCredentials(f"{self._whom} names no role; give this server one, or name it")
        return roles[0]

    def _ask(
        self, method: str, path: str, headers: dict[str, str], query: tuple[tuple[str, str], ...] = ()
    ) -> Response:
        sent = Headers({"Host": self._endpoint.netloc, **headers})
        request = Request(method, self._endpoint, self._endpoint.join(path), query, sent, b"")
        return ask(self._send, request, _TIMEOUTS, self._whom)

    def __repr__(self) -> str:
        return f"ECSRole({self.role!r})" if self.role else "ECSRole()"


def _text(response: Response) -> str:
    return response.body.decode("utf-8", "replace").strip()
