"""Message: a request as aiohttp sends it and a response as it reads it, byte for byte as signed and as answered."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from vikingdb_core.messages import Headers, Request

if TYPE_CHECKING:
    from aiohttp.connector import Connection

_PIECEWISE_BYTES = 1 << 20
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_END_OF_HEAD = b"\r\n\r\n"


def arguments(request: Request) -> dict[str, Any]:
    """A request, as arguments of ``ClientSession.request``."""
    headers = {"Accept-Encoding": "identity", **request.headers}  # like the sync transport, which asks for no coding
    data: bytes | io.BytesIO | None = None
    if request.method != "GET":
        headers["Content-Length"] = str(len(request.body))
        # A large body is written piece by piece, so that other tasks get their turn.
        data = request.body if len(request.body) < _PIECEWISE_BYTES else io.BytesIO(request.body)
    return {
        "method": request.method,
        "url": URL(request.url, encoded=True),  # else it would be quoted anew, and the signature be of another
        "headers": headers,
        "skip_auto_headers": _NOT_ADDED,
        "data": data,
        "allow_redirects": False,
    }


def headers_of(response: aiohttp.ClientResponse) -> Headers:
    """The headers of a response. Those that come several times are joined, as everywhere in HTTP."""
    read: dict[str, str] = {}
    for name, value in response.raw_headers:
        key = name.decode("latin-1").lower()
        text = " ".join(value.decode("latin-1").split())  # a server may fold a header over lines; read, it has none
        read[key] = f"{read[key]}, {text}" if key in read else text
    return Headers(read)


class SignedRequest(aiohttp.ClientRequest):
    """Sends header values as Latin-1, one byte a character, as they were signed. aiohttp would make them UTF-8."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if not _is_ascii(self.headers.values()) and conn.protocol is not None and conn.protocol.transport is not None:
            conn.protocol.transport = _HeadInLatin1(conn.protocol, conn.protocol.transport)
        return await super().send(conn)


class _HeadInLatin1(asyncio.Transport):
    """Stands in for a transport until the head of a request has passed."""

    def __init__(self, protocol: Any, inner: asyncio.Transport) -> None:
        self._protocol = protocol
        self._inner = inner

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        head, end, rest = bytes(data).partition(_END_OF_HEAD)
        self._protocol.transport = self._inner
        self._inner.write(head.decode("utf-8").encode("latin-1") + end + rest)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self._inner.is_closing()

    def close(self) -> None:
        self._inner.close()

    def abort(self) -> None:
        self._inner.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._inner.get_extra_info(name, default)


def _is_ascii(values: Iterable[str]) -> bool:
    return all(value.isascii() for value in values)
