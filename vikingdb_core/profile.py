"""Profile: settings kept in a file.

TOML at ``~/.config/vikingdb/config.toml`` or wherever ``VIKINGDB_CONFIG_FILE`` says. One table per profile; plugin
settings below it::

    [default]
    region = "cn-beijing"
    timeout = 10

    [staging]
    endpoint = "https://vikingdb.staging.example"

    [staging.plugin.otel]
    capture_query = true

A profile may also say where its credentials are, as keys of its own or as the name of another place::

    [default]
    access_key = "AKLT…"
    secret_key = "…"
    session_token = "…"                        # with temporary keys only

    [search]
    credentials = "volcengine:prod"            # of ~/.volcengine/config.json; "volcengine" is its current profile
    role_trn = "trn:iam::2100000000:role/search"  # to be taken on with those keys, by AssumeRole
    role_session_name = "nightly"              # the name audit logs show; optional, as are the next two
    role_policy = "{…}"                        # JSON that narrows what the role may do
    sts_endpoint = "https://sts.volcengineapi.com"

    [cluster]
    oidc_token_file = "/var/run/token"         # with role_trn, by AssumeRoleWithOIDC; takes no keys
    role_trn = "trn:iam::2100000000:role/search"

    [machine]
    credentials = "ecs"                        # the metadata of this cloud server; "ecs:<role>" names its role

and what an installed auth scheme is called with, when a client asks for it by name (``auth="vault"``)::

    [default.auth.vault]
    address = "https://vault.example"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .exceptions import ConfigError
from .hints import suggest
from .masked import Masked, discreet

DEFAULT_PROFILE = "default"
CREDENTIAL_KEYS = (
    "access_key",
    "secret_key",
    "session_token",
    "credentials",
    "role_trn",
    "role_session_name",
    "role_policy",
    "oidc_token_file",
    "sts_endpoint",
)
"""What of a profile is about credentials and no setting of a client."""


@dataclass(frozen=True)
class Profile:
    """One table of the file. ``source`` says where it was read, for :meth:`ClientConfig.explain`."""

    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    plugins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    source: str = ""
    credentials: Mapping[str, str] = field(default_factory=Masked)
    auth: Mapping[str, Mapping[str, Any]] = field(default_factory=Masked)


def profile_path(environ: Mapping[str, str]) -> Path:
    """Where the profile file is, whether it exists or not."""
    if environ.get("VIKINGDB_CONFIG_FILE"):
        return Path(environ["VIKINGDB_CONFIG_FILE"]).expanduser()
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base, "vikingdb", "config.toml").expanduser()


@discreet
def read_profile(name: str | None, environ: Mapping[str, str]) -> Profile:
    """Read a profile. Without a name: ``VIKINGDB_PROFILE``, else ``default``, which need not exist.

    Raises:
        ConfigError: the file is no TOML or cannot be read; a profile asked for by name is missing.
    """
    wanted = name or environ.get("VIKINGDB_PROFILE")
    path = profile_path(environ)
    asked_for_file = bool(environ.get("VIKINGDB_CONFIG_FILE"))
    document = _read(path)
    if document is None:
        if wanted or asked_for_file:
            raise ConfigError(f"there is no profile file {path}{f' to read profile {wanted!r} from' if wanted else ''}")
        return Profile()
    table = document.get(wanted or DEFAULT_PROFILE)
    if table is None:
        if wanted:
            raise ConfigError(f"{path} has no profile {wanted!r}.{suggest(wanted, document)}")
        return Profile()
    named = wanted or DEFAULT_PROFILE
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {named!r} must be a table of settings, as in [default]")
    settings = dict(table)
    plugins = _tables(settings.pop("plugin", {}), f"{path}: plugin settings are tables, as in [{named}.plugin.otel]")
    auth = _tables(settings.pop("auth", {}), f"{path}: settings of auth schemes are tables, as in [{named}.auth.vault]")
    credentials = {key: settings.pop(key) for key in CREDENTIAL_KEYS if key in settings}
    for key, value in credentials.items():
        if not isinstance(value, str):
            raise ConfigError(f"{path}: {key} in [{named}] must be text in quotes")
    return Profile(
        settings,
        plugins,
        f"profile {named!r} in {path}",
        Masked({key: value.strip() for key, value in credentials.items() if value.strip()}),
        Masked(auth),
    )


def _read(path: Path) -> Mapping[str, Any] | None:
    """The document, or ``None`` where there is no file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        trouble = f"{error.reason} at byte {error.start}: it is not utf-8"
    except (OSError, tomllib.TOMLDecodeError) as error:
        trouble = str(error)
    # Without its cause: the parser's errors hold the whole text, and that may have keys in it.
    raise ConfigError(f"the profile file {path} cannot be read: {trouble}")


def _tables(value: Any, complaint: str) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
        raise ConfigError(complaint)
    return value
