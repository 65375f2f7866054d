"""LoopbackServer: a server on this machine, as well or badly behaved as a test wants it.

Connections are plain sockets, each served by a function in a thread of its own, so that a test says byte by byte what
the client sees.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeAlias


@dataclass(frozen=True)
class Received:
    """A request as it came in. ``lines`` are the header lines, byte for byte."""

    method: str
    target: str
    lines: tuple[bytes, ...]
    body: bytes
    connection: int

    @property
    def headers(self) -> dict[str, str]:
        pairs = (line.decode("latin-1").split(": ", 1) for line in self.lines)
        return {name: value for name, value in pairs}


@dataclass
class Connection:
    """One accepted connection."""

    number: int
    socket: socket.socket
    server: LoopbackServer
    _buffer: bytes = field(default=b"", repr=False)

    def read_request(self) -> Received | None:
        """The next request, or ``None`` when the client has closed."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        method, target, _ = first.decode().split(" ")
        sizes = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
        length = sizes[0] if sizes else 0
        while len(self._buffer) < length:
            if not self._receive():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        received = Received(method, target, tuple(lines), body, self.number)
        self.server.received.append(received)
        return received

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self, status: int = 200, body: bytes = b'{"code":"Success","result":{}}', *headers: bytes) -> None:
        lines = [b"HTTP/1.1 %d Said" % status, *headers, b"Content-Length: %d" % len(body), b"", body]
        self.send(b"\r\n".join(lines))

    def wait_for_the_client_to_close(self) -> None:
        while self._receive():
            pass

    def _receive(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)


Serve: TypeAlias = Callable[[Connection], Any]


def answer_everything(connection: Connection) -> None:
    """Keep the connection and answer each request with a success."""
    while connection.read_request():
        connection.reply()


class LoopbackServer:
    """Serves on 127.0.0.1, on a port nobody had, while it is entered.

    Args:
        serve: what becomes of each connection, in a thread of its own.
        context: serve https with this certificate.

    Attributes:
        received: every whole request, in order of arrival.
        notes: for what the serving function wants to tell the test.
    """

    def __init__(self, serve: Serve = answer_everything, *, context: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.notes: list[str] = []
        self.stopping = threading.Event()
        self._serve = serve
        self._context = context
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        return len(self._connections)

    def wait_for_notes(self, count: int) -> None:
        """Until the serving function has left so many notes; it is in another thread."""
        for _ in range(2000):
            if len(self.notes) >= count:
                return
            self.stopping.wait(0.005)
        raise AssertionError(f"the server has left {len(self.notes)} notes, not {count}")

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        with suppress(OSError):  # the listener waits for somebody to come
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            accepted, _ = self._listener.accept()
            if self.stopping.is_set():
                accepted.close()
                return
            number = len(self._connections)
            self._connections.append(accepted)
            self._start(partial(self._handle, accepted, number))

    def _handle(self, accepted: socket.socket, number: int) -> None:
        # A client that leaves in the middle is what many of these tests are about.
        with suppress(OSError):
            opened = accepted
            if self._context is not None:
                opened = self._context.wrap_socket(accepted, server_side=True)
            with opened:
                self._serve(Connection(number, opened, self))
        accepted.close()

    def _start(self, work: Callable[[], Any]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
