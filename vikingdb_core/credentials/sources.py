"""Sources: where credentials are looked for when a client is given none, in order.

Looking reads the environment and files, and never the network: what must be fetched becomes a provider, which is asked
at the first call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..profile import profile_path
from .base import Auth, CredentialProvider, StaticProvider
from .ecs import SWITCH, ECSRole, is_switched_off
from .environment import API_KEY, PAIRS, name_of, pair_in_environment
from .files import OLD_JSON_NAMES, VEFAAS_NAMES, FileProvider, pair_in_ini, pair_in_json, provider_in_ve_config
from .iam import IAM
from .lack import Lack, PairNames, require, text_of
from .own_profile import provider_in_profile
from .sts import OIDC, oidc_options
from .surroundings import Surroundings
from .token import APIKey

_OIDC = ("VOLCENGINE_OIDC_ROLE_TRN", "VOLCENGINE_OIDC_TOKEN_FILE")
_ECS_ROLE = "VOLCENGINE_ECS_METADATA"


@dataclass(frozen=True)
class Source:
    """A place to look at.

    Attributes:
        name: what it is called where sources are listed.
        look: gives an auth, or raises ``Lack``. It raises ``ConfigError`` when somebody clearly meant this source and
            it cannot be used: going on would make the program somebody else.
    """

    name: str
    look: Callable[[], Auth]


def sources(around: Surroundings) -> Iterator[Source]:
    """All of them, the first to be looked at first."""
    ini, old_json = around.home / ".volc/credentials", around.home / ".volc/config"
    for names in PAIRS:
        yield Source(name_of(names), partial(_environment, around, names))
    yield Source(API_KEY, partial(_api_key, around))
    yield Source(" + ".join(_OIDC), partial(_oidc, around))
    yield Source(around.profile.source or f"profile file {profile_path(around.environ)}", partial(_profile, around))
    yield Source(str(around.ve_config), partial(_ve_config, around))
    yield Source(str(ini), partial(_ini, ini))
    yield Source(str(old_json), partial(_old_json, old_json, ini))
    yield Source(str(around.vefaas_file), partial(_vefaas, around))
    yield Source("ECS metadata", partial(_ecs, around))


def _signing(provider: CredentialProvider) -> IAM:
    if isinstance(provider, StaticProvider):  # so that whoever asks can tell whether a session token travels with them
        keys = provider.credentials
        return IAM(keys.access_key, keys.secret_key, keys.session_token)
    return IAM(provider=provider)


def _environment(around: Surroundings, names: PairNames) -> Auth:
    return _signing(StaticProvider(pair_in_environment(around.environ, names)))


def _api_key(around: Surroundings) -> Auth:
    if not text_of(around.environ, API_KEY):
        raise Lack("not set")
    return APIKey(around.environ[API_KEY])


def _oidc(around: Surroundings) -> Auth:
    if not any(text_of(around.environ, name) for name in _OIDC):
        raise Lack("not set")
    require(around.environ, *_OIDC)
    role_trn, token_file = (text_of(around.environ, name) for name in _OIDC)
    if not Path(token_file).expanduser().is_file():
        raise Lack(f"there is no token file {token_file}")
    return _signing(OIDC(role_trn, token_file, **oidc_options(around.environ), send=around.sts))


def _profile(around: Surroundings) -> Auth:
    return _signing(provider_in_profile(around))


def _ve_config(around: Surroundings) -> Auth:
    return _signing(provider_in_ve_config(around.ve_config, around.ve_profile, around))


def _ini(path: Path) -> Auth:
    return _signing(StaticProvider(pair_in_ini(path)))


def _old_json(path: Path, newer: Path) -> Auth:
    if newer.is_file():
        raise Lack(f"counts only where there is no {newer}")
    return _signing(StaticProvider(pair_in_json(path, OLD_JSON_NAMES)))


def _vefaas(around: Surroundings) -> Auth:
    pair_in_json(around.vefaas_file, VEFAAS_NAMES)  # now, to see whether they are all there; later read anew
    return IAM(provider=FileProvider(around.vefaas_file))


def _ecs(around: Surroundings) -> Auth:
    role = text_of(around.environ, _ECS_ROLE)
    if not role:
        raise Lack(f"not asked for: {_ECS_ROLE} names no role")
    if is_switched_off(around.environ):
        raise Lack(f"switched off by {SWITCH}")
    return IAM(provider=ECSRole(role, send=around.metadata))
