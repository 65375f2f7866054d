"""Upkeep: what is derived from collections brought into step with them, in a thread that is there while there is work.

Nothing waits for it. A collection without a graph is scanned, and one without a cache is read from its rows.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable

from .faults import StorageFault

log = logging.getLogger("vikingdb.local")

Job = Callable[[Callable[[], bool]], None]
"""Something to do; it is given a function that says whether it should stop, and asks now and then."""

_WITHOUT = "Searches go on without, until the database is opened again"


class Upkeep:
    """A queue, and a thread while there is something in it. Safe for many threads."""

    def __init__(self) -> None:
        self._idle = threading.Condition()
        self._jobs: deque[tuple[str, Job]] = deque()  # the first is being done, or about to be
        self._failed: set[str] = set()
        self._thread: threading.Thread | None = None
        self._at_exit: weakref.finalize[..., threading.Thread] | None = None
        self._stopping = False
        _all.add(self)

    def ask(self, name: str, job: Job) -> None:
        """Do a job soon. One that waits already under the name is not done twice, one that failed not again."""
        with self._idle:
            if self._stopping or name in self._failed or any(name == waiting for waiting, _ in self._jobs):
                return
            if self._thread is not None or self._begin():
                self._jobs.append((name, job))

    def settle(self, timeout: float = 60) -> None:
        """Wait until nothing is left to do."""
        with self._idle:
            if not self._idle.wait_for(lambda: not self._jobs, timeout):
                raise TimeoutError(f"still busy with {', '.join(sorted(name for name, _ in self._jobs))}")

    def stop(self) -> None:
        """Let the job at hand stop where it can, drop the others, and wait for the thread to end."""
        with self._idle:
            self._stopping = True
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _begin(self) -> bool:
        thread = threading.Thread(target=self._work, name="vikingdb-local-upkeep", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # too many threads, or the interpreter is about to end
            log.warning("caches, orders and graphs are not brought into step now: %s", error)
            return False
        self._thread = thread
        # A thread that is within usearch when the interpreter ends takes the process down. At exit finalizers run
        # newest first, so the work stops before its database is closed, too.
        self._at_exit = weakref.finalize(thread, self.stop)
        return True

    def _work(self) -> None:
        while (first := self._first()) is not None:
            name, job = first
            try:
                if not self._stopping:
                    job(lambda: self._stopping)
            except (OSError, StorageFault) as error:
                log.warning("%s cannot be made: %s. %s", name, error, _WITHOUT)
                self._failed.add(name)
            except Exception:
                log.exception("%s cannot be made. %s", name, _WITHOUT)
                self._failed.add(name)
            finally:
                with self._idle:
                    self._jobs.popleft()
                    self._idle.notify_all()

    def _first(self) -> tuple[str, Job] | None:
        with self._idle:
            if self._jobs:
                return self._jobs[0]
            self._thread = None
            if self._at_exit is not None:
                self._at_exit.detach()
            return None

    def _begin_anew_in_child(self) -> None:
        """After a fork: the thread stayed with the parent. What it was asked for is asked for again in time."""
        if self._at_exit is not None:
            self._at_exit.detach()
        self._idle, self._thread = threading.Condition(), None
        self._jobs.clear()


_all: weakref.WeakSet[Upkeep] = weakref.WeakSet()


def _begin_all_anew() -> None:
    for upkeep in list(_all):
        upkeep._begin_anew_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_all_anew)
