"""Page: what a command prints, laid out for a terminal of 80 columns."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

_NARROWEST, _WIDEST = 60, 100
_INDENT = "  "
_GAP = 2
_WIDEST_TERM = 22


class Page:
    """Lines, gathered and then printed at once.

    Args:
        width: columns; the terminal's unless given, within what reads well, and 80 when there is no terminal.
    """

    def __init__(self, width: int | None = None) -> None:
        columns = width if width is not None else shutil.get_terminal_size().columns
        self._width = min(max(columns, _NARROWEST), _WIDEST)
        self._lines: list[str] = []

    def heading(self, text: str) -> None:
        """A section begins."""
        if self._lines:
            self._lines.append("")
        self._lines.extend(self._wrapped(text, ""))

    def text(self, text: str) -> None:
        """A paragraph of the section."""
        self._lines.extend(self._wrapped(text, _INDENT))

    def terms(self, rows: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Names, and beside each what is said of it: one paragraph under another."""
        rows = list(rows)
        terms = [len(term) for term, _ in rows if len(term) <= _WIDEST_TERM]
        column = len(_INDENT) + max(terms, default=0) + _GAP
        for term, paragraphs in rows:
            lines = [line for paragraph in paragraphs for line in self._wrapped(paragraph, " " * column)] or [""]
            head = f"{_INDENT}{term}"
            if len(head) + _GAP <= column:
                lines[0] = head.ljust(column) + lines[0][column:]
            else:
                lines.insert(0, head)
            self._lines.extend(line.rstrip() for line in lines)

    def numbered(self, paragraphs: Iterable[str]) -> None:
        """A list to go through."""
        for number, paragraph in enumerate(paragraphs, 1):
            mark = f"{_INDENT}{number}. "
            lines = self._wrapped(paragraph, " " * len(mark))
            self._lines.extend([mark + lines[0][len(mark) :], *lines[1:]])

    def verdict(self, problems: Sequence[str]) -> None:
        """How it ends: what is wrong and what to do, or that nothing is."""
        if problems:
            self.heading(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
            self.numbered(problems)
        else:
            self.heading("No problems found.")

    def _wrapped(self, text: str, indent: str) -> list[str]:
        # Paths and addresses stay whole, to be copied, even where they are longer than the line.
        wrapper = textwrap.TextWrapper(
            self._width - 1,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return [line for part in text.splitlines() for line in wrapper.wrap(part.strip())] or [indent]

    def __str__(self) -> str:
        return "\n".join(self._lines)


def write(text: str) -> None:
    """Print, whatever the character set of the output: what it lacks becomes a question mark."""
    charset = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(charset, "replace").decode(charset), flush=True)
