"""NetworkGuard: tests that reach no other machine, whichever library would open the socket."""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from types import TracebackType
from typing import Any, Self

import pytest

_LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_SENDINGS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_INTERNET = (socket.AF_INET, socket.AF_INET6)

_guards: list[NetworkGuard] = []  # those that act, the latest last
_lock = threading.Lock()
_is_watching = False


class NetworkGuard:
    """Fails whoever looks up or connects to another machine, from :meth:`start` to :meth:`stop` or in a ``with``.

    It sees every socket of this process, and none of processes that are started. The failure is no ``Exception``, so
    that a retry or an ``except`` on the way does not hide it.

    Args:
        loopback: whether 127.0.0.1, ``::1`` and ``localhost`` may be reached. May be changed at any time.

    Attributes:
        refused: what was refused so far, a sentence each.
        unheard: those of them that were refused in other threads than the one that started the guard, whose failure
            need not reach the test.
    """

    def __init__(self, *, loopback: bool = True) -> None:
        self.loopback = loopback
        self.refused: list[str] = []
        self.unheard: list[str] = []
        self._thread = threading.get_ident()

    def start(self) -> None:
        global _is_watching
        self._thread = threading.get_ident()
        with _lock:
            _guards.append(self)
            if not _is_watching:  # an audit hook stays for as long as the process does
                sys.addaudithook(_watch)
                _is_watching = True

    def stop(self) -> None:
        with _lock:
            _guards.remove(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def refuse(self, host: object) -> None:
        """Fail unless this host may be reached."""
        here = _is_this_machine(host)
        if here and self.loopback:
            return
        sentence = f"a test tried to reach {_shown(host)}; " + (
            "it may open no connection at all" if here else "tests talk to this machine only"
        )
        self.refused.append(sentence)
        if threading.get_ident() != self._thread:
            self.unheard.append(sentence)
        pytest.fail(f"{sentence}. Use viking_wire or viking_local in the network's place", pytrace=True)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guards or not event.startswith("socket."):
        return
    if event in _LOOK_UPS:
        host = arguments[0]
    elif event in _SENDINGS and arguments[0].family in _INTERNET and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return  # a local socket, or one that is connected already
    for guard in reversed(_guards):
        guard.refuse(host)


def _is_this_machine(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(_shown(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _shown(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
