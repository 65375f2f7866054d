"""Endpoint: where a client talks to, parsed once."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .exceptions import ConfigError

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):(//)?")
_IN_MEMORY = (":memory:", "memory", "local", "local:", "local://:memory:")  # as other engines say it
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Endpoint:
    """``scheme://host[:port][/prefix][?options]``.

    The ``prefix`` of an http endpoint is not percent-encoded. ``host`` and ``port`` are empty for ``local:///folder``.
    ``options`` are for the transport of that scheme (``local://?seed=walkthrough``); an http endpoint has none.
    """

    scheme: str
    host: str = ""
    port: int | None = None
    prefix: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read an endpoint; without a scheme it is taken as an https host.

        Raises:
            ConfigError: empty, not a URL, or carrying credentials, a query (http) or a fragment.
        """
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"endpoint must be a URL such as 'https://host' or 'local://demo', not {text!r}")
        text = text.strip()
        if text.lower() in _IN_MEMORY:
            raise ConfigError(f"endpoint {text!r} is not a URL; a database in memory is 'local://'")
        match = _SCHEME.match(text)
        if match is not None and not match.group(2) and text[match.end() :].startswith("/"):
            raise ConfigError(f"endpoint {text!r} has one slash after its scheme; two were meant, as in 'local://demo'")
        # "host:8080" also looks like a scheme; a scheme we can use is always followed by "//".
        if match is None or not match.group(2):
            text = f"https://{text}"
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            # Someone who writes a password into a URL must not find it in a log.
            shown, why = re.sub(r"//.*@", "//***@", text), "" if "@" in text else f": {error}"
            raise ConfigError(f"endpoint {shown!r} is not a URL{why}") from None
        if parts.username or parts.password:
            raise ConfigError("endpoint must not carry credentials; pass auth= instead")
        if parts.fragment:
            raise ConfigError(f"endpoint {text!r} must not have a fragment")
        scheme = parts.scheme.lower()
        if scheme in _DEFAULT_PORTS:
            if not parts.hostname:
                raise ConfigError(f"endpoint {text!r} has no host")
            if parts.query:
                raise ConfigError(f"endpoint {text!r} must not have a query; use RequestOptions(query=…) on a call")
            if re.search(r"[\s\\]", parts.netloc) or re.search(r"[\t\r\n]", text):  # urlsplit drops the latter
                raise ConfigError(f"endpoint {text!r} is not a URL: its host has a space or a backslash")
        if port == _DEFAULT_PORTS.get(scheme):
            port = None
        options = tuple(parse_qsl(parts.query, keep_blank_values=True))
        if scheme in _DEFAULT_PORTS:
            return cls(scheme, parts.hostname or "", port, unquote(parts.path).rstrip("/"), options)
        # Only http hosts are case-insensitive; local://Name and local://name are two databases.
        host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.removesuffix(":")
        return cls(scheme, host.removeprefix("[").removesuffix("]"), port, parts.path.rstrip("/"), options)

    @property
    def netloc(self) -> str:
        """Host and port as the ``Host`` header spells them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port is not None else host

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def is_http(self) -> bool:
        return self.scheme in _DEFAULT_PORTS

    @property
    def is_loopback(self) -> bool:
        """True when nothing sent there leaves this machine."""
        if not self.is_http:
            return False
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_embedded(self) -> bool:
        """True for schemes that are not HTTP, such as ``local://``."""
        return not self.is_http

    def join(self, path: str) -> str:
        """The path of an operation below this endpoint's prefix."""
        return (self.prefix if self.is_http else "") + path

    def __str__(self) -> str:
        options = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.options)
        prefix = quote(self.prefix) if self.is_http else self.prefix
        return f"{self.origin}{prefix}{'?' + options if options else ''}"
