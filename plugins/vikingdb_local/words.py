"""Words: how text becomes terms, for keyword search, the hashing embedder and sparse vectors.

Text is NFKC-normalised and lower-cased. A run of letters, digits and underscores is one word. Chinese, Japanese and
Korean are written without the spaces that would tell: of a run of their characters, every character and every pair of
neighbours is a term. A query uses the pairs alone (a single character only when it stands alone), so that asking for
数据库 does not match every text with a 数 in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?:(?![{_CJK}])\w)+")

_PIECE = re.compile(r"\S+")


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


def placed_terms(text: str) -> Iterator[tuple[str, int]]:
    """The terms of ``indexed_terms``, each with the position of its first character in the text as it was given."""
    lowered, places = _plain_with_places(text)
    for match in _RUN.finditer(lowered):
        run, start = match.group(), match.start()
        if match.group("cjk") is None:
            yield run, places[start]
            continue
        for term, shift in (*zip(run, range(len(run)), strict=True), *zip(_pairs(run), range(len(run)), strict=False)):
            yield term, places[start + shift]


def placed_pieces(text: str) -> Iterator[tuple[str, int]]:
    """The pieces of ``spaced_terms``, likewise."""
    lowered, places = _plain_with_places(text)
    for match in _PIECE.finditer(lowered):
        yield match.group(), places[match.start()]


def find_words(words: Sequence[str], text: str, *, case_sensitive: bool = False) -> dict[str, list[int]]:
    """Where words stand in a text literally, also within other words; those that do not are absent."""
    lowered, places = (text, range(len(text))) if case_sensitive else _plain_with_places(text)
    found: dict[str, list[int]] = {}
    for word in words:
        pattern = re.escape(word if case_sensitive else plain(word))
        positions = [places[match.start()] for match in re.finditer(pattern, lowered)]
        if positions:
            found[word] = positions
    return found


def count_tokens(text: str) -> int:
    """Roughly what a model would count: words, and single CJK characters."""
    return sum(len(run) if is_cjk else 1 for run, is_cjk in runs(text))


def _plain_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The text as it is compared, and for each of its characters where it comes from: NFKC changes lengths."""
    normalised: list[str] = []
    places: list[int] = []
    for start, piece in _composed(text):
        normalised.append(piece)
        for character in piece:
            places += [start] * len(character.lower())
    # Lower case as a whole: a sigma that ends a word becomes another letter than one within it.
    return "".join(normalised).lower(), places


def _composed(text: str) -> Iterator[tuple[int, str]]:
    """Where each piece of a text begins that is normalised on its own, and what it becomes."""
    if unicodedata.is_normalized("NFKC", text):
        yield from enumerate(text)
        return
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _joins(text[start:end], text[end]):
            continue
        yield start, unicodedata.normalize("NFKC", text[start:end])
        start = end


def _joins(piece: str, character: str) -> bool:
    """Whether a character is composed with what is before it, as an accent is, or a part of a Korean syllable."""
    if unicodedata.combining(character):
        return True
    apart = unicodedata.normalize("NFKC", piece) + unicodedata.normalize("NFKC", character)
    return unicodedata.normalize("NFKC", piece + character) != apart


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]
