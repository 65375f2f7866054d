"""Worker: does the work of tasks, one after another, in a thread that is there while there is any.

Work comes in steps. Between two of them it may be stopped, and what the steps before it did stays.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from ..errors import ServiceError

log = logging.getLogger("vikingdb.local")

Steps = Generator[None, None, None]
"""Work: each ``next`` is a step of it. What is to be done when it is stopped stands in a ``finally``."""

_BREATH_SECONDS = 0.001
"""Locks are not fair: between two steps, whoever waits for the database gets it."""


@dataclass
class _Work:
    name: str
    steps: Steps
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def do(self) -> None:
        try:
            for _ in self.steps:
                if self.stop.wait(_BREATH_SECONDS):
                    return
        finally:
            self.steps.close()


class Worker:
    """A queue, and a thread while there is something in it. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[_Work] = deque()  # the first is at work, or about to be
        self._thread: threading.Thread | None = None
        self._at_exit: weakref.finalize[..., threading.Thread] | None = None
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        return self._thread is not None

    def add(self, name: str, steps: Steps) -> None:
        """Do some work when what was added before is done. A closed worker does nothing.

        Raises:
            ServiceError: there is no thread to be had for it. It was not added.
        """
        with self._lock:
            if self._is_closed:
                return
            if self._thread is None:
                self._thread = _started(self._run)
                # At exit finalizers run newest first, so the work stops before its database is closed.
                self._at_exit = weakref.finalize(self._thread, self.close)
            self._queue.append(_Work(name, steps))  # the thread looks at the queue when the lock is free

    def cancel(self, name: str) -> None:
        """Let the work of a name not begin, or stop after the step it is at. Returns when nothing is done any more."""
        with self._lock:
            work = next((work for work in self._queue if work.name == name), None)
            if work is None:
                return
            work.stop.set()
            if work is not self._queue[0]:
                self._queue.remove(work)
                work.ended.set()
                return
        work.ended.wait()

    def close(self) -> None:
        """Stop after the step at hand, and drop the rest."""
        with self._lock:
            self._is_closed = True
            for work in self._queue:
                work.stop.set()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def abandon(self) -> None:
        """In the child of a fork, where the thread is not: leave everything as it is."""
        if self._at_exit is not None:
            self._at_exit.detach()

    def join(self) -> None:
        """Wait until everything that was added is done."""
        while (thread := self._thread) is not None:
            thread.join()

    def _run(self) -> None:
        while (work := self._first()) is not None:
            try:
                if not work.stop.is_set():
                    work.do()
            except Exception:
                log.exception("the work of task %s failed", work.name)
            finally:
                with self._lock:
                    self._queue.popleft()
                work.ended.set()

    def _first(self) -> _Work | None:
        with self._lock:
            if self._queue and not self._is_closed:
                return self._queue[0]
            while self._queue:  # dropped; somebody may be waiting for the end of it
                self._queue.popleft().ended.set()
            self._thread = None
            if self._at_exit is not None:
                self._at_exit.detach()
            return None


def _started(run: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=run, name="vikingdb-local-tasks", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        why = f"there is no thread to be had for a task ({error}). Nothing of this call was kept; "
        raise ServiceError("InternalError", f"{why}let other threads end and send it again") from error
    return thread
