"""Serving: open the database, listen, and stop without losing what is in flight."""

from __future__ import annotations

import logging
import os
import signal
import socket
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
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}. Choose another with --port; 0 takes a free one"
        ) from error


def _check_files(options: Options) -> None:
    for option, name in (("--tls-cert", options.tls_cert), ("--tls-key", options.tls_key)):
        if name and not Path(name).is_file():
            raise ConfigError(f"{option} {name}: there is no such file")


def _address(options: Options, listener: socket.socket) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{'https' if options.tls_cert else 'http'}://{host}:{listener.getsockname()[1]}"


def _greeting(options: Options, address: str) -> str:
    lines = [f"vikingdb-local {__version__} serves {_data(options)} at {address}"]
    if options.access.is_open:
        lines.append("  no keys: it answers programs on this machine, whoever they are")
    elif not options.tls_cert and not is_loopback(options.host):
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
