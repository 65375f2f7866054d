"""Upkeep: caches and graphs brought into step with their collections, in a thread of its own.

Nothing waits for it. A collection without a graph is scanned, and one without a cache is read from its rows.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger("vikingdb.local")

Job = Callable[[Callable[[], bool]], None]
"""Something to do; it is given a function that says whether it should stop, and asks now and then."""


class Upkeep:
    """A queue and one thread, which begins with the first job and ends when it is told."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[str, Job] | None] = queue.SimpleQueue()
        self._waiting: set[str] = set()
        self._failed: set[str] = set()
        self._idle = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def ask(self, name: str, job: Job) -> None:
        """Do a job soon. One that waits already under the name is not done twice, one that failed not again."""
        with self._idle:
            if self._stopping or name in self._waiting or name in self._failed:
                return
            self._waiting.add(name)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="vikingdb-local-upkeep", daemon=True)
                self._thread.start()
        self._jobs.put((name, job))

    def settle(self, timeout: float = 60) -> None:
        """Wait until nothing is left to do."""
        with self._idle:
            if not self._idle.wait_for(lambda: not self._waiting, timeout):
                raise TimeoutError(f"still busy with {', '.join(sorted(self._waiting))}")

    def stop(self) -> None:
        """Let the job at hand stop where it can, drop the others, and end the thread."""
        with self._idle:
            self._stopping = True
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._jobs.put(None)
            thread.join()

    def _work(self) -> None:
        while True:
            item = self._jobs.get()
            if item is None:
                return
            name, job = item
            try:
                if not self._stopping:
                    job(lambda: self._stopping)
            except Exception:
                log.exception("%s cannot be made; searches go on without, until the database is opened again", name)
                self._failed.add(name)
            finally:
                with self._idle:
                    self._waiting.discard(name)
                    self._idle.notify_all()
