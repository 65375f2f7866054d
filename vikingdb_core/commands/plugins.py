"""``plugins``: what is installed beside core, where it is from, and what of it takes part in calls."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import Any

from .. import discovery
from ..config import examine
from .base import FOUND_TROUBLE, OK
from .distributions import installed, name_clashes
from .inventory import BUILT_IN, Item, missing_plugins, take_inventory
from .page import Page, write

_TITLES = {
    discovery.PLUGINS: "Plugins: they run when plugins=, VIKINGDB_PLUGINS or a profile names them",
    discovery.DOMAINS: "Domains: vikingdb.NAME",
    discovery.AUTH: 'Auth schemes: auth="name", or auth=IAM(...) for what is built in',
    discovery.TRANSPORTS: "Transports: by the scheme of the endpoint",
    discovery.ASYNC_TRANSPORTS: "Transports of the async clients: likewise",
    discovery.COMMANDS: "Commands: by the first word",
}


class Plugins:
    """The command."""

    help = "what is installed, where it is from, what is active, and its hooks"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--load", action="store_true", help="import everything, to see all hooks and to find what is broken"
        )
        parser.add_argument(
            "--profile", metavar="NAME", help="profile to read; otherwise VIKINGDB_PROFILE, else default"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def run(self, arguments: Namespace) -> int:
        config, troubles = examine({}, profile=arguments.profile)
        items = take_inventory(config, installed(), load=arguments.load)
        problems = [
            *(trouble.message for trouble in troubles),
            *name_clashes(),
            *missing_plugins(config),
            *(item.problem for item in items if item.problem is not None),
        ]
        write(json.dumps(_document(items, problems), indent=2) if arguments.json else _page(items, problems))
        return FOUND_TROUBLE if problems else OK


PLUGINS = Plugins()


def _document(items: Sequence[Item], problems: Sequence[str]) -> dict[str, Any]:
    return {
        "items": [
            {
                "group": item.group,
                "name": item.name,
                "distribution": item.distribution,
                "target": item.target or None,
                "where": None if item.where is None else str(item.where),
                "editable": item.is_editable,
                "active": item.active,
                "loaded": item.is_loaded,
                "hooks": None if item.hooks is None else list(item.hooks),
                "hook_api": item.hook_api if isinstance(item.hook_api, int) else None,
                "problem": item.problem,
            }
            for item in items
        ],
        "problems": list(problems),
    }


def _page(items: Sequence[Item], problems: Sequence[str]) -> str:
    page = Page()
    for group, title in _TITLES.items():
        page.heading(title)
        rows = list(_rows([item for item in items if item.group == group]))
        if rows:
            page.terms(rows)
        else:
            page.text("none")
    page.verdict(problems)
    return str(page)


def _rows(items: Sequence[Item]) -> Iterator[tuple[str, list[str]]]:
    built_in = [item.name for item in items if item.distribution == BUILT_IN]
    if built_in:
        yield BUILT_IN, [", ".join(built_in)]
    for item in items:
        if item.distribution != BUILT_IN:
            yield item.name, list(_said_of(item))


def _said_of(item: Item) -> Iterator[str]:
    editable = "editable, " if item.is_editable else ""
    yield item.distribution + (f" ({editable}{item.where})" if item.where is not None else "")
    if item.group == discovery.PLUGINS:
        yield f"active: {item.active}" if item.active else "not active"
        if item.is_loaded:
            hooks = ", ".join(item.hooks) if item.hooks else "known when it is built"
            yield f"hooks: {hooks}; hook API {item.hook_api}"
    if item.problem is not None:
        yield "broken, see below"
