"""A fork leaves locks behind that nobody will let go of. What is registered is told of it in the child."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PROGRAM = """
import gc, os, sys
from vikingdb_core.forks import survives_forks

class Thing:
    def __init__(self, name):
        self.name, self.told = name, 0
        survives_forks(self)
    def renew_after_fork(self):
        self.told += 1
        if self.name == "broken":
            raise RuntimeError("cannot")

things = [Thing("one"), Thing("broken"), Thing("two")]
Thing("gone")
gc.collect()
child = os.fork()
if not child:
    os._exit(0 if [thing.told for thing in things] == [1, 1, 1] else 3)
_, status = os.waitpid(child, 0)
told = [thing.told for thing in things]
sys.exit(os.waitstatus_to_exitcode(status) if told == [0, 0, 0] else 4)
"""


def run(program: str) -> str:
    """What a program that has to go well complained of."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_equal_things_are_told_each() -> None:
    run("""
import os
from dataclasses import dataclass
from vikingdb_core.transport import survives_forks

told = []

@dataclass
class Lamp:
    place: str
    def renew_after_fork(self):
        told.append(self.place)

lamps = [Lamp("here"), Lamp("here")]
for lamp in lamps:
    survives_forks(lamp)
child = os.fork()
if not child:
    os._exit(0 if told == ["here", "here"] else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a fork in C is tried with the C library of Linux")
def test_a_fork_that_python_does_not_notice_is_noticed_before_use() -> None:
    """As uWSGI forks. Connections of the parent are not used, and its locks not waited for."""
    run("""
import ctypes, http.server, os, threading
from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Headers, Request
from vikingdb_core.transport import SchemeTransport, TransportSettings

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        port = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(port)))
        self.end_headers()
        self.wfile.write(port)
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = Endpoint.parse(f"http://127.0.0.1:{server.server_port}")
transport = SchemeTransport(TransportSettings())

def port():
    request = Request("GET", endpoint, "/", (), Headers({"Host": endpoint.netloc}), b"")
    return transport.send(request, Timeouts(5, 5)).body

first = port()
assert port() == first
transport._opened._lock.acquire()  # as a thread of the parent might, just then
reading, writing = os.pipe()
child = ctypes.PyDLL(None).fork()
if not child:
    os.write(writing, port())
    os._exit(0)
idle = ctypes.PyDLL(None).fork()  # a child that only closes
if not idle:
    transport.close()
    os._exit(0)
transport._opened._lock.release()
for each in (child, idle):
    assert os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) == 0
assert os.read(reading, 99) != first
assert port() == first
server.shutdown()
""")


def test_the_child_of_a_fork_tells_everything_and_a_broken_one_stops_no_other() -> None:
    assert "cannot" in run(PROGRAM)
