"""The kit's server on this machine, also with TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

from pytest_vikingdb.loopback import Connection, Received, Serve, answer_everything, free_port
from pytest_vikingdb.loopback import LoopbackServer as PlainServer

__all__ = ["CERTIFICATE", "Connection", "LoopbackServer", "Received", "Serve", "answer_everything", "free_port"]

CERTIFICATE = Path(__file__).with_name("loopback.pem")
"""A certificate for 127.0.0.1 with its key (P-256, 2020 to 2119, subjectAltName IP:127.0.0.1), signed by nobody but
itself. It opens nothing: it is here so that tests need no tool to make one."""


class LoopbackServer(PlainServer):
    """Serves on 127.0.0.1, with ``tls`` by the certificate above."""

    def __init__(self, serve: Serve = answer_everything, *, tls: bool = False) -> None:
        super().__init__(serve, context=_server_context() if tls else None)


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
