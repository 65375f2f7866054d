"""Table: the word after ``python -m vikingdb``, and the command it stands for."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from .. import discovery
from ..discovery import Extension
from ..exceptions import PluginLoadError, VikingDBError
from ..hints import suggest
from ..version import __version__
from .base import FOUND_TROUBLE, OK, USAGE, Command
from .page import Page, write

_INTERRUPTED = 130
_NONE = "none, so this installation of vikingdb-core is older than its code, or has lost its metadata: reinstall it"
_HERE = __name__.rpartition(".")[0]


def main(argv: Sequence[str] | None = None, *, prog: str = "vikingdb") -> int:
    """Run a command line and return its exit code: 0 when all is well, 1 for trouble found, 2 for a wrong usage.

    Args:
        argv: the words after the program's name; those of this process unless given.
        prog: how the user called the program.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words, prog)
    except VikingDBError as error:
        return _complain(prog, "\n".join([str(error), *getattr(error, "__notes__", ())]), FOUND_TROUBLE)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever reads the output has seen enough; without this the interpreter complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND_TROUBLE


def _dispatch(words: list[str], prog: str) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        write(_overview(prog))
        return OK
    name, *rest = words
    if name == "--version":
        write(f"vikingdb-core {__version__}")
        return OK
    known = discovery.names(discovery.COMMANDS)
    if name not in known:
        what = "option" if name.startswith("-") else "command"
        message = f"there is no {what} {name!r}.{suggest(name, known)} Commands: {', '.join(known) or _NONE}"
        return _complain(prog, message, USAGE)
    command = _load(name)
    parser = ArgumentParser(prog=f"{prog} {name}", description=command.help)
    command.add_arguments(parser)
    try:
        arguments = parser.parse_args(rest)
    except SystemExit as leaving:  # argparse has printed what it had to say
        return leaving.code if isinstance(leaving.code, int) else OK
    try:
        code = command.run(arguments)
    except VikingDBError:
        raise
    except Exception as error:
        error.add_note(f"in the command {name!r}, from {_owner(name)}")
        raise
    if not isinstance(code, int):
        raise PluginLoadError(f"the command {name!r} ({_owner(name)}) must return an exit code, not {code!r}")
    return code


def _load(name: str) -> Command:
    own = _own(name)
    found = own.load() if own is not None else discovery.lookup(discovery.COMMANDS, name)
    if isinstance(found, type) or not isinstance(found, Command):
        raise PluginLoadError(
            f"the command {name!r} ({_owner(name)}) must be an object with help, add_arguments and run"
        )
    return found


def _own(name: str) -> Extension | None:
    """Core's own command of that name. Nobody can take its place: it is what explains such a conflict."""
    offered = discovery.catalog(discovery.COMMANDS).get(name, [])
    return next((extension for extension in offered if extension.target.startswith(f"{_HERE}.")), None)


def _owner(name: str) -> str:
    offered = discovery.catalog(discovery.COMMANDS).get(name, [])
    return " and ".join(extension.distribution for extension in offered) or "this process"


def _overview(prog: str) -> str:
    page = Page()
    page.heading(f"usage: {prog} COMMAND [options]")
    page.heading("Commands")
    known = discovery.names(discovery.COMMANDS)
    page.terms((name, [_said_of(name)]) for name in known)
    if not known:
        page.text(_NONE)
    page.heading(f"{prog} COMMAND --help has the options of a command.")
    return str(page)


def _said_of(name: str) -> str:
    own = _own(name)
    # What others offer is not imported to be listed, so all that is known of it is who offers it.
    return own.load().help if own is not None else f"from {_owner(name)}"


def _complain(prog: str, message: str, code: int) -> int:
    print(f"{prog}: {message}", file=sys.stderr)
    return code
