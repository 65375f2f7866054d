"""Commands: ``python -m vikingdb NAME``, or the script ``vikingdb``.

A command is an entry point in the group ``vikingdb.commands``; its name is the word a user writes. It names an object
with three members, see :class:`Command`::

    class Greet:
        help = "say hello"

        def add_arguments(self, parser):
            parser.add_argument("--to", default="world")

        def run(self, arguments):
            print(f"hello {arguments.to}")
            return 0

    GREET = Greet()

    [project.entry-points."vikingdb.commands"]
    greet = "acme_greet:GREET"

A command is imported when it is named, like everything else that is installed. Core brings ``plugins`` and ``doctor``.
"""

from .base import FOUND_TROUBLE, OK, USAGE, Command
from .table import main

__all__ = ["FOUND_TROUBLE", "OK", "USAGE", "Command", "main"]
