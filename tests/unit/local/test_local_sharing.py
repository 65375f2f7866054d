"""Work that is shared is done once, whoever is free to help, and nobody waits for helpers that are busy."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter, deque

import pytest

from vikingdb_local.engine.sharing import MOST_HELPERS, Helpers

PATIENCE_SECONDS = 30


@pytest.mark.parametrize("helpers", [0, 1, 3])
@pytest.mark.parametrize("pieces", [0, 1, 2, 100])
def test_every_piece_is_done_once(helpers: int, pieces: int) -> None:
    done: list[int] = []
    Helpers(helpers).share(done.append, range(pieces))
    assert sorted(done) == list(range(pieces))


def test_helpers_do_their_share() -> None:
    """Two threads are within a piece at one time, or neither would get on."""
    both, by = threading.Barrier(2, timeout=PATIENCE_SECONDS), set[int]()

    def work(_: int) -> None:
        both.wait()
        by.add(threading.get_ident())

    Helpers(1).share(work, range(2))
    assert len(by) == 2


def test_work_is_done_without_helpers_that_are_busy() -> None:
    helpers, begun, may_end = Helpers(1), threading.Semaphore(0), threading.Event()

    def wait(_: int) -> None:
        begun.release()
        may_end.wait(PATIENCE_SECONDS)

    first = threading.Thread(target=helpers.share, args=(wait, range(2)))
    first.start()
    for _ in range(2):
        assert begun.acquire(timeout=PATIENCE_SECONDS)
    by: Counter[int] = Counter()
    helpers.share(lambda _: by.update([threading.get_ident()]), range(10))
    assert by == {threading.get_ident(): 10}
    may_end.set()
    first.join(PATIENCE_SECONDS)


def test_work_within_work_is_done() -> None:
    helpers, done = Helpers(2), list[int]()
    helpers.share(lambda _: helpers.share(done.append, range(5)), range(6))
    assert sorted(done) == sorted(list(range(5)) * 6)


@pytest.mark.parametrize("helpers", [0, 2])
def test_an_error_comes_to_who_has_the_work_and_helpers_help_again(helpers: int) -> None:
    threads, done = Helpers(helpers), list[int]()

    def work(piece: int) -> None:
        if piece == 7:
            raise ValueError("seven")

    with pytest.raises(ValueError, match="seven"):
        threads.share(work, range(20))
    assert not threads._are_free.locked()
    threads.share(done.append, range(20))
    assert sorted(done) == list(range(20))


def test_an_error_of_a_helper_comes_to_who_has_the_work() -> None:
    helpers, both, own = Helpers(1), threading.Barrier(2, timeout=PATIENCE_SECONDS), threading.get_ident()

    def work(_: int) -> None:
        both.wait()
        if threading.get_ident() != own:
            raise ValueError("not mine")

    with pytest.raises(ValueError, match="not mine"):
        helpers.share(work, range(2))
    assert not helpers._are_free.locked()


def test_the_rest_is_dropped_when_who_has_the_work_is_interrupted() -> None:
    helpers, own, done = Helpers(1), threading.get_ident(), list[int]()
    both, left = threading.Barrier(2, timeout=PATIENCE_SECONDS), deque[int](range(1000))

    def work(piece: int) -> None:
        done.append(piece)
        both.wait()
        if threading.get_ident() == own:
            raise KeyboardInterrupt
        while left:  # until the other one has left
            threading.Event().wait(0.01)

    with pytest.raises(KeyboardInterrupt):
        helpers._share(work, left)
    assert len(done) == 2


def test_work_is_whole_when_there_can_be_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first helper begins, the second cannot: what the first does is waited for, and nothing is left behind."""
    helpers, begun, start = Helpers(3), list[str](), threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if begun:
            raise RuntimeError("can't start new thread")
        begun.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    done: list[int] = []

    def work(piece: int) -> None:
        threading.Event().wait(0.02)
        done.append(piece)

    for number in range(1, 4):
        helpers.share(work, range(8))
        assert sorted(done) == sorted(list(range(8)) * number)
    assert helpers._threads is None


def test_there_are_no_more_than_is_of_use() -> None:
    assert 0 <= Helpers()._count <= MOST_HELPERS


def run(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_the_child_of_a_fork_has_helpers_of_its_own() -> None:
    """Also when it was forked while they were at work."""
    run("""
import os, sys, threading
from vikingdb_local.engine.sharing import Helpers
helpers, begun, may_end, done = Helpers(1), threading.Event(), threading.Event(), []
def wait(_):
    begun.set()
    may_end.wait(30)
thread = threading.Thread(target=helpers.share, args=(wait, range(2)))
thread.start()
begun.wait(30)
child = os.fork()
if not child:
    both = threading.Barrier(2, timeout=10)
    helpers.share(lambda _: both.wait(), range(2))
    os._exit(0)
_, status = os.waitpid(child, 0)
may_end.set()
thread.join()
sys.exit(os.waitstatus_to_exitcode(status))
""")


def test_work_is_done_while_the_interpreter_ends() -> None:
    run("""
import atexit
from vikingdb_local.engine.sharing import Helpers
helpers, done = Helpers(1), []
def last():
    helpers.share(done.append, range(9))
    assert sorted(done) == list(range(9))
atexit.register(last)
helpers.share(done.append, [])
""")
