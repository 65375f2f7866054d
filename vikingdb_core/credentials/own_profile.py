"""Own profile: what the profile of a client says of credentials. :mod:`vikingdb_core.profile` lists the keys."""

from __future__ import annotations

from typing import Any

from ..exceptions import ConfigError, MissingCredentials
from .base import CredentialProvider, StaticProvider
from .ecs import SWITCH, ECSRole, is_switched_off
from .files import provider_in_ve_config
from .lack import Lack, PairNames, pair_of, require
from .sts import OIDC, STS_ENDPOINT, AssumeRole
from .surroundings import Surroundings

_KEYS: PairNames = ("access_key", "secret_key", "session_token")
_OF_A_ROLE = ("role_session_name", "role_policy", "oidc_token_file", "sts_endpoint")


def provider_in_profile(around: Surroundings) -> CredentialProvider:
    """The provider a profile describes.

    Raises:
        Lack: it says nothing of credentials, or only half.
        ConfigError: it says what does not go together.
        MissingCredentials: it names a place that has none.
    """
    table = around.profile.credentials
    if not table:
        raise Lack("names no credentials" if around.profile.source else "there is no such file, or no [default] in it")
    named, role = table.get("credentials"), table.get("role_trn")
    keys = [key for key in _KEYS if key and key in table]
    if named and keys:
        raise ConfigError(f"credentials names another place, so {' and '.join(keys)} cannot be given here")
    alone = [key for key in _OF_A_ROLE if key in table]
    if alone and not role:
        raise ConfigError(f"{' and '.join(alone)} go with role_trn, which is not given")
    options: dict[str, Any] = {
        "session_name": table.get("role_session_name"),
        "policy": table.get("role_policy"),
        "sts_endpoint": table.get("sts_endpoint", STS_ENDPOINT),
    }
    if "oidc_token_file" in table:
        if named or keys:
            raise ConfigError("a role is taken on with oidc_token_file or with keys, not with both")
        require(table, "role_trn")
        return OIDC(table["role_trn"], table["oidc_token_file"], **options, send=around.sts)
    provider = _named(named, around) if named else StaticProvider(pair_of(table, _KEYS))
    return AssumeRole(role, provider=provider, **options, send=around.sts) if role else provider


def _named(place: str, around: Surroundings) -> CredentialProvider:
    kind, separator, name = place.partition(":")
    if (separator and not name) or kind not in ("volcengine", "ecs"):  # perhaps a key, so it is not repeated
        raise ConfigError("credentials must be 'volcengine', 'volcengine:<profile>', 'ecs' or 'ecs:<role>'")
    if kind == "ecs":
        if is_switched_off(around.environ):
            raise MissingCredentials(f"credentials = {place!r}, and {SWITCH} switches that off")
        return ECSRole(name or None, send=around.metadata)
    try:
        return provider_in_ve_config(around.ve_config, name or around.ve_profile, around)
    except Lack as lack:
        trouble = str(lack)
    raise MissingCredentials(f"credentials = {place!r}, but {around.ve_config}: {trouble}")
