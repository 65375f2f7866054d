"""Database: the SQLite behind the engine, the only place where anything is kept.

One connection behind one lock. A write is one transaction; what is held in memory is derived from what it committed.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from .faults import StorageFault, explain
from .opening import open_file, open_in_memory

log = logging.getLogger("vikingdb.local")

FILE = "data.sqlite"

_RAISED = (sqlite3.Error, orjson.JSONDecodeError)


class Database:
    """A database, in a folder or in memory. Safe for many threads; a folder belongs to one process at a time.

    Args:
        folder: where it is kept; made if it does not exist. ``None`` keeps it in memory.

    Attributes:
        folder: where it is kept, or ``None``.
        lock: held by whoever writes, and while what was written is published to readers.

    Raises:
        ConfigError: another process has the folder open, or what is in it is no database of this engine. Nothing
            was changed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self._where = "the database in memory" if folder is None else str(folder / FILE)
        self._damage = ""
        self._connection = open_in_memory() if folder is None else open_file(folder / FILE)
        # Closes it when nobody holds the database any more, or at exit.
        self._finalizer = weakref.finalize(self, self._connection.close)
        self._along: Callable[[sqlite3.Connection], None] | None = None
        _all.add(self)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for a query or several that must agree.

        Raises:
            StorageFault: the disk fails, or the database turns out to be damaged.
        """
        with self.lock:
            try:
                yield self._connection
            except _RAISED as error:
                self._explain(error)
                raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection within a transaction: all of it is kept, or, if anything is raised, nothing.

        Raises:
            StorageFault: the disk is full or fails, or the database is damaged.
        """
        with self.lock:
            if self._damage:
                raise StorageFault(self._damage, is_damage=True)
            try:
                try:
                    self._connection.execute("BEGIN IMMEDIATE")
                    yield self._connection
                    if self._along is not None:
                        self._along(self._connection)
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
            except _RAISED as error:
                self._explain(error)
                raise

    @contextmanager
    def along(self, write: Callable[[sqlite3.Connection], None]) -> Iterator[None]:
        """Let the transaction within the block write something more: both are kept, or neither."""
        with self.lock:
            self._along = write
            try:
                yield
            finally:
                self._along = None

    @property
    def is_along(self) -> bool:
        """Whether the next transaction is to write something more."""
        return self._along is not None

    def close(self) -> None:
        """Let go of the folder, or forget everything."""
        with self.lock:
            self._finalizer()

    def _explain(self, error: Exception) -> None:
        """Raise what an error means, when the disk is to blame for it."""
        fault = explain(error, self._where)
        if fault is None:
            return
        if fault.message != self._damage:  # damage is said once
            log.error("%s", fault.message)
        if fault.is_damage:
            self._damage = fault.message
        raise fault from error

    def _abandon(self) -> None:
        """In the child of a fork: leave to the parent what it has open. To close it here, now or at exit, would take
        the journal away from under the parent, so it stays open for as long as the child lives."""
        if self.folder is not None and self._finalizer.detach() is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))


_all: weakref.WeakSet[Database] = weakref.WeakSet()


def _abandon_all() -> None:
    for database in list(_all):
        database._abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
