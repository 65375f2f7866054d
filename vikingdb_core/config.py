"""Config: what a client is set to, and where each value came from.

A table of settings, resolved once, when the client is built: keyword arguments, then environment, then profile, then
default. ``None`` means "not given".
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .endpoint import Endpoint
from .exceptions import ConfigError
from .hints import suggest
from .masked import Masked, discreet
from .messages import Headers
from .profile import CREDENTIAL_KEYS, Profile, read_profile
from .request_options import check_headers

DEFAULT_REGION = "cn-beijing"


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a non-empty string")
    return value.strip()


def _seconds(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("must be a number of seconds")
    seconds = float(value)
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError("must be a positive number of seconds")
    return seconds


def _count(value: Any) -> int:
    number = int(value)
    if isinstance(value, bool) or number < 1 or number != float(value):
        raise ValueError("must be a whole number from 1 on")
    return number


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("must be true or false")


def _verify(value: Any) -> bool | str:
    try:
        return _flag(value)
    except ValueError:
        return _text(os.fspath(value))


def _headers(value: Any) -> Headers:
    headers = Headers(value)
    check_headers(headers)
    return headers


def _user_agent(value: Any) -> str:
    return _headers({"User-Agent": _text(value)})["User-Agent"]


def _proxies(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return {"http": value, "https": value}
    return {str(scheme): str(url) for scheme, url in dict(value).items()}


def _plugins(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return tuple(value)


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    name: str
    parse: Callable[[Any], Any]
    default: Any = None
    env: tuple[str, ...] = ()
    help: str = ""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "endpoint", _text, None, ("VIKINGDB_ENDPOINT",), "URL of the data plane, or local://… for the embedded engine"
    ),
    Setting("host", _text, None, ("VIKINGDB_HOST",), "host of the data plane, in place of endpoint"),
    Setting("scheme", _text, None, ("VIKINGDB_SCHEME",), "scheme that goes with host; https unless given"),
    Setting("control_endpoint", _text, None, ("VIKINGDB_CONTROL_ENDPOINT",), "URL of the control plane"),
    Setting("region", _text, DEFAULT_REGION, ("VIKINGDB_REGION", "VOLC_REGION"), "region; part of the signature"),
    Setting("timeout", _seconds, 30.0, ("VIKINGDB_TIMEOUT",), "seconds one attempt may take"),
    Setting("connect_timeout", _seconds, 10.0, ("VIKINGDB_CONNECT_TIMEOUT",), "seconds to wait for a connection"),
    Setting("deadline", _seconds, None, ("VIKINGDB_DEADLINE",), "seconds a whole call may take, retries included"),
    Setting("user_agent", _user_agent, None, ("VIKINGDB_USER_AGENT",), "User-Agent header"),
    Setting("headers", _headers, Headers(), (), "headers for every request"),
    Setting("pool_connections", _count, 10, (), "how many hosts to keep connections to"),
    Setting("pool_maxsize", _count, 50, (), "idle connections to keep for each host; async, the most requests at once"),
    Setting("proxies", _proxies, None, (), "proxy URL, or a map of scheme to proxy URL; else the environment's"),
    Setting("verify", _verify, True, (), "check TLS certificates, or the path of a CA bundle"),
    Setting("plugins", _plugins, (), ("VIKINGDB_PLUGINS",), "plugins to activate, in order"),
    Setting("allow_insecure", _flag, False, (), "send secrets over plain http to hosts that are not this machine"),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class ClientConfig:
    """Resolved settings, as attributes by name; ``sources`` says where each came from."""

    values: Mapping[str, Any] = field(repr=False)
    sources: Mapping[str, str] = field(repr=False)
    plugin_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(f"no setting named {name!r}.{suggest(name, _BY_NAME)}") from None

    def with_derived(self, name: str, value: Any, source: str) -> ClientConfig:
        """A copy in which a setting nobody gave has the value that follows from others."""
        if self.sources[name] != "default" or value is None:
            return self
        return replace(self, values={**self.values, name: value}, sources={**self.sources, name: source})

    def explain(self) -> str:
        """A table of every setting, its value and its source. Secrets are masked."""
        rows = [("setting", "value", "source"), *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        return "\n".join(
            f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}".rstrip() for name, value, source in rows
        )

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Every setting: its name, its value as it may be shown, its source."""
        for setting in SETTINGS:
            yield setting.name, _shown(self.values[setting.name]), self.sources[setting.name]

    def __repr__(self) -> str:
        given = {name: _shown(self.values[name]) for name, source in self.sources.items() if source != "default"}
        return f"ClientConfig({', '.join(f'{name}={value}' for name, value in given.items())})"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Headers):
        return ", ".join(f"{name}=***" for name in value) or "-"
    if isinstance(value, dict):  # proxies: their URLs may hold a password
        return ", ".join(f"{scheme}={without_userinfo(url)}" for scheme, url in value.items())
    if isinstance(value, tuple):
        return ", ".join(item if isinstance(item, str) else type(item).__name__ for item in value) or "-"
    return str(value)


def without_userinfo(url: str) -> str:
    """A URL without whoever it is for, also where its scheme was forgotten."""
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    return f"{scheme}{separator}***@{rest.rpartition('@')[2]}" if "@" in rest else url


@discreet
def resolve(
    given: Mapping[str, Any], *, profile: str | Profile | None = None, environ: Mapping[str, str] | None = None
) -> ClientConfig:
    """Resolve all settings.

    Args:
        given: keyword arguments of the client; ``None`` means not given.
        profile: name of a profile that must exist, or one that has been read.
        environ: environment to read instead of the process's.

    Raises:
        ConfigError: a value is wrong, a profile is broken, ``endpoint`` and ``host`` are both given.
    """
    config, troubles = examine(given, profile=profile, environ=environ)
    if troubles:
        raise troubles[0]
    return config


def examine(
    given: Mapping[str, Any], *, profile: str | Profile | None = None, environ: Mapping[str, str] | None = None
) -> tuple[ClientConfig, list[ConfigError]]:
    """Resolve what can be resolved, and say what cannot: a setting that is wrong keeps its default."""
    environ = Masked(os.environ if environ is None else environ)
    troubles: list[ConfigError] = []
    try:
        read = profile if isinstance(profile, Profile) else read_profile(profile, environ)
    except ConfigError as error:
        troubles.append(error)
        read = Profile()
    for name in read.settings:
        if name not in _BY_NAME:
            hint = suggest(name, [*_BY_NAME, *CREDENTIAL_KEYS])
            troubles.append(ConfigError(f"{read.source}: there is no setting {name!r}.{hint}"))
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        value, source = _first(setting, given, environ, read)
        try:
            values[setting.name] = value if source == "default" else setting.parse(value)
            sources[setting.name] = source
        except (TypeError, ValueError, OverflowError) as error:
            troubles.append(_chained(ConfigError(f"{setting.name} (from {source}): {error}"), error))
            values[setting.name], sources[setting.name] = setting.default, "default"
    try:
        _settle_endpoint(values, sources)
    except ConfigError as error:
        troubles.append(error)
        values |= dict.fromkeys(_PLACES)
        sources |= dict.fromkeys(_PLACES, "default")
    return ClientConfig(values, sources, read.plugins), troubles


_PLACES = ("endpoint", "host", "scheme", "control_endpoint")


def _chained(error: ConfigError, cause: Exception) -> ConfigError:
    error.__cause__ = cause
    return error


def _first(setting: Setting, given: Mapping[str, Any], environ: Mapping[str, str], read: Profile) -> tuple[Any, str]:
    if given.get(setting.name) is not None:
        return given[setting.name], "argument"
    for variable in setting.env:
        # An empty VIKINGDB_PLUGINS is a statement (run none); an empty value of anything else is not given.
        if environ.get(variable) or (variable in environ and setting.name == "plugins"):
            return environ[variable], f"environment {variable}"
    if read.settings.get(setting.name) is not None:
        return read.settings[setting.name], read.source
    return setting.default, "default"


_RANK = {"argument": 0, "environment": 1, "profile": 2, "default": 3}


def _settle_endpoint(values: dict[str, Any], sources: dict[str, str]) -> None:
    """Turn host and scheme into an endpoint; the stronger source of the two wins."""
    by_host, by_endpoint = (_RANK[sources[name].partition(" ")[0]] for name in ("host", "endpoint"))
    if values["host"] is None or (values["endpoint"] is not None and by_endpoint < by_host):
        pass
    elif values["endpoint"] is not None and by_endpoint == by_host:
        raise ConfigError(f"give endpoint or host, not both ({sources['endpoint']} has both)")
    else:
        host, scheme = values["host"], (values["scheme"] or "https").removesuffix("://").lower()
        if "://" in host:
            raise ConfigError(f"host (from {sources['host']}) is a bare host name; give {host!r} as endpoint")
        values["endpoint"], sources["endpoint"] = f"{scheme}://{host}", f"host, {sources['host']}"
    for name in ("endpoint", "control_endpoint"):
        if values[name] is not None:
            try:
                values[name] = Endpoint.parse(values[name])
            except ConfigError as error:
                raise ConfigError(f"{name} (from {sources[name]}): {error.message}") from error
