"""Words: how text becomes terms, for keyword search, the hashing embedder and sparse vectors.

Text is NFKC-normalised and lower-cased. A run of letters, digits and underscores is one word. Chinese, Japanese and
Korean are written without the spaces that would tell: of a run of their characters, every character and every pair of
neighbours is a term. A query uses the pairs alone (a single character only when it stands alone), so that asking for
数据库 does not match every text with a 数 in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?:(?![{_CJK}])\w)+")


def plain(text: str) -> str:
    """Text as it is compared: NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """Words and runs of CJK characters, in order; the flag says which are CJK."""
    for match in _RUN.finditer(plain(text)):
        yield match.group(), match.group("cjk") is not None


def indexed_terms(text: str) -> list[str]:
    """Every term a text can be found by, repeated as often as it occurs."""
    terms: list[str] = []
    for run, is_cjk in runs(text):
        if is_cjk:
            terms.extend(run)
            terms.extend(_pairs(run))
        else:
            terms.append(run)
    return terms


def queried_terms(text: str) -> list[str]:
    """The terms a query asks for, each once, in order."""
    terms: dict[str, None] = {}
    for run, is_cjk in runs(text):
        terms.update(dict.fromkeys(_pairs(run) if is_cjk and len(run) > 1 else [run]))
    return list(terms)


def spaced_terms(text: str, *, keep_symbols: bool = True) -> list[str]:
    """What stands between white space (tokenizer ``whitespace``); without what is punctuation only, if asked."""
    pieces = plain(text).split()
    return pieces if keep_symbols else [piece for piece in pieces if any(character.isalnum() for character in piece)]


def count_tokens(text: str) -> int:
    """Roughly what a model would count: words, and single CJK characters."""
    return sum(len(run) if is_cjk else 1 for run, is_cjk in runs(text))


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]
