"""Sharing: a large piece of work done together with threads that have nothing else to do.

Who has the work does it piece by piece, and so does every helper, until nothing is left. Nobody waits for helpers that
are busy with the work of somebody else, and none of them waits by spinning, as threads of linear algebra libraries do.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from vikingdb_core.transport import notice_fork, survives_forks

MOST_HELPERS = 3
"""Work that is bound by memory is not done sooner by more."""

Piece = TypeVar("Piece")


class Helpers:
    """Threads that help. Safe for many threads; they help one at a time.

    Args:
        count: how many; by default one for each other processor of this process, and not more than three.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = min(_processors() - 1, MOST_HELPERS) if count is None else count
        self._are_free = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        survives_forks(self)

    def share(self, work: Callable[[Piece], object], pieces: Iterable[Piece]) -> None:
        """Do the work on every piece, in any order, in this thread and in those that are free.

        What the work raises is raised here, when no thread works on it any more.
        """
        notice_fork()
        left, are_free = deque(pieces), self._are_free
        if len(left) < 2 or not self._count or not are_free.acquire(blocking=False):
            _work_off(work, left)
            return
        try:
            self._share(work, left)
        finally:
            are_free.release()

    def renew_after_fork(self) -> None:
        self._are_free, self._threads = threading.Lock(), None

    def _share(self, work: Callable[[Piece], object], left: deque[Piece]) -> None:
        helping: list[Future[None]] = []
        try:
            for _ in range(min(self._count, len(left) - 1)):
                begun = self._begin(work, left)
                if begun is None:
                    break
                helping.append(begun)
            _work_off(work, left)
        except BaseException:
            left.clear()  # nobody wants the rest
            raise
        finally:
            helping = [each for each in helping if not each.cancel()]
            wait(helping)
        for each in helping:
            each.result()

    def _begin(self, work: Callable[[Piece], object], left: deque[Piece]) -> Future[None] | None:
        try:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="vikingdb-local-helper")
            return self._threads.submit(_work_off, work, left)
        except RuntimeError:  # too many threads, or the interpreter is about to end
            if self._threads is not None:
                self._threads.shutdown(wait=False, cancel_futures=True)  # it has queued the work all the same
                self._threads = None
            return None


def _work_off(work: Callable[[Piece], object], left: deque[Piece]) -> None:
    while True:
        try:
            piece = left.popleft()
        except IndexError:
            return
        work(piece)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


HELPERS = Helpers()
"""Those of this process."""
