"""Forks: what the child of a fork has to make anew, such as locks that threads of its parent may have held.

Those threads are not there to let go of them. Transports that keep a lock or connections register themselves.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class SurvivesFork(Protocol):
    """Something that can be used on both sides of a fork."""

    def renew_after_fork(self) -> None:
        """Make new locks, and let go of what belongs to the parent. Called in the child, before anything else is."""


_survivors: dict[int, weakref.ref[SurvivesFork]] = {}
"""By ``id``: equal ones are told each."""

_pid = os.getpid()


def survives_forks(thing: SurvivesFork) -> None:
    """Have ``thing`` told of every fork, for as long as it is used.

    Raises:
        TypeError: there can be no weak reference to it.
    """
    key = id(thing)
    _survivors[key] = weakref.ref(thing, lambda _: _survivors.pop(key, None))


def notice_fork() -> None:
    """Tell of a fork that Python has not noticed, as by uWSGI, which is written in C. To be called before use."""
    if os.getpid() != _pid:
        _renew_all()


def _renew_all() -> None:
    global _pid
    _pid = os.getpid()
    errors: list[Exception] = []
    for survivor in list(_survivors.values()):
        thing = survivor()
        try:
            if thing is not None:
                thing.renew_after_fork()
        except Exception as error:
            errors.append(error)
    if errors:  # at a fork, Python prints it and goes on
        raise errors[0]


if hasattr(os, "register_at_fork"):  # where there is no such thing, nothing is to be done
    os.register_at_fork(after_in_child=_renew_all)
