"""Page: what a person sees who opens the server's address in a browser."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..version import __version__
from .report import Report

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 3rem auto; padding: 0 1rem; color: #1c2024; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .8rem .3rem 0; }
th { font-weight: 600; border-bottom: 1px solid #ccd; } td { border-bottom: 1px solid #eef; }
td.number, th.number { text-align: right; } pre, code { font: .9em ui-monospace, monospace; background: #f4f5f8; }
pre { padding: .8rem 1rem; overflow-x: auto; } .none { color: #667; }
@media (prefers-color-scheme: dark) {
  body { background: #16181c; color: #e4e6ea; } pre, code { background: #23262c; }
  th { border-color: #445; } td { border-color: #2a2e36; } a { color: #8ab4ff; } .none { color: #9aa; }
}
"""


def page(
    report: Report,
    address: str,
    collections: Sequence[Mapping[str, Any]] | None,
    faults: str | None,
    *,
    total_count: int = 0,
) -> str:
    """The page, as HTML.

    Args:
        report: what was done so far.
        address: the URL of the server.
        collections: as the control plane lists them; ``None`` hides everything that a caller without keys may not see.
        faults: the options of the fault plan, if there is one.
        total_count: how many collections there are, when not all of them are given.
    """
    parts = [
        f"<h1>vikingdb-local {escape(__version__)}</h1>",
        f"<p>The emulator is up, since {_moment(report.since)}. "
        '<a href="/openapi.json">openapi.json</a> describes its API.</p>',
        "<h2>Use it</h2>",
        f"<pre>{escape(_program(address, is_open=collections is not None))}</pre>",
    ]
    if faults is not None:
        parts.append(f"<h2>Faults on demand</h2><p><code>{escape(faults)}</code></p>")
    if collections is not None:
        parts += ["<h2>Collections</h2>", _collections(collections)]
        if total_count > len(collections):
            parts.append(f'<p class="none">The first {len(collections):,} of {total_count:,}.</p>')
        parts += ["<h2>Answered</h2>", _answered(report)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>vikingdb-local</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _program(address: str, *, is_open: bool) -> str:
    if is_open:
        return f'from vikingdb.vector import VikingDB\n\ndb = VikingDB(endpoint="{address}")'
    lines = [
        "from vikingdb import IAM",
        "from vikingdb.vector import VikingDB",
        "",
        f'db = VikingDB(endpoint="{address}", auth=IAM(ak="…", sk="…"))',
    ]
    return "\n".join(lines)


def _collections(collections: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            str(each.get("CollectionName", "")),
            str(each.get("ProjectName", "")),
            ", ".join(str(name) for name in each.get("IndexNames") or ()),
            f"{(each.get('CollectionStats') or {}).get('DataCount', 0):,}",
        )
        for each in collections
    ]
    return _table(("name", "project", "indexes", "rows"), rows) or '<p class="none">There are none yet.</p>'


def _answered(report: Report) -> str:
    rows = [
        (name or "(no operation)", str(status), f"{count:,}")
        for (name, status), count in sorted(report.answered.items())
    ]
    return _table(("operation", "status", "times"), rows) or '<p class="none">Nothing was asked yet.</p>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    last = len(heads) - 1
    kinds = ['class="number"' if place == last else "" for place in range(len(heads))]
    head = "".join(f"<th {kind}>{escape(text)}</th>" for kind, text in zip(kinds, heads, strict=True))
    lines = ["".join(f"<td {kind}>{escape(text)}</td>" for kind, text in zip(kinds, row, strict=True)) for row in rows]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
