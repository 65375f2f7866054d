"""Files that hold credentials, as the platform's tools write them.

- ``~/.volcengine/config.json``, of the ``ve`` command: ``profiles``, each with a ``mode``.
- ``~/.volc/credentials``, INI: ``access_key_id`` and ``secret_access_key`` in a section.
- ``~/.volc/config``, JSON: ``ak`` and ``sk``.
- ``/var/run/secrets/iam/credential`` in a veFaaS function, JSON: ``access_key_id``, ``secret_access_key``,
  ``session_token``. The platform replaces it from time to time.

Of a file's content nothing but names is repeated in an error.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..exceptions import MissingCredentials
from ..hints import suggest
from ..masked import discreet
from .base import CredentialProvider, Credentials, StaticProvider
from .ecs import SWITCH, ECSRole, is_switched_off
from .lack import Lack, PairNames, pair_of, require, text_of
from .sts import OIDC, STS_REGION, AssumeRole, oidc_options
from .surroundings import Surroundings

INI_NAMES: PairNames = ("access_key_id", "secret_access_key", None)
OLD_JSON_NAMES: PairNames = ("ak", "sk", None)
VEFAAS_NAMES: PairNames = ("access_key_id", "secret_access_key", "session_token")
_VE_NAMES: PairNames = ("access-key", "secret-key", "session-token")
_DEFAULT = "default"

T = TypeVar("T")


class FileProvider:
    """Keys in a file, read anew every minute: ``IAM(provider=FileProvider("~/.volc/credentials"))``.

    The format is told from the content: JSON with ``profiles`` (``~/.volcengine/config.json``), with ``ak`` and ``sk``
    (``~/.volc/config``), or with ``access_key_id``, ``secret_access_key`` and ``session_token`` (a veFaaS function); or
    INI with the first two of these in a section (``~/.volc/credentials``).

    Args:
        path: the file.
        profile: profile or section of it; otherwise the file's current one, else ``default``.

    Raises:
        MissingCredentials: on ``load``: there is no such file or profile, it cannot be read, or it lacks a key. When
            the profile names a role, also as :class:`AssumeRole`, :class:`OIDC` and :class:`ECSRole` do.
    """

    reread_seconds = 60.0

    def __init__(self, path: str | Path, *, profile: str | None = None) -> None:
        self.path = Path(path).expanduser()
        self.profile = profile

    @discreet
    def load(self) -> Credentials:
        try:
            provider = self._provider()
        except Lack as lack:
            trouble = str(lack)
        except MissingCredentials as error:
            trouble = error.message
        else:
            return provider.load()
        raise MissingCredentials(f"{self.path}: {trouble}")

    def _provider(self) -> CredentialProvider:
        text = _read(self.path)
        if not text.lstrip().startswith("{"):
            return StaticProvider(_pair_in_section(text, self.profile or _DEFAULT))
        document = _json_object(text)
        if "profiles" in document:
            return _provider_of_profile(document, self.profile, Surroundings())
        return StaticProvider(pair_of(document, OLD_JSON_NAMES if {"ak", "sk"} & document.keys() else VEFAAS_NAMES))

    def __repr__(self) -> str:
        return f"FileProvider({str(self.path)!r}{f', profile={self.profile!r}' if self.profile else ''})"


def pair_in_ini(path: Path) -> Credentials:
    """The keys in ``[default]`` of an INI file."""
    return _pair_in_section(_read(path), _DEFAULT)


def pair_in_json(path: Path, names: PairNames) -> Credentials:
    """The keys in a JSON object."""
    return pair_of(_json_object(_read(path)), names)


def provider_in_ve_config(path: Path, profile: str | None, around: Surroundings) -> CredentialProvider:
    """What a profile of the ``ve`` command's file stands for; without a name, the file's current one."""
    return _provider_of_profile(_json_object(_read(path)), profile, around)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        trouble = "there is no such file"
    except OSError as error:
        trouble = f"it cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        trouble = f"it cannot be read: byte {error.start} is not utf-8"
    # Here and below, raised where no context hangs on: the errors of decoders and parsers hold what they were given.
    raise Lack(trouble)


def _json_object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        trouble = f"it is no JSON from line {error.lineno}, column {error.colno} on"
    else:
        if isinstance(document, dict):
            return document
        trouble = "it is no JSON object"
    raise Lack(trouble)


def _pair_in_section(text: str, section: str) -> Credentials:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:  # its message would repeat the line
        trouble = f"it is no INI file from line {_line(error)} on"
    else:
        if parser.has_section(section):
            return _named(f"section [{section}]", lambda: pair_of(dict(parser.items(section)), INI_NAMES))
        trouble = f"it has no section [{section}].{suggest(section, parser.sections())}"
    raise Lack(trouble)


def _line(error: configparser.Error) -> int:
    several = getattr(error, "errors", None) or [(getattr(error, "lineno", 1), "")]
    return int(several[0][0])


def _provider_of_profile(document: Mapping[str, Any], wanted: str | None, around: Surroundings) -> CredentialProvider:
    name = wanted or text_of(document, "current") or _DEFAULT
    profiles = document.get("profiles")
    table = profiles.get(name) if isinstance(profiles, dict) else None
    if not isinstance(table, dict):
        raise Lack(f"it has no profile {name!r}.{suggest(name, profiles if isinstance(profiles, dict) else ())}")
    return _named(f"profile {name!r}", lambda: _by_mode(table, around))


def _by_mode(profile: Mapping[str, Any], around: Surroundings) -> CredentialProvider:
    mode = text_of(profile, "mode").lower()
    if mode in ("", "ak"):
        return StaticProvider(pair_of(profile, _VE_NAMES))
    if mode == "ramrolearn":
        require(profile, "access-key", "secret-key", "role-name", "account-id")
        return AssumeRole(
            f"trn:iam::{text_of(profile, 'account-id')}:role/{text_of(profile, 'role-name')}",
            text_of(profile, "access-key"),
            text_of(profile, "secret-key"),
            region=text_of(profile, "region") or STS_REGION,
            send=around.sts,
        )
    if mode == "oidc":
        require(profile, "role-trn", "oidc-token-file")
        options = oidc_options(around.environ)
        options["policy"] = text_of(profile, "policy") or options["policy"]
        return OIDC(text_of(profile, "role-trn"), text_of(profile, "oidc-token-file"), **options, send=around.sts)
    if mode == "ecsrole":
        require(profile, "role-name")
        if is_switched_off(around.environ):
            raise Lack(f"has mode EcsRole, and {SWITCH} switches that off")
        return ECSRole(text_of(profile, "role-name"), send=around.metadata)
    if mode in ("sso", "console-login"):
        raise Lack(f"has mode {mode}, which this SDK cannot use; give it keys, or a role")
    raise Lack("has a mode this SDK does not know; it can use AK, RamRoleArn, OIDC and EcsRole")


def _named(place: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except Lack as lack:
        trouble = str(lack)
    raise Lack(f"{place} {trouble}")
