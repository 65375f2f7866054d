"""Command: ``vikingdb-local serve``, also as ``python -m vikingdb_local serve``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from vikingdb_core.exceptions import ConfigError

from .version import __version__

_NEEDED = ("anyio", "h11", "starlette", "uvicorn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 when it ended well, 1 when it could not begin. 2 is for a wrong line."""
    parser = ArgumentParser(prog="vikingdb-local", description="VikingDB's wire protocol, served from this machine.")
    parser.add_argument("--version", action="version", version=f"vikingdb-local {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    serving = commands.add_parser("serve", help="serve a database over HTTP", description="Serve a database over HTTP.")
    try:
        from .server.options import add_arguments, read_options
        from .server.serving import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        parser.parse_known_args(arguments)
        print(f'vikingdb-local: {error.name} is not installed; pip install "vikingdb-local[server]"', file=sys.stderr)
        return 1
    add_arguments(serving)
    given = parser.parse_args(arguments)
    try:
        return serve(read_options(given))
    except ConfigError as error:
        print(f"vikingdb-local: {error}", file=sys.stderr)
        return 1
