"""Options: what a server is started with, from the command line, the environment and a file of keys."""

from __future__ import annotations

import math
import os
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError
from vikingdb_core.hints import suggest

from ..fault_injection.plan import OPTIONS as FAULT_OPTIONS
from ..fault_injection.plan import FaultPlan, read_plan
from .access import Access, is_loopback
from .app import DEFAULT_BODY_BYTES
from .signature import SKEW_SECONDS, Keys

_KEY_NAMES = ("access_key", "secret_key", "session_token", "api_key")
_SEPARATORS = "/,;"
"""What the parts of an ``Authorization`` header end with."""
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Options:
    """What a server is started with. ``endpoint`` is that of the database."""

    host: str
    port: int
    endpoint: Endpoint
    access: Access
    faults: FaultPlan | None
    tls_cert: str | None
    tls_key: str | None
    max_body_bytes: int
    is_quiet: bool


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of ``serve``."""
    place = parser.add_argument_group("where")
    place.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1); others need keys")
    place.add_argument("--port", type=int, default=8080, help="port to listen on (8080); 0 takes a free one")
    place.add_argument("--tls-cert", metavar="FILE", help="serve https with this certificate (PEM)")
    place.add_argument("--tls-key", metavar="FILE", help="its key, unless it is in the same file")
    data = parser.add_argument_group("what")
    data.add_argument("--data", default=":memory:", metavar="DIR", help="folder of the database (:memory:)")
    data.add_argument("--seed", metavar="NAME", help="lay sample data: walkthrough")
    data.add_argument("--embedder", metavar="NAME", help="hash-v1 compares words and needs no model")
    data.add_argument("--tos", metavar="DIR", help="folder that stands for tos:// in tasks")
    keys = parser.add_argument_group(
        "keys",
        "Without any, only programs on this machine are served. In place of the command line, which other users can "
        "see: VIKINGDB_LOCAL_ACCESS_KEY, …_SECRET_KEY, …_SESSION_TOKEN, …_API_KEY, or a file.",
    )
    keys.add_argument("--access-key", metavar="AK", help="who may sign requests")
    keys.add_argument("--secret-key", metavar="SK", help="what with")
    keys.add_argument("--session-token", metavar="TOKEN", help="the token that goes with temporary keys")
    keys.add_argument("--api-key", metavar="KEY", help="bearer of the data plane")
    keys.add_argument("--keys", metavar="FILE", help=f"TOML with any of {', '.join(_KEY_NAMES)}")
    keys.add_argument("--region", help="the only region that signatures may name")
    keys.add_argument("--skew-seconds", type=float, metavar="SECONDS", help="how far a signer's clock may be off (900)")
    more = parser.add_argument_group("more")
    more.add_argument(
        "--fault", metavar="SPEC", help="faults on demand, as in '429:0.1,500:0.05&latency_ms=20&seed_faults=7'"
    )
    more.add_argument("--max-body-mb", type=int, default=DEFAULT_BODY_BYTES // _MEGABYTE, help="largest body (64)")
    more.add_argument("--quiet", action="store_true", help="do not log requests")


def read_options(given: Namespace, environment: Mapping[str, str] = os.environ) -> Options:
    """Check what was given.

    Raises:
        ConfigError: something does not fit; nothing was opened.
    """
    _check_text(given)
    access = _access(given, environment)
    if access.is_open and not is_loopback(given.host):
        raise ConfigError(
            f"--host {given.host}: without keys the server listens on this machine alone. Give --access-key and "
            "--secret-key, or --api-key, to serve others"
        )
    if given.tls_key and not given.tls_cert:
        raise ConfigError("--tls-key is of no use without --tls-cert")
    if not 0 <= given.port <= 65535:
        raise ConfigError(f"--port {given.port}: ports are from 0 to 65535")
    if given.max_body_mb < 1:
        raise ConfigError(f"--max-body-mb {given.max_body_mb}: at least 1")
    return Options(
        given.host,
        given.port,
        _endpoint(given),
        access,
        _faults(given.fault),
        given.tls_cert,
        given.tls_key,
        given.max_body_mb * _MEGABYTE,
        given.quiet,
    )


def _check_text(given: Namespace) -> None:
    """An option that is empty, such as an unset variable of a shell, would otherwise count as left out."""
    for name, value in vars(given).items():
        option = f"--{name.replace('_', '-')}"
        if value == "":
            raise ConfigError(f"{option} is empty; give it a value, or leave it out")
        if isinstance(value, str) and not _is_unicode(value):
            raise ConfigError(f"{option} is no UTF-8")


def _is_unicode(text: str) -> bool:
    """Whether it came as UTF-8; other bytes of a command line or an environment become halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _endpoint(given: Namespace) -> Endpoint:
    folder = "" if given.data == ":memory:" else quote(Path(given.data).absolute().as_posix())
    options = {"seed": given.seed, "embedder": given.embedder}
    if given.tos:
        options["tos"] = str(Path(given.tos).absolute())
    query = "&".join(f"{name}={quote(text)}" for name, text in options.items() if text)
    slash = "/" if folder and not folder.startswith("/") else ""  # C:/data
    return Endpoint.parse(f"local://{slash}{folder}{'?' + query if query else ''}")


def _faults(text: str | None) -> FaultPlan | None:
    if text is None:
        return None
    name, equals, _ = text.partition("&")[0].partition("=")
    is_named = equals and name in FAULT_OPTIONS  # as in latency_ms=20; otherwise it begins with kinds
    pairs = [pair.partition("=")[::2] for pair in (text if is_named else f"fault={text}").split("&")]
    unknown = [name for name, _ in pairs if name not in FAULT_OPTIONS]
    if unknown:
        hint = suggest(unknown[0], FAULT_OPTIONS)
        raise ConfigError(f"--fault: there is no option {unknown[0]!r}.{hint} Options: {', '.join(FAULT_OPTIONS)}")
    return read_plan(pairs, "--fault")


def _access(given: Namespace, environment: Mapping[str, str]) -> Access:
    from_file = _read_keys(Path(given.keys)) if given.keys else {}
    found = {name: _key(name, given, from_file, environment) for name in _KEY_NAMES}
    access_key, secret_key, session_token, api_key = (found[name] for name in _KEY_NAMES)
    if (access_key is None) != (secret_key is None):
        missing = "secret key" if access_key else "access key"
        raise ConfigError(f"there is no {missing}; the two go together")
    if session_token and not access_key:
        raise ConfigError("a session token goes with an access key and a secret key")
    skew_seconds = SKEW_SECONDS if given.skew_seconds is None else given.skew_seconds
    if not 0 <= skew_seconds < math.inf:
        raise ConfigError(f"--skew-seconds {skew_seconds:g}: must be a number from 0 on")
    for option, value in (("--region", given.region), ("--skew-seconds", given.skew_seconds)):
        if value is not None and not access_key:
            raise ConfigError(f"{option} is of no effect without an access key and a secret key")
    keys = Keys(access_key, secret_key, session_token) if access_key and secret_key else None
    return Access(keys, api_key, given.region, skew_seconds)


def _key(name: str, given: Namespace, from_file: Mapping[str, str], environment: Mapping[str, str]) -> str | None:
    """The value of a key from where it comes first. It is not shown when it is refused."""
    variable = f"VIKINGDB_LOCAL_{name.upper()}"
    places = (
        (f"--{name.replace('_', '-')}", getattr(given, name)),
        (f"--keys {given.keys}: {name}", from_file.get(name)),
        (variable, environment.get(variable)),
    )
    for place, value in places:
        if value == "":
            raise ConfigError(f"{place} is empty; give it a value, or leave it out")
        if value is not None:
            unfit = _unfit(name, value)
            if unfit:
                raise ConfigError(f"{place} has {unfit}; no request can bear such a key")
            return value
    return None


def _unfit(name: str, value: str) -> str:
    """What a key has that keeps it from ever being matched; empty when nothing does."""
    if not value.isprintable():
        return "a line break, or another character that cannot be printed"
    if name == "secret_key":  # it is not sent
        return "space around it" if value != value.strip() else ""
    if not value.isascii() or " " in value:
        return "a space, or a character that is not ASCII"
    if name == "access_key" and any(mark in value for mark in _SEPARATORS):
        return f"one of {' '.join(_SEPARATORS)}"
    return ""


def _read_keys(path: Path) -> dict[str, str]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--keys {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # without the text of the line, which may hold a key
        raise ConfigError(f'--keys {path} is no TOML; write lines such as access_key = "…"') from error.with_traceback(
            None
        )
    for name, value in found.items():
        if name not in _KEY_NAMES:
            raise ConfigError(f"--keys {path}: there is no {name!r}.{suggest(name, _KEY_NAMES)}")
        if not isinstance(value, str) or not value:
            raise ConfigError(f"--keys {path}: {name} must be a string that is not empty")
    return found
