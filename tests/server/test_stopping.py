"""How connections end: of clients that are silent, and of all of them when the server is told to stop."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.hurried import Hurried
from tests.server.raw import ask, head, read
from tests.support.served import HASHED, Served
from tests.support.server import CERTIFICATE
from vikingdb_vector import VikingDB

LIST = "/?Action=ListVikingdbCollection&Version=2025-06-09"
PING = b"GET /api/vikingdb/Ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
JSON = {"Host": "127.0.0.1", "Content-Type": "application/json"}
AT_ONCE_SECONDS = 15
"""A stop that waits for nobody takes a fraction of it; one that waits takes 30 s."""


def connect(server: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def is_listening(server: Served) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", server.port)) == 0


def begin(connection: socket.socket) -> None:
    """Begin a request with a body of two bytes, of which none is sent. It is being read when this returns."""
    connection.sendall(head("POST", LIST, {**JSON, "Expect": "100-continue"}, 2))
    assert connection.recv(1024).startswith(b"HTTP/1.1 100")


def is_closed(connection: socket.socket) -> bool:
    """Whether the server closes it within the time limit of the socket; what it still sends is of no interest."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def stopped(server: Served, how: signal.Signals = signal.SIGTERM) -> tuple[str, float]:
    """What it logged, and how long it took to stop."""
    started = time.monotonic()
    log = server.stop(how)
    assert server.process.returncode == 0
    assert "Traceback" not in log
    return log, time.monotonic() - started


# --- clients that are silent ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hurried() -> Iterator[Hurried]:
    with Hurried(*HASHED, patience_seconds=0.5) as server:
        yield server


EARLY = {
    "a page with a body": ("GET", "/", JSON, 200),
    "another host": ("POST", LIST, {**JSON, "Host": "evil.example"}, 403),
    "no JSON": ("POST", LIST, {**JSON, "Content-Type": "text/plain"}, 400),
}


@pytest.mark.parametrize("case", EARLY)
def test_an_answer_before_the_whole_body_says_that_the_connection_ends(hurried: Hurried, case: str) -> None:
    method, target, headers, status = EARLY[case]
    with connect(hurried) as connection:
        connection.sendall(head(method, target, headers, 1000))
        answer = read(connection)
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        connection.sendall(b"x")
        assert is_closed(connection)


def test_an_answer_after_the_whole_body_does_not(hurried: Hurried) -> None:
    with connect(hurried) as connection:
        for _ in range(2):
            connection.sendall(head("POST", LIST, {**JSON, "Host": "evil.example"}, 2) + b"{}")
            answer = read(connection)
            assert (answer.status, answer.headers.get("connection")) == (403, None)


def test_a_refusal_arrives_while_a_large_body_is_sent(hurried: Hurried) -> None:
    body = b" " * 8_000_000
    answer = ask(hurried.port, LIST, body, headers={"Host": "evil.example"})
    assert (answer.status, answer.is_whole) == (403, True)


def test_a_body_that_never_comes_is_answered_with_408_and_the_connection_ends(hurried: Hurried) -> None:
    with connect(hurried) as connection:
        connection.sendall(head("POST", LIST, JSON, 10) + b"{")
        answer = read(connection)
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert is_closed(connection)
    assert b'"408"' in ask(hurried.port, "/openapi.json", None, method="GET").body


def test_half_a_head_is_not_waited_for(hurried: Hurried) -> None:
    with connect(hurried) as connection:
        connection.sendall(PING)
        read(connection)
        connection.sendall(b"GET / HT")
        assert is_closed(connection)


def test_two_lengths_end_the_connection(hurried: Hurried) -> None:
    with connect(hurried) as connection:
        connection.sendall(head("POST", LIST, {**JSON, "Transfer-Encoding": "chunked"}, 2) + b"2\r\n{}\r\n0\r\n\r\n")
        assert read(connection).headers["connection"] == "close"
        assert is_closed(connection)


# --- being told to stop ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_right_after_the_greeting_stops_it(how: signal.Signals) -> None:
    with Served(*HASHED) as server:
        stopped(server, how)


def test_a_client_that_is_idle_over_tls_is_not_waited_for() -> None:
    with Served(*HASHED, "--tls-cert", CERTIFICATE) as server:
        trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
        with trusting.wrap_socket(connect(server), server_hostname="127.0.0.1") as connection:
            connection.sendall(PING)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            _, taken = stopped(server)
    assert taken < AT_ONCE_SECONDS


def test_what_is_answered_over_tls_while_it_stops_is_not_waited_for_either() -> None:
    with Served(*HASHED, "--tls-cert", CERTIFICATE, "--fault", "500:0&latency_ms=1000") as server:
        trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
        with trusting.wrap_socket(connect(server), server_hostname="127.0.0.1") as connection:
            begin(connection)
            connection.sendall(b"{}")
            _, taken = stopped(server)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert taken < AT_ONCE_SECONDS


def test_a_request_that_hangs_on_demand_is_not_waited_for() -> None:
    with Served(*HASHED, "--fault", "hang") as server, connect(server) as connection:
        begin(connection)
        connection.sendall(b"{}")
        _, taken = stopped(server)
        assert is_closed(connection)
    assert taken < AT_ONCE_SECONDS


def test_a_body_that_drips_is_cut_off_when_the_time_is_up() -> None:
    with Hurried(*HASHED, stop_seconds=1) as server, connect(server) as connection:
        begin(connection)
        _, taken = stopped(server)
        assert connection.recv(1024) == b""
    assert taken < AT_ONCE_SECONDS


def test_a_second_signal_ends_the_waiting_and_the_folder_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "db"
    with Served(*HASHED, "--data", folder) as server, connect(server) as connection:
        begin(connection)
        server.process.send_signal(signal.SIGINT)
        while is_listening(server):
            pass  # until it has begun to stop
        _, taken = stopped(server, signal.SIGINT)
    assert taken < AT_ONCE_SECONDS
    assert not list(folder.glob("*-wal"))
    with VikingDB(endpoint=f"local://{folder.as_posix()}?embedder=hash-v1") as db:
        db.ping()


@pytest.mark.parametrize("lines", [0, 1])
def test_it_serves_on_when_nobody_reads_what_it_prints(lines: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "vikingdb_local", "serve", "--port", str(port), *HASHED]
    reading, writing = os.pipe()
    if not lines:
        os.close(reading)
    process = subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    if lines:
        os.read(reading, 100)
        os.close(reading)
    try:
        VikingDB(endpoint=f"http://127.0.0.1:{port}", retry=30).ping()
        process.terminate()
        _, log = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, "Traceback" in log) == (0, False)
