"""Profile: settings kept in a file.

TOML at ``~/.config/vikingdb/config.toml`` or wherever ``VIKINGDB_CONFIG_FILE`` says. One table per profile; plugin
settings below it::

    [default]
    region = "cn-beijing"
    timeout = 10

    [staging]
    endpoint = "https://vikingdb.staging.example"

    [staging.plugin.otel]
    capture_filters = true
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .exceptions import ConfigError
from .hints import suggest

DEFAULT_PROFILE = "default"


@dataclass(frozen=True)
class Profile:
    """One table of the file. ``source`` says where it was read, for :meth:`ClientConfig.explain`."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    plugins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    source: str = ""


def profile_path(environ: Mapping[str, str]) -> Path:
    """Where the profile file is, whether it exists or not."""
    if environ.get("VIKINGDB_CONFIG_FILE"):
        return Path(environ["VIKINGDB_CONFIG_FILE"]).expanduser()
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base, "vikingdb", "config.toml").expanduser()


def read_profile(name: str | None, environ: Mapping[str, str]) -> Profile:
    """Read a profile. Without a name: ``VIKINGDB_PROFILE``, else ``default``, which need not exist.

    Raises:
        ConfigError: the file is no TOML or cannot be read; a profile asked for by name is missing.
    """
    wanted = name or environ.get("VIKINGDB_PROFILE")
    path = profile_path(environ)
    asked_for_file = bool(environ.get("VIKINGDB_CONFIG_FILE"))
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if wanted or asked_for_file:
            raise ConfigError(
                f"there is no profile file {path}{f' to read profile {wanted!r} from' if wanted else ''}"
            ) from None
        return Profile()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the profile file {path} cannot be read: {error}") from error
    table = document.get(wanted or DEFAULT_PROFILE)
    if table is None:
        if wanted:
            raise ConfigError(f"{path} has no profile {wanted!r}.{suggest(wanted, document)}")
        return Profile()
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {wanted or DEFAULT_PROFILE!r} must be a table of settings, as in [default]")
    settings = dict(table)
    plugins = settings.pop("plugin", {})
    if not isinstance(plugins, dict) or not all(isinstance(value, dict) for value in plugins.values()):
        raise ConfigError(f"{path}: plugin settings are tables, as in [{wanted or DEFAULT_PROFILE}.plugin.otel]")
    return Profile(settings, plugins, f"profile {wanted or DEFAULT_PROFILE!r} in {path}")
