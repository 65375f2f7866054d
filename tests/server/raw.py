"""Requests byte by byte, and what comes back before the connection ends."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 60
"""No test waits for it: it ends one that would otherwise hang."""


@dataclass(frozen=True)
class Answer:
    """What a server sent until it closed, or until the answer was whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def head(method: str, target: str, headers: Mapping[str, str], length: int | None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def ask(
    port: int,
    target: str,
    body: bytes | None = b"{}",
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A request on a connection of its own."""
    given = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json", **(headers or {})}
    sent = {name: value for name, value in given.items() if value}
    return exchange(port, head(method, target, sent, None if body is None else len(body)) + (body or b""))


def exchange(port: int, sent: bytes, *, shut: bool = False) -> Answer:
    """Send bytes and read an answer. ``shut`` says that nothing more will be sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        try:
            connection.sendall(sent)
            if shut:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server would not have the rest
        return read(connection)


def read(connection: socket.socket) -> Answer:
    received = b""
    while True:
        answer = parse(received)
        if answer is not None and answer.is_whole:
            return answer
        try:
            more = connection.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            return answer or Answer(0, {}, received, False)
        received += more


def parse(received: bytes) -> Answer | None:
    top, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length")
    return Answer(int(first.split()[1]), headers, body, length is not None and len(body) >= int(length))
