"""Faults: what SQLite says of the disk, said so that somebody can do something about it."""

from __future__ import annotations

import sqlite3

import orjson

from ..errors import ServiceError

_KEPT = "Nothing of this call was kept, and what was acknowledged before is"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class StorageFault(ServiceError):
    """The disk is full, or fails, or does not have any more what was written to it.

    Attributes:
        is_damage: the last of these: nothing more should be written.
    """

    def __init__(self, message: str, *, is_damage: bool = False) -> None:
        super().__init__("InternalError", message)
        self.is_damage = is_damage


def explain(error: Exception, where: str) -> StorageFault | None:
    """The fault behind an error of SQLite, or of reading what it had; ``None`` when the disk is not to blame.

    Args:
        error: what was raised.
        where: the database.
    """
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says where in SQLite
    if kind in _DAMAGED or isinstance(error, orjson.JSONDecodeError):
        return damaged(where, str(error))
    if kind == sqlite3.SQLITE_FULL:
        return StorageFault(f"there is no room for {where} ({error}). {_KEPT}; make room and send it again")
    if kind == sqlite3.SQLITE_IOERR:
        return StorageFault(
            f"{where} cannot be read or written ({error}). {_KEPT}; see that its disk works and has room, and send it "
            "again"
        )
    return None


def damaged(where: str, what: str) -> StorageFault:
    """A database that cannot be trusted."""
    return StorageFault(f"{where} is damaged: {what}. Nothing is written to it any more; restore it", is_damage=True)
