"""Reading: from what HTTP brings to what the engine takes, with an end to what is too long or never comes."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request as HttpRequest

from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import REQUEST_ID_HEADER, Headers, Request

from ..errors import ServiceError
from .connection import PATIENCE_SECONDS
from .incoming import Incoming

_LONGEST_REQUEST_ID = 128
_ORIGIN = re.compile(rb"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*")


def read_head(http: HttpRequest) -> Incoming:
    """A request whose body has not been read."""
    path = http.scope.get("raw_path") or http.url.path.encode()
    if not path.startswith(b"/"):  # a proxy is asked for a whole URL
        path = _ORIGIN.sub(b"", path) or b"/"
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in http.scope["headers"]]
    return Incoming(http.method, path.decode("latin-1"), http.scope["query_string"].decode("latin-1"), headers)


async def read_body(http: HttpRequest, most: int) -> bytes:
    """The body of a request.

    Raises:
        ServiceError: status 413 when it is larger than ``most`` bytes, 408 when the client stops sending.
    """
    length = http.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    chunks = http.stream()
    while True:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                chunk = await anext(chunks, None)
        except TimeoutError:
            why = f"nothing more of the body came for {PATIENCE_SECONDS:.0f} seconds"
            raise ServiceError("InvalidParameter", why, status=408) from None
        if chunk is None:
            return b"".join(parts)
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            raise _too_large(most)


def _too_large(most: int) -> ServiceError:
    why = f"the body is larger than {most:,} bytes; send less in one request"
    return ServiceError("InvalidParameter", why, status=413)


def to_request(incoming: Incoming, endpoint: Endpoint) -> Request:
    """The request as a client in this process would have made it. Of its headers the engine reads one."""
    given = incoming.header(REQUEST_ID_HEADER.lower())
    is_usable = given.isascii() and given.isprintable() and len(given) <= _LONGEST_REQUEST_ID
    headers = Headers({REQUEST_ID_HEADER: given} if given and is_usable else {})
    return Request(incoming.method, endpoint, incoming.plain_path, incoming.query, headers, incoming.body)
