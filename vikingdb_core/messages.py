"""Messages: what travels. Plain values; no I/O and no types of any HTTP library.

A ``Draft`` is what plugins see and may add headers to. Freezing it gives a ``Request``, which auth signs into a new
``Request``. A transport turns that into a ``Response``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NoReturn
from urllib.parse import quote

from .endpoint import Endpoint
from .exceptions import ExtensionError, InvalidRequest
from .masked import names_a_secret

REQUEST_ID_HEADER = "X-Tt-Logid"


class Headers(MutableMapping[str, str]):
    """Case-insensitive header map that spells every name one way (``x-tt-logid`` becomes ``X-Tt-Logid``).

    One spelling matters: SignerV4 signs only names that begin with a capital ``X-``.
    """

    __slots__ = ("_secret", "_values")

    def __init__(self, values: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        self._secret: frozenset[str] = frozenset()
        self.update(values)

    def __setitem__(self, name: str, value: str) -> None:
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidRequest(f"header {name!r} must map a str to a str, not to {type(value).__name__}")
        if not _is_name(name) or "\r" in value or "\n" in value:
            raise InvalidRequest(f"header {name!r} has a character that no header may have")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError as error:
            raise InvalidRequest(f"header {name!r} has a character outside Latin-1; percent-encode it") from error
        # Blanks around a value are no part of it on the wire, so they may be none of the signature.
        self._values[_canonical(name)] = value.strip(" \t")

    def __getitem__(self, name: str) -> str:
        return self._values[_canonical(name)]

    def __delitem__(self, name: str) -> None:
        del self._values[_canonical(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def copy(self) -> Headers:
        return self._twin(Headers)

    def masked(self, names: Iterable[str]) -> Headers:
        """A copy that shows the values of these headers to nobody, whatever the names say."""
        twin = self.copy()
        twin._secret |= {_canonical(name) for name in names}
        return twin

    def frozen(self) -> Headers:
        """The same headers, refusing every change; this object, when it does so already."""
        return self._twin(_FrozenHeaders)

    def _twin(self, kind: type[Headers]) -> Headers:
        twin = kind.__new__(kind)  # what is in it was checked before
        twin._values, twin._secret = dict(self._values), self._secret
        return twin

    def __repr__(self) -> str:
        return f"Headers({redact(self)!r})"


class _FrozenHeaders(Headers):
    """The headers of a complete request."""

    __slots__ = ()

    def __setitem__(self, name: str, value: str) -> NoReturn:
        raise ExtensionError(
            f"header {name!r} cannot be set, the request is complete; sign() returns a new one instead: "
            f"return request.with_headers({{{name!r}: …}})"
        )

    def __delitem__(self, name: str) -> NoReturn:
        raise ExtensionError(
            f"header {name!r} cannot be removed, the request is complete; sign() returns a new one instead: "
            "return dataclasses.replace(request, headers=…)"
        )

    def frozen(self) -> Headers:
        return self


@lru_cache(512)
def _is_name(name: str) -> bool:
    return bool(name) and name.isascii() and not any(c in name for c in "\r\n: ")


@lru_cache(512)
def _canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def redact(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with secrets masked: what may be shown to a person."""
    secret = headers._secret if isinstance(headers, Headers) else frozenset()
    return {name: "***" if name in secret or names_a_secret(name) else value for name, value in headers.items()}


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Percent-encode sorted pairs just as the signature does, so that what is signed is what is sent."""
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(pairs))


@dataclass(frozen=True)
class Request:
    """An HTTP request, complete and immutable, its headers too. ``path`` holds the endpoint's prefix and is not
    percent-encoded."""

    method: str
    endpoint: Endpoint
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Headers
    body: bytes = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", self.headers.frozen())

    @property
    def url(self) -> str:
        query = encode_query(self.query)
        return f"{self.endpoint.origin}{quote(self.path)}{'?' + query if query else ''}"

    def with_headers(self, headers: Mapping[str, str], *, secret: bool = False) -> Request:
        """A copy with these headers added or replaced. Those that are ``secret`` are shown to nobody; of headers with
        telling names, such as ``Authorization``, that is known."""
        merged = self.headers.copy()
        merged.update(headers)
        return replace(self, headers=merged.masked(headers) if secret else merged)


@dataclass(frozen=True)
class Draft:
    """A request before it is signed. Only ``headers`` may be changed."""

    method: str
    endpoint: Endpoint
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Headers
    body: bytes = field(repr=False)

    def freeze(self) -> Request:
        return Request(self.method, self.endpoint, self.path, self.query, self.headers, self.body)


@dataclass(frozen=True)
class Response:
    """A whole HTTP response."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300
