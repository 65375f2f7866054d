"""Pool: the connections of one event loop, and what becomes of them when it ends.

A pool closes itself when its loop shuts its asynchronous generators down, as ``asyncio.run`` and every server does: it
keeps one of them waiting for that. It does so too when its client is forgotten. So connections are closed while there
still is a loop to close them, whoever failed to.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncGenerator
from contextlib import suppress

import aiohttp

from vikingdb_core.transport import TransportSettings

from .connector import Connector
from .message import SignedRequest

_closing: set[asyncio.Future[None]] = set()  # a loop holds its tasks weakly
_LONGEST_LINE_BYTES = 1 << 16  # what the sync transport reads, too


class Pool:
    """Belongs to the loop that runs when it is made, and is used there.

    Attributes:
        session: sends by the pool's connections.
    """

    def __init__(self, settings: TransportSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._connector = Connector(settings)
        self.session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=SignedRequest,
            timeout=aiohttp.ClientTimeout(),  # none of aiohttp's: an attempt has its own
            max_line_size=_LONGEST_LINE_BYTES,
            max_field_size=_LONGEST_LINE_BYTES,
        )
        self._keeper = _close_at_the_end(self.session)
        with suppress(StopIteration):  # begins it; it waits for nothing until then
            self._keeper.__anext__().send(None)
        self._forget = weakref.finalize(self, _forgotten, self._loop, self._connector, self.session, os.getpid())
        self._forget.atexit = False

    async def close(self) -> None:
        """Close every connection, in the pool's own loop."""
        await self._keeper.aclose()

    def dismiss(self) -> None:
        """Have every connection closed, from another loop or thread, or when the loop has ended. Does not wait."""
        self._forget()

    def abandon(self) -> None:
        """Leave the connections as they are, and aiohttp without a reason to complain of it."""
        self.session.detach()


def _forgotten(loop: asyncio.AbstractEventLoop, connector: Connector, session: aiohttp.ClientSession, pid: int) -> None:
    """Close a session from anywhere: in its loop while that runs, else by hanging up."""
    if session.closed:
        return
    if os.getpid() != pid:  # the connections are the parent's
        session.detach()
    elif loop.is_running():
        with suppress(RuntimeError):  # it has ended this very moment, and closed what it had
            loop.call_soon_threadsafe(_close_soon, session)
    else:
        connector.hang_up()
        session.detach()


def _close_soon(session: aiohttp.ClientSession) -> None:
    closing = asyncio.ensure_future(session.close())
    _closing.add(closing)
    closing.add_done_callback(_closing.discard)


async def _close_at_the_end(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await session.close()
