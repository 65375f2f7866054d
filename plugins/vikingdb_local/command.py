"""Command: ``vikingdb-local serve``, also as ``python -m vikingdb_local serve``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from vikingdb_core.exceptions import ConfigError
from vikingdb_core.hints import suggest

from .version import __version__

_NEEDED = ("anyio", "h11", "starlette", "uvicorn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 when it ended well, 1 when it could not begin. 2 is for a wrong line."""
    parser = ArgumentParser(prog="vikingdb-local", description="VikingDB's wire protocol, served from this machine.")
    parser.add_argument("--version", action="version", version=f"vikingdb-local {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    serving = commands.add_parser(
        "serve", help="serve a database over HTTP", description="Serve a database over HTTP.", allow_abbrev=False
    )
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
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(_refusal(unknown, [f"--{name.replace('_', '-')}" for name in vars(given) if name != "command"]))
    try:
        return serve(read_options(given))
    except ConfigError as error:
        print(f"vikingdb-local: {error}", file=sys.stderr)
        return 1


def _refusal(unknown: Sequence[str], options: Sequence[str]) -> str:
    """What is wrong with a line, without the values in it: one may be a key."""
    names = [each.partition("=")[0] for each in unknown if each.startswith("--")]
    if not names:
        return "there is a value that belongs to no option"
    return f"there is no option {', '.join(names)}.{suggest(names[0], options)}"
