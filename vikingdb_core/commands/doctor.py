"""``doctor``: versions, conflicts, configuration, credentials, endpoints and, if asked, whether the service answers."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from .base import FOUND_TROUBLE, OK


class Doctor:
    """The command."""

    help = "what could keep a client from working; sends nothing without --ping"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--ping",
            action="store_true",
            help="send a few harmless requests: is the service there, are the keys accepted",
        )
        parser.add_argument("--domain", metavar="NAME", help="whose client to look at; vector unless given")
        parser.add_argument("--endpoint", metavar="URL", help="as the client's option of that name")
        parser.add_argument("--region", metavar="NAME", help="likewise")
        parser.add_argument("--profile", metavar="NAME", help="likewise")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def run(self, arguments: Namespace) -> int:
        from . import findings  # everything a client needs: not loaded to list the commands
        from .page import write

        found = findings.gather(
            {"endpoint": arguments.endpoint, "region": arguments.region},
            profile=arguments.profile,
            domain=arguments.domain,
            may_send=arguments.ping,
        )
        write(json.dumps(found.document(), indent=2) if arguments.json else found.page())
        return FOUND_TROUBLE if found.problems else OK


DOCTOR = Doctor()
