"""What the tests of the HTTP transport send."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from vikingdb_core.effects import Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.messages import Headers, Request

PATIENT = Timeouts(connect=5, total=5)
BRIEF = Timeouts(connect=5, total=0.1)


def request_to(
    url: str,
    *,
    method: str = "POST",
    path: str = "/api/notes/read",
    query: tuple[tuple[str, str], ...] = (),
    headers: Mapping[str, str] | None = None,
    body: bytes = b"{}",
) -> Request:
    """A request to a server of these tests, as the flow would have made it."""
    endpoint = Endpoint.parse(url)
    sent = Headers({"Host": endpoint.netloc, "Content-Type": "application/json", **(headers or {})})
    return Request(method, endpoint, endpoint.join(path), query, sent, b"" if method == "GET" else body)


def run_silently(program: str, *arguments: str, seconds: float = 60) -> None:
    """Run a Python program that is to end well and to complain of nothing."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=Path(__file__).parents[2],
        timeout=seconds,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
