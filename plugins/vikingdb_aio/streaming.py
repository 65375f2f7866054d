"""Streaming: the pieces of a response that is still arriving."""

from __future__ import annotations

import asyncio

import aiohttp

from vikingdb_core.exceptions import TransportError
from vikingdb_core.messages import Request

from .attempt import Attempt
from .failure import FAILURES, failure


class Chunks:
    """The pieces, as they arrive, each waited for this long.

    Whoever reads them to the end gives the connection back; closing or forgetting them closes it.
    """

    def __init__(self, response: aiohttp.ClientResponse, request: Request, attempt: Attempt, seconds: float) -> None:
        self._response = response
        self._request = request
        self._attempt = attempt
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._failed: TransportError | None = None
        self._is_over = False

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> bytes:
        if self._is_over:
            raise StopAsyncIteration
        if self._failed is None:
            try:
                async with asyncio.timeout(self._seconds):
                    piece = await self._response.content.readany()
            except FAILURES as error:
                self._failed = failure(error, self._request, self._attempt, is_answered=True)
                piece = _come_before(self._response.content)
            except BaseException:
                await self.close()
                raise
            if piece:
                return piece
        if self._failed is None:
            self._is_over = True
            raise StopAsyncIteration
        await self.close()
        raise self._failed

    async def close(self) -> None:
        """Close the connection, unless the pieces were read to the end."""
        if not self._is_over:
            self._is_over = True
            self._response.close()

    def __del__(self) -> None:
        if not self._is_over and not self._loop.is_closed():  # forgotten, perhaps in another thread
            self._loop.call_soon_threadsafe(self._response.close)


def _come_before(content: aiohttp.StreamReader) -> bytes:
    """What arrived before a failure, which aiohttp would keep to itself."""
    content.set_exception(None)  # type: ignore[arg-type]  # so that it is read as if nothing had happened
    return content.read_nowait()
