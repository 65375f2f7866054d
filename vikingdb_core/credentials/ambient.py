"""Ambient credentials: which of the sources a client uses when it is given none, and why not the others."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .. import discovery
from ..endpoint import Endpoint
from ..exceptions import ConfigError, MissingCredentials, VikingDBError
from ..masked import discreet
from .base import Auth
from .iam import IAM
from .lack import Lack
from .sources import Source, sources
from .surroundings import Surroundings
from .token import APIKey, NoAuth

NOT_ASKED = "not asked"
"""What came of a source after the one that is used."""


@dataclass(frozen=True)
class ResolvedCredentials:
    """The credentials of a client, and where they come from.

    Attributes:
        auth: what signs.
        source: name of the source, or ``"auth="``, or ``"none"`` where none are sent.
        looked_at: every source in order, with what it lacks; ``None`` for the one that is used, and ``"not asked"`` for
            those after it. Empty when none was looked at.
        reason: why none was looked at.
    """

    auth: Auth
    source: str
    looked_at: tuple[tuple[str, str | None], ...] = field(default=(), repr=False)
    reason: str = field(default="", repr=False)

    def explain(self) -> str:
        """A table of the sources: which is used, and what the others lack. Of keys it has the first four characters."""
        if not self.looked_at:
            return self.reason
        rows = [("source", "result"), *self.rows()]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {result}" for name, result in rows)

    def rows(self) -> list[tuple[str, str]]:
        """Every source that was looked at, and what came of it."""
        return [(name, lack or self._used()) for name, lack in self.looked_at]

    def _used(self) -> str:
        if isinstance(self.auth, IAM):
            key = self.auth.shown_key
            return f"used: access key {key}" if key else f"used: {self.auth.provider_name}, asked at the first call"
        return "used: API key" if isinstance(self.auth, APIKey) else f"used: {type(self.auth).__name__}"

    def with_session_token(self, token: str | None) -> ResolvedCredentials:
        """The same keys with an STS token.

        Raises:
            ConfigError: these credentials have no use for one.
        """
        if not token:
            return self
        if not isinstance(self.auth, IAM):
            raise ConfigError(f"sts_token goes with IAM keys; this client's auth is {type(self.auth).__name__}")
        return replace(self, auth=self.auth.with_session_token(token))


@discreet
def resolve_credentials(
    auth: Auth | str | None, endpoints: Mapping[str, Endpoint], around: Surroundings
) -> ResolvedCredentials:
    """Read ``auth=``: an object, the name of an installed scheme, or ``None`` for what the surroundings offer.

    What is found in the surroundings never goes to an embedded engine or to this machine: whoever listens there is not
    the service it is for.

    Raises:
        ConfigError: ``auth`` is something else, or a source was meant and cannot be used.
        MissingCredentials: nothing was given and nothing found.
    """
    if isinstance(auth, str):
        return _passed(_installed(auth, around), f"auth={auth!r} was passed to the client")
    if auth is not None:
        checked = _checked(auth, "auth=")
        return _passed(checked, f"auth={_shown(checked)} was passed to the client")
    here = [endpoint for endpoint in endpoints.values() if endpoint.is_embedded or endpoint.is_loopback]
    if endpoints["data"] in here:
        kind = "an embedded engine" if endpoints["data"].is_embedded else "this machine"
        return ResolvedCredentials(
            NoAuth(),
            "none",
            reason=f"no credentials are sent: {endpoints['data'].origin} is {kind}, so no source was looked at; "
            "pass auth=… to send some",
        )
    if here:
        raise MissingCredentials(
            f"credentials that a client finds by itself are not sent to {here[0].origin}; pass auth=…"
        )
    return _first_complete(sources(around), endpoints["data"])


def _passed(auth: Auth, reason: str) -> ResolvedCredentials:
    return ResolvedCredentials(auth, "auth=", reason=f"{reason}, so no source was looked at")


def _shown(auth: Auth) -> str:
    own = type(auth).__module__.startswith("vikingdb_core.")
    return repr(auth) if own else type(auth).__name__  # a stranger's repr may show what it should not


def _checked(auth: object, what: str) -> Auth:
    if isinstance(auth, Auth):
        return auth
    shown = auth.__name__ if isinstance(auth, type) else type(auth).__name__
    hint = f"; did you mean {shown}(…)?" if isinstance(auth, type) else ""
    raise ConfigError(f"{what} needs an Auth such as IAM(ak=…, sk=…) or APIKey(…), not {shown}{hint}")


def _installed(name: str, around: Surroundings) -> Auth:
    installed = discovery.names(discovery.AUTH)
    if name not in installed:  # perhaps a key, so it is not repeated
        raise ConfigError(
            "auth= was given a string that names no installed auth scheme "
            f"(installed: {', '.join(installed) or 'none'}); an API key is passed as auth=APIKey(…)"
        )
    made, settings = discovery.lookup(discovery.AUTH, name), around.profile.auth.get(name, {})
    return _checked(_built(name, made, settings, around.profile.source), f"auth={name!r}")


def _built(name: str, made: Any, settings: Mapping[str, Any], where: str) -> object:
    given = ", ".join(sorted(settings))  # names only: values may be secrets
    if not callable(made) or isinstance(made, Auth):
        if settings:
            raise ConfigError(f"{where}: auth scheme {name!r} takes no settings, and is given {given}")
        return made
    try:
        inspect.signature(made).bind(**settings)
    except TypeError as error:
        trouble = str(error)
    except ValueError:  # nothing is known of its parameters
        trouble = ""
    else:
        trouble = ""
    if not trouble:
        try:
            return made(**settings)
        except VikingDBError:
            raise
        except Exception as error:
            trouble = type(error).__name__
    # Without its cause, which may repeat what it was given.
    raise ConfigError(
        f"{where or 'no profile'}: auth scheme {name!r} cannot be built from {given or 'no settings'}: {trouble}"
    )


def _first_complete(looked_at: Iterable[Source], endpoint: Endpoint) -> ResolvedCredentials:
    rows: list[tuple[str, str | None]] = []
    used: tuple[str, Auth] | None = None
    for source in looked_at:
        if used is not None:
            rows.append((source.name, NOT_ASKED))
            continue
        try:
            used = source.name, source.look()
        except Lack as lack:
            rows.append((source.name, str(lack)))
        except ConfigError as error:
            raise type(error)(f"{source.name}: {error.message}") from None
        else:
            rows.append((source.name, None))
    if used is not None:
        return ResolvedCredentials(used[1], used[0], tuple(rows))
    listed = "\n".join(f"  {name}: {lack}" for name, lack in rows)
    missing = MissingCredentials(
        f"{endpoint.origin} needs credentials: pass auth=IAM(ak=…, sk=…) or auth=APIKey(…), "
        f"or complete one of the places that were looked at:\n{listed}"
    )
    missing.looked_at = tuple((name, lack or "") for name, lack in rows)
    raise missing
