"""STS: temporary keys for a role, from the platform's token service.

Both calls are version 2018-01-01 of the service ``sts``. ``AssumeRole`` is signed with keys one has;
``AssumeRoleWithOIDC`` carries an identity token instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

from ..effects import Timeouts
from ..exceptions import ConfigError, MissingCredentials
from ..masked import discreet
from ..messages import Headers, Request, Response
from ..transport.once import send_once
from .base import CredentialProvider, Credentials, Scope
from .iam import IAM
from .network import Sender, ask, keys_in, private_endpoint

STS_ENDPOINT = "https://sts.volcengineapi.com"
STS_REGION = "cn-beijing"
SESSION_NAME = "vikingdb-python"
LIFETIME_SECONDS = 3600
REREAD_SECONDS = 600.0
"""Keys that came without a time of expiry are replaced after this long."""

_VERSION = "2018-01-01"
_TIMEOUTS = Timeouts(connect=5.0, total=10.0)


class AssumeRole:
    """Keys of a role that other keys may take on: ``IAM(provider=AssumeRole("trn:iam::…:role/search", ak, sk))``.

    Args:
        role_trn: the role, as ``trn:iam::<account id>:role/<name>``.
        ak: access key that asks.
        sk: its secret key.
        session_token: goes with ``ak`` and ``sk`` when they are temporary.
        provider: where to get the asking keys instead.
        session_name: the name audit logs show.
        policy: JSON that narrows what the role may do.
        duration_seconds: how long the keys shall last.
        sts_endpoint: the token service; https, unless it is this machine.
        region: part of the signature.
        send: carries the request in place of an HTTP connection of its own: ``send`` of any transport.

    Raises:
        MissingCredentials: an argument is missing; on ``load``: the service did not answer, or refused. The error has
            its ``status_code`` and ``code``.
        ConfigError: a secret would travel unencrypted.

    Wire: ``GET /?Action=AssumeRole``.
    """

    reread_seconds = REREAD_SECONDS

    @discreet
    def __init__(
        self,
        role_trn: str,
        ak: str | None = None,
        sk: str | None = None,
        session_token: str | None = None,
        *,
        provider: CredentialProvider | None = None,
        session_name: str | None = None,
        policy: str | None = None,
        duration_seconds: int = LIFETIME_SECONDS,
        sts_endpoint: str = STS_ENDPOINT,
        region: str = STS_REGION,
        send: Sender = send_once,
    ) -> None:
        if not role_trn:
            raise MissingCredentials("AssumeRole needs a role: role_trn='trn:iam::<account id>:role/<name>'")
        self.role_trn = role_trn
        self._auth = IAM(ak, sk, session_token, provider=provider)
        self._parameters = _parameters(role_trn, session_name, policy, duration_seconds)
        self._endpoint = private_endpoint(sts_endpoint, "the endpoint of STS")
        self._region = region
        self._send = send

    @discreet
    def load(self) -> Credentials:
        if self._auth.is_stale():
            self._auth.refresh()
        headers = Headers({"Host": self._endpoint.netloc, "Accept": "application/json"})
        query = (("Action", "AssumeRole"), ("Version", _VERSION), *self._parameters.items())
        unsigned = Request("GET", self._endpoint, self._endpoint.join("/"), query, headers, b"")
        request = self._auth.sign(unsigned, Scope("sts", self._region))
        whom = f"AssumeRole of {self.role_trn} at {self._endpoint.origin}"
        return _role_keys(ask(self._send, request, _TIMEOUTS, whom), whom)

    def __repr__(self) -> str:
        return f"AssumeRole({self.role_trn!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("the keys that ask for a role are not pickled; build AssumeRole again in the other process")


class OIDC:
    """Keys of a role for whoever holds an identity token, such as a pod: ``IAM(provider=OIDC(role_trn, token_file))``.

    The token file is read anew each time, since the token in it is replaced before it expires.

    Args:
        role_trn: the role, as ``trn:iam::<account id>:role/<name>``.
        token_file: path of a file that holds the identity token and nothing else.
        session_name: the name audit logs show.
        policy: JSON that narrows what the role may do.
        duration_seconds: how long the keys shall last.
        sts_endpoint: the token service; https, unless it is this machine.
        send: carries the request in place of an HTTP connection of its own: ``send`` of any transport.

    Raises:
        MissingCredentials: an argument is missing; on ``load``: the file cannot be read, the service did not answer, or
            refused. The error has its ``status_code`` and ``code``.
        ConfigError: the token would travel unencrypted.

    Wire: ``POST /?Action=AssumeRoleWithOIDC``, a form.
    """

    reread_seconds = REREAD_SECONDS

    @discreet
    def __init__(
        self,
        role_trn: str,
        token_file: str | Path,
        *,
        session_name: str | None = None,
        policy: str | None = None,
        duration_seconds: int = LIFETIME_SECONDS,
        sts_endpoint: str = STS_ENDPOINT,
        send: Sender = send_once,
    ) -> None:
        if not role_trn or not str(token_file):
            raise MissingCredentials("OIDC needs role_trn='trn:iam::<account id>:role/<name>' and token_file=…")
        self.role_trn = role_trn
        self.token_file = Path(token_file).expanduser()
        self._parameters = _parameters(role_trn, session_name, policy, duration_seconds)
        self._endpoint = private_endpoint(sts_endpoint, "the endpoint of STS")
        self._send = send

    @discreet
    def load(self) -> Credentials:
        headers = Headers(
            {
                "Host": self._endpoint.netloc,
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
            }
        )
        query = (("Action", "AssumeRoleWithOIDC"), ("Version", _VERSION))
        form = urlencode({**self._parameters, "OIDCToken": self._token()}).encode()
        request = Request("POST", self._endpoint, self._endpoint.join("/"), query, headers, form)
        whom = f"AssumeRoleWithOIDC of {self.role_trn} at {self._endpoint.origin}"
        return _role_keys(ask(self._send, request, _TIMEOUTS, whom), whom)

    def _token(self) -> str:
        try:
            token = self.token_file.read_text(encoding="ascii").strip()
        except OSError as error:
            raise MissingCredentials(f"the token file {self.token_file} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            token = ""
        if not token:
            raise MissingCredentials(f"the token file {self.token_file} holds no identity token")
        return token

    def __repr__(self) -> str:
        return f"OIDC({self.role_trn!r}, {str(self.token_file)!r})"


def oidc_options(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the environment says of :class:`OIDC` beside the role and the file."""
    return {
        "session_name": environ.get("VOLCENGINE_OIDC_ROLE_SESSION_NAME") or None,
        "policy": environ.get("VOLCENGINE_OIDC_ROLE_POLICY") or None,
        "sts_endpoint": environ.get("VOLCENGINE_OIDC_STS_ENDPOINT") or STS_ENDPOINT,
    }


def _parameters(role_trn: str, session_name: str | None, policy: str | None, duration_seconds: int) -> dict[str, str]:
    if isinstance(duration_seconds, bool) or not isinstance(duration_seconds, int) or duration_seconds < 1:
        raise ConfigError(f"duration_seconds must be a whole number of seconds, not {duration_seconds!r}")
    parameters = {
        "RoleTrn": role_trn,
        "RoleSessionName": session_name or SESSION_NAME,
        "DurationSeconds": str(duration_seconds),
    }
    return {**parameters, "Policy": policy} if policy else parameters


def _role_keys(response: Response, whom: str) -> Credentials:
    from ..envelope import read_envelope

    body: Mapping[str, Any] = read_envelope(response).body or {}
    result = body.get("result")
    return keys_in(result.get("Credentials") if isinstance(result, Mapping) else None, response, whom)
