"""Grouping: writes that wait for each other are committed together, so that the disk is forced once for all of them.

Whoever gets hold of the database next does what has come together by then. If anything is wrong with one of them, all
are undone and each is done by itself, as if it had been alone.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ..errors import ServiceError
from .database import Database

log = logging.getLogger("vikingdb.local")


class Change(Protocol):
    """A write to a database. What it does in a transaction may be undone and done again."""

    def apply(self, sql: sqlite3.Connection) -> None:
        """Do it, within a transaction."""

    def publish(self) -> None:
        """Let readers see it: it was committed."""

    def forget(self) -> None:
        """Let readers see what the database has: whether it was committed is not known."""


@dataclass(eq=False)
class _Waiting:
    change: Change
    is_settled: bool = False
    error: Exception | None = None


class Grouping:
    """The writes of one database. Safe for many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[_Waiting] = deque()

    def write(self, change: Change) -> None:
        """Carry out a change, perhaps with those of other threads; it is on the disk and public when this returns.

        Raises:
            Exception: what kept it from being done; nothing of it was.
        """
        waiting = _Waiting(change)
        self._queue.append(waiting)
        try:
            with self._database.lock:
                if not waiting.is_settled:
                    self._settle(self._take(waiting))
        finally:
            if not waiting.is_settled:  # interrupted
                with suppress(ValueError):
                    self._queue.remove(waiting)
        if waiting.error is not None:
            raise waiting.error

    def _take(self, waiting: _Waiting) -> Sequence[_Waiting]:
        if self._database.is_along:  # what goes along with it belongs to nobody else
            with suppress(ValueError):
                self._queue.remove(waiting)
            return [waiting]
        group = [self._queue.popleft() for _ in range(len(self._queue))]
        if waiting not in group:  # taken along before, by somebody who was interrupted before doing anything
            group.insert(0, waiting)
        return group

    def _settle(self, group: Sequence[_Waiting]) -> None:
        try:
            if len(group) > 1 and self._together(group):
                return
            for waiting in group:
                self._alone(waiting)
        except BaseException:  # an interrupt, before the commit or after: only the database knows
            for waiting in group:
                if not waiting.is_settled:
                    waiting.change.forget()
                    waiting.error = ServiceError("InternalError", "interrupted; whether this was done is not known")
                    waiting.is_settled = True
            raise

    def _together(self, group: Sequence[_Waiting]) -> bool:
        try:
            with self._database.writing() as sql:
                for waiting in group:
                    waiting.change.apply(sql)
        except Exception:
            return False
        for waiting in group:
            self._publish(waiting)
        return True

    def _alone(self, waiting: _Waiting) -> None:
        try:
            with self._database.writing() as sql:
                waiting.change.apply(sql)
        except Exception as error:
            waiting.error = error
            waiting.is_settled = True
        else:
            self._publish(waiting)

    def _publish(self, waiting: _Waiting) -> None:
        """Let readers see what was committed. If they cannot follow, it is no less committed: they start anew."""
        try:
            waiting.change.publish()
        except Exception:
            log.exception("readers could not follow a write that was committed; their arrays will be made anew")
            waiting.change.forget()
        waiting.is_settled = True
