"""Ambient credentials: what the environment offers when a client is given none.

The first complete pair wins; an access key of one source is never joined with a secret key of another.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import discovery
from ..endpoint import Endpoint
from ..exceptions import ConfigError, MissingCredentials
from .base import Auth
from .iam import IAM
from .token import APIKey, NoAuth

_KEY_PAIRS = (
    ("VIKINGDB_AK", "VIKINGDB_SK", "VIKINGDB_SESSION_TOKEN"),
    ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY", "VOLCENGINE_SESSION_TOKEN"),
    ("VOLC_ACCESSKEY", "VOLC_SECRETKEY", "VOLC_SESSIONTOKEN"),
)
_API_KEY = "VIKINGDB_API_KEY"


def resolve_auth(auth: Auth | str | None, endpoints: Mapping[str, Endpoint], environ: Mapping[str, str]) -> Auth:
    """Read ``auth=``: an object, the name of an installed scheme, or ``None`` for what the environment offers.

    The environment's credentials never go to an embedded engine or to this machine: whoever listens there is not the
    service they are for.

    Raises:
        ConfigError: ``auth`` is something else.
        MissingCredentials: nothing was given and nothing found.
    """
    if isinstance(auth, Auth):
        return auth
    if isinstance(auth, str):
        installed = discovery.names(discovery.AUTH)
        if auth not in installed:  # perhaps a key, so it is not repeated
            raise ConfigError(
                "auth= was given a string that names no installed auth scheme "
                f"(installed: {', '.join(installed) or 'none'}); an API key is passed as auth=APIKey(…)"
            )
        made = discovery.lookup(discovery.AUTH, auth)
        built = made() if callable(made) and not isinstance(made, Auth) else made
        return _checked(built, f"auth={auth!r}")
    if auth is not None:
        return _checked(auth, "auth=")
    here = [endpoint for endpoint in endpoints.values() if endpoint.is_embedded or endpoint.is_loopback]
    if endpoints["data"] in here:
        return NoAuth()
    if here:
        raise MissingCredentials(f"the environment's credentials are not sent to {here[0].origin}; pass auth=…")
    return _from_environment(environ, endpoints["data"])


def _checked(auth: object, what: str) -> Auth:
    if isinstance(auth, Auth):
        return auth
    shown = auth.__name__ if isinstance(auth, type) else type(auth).__name__
    hint = f"; did you mean {shown}(…)?" if isinstance(auth, type) else ""
    raise ConfigError(f"{what} needs an Auth such as IAM(ak=…, sk=…) or APIKey(…), not {shown}{hint}")


def _from_environment(environ: Mapping[str, str], endpoint: Endpoint) -> Auth:
    for access, secret, token in _KEY_PAIRS:
        if environ.get(access) and environ.get(secret):
            return IAM(environ[access], environ[secret], environ.get(token) or None)
    if environ.get(_API_KEY):
        return APIKey(environ[_API_KEY])
    half = [
        f"{a} without {s}" if environ.get(a) else f"{s} without {a}"
        for a, s, _ in _KEY_PAIRS
        if environ.get(a) or environ.get(s)
    ]
    tried = ", ".join([*(f"{a} + {s}" for a, s, _ in _KEY_PAIRS), _API_KEY])
    raise MissingCredentials(
        f"{endpoint.origin} needs credentials: pass auth=IAM(ak=…, sk=…) or auth=APIKey(…), or set one of {tried}"
        + (f"; found only {'; '.join(half)}" if half else "")
    )
