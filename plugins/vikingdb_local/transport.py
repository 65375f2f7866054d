"""LocalTransport: carries requests to an engine in this process. Chosen by the scheme ``local``.

It receives exactly the request that would have gone to the service and answers with the response the service would
have sent, so everything above the wire runs unchanged.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from vikingdb_core.effects import StreamedResponse, Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import RequestError
from vikingdb_core.messages import Request, Response
from vikingdb_core.transport import TransportSettings

from .databases import (
    check_endpoint,
    choose_buckets,
    choose_embedder,
    choose_faults,
    choose_seed,
    close_database,
    open_database,
)
from .fault_injection.in_process import carry_out
from .router import address_of, operation_name, respond
from .session import Session

LONGEST_CALL_SECONDS = 30.0
"""How long ``close`` waits for calls of other threads."""


class LocalTransport:
    """A ``Transport`` to an embedded database. Safe for many threads.

    Args:
        endpoint: ``local://`` for a private database, ``local://NAME`` for one shared in the process,
            ``local:///folder`` for one that lasts. Option ``embedder=hash-v1`` replaces the sentence encoder,
            ``seed=walkthrough`` lays sample data at the first request, ``tos=/folder`` lets tasks read and write files,
            ``fault=500:0.1`` makes a tenth of the requests fail.
        settings: connection settings; there is no connection.
        clock: seconds since 1970; rows expire by it.

    Raises:
        ConfigError: an unknown option, or a folder that cannot be opened.
    """

    def __init__(
        self, endpoint: Endpoint, settings: TransportSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        check_endpoint(endpoint)
        self._endpoint = endpoint
        self._pid = os.getpid()
        self._calls, self._changed = 0, threading.Condition()
        # Before a folder is opened.
        embedder, seed, buckets = choose_embedder(endpoint), choose_seed(endpoint), choose_buckets(endpoint)
        self._faults = choose_faults(endpoint)
        self._session: Session | None = Session(open_database(endpoint), embedder, clock, seed, buckets)

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Answer a request; nothing in it makes this raise. Time limits apply to faults: there is nothing else to wait
        for.

        Raises:
            RequestError: the transport was closed.
            ConnectionLost, RequestTimeout: a fault of the endpoint.
        """
        if self._is_inherited:
            raise RequestError(
                f"this client was made before a fork, and {self._endpoint} stays with the process that opened it. Use "
                "it there, or make clients after forking"
            )
        with self._changed:
            session = self._session
            if session is None:
                raise RequestError(f"this client was closed; make a new one to use {self._endpoint}")
            self._calls += 1
        try:
            return self._respond(session, request, timeouts)
        finally:
            with self._changed:
                self._calls -= 1
                self._changed.notify_all()

    def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        """The same: no operation streams."""
        return self.send(request, timeouts)

    def close(self) -> None:
        """Let go of the database when calls of other threads are done. A private one is gone with it, one in a folder
        can be opened by others."""
        if self._is_inherited:
            return
        with self._changed:
            session, self._session = self._session, None
            if os.getpid() == self._pid:  # the child of a fork has none of those threads
                self._changed.wait_for(lambda: not self._calls, LONGEST_CALL_SECONDS)
        if session is not None:
            close_database(self._endpoint, session.catalog)

    def _respond(self, session: Session, request: Request, timeouts: Timeouts) -> Response:
        if self._faults is None:
            return respond(session, request)
        fault = self._faults.draw(operation_name(request))
        return carry_out(fault, address_of(request), lambda: respond(session, request), timeouts)

    @property
    def _is_inherited(self) -> bool:
        """Whether this process has the client from a fork, and so not the folder it is a client of."""
        return bool(self._endpoint.prefix) and os.getpid() != self._pid
