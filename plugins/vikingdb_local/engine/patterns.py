"""Patterns: regular expressions that cannot take for ever, by RE2, whose time grows with the text and not beyond."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import invalid, not_implemented, shown

MAX_PATTERN_BYTES = 4096
_MEMORY_BYTES = 8 << 20


def compile_pattern(pattern: str, where: str) -> Callable[[str], bool]:
    """Whether a text has a match of the pattern anywhere in it."""
    try:
        import re2
    except ImportError as error:
        raise not_implemented(
            "regular expressions without RE2", "install it with pip install 'vikingdb-local[regex]'"
        ) from error
    if len(pattern.encode()) > MAX_PATTERN_BYTES:
        raise invalid(f"{where} is longer than {MAX_PATTERN_BYTES} bytes")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise invalid(f"{where} {shown(pattern)} is no regular expression of RE2: {_said(error)}") from error
    return lambda text: compiled.search(text) is not None


def _said(error: Exception) -> str:
    words = error.args[0] if error.args else error
    return words.decode(errors="replace") if isinstance(words, bytes) else str(words)
