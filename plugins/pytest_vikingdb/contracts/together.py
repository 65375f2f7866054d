"""Several functions at once, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def together(work: Sequence[Callable[[], T]]) -> list[T]:
    """What each returned, in order. They begin together; the first error among them is raised."""
    ready = threading.Barrier(len(work))

    def begin(job: Callable[[], T]) -> T:
        ready.wait(30)
        return job()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(begin, job) for job in work]]
