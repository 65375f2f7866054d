"""Serving: open the database, listen, and stop without losing what is in flight."""

from __future__ import annotations

import logging
import os
import signal
import socket
import ssl
import sys
from pathlib import Path

import uvicorn

from vikingdb_core.exceptions import ConfigError
from vikingdb_core.transport import TransportSettings

from ..transport import LocalTransport
from ..version import __version__
from .access import is_loopback
from .app import Server
from .connection import Connection
from .options import Options

STOP_SECONDS = 30
"""How long requests in flight may take when the server is told to stop."""


def serve(options: Options) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code.

    Raises:
        ConfigError: the database cannot be opened, or the address cannot be listened on.
    """
    _check_files(options)
    listener = _listen(options.host, options.port)
    try:
        engine = LocalTransport(options.endpoint, TransportSettings())
    except BaseException:
        listener.close()
        raise
    address = _address(options, listener)
    server = Server(
        engine,
        options.endpoint,
        options.access,
        address,
        faults=options.faults,
        max_body_bytes=options.max_body_bytes,
    )
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("vikingdb.local.access").disabled = options.is_quiet
    config = uvicorn.Config(
        server.app(),
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=STOP_SECONDS,
        workers=1,  # whatever WEB_CONCURRENCY says
        ssl_certfile=options.tls_cert,
        ssl_keyfile=options.tls_key,
    )
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(logging.ERROR)
    running = _Running(config)
    # Before the greeting, after which a signal may come. uvicorn raises those it has seen once more when it is done: by
    # then there is nothing left to stop.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, running.handle_exit)
    _say(_greeting(options, address))
    running.run(sockets=[listener])
    _say("stopped")
    return 0


class _Running(uvicorn.Server):
    """uvicorn, which after a second Ctrl+C would leave tasks behind and the engine open."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        if self.force_exit:
            for task in self.server_state.tasks:
                task.cancel()
            await self.lifespan.shutdown()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")  # a socket that finds out later is not closed
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:  # the latter for what can be no name of a host
        why = getattr(error, "strerror", None) or "there is no such host"
        raise ConfigError(
            f"cannot listen on {host}:{port}: {why}. Choose another with --port; 0 takes a free one"
        ) from error


def _check_files(options: Options) -> None:
    """Refuse files of TLS that uvicorn would fail to load once it is running. Nobody is asked for a password."""
    if options.tls_cert is None:
        return
    certificate = _read_pem("--tls-cert", options.tls_cert)
    key = certificate if options.tls_key is None else _read_pem("--tls-key", options.tls_key)
    named = f"--tls-cert {options.tls_cert}" + (f", --tls-key {options.tls_key}" if options.tls_key else "")
    if b"CERTIFICATE-----" not in certificate:
        raise ConfigError(f"--tls-cert {options.tls_cert} has no certificate in PEM")
    if b"PRIVATE KEY-----" not in key:
        where = f"--tls-key {options.tls_key}" if options.tls_key else f"--tls-cert {options.tls_cert}"
        raise ConfigError(
            f"{where} has no private key in PEM{'' if options.tls_key else '; name its file with --tls-key'}"
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(options.tls_cert, options.tls_key, password=lambda: "")
    except (OSError, ValueError) as error:
        if b"ENCRYPTED" in key:
            why = "the key is encrypted; it must not need a password"
        elif getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            why = "the key is not that of the certificate"
        else:
            why = f"certificate and key cannot be loaded: {getattr(error, 'reason', None) or error}"
        raise ConfigError(f"{named}: {why}") from error


def _read_pem(option: str, name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise ConfigError(f"{option} {name}: {why}") from error


def _address(options: Options, listener: socket.socket) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{'https' if options.tls_cert else 'http'}://{host}:{listener.getsockname()[1]}"


def _greeting(options: Options, address: str) -> str:
    lines = [f"vikingdb-local {__version__} serves {_data(options)} at {address}"]
    if options.access.is_open:
        lines.append("  no keys: it answers programs on this machine, whoever they are")
    elif options.access.keys is None:
        lines.append("  no access keys: nobody can make collections; the API key is for the data in them")
    else:
        bearers = ", or bear the API key" if options.access.api_key else ""
        lines.append(f"  keys: requests have to be signed{bearers}")
    if not options.tls_cert and not is_loopback(options.host):
        lines.append("  no TLS: API keys and data can be read on the way; --tls-cert encrypts them")
    if options.faults is not None:
        lines.append(f"  faults on demand: {options.faults.text}")
    return "\n".join([*lines, "  Ctrl+C stops it"])


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:  # whoever read it is gone; what is left in the buffer would fail again at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _data(options: Options) -> str:
    return options.endpoint.prefix or "a database in memory"
