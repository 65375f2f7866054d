"""Command: the contract of what ``python -m vikingdb`` can run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Protocol, runtime_checkable

OK, FOUND_TROUBLE, USAGE = 0, 1, 2
"""Exit codes: all is well; something is wrong, and the output says what; the command line makes no sense."""


@runtime_checkable
class Command(Protocol):
    """What an entry point in ``vikingdb.commands`` names: any object with these members, a module too."""

    help: str
    """One line on what it does, without a capital and a full stop."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare options. ``-h`` is there already."""

    def run(self, arguments: Namespace) -> int:
        """Do it, print to standard output, and return the exit code. An exception of the SDK becomes its message."""
