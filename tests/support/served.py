"""``vikingdb-local serve`` as its users run it: a process of its own, on a free port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

STOP_SECONDS = 60
HASHED = ("--embedder", "hash-v1")


class Served:
    """A server while it is entered.

    Args:
        arguments: of ``serve``, beside the port.
        environment: for the process, beside what it needs of ours.

    Attributes:
        url: where it listens.
        greeting: what it printed when it was ready.
    """

    def __init__(self, *arguments: str | Path, environment: dict[str, str] | None = None) -> None:
        self._command = [sys.executable, "-m", "vikingdb_local", "serve", "--port", "0", *map(str, arguments)]
        self._environment = {**os.environ, **(environment or {})}
        self.url = ""
        self.greeting = ""

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would fill, and hold up the server
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._log, text=True, env=self._environment
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl+C" in line:
                break
        self.greeting = "".join(lines)
        if not self.greeting:
            raise AssertionError(f"the server did not start: {self.stop()}")
        self.url = lines[0].split()[-1]
        return self

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> str:
        """Stop it; what it wrote to its log."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.communicate(timeout=STOP_SECONDS)
        self._log.seek(0)
        return self._log.read()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._log.close()
