"""Filters: typed conditions on rows, compiled to the service's filter JSON.

    >>> from vikingdb_core.filters import F
    >>> wanted = (F("price") < 20) & F("tags").any_of("sf", "noir") & ~F("year").between(1990, 2000)
    >>> print(wanted)
    price < 20 and tags in ('sf', 'noir') and (year < 1990 or year > 2000)
    >>> (F("price") < 20).to_wire()
    {'op': 'range', 'field': 'price', 'lt': 20}

A filter is a value: immutable, equal to any filter built alike, hashable, picklable. Its ``repr`` is Python that
rebuilds it, its ``to_wire()`` is what a request carries. Comparisons start at ``F``; ``&``, ``|`` and ``~`` combine
them, also with filters written as plain dicts. ``parse_filter`` reads the JSON back.

Whatever the filter language cannot say is refused with ``InvalidRequest`` while the filter is built, before any call;
messages name the field and the trouble, and never repeat a value.
"""

from __future__ import annotations

from .builder import F
from .nodes import Filter, all_of, any_of
from .wire import parse_filter

__all__ = ["F", "Filter", "all_of", "any_of", "parse_filter"]
