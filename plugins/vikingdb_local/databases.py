"""Databases: which one an endpoint means, and with which embedder.

``local://`` is private to its transport. ``local://NAME`` is one database in memory for the whole process, for as long
as it runs. ``local:///folder`` is one on disk, shared in the process while a client has it open; another process has to
wait until the last one lets go.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError, InvalidRequest
from vikingdb_core.hints import suggest

from .embedding.base import Embedder
from .embedding.hashing import HashingEmbedder
from .embedding.sentence import SentenceEmbedder
from .engine.catalog import Catalog
from .engine.database import FILE, Database
from .engine.faults import StorageFault
from .errors import ServiceError
from .fault_injection.plan import OPTIONS as FAULT_OPTIONS
from .fault_injection.plan import FaultPlan, read_plan
from .walkthrough import SEED, Walkthrough

_OPTIONS = ("embedder", "seed", "tos", *FAULT_OPTIONS)

_lock = threading.Lock()
_shared: dict[str, Catalog] = {}


@dataclass
class _Opened:
    """A database on disk, and how many clients have it open."""

    catalog: Catalog
    users: int = 0


_folders: dict[Path, _Opened] = {}


def check_endpoint(endpoint: Endpoint) -> None:
    """Refuse what this engine cannot open.

    Raises:
        ConfigError: a name with a path behind it, or an option that does not exist.
    """
    if endpoint.host and endpoint.prefix:
        raise ConfigError(
            f"endpoint {endpoint}: a folder has three slashes, as in local:///{endpoint.host}{endpoint.prefix}"
        )
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


def choose_seed(endpoint: Endpoint) -> Walkthrough | None:
    """The sample data an endpoint asks for; none unless it does. Lays nothing.

    Raises:
        ConfigError: there is none of the name.
    """
    name = dict(endpoint.options).get("seed")
    if name is None:
        return None
    if name == SEED:
        return Walkthrough()
    raise ConfigError(
        f"endpoint {endpoint}: there is no sample data {name!r}.{suggest(name, [SEED])} "
        f"Use seed={SEED}, or leave it out to start empty"
    )


def choose_buckets(endpoint: Endpoint) -> Path | None:
    """The folder that stands for ``tos://``, which tasks read and write files in; none unless there is one.

    Raises:
        ConfigError: it is no absolute path.
    """
    text = dict(endpoint.options).get("tos")
    if text is None:
        return None
    folder = Path(text)
    if not folder.is_absolute():
        raise ConfigError(f"endpoint {endpoint}: tos={text} must be an absolute path, as in local://?tos=/my/buckets")
    return folder


def choose_faults(endpoint: Endpoint) -> FaultPlan | None:
    """The faults an endpoint asks for; none unless it does.

    Raises:
        ConfigError: they make no sense.
    """
    return read_plan(endpoint.options, f"endpoint {endpoint}")


def open_database(endpoint: Endpoint) -> Catalog:
    """The database of an endpoint: a new one for ``local://``, else the one of that name or in that folder.

    Raises:
        ConfigError: the folder is open in another process, or holds no database of this engine.
    """
    if not endpoint.host and not endpoint.prefix:
        return Catalog()
    with _lock:
        if endpoint.prefix:
            folder = _known_as(folder_of(endpoint))
            if folder not in _folders:
                _folders[folder] = _Opened(_open(folder))
            _folders[folder].users += 1
            return _folders[folder].catalog
        if endpoint.host not in _shared:
            _shared[endpoint.host] = Catalog()
        return _shared[endpoint.host]


def close_database(endpoint: Endpoint, catalog: Catalog) -> None:
    """One client less. A private database is gone; a folder is let go of by the last."""
    if endpoint.host:
        return
    if not endpoint.prefix:
        catalog.close()
        return
    with _lock:
        folder = next(known for known, opened in _folders.items() if opened.catalog is catalog)
        opened = _folders[folder]
        opened.users -= 1
        if opened.users == 0:
            try:
                opened.catalog.close()
            finally:  # also when it was interrupted: the folder is let go of
                del _folders[folder]


def folder_of(endpoint: Endpoint) -> Path:
    """The folder of ``local:///folder``, as one path however it is written."""
    text = unquote(endpoint.prefix)
    is_drive = os.name == "nt" and text[2:3] == ":"  # local:///C:/data
    return Path(text[1:] if is_drive else text).resolve()


def _known_as(folder: Path) -> Path:
    """How an open folder is called, when this is another name of it: many systems do not tell upper from lower case."""
    for known in _folders:
        try:
            if known.samefile(folder):
                return known
        except OSError:  # one of them is gone, or is yet to be made
            continue
    return folder


def _open(folder: Path) -> Catalog:
    database = Database(folder)
    try:
        return Catalog(database)
    except StorageFault as error:
        database.close()
        raise ConfigError(error.message) from error
    except (ServiceError, InvalidRequest) as error:
        database.close()
        raise ConfigError(f"{folder / FILE} cannot be opened: {error}") from error
    except BaseException:
        database.close()
        raise


def _forget_folders() -> None:
    """After a fork: what the parent has open is not the child's."""
    global _lock
    _lock = threading.Lock()  # the parent may have held it
    _folders.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_folders)


def drop_database(name: str) -> None:
    """Forget the database ``local://NAME``, for tests: who asks for it next gets an empty one."""
    with _lock:
        _shared.pop(name, None)
