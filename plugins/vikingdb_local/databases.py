"""Databases: which one an endpoint means, and with which embedder.

``local://`` is private to its transport. ``local://NAME`` is one database in memory for the whole process, for as long
as it runs.
"""

from __future__ import annotations

import threading

from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError
from vikingdb_core.hints import suggest

from .embedding.base import Embedder
from .embedding.hashing import HashingEmbedder
from .embedding.sentence import SentenceEmbedder
from .engine.catalog import Catalog

_OPTIONS = ("embedder", "seed")

_lock = threading.Lock()
_shared: dict[str, Catalog] = {}


def check_endpoint(endpoint: Endpoint) -> None:
    """Refuse what this engine cannot open.

    Raises:
        ConfigError: a folder, or an option that does not exist.
    """
    if endpoint.prefix:
        raise ConfigError(f"endpoint {endpoint}: durable folders are not supported yet; use local:// or local://NAME")
    seen: set[str] = set()
    for name, _ in endpoint.options:
        if name not in _OPTIONS:
            raise ConfigError(
                f"endpoint {endpoint}: there is no option {name!r}.{suggest(name, _OPTIONS)} "
                f"Options: {', '.join(_OPTIONS)}"
            )
        if name in seen:
            raise ConfigError(f"endpoint {endpoint}: option {name!r} is given twice")
        seen.add(name)
    if "seed" in seen:
        raise ConfigError(f"endpoint {endpoint}: option 'seed' is not supported yet; leave it out")


def choose_embedder(endpoint: Endpoint) -> Embedder:
    """The embedder an endpoint asks for; the multilingual sentence encoder unless it does. Loads nothing.

    Raises:
        ConfigError: there is none of the name.
    """
    name = dict(endpoint.options).get("embedder")
    if name is None:
        return SentenceEmbedder()
    if name == HashingEmbedder.id:
        return HashingEmbedder()
    raise ConfigError(
        f"endpoint {endpoint}: there is no embedder {name!r}.{suggest(name, [HashingEmbedder.id])} "
        f"Use embedder={HashingEmbedder.id}, or leave it out for the multilingual sentence encoder"
    )


def open_database(endpoint: Endpoint) -> Catalog:
    """The database of an endpoint: a new one for ``local://``, else the one of that name."""
    if not endpoint.host:
        return Catalog()
    with _lock:
        if endpoint.host not in _shared:
            _shared[endpoint.host] = Catalog()
        return _shared[endpoint.host]


def drop_database(name: str) -> None:
    """Forget the database ``local://NAME``, for tests: who asks for it next gets an empty one."""
    with _lock:
        _shared.pop(name, None)
