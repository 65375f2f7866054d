"""A server that waits less long for clients than it otherwise would."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.served import Served

_PROGRAM = """
from vikingdb_local.command import main
from vikingdb_local.server import connection, reading, serving

connection.PATIENCE_SECONDS = reading.PATIENCE_SECONDS = {patience}
serving.STOP_SECONDS = {stop}
raise SystemExit(main())
"""


class Hurried(Served):
    """``Served``, with shorter times.

    Args:
        arguments: of ``serve``, beside the port.
        patience_seconds: how long a client may be silent.
        stop_seconds: how long requests in flight may take when the server is told to stop.
    """

    def __init__(self, *arguments: str | Path, patience_seconds: float = 30.0, stop_seconds: float = 30.0) -> None:
        super().__init__(*arguments)
        program = _PROGRAM.format(patience=patience_seconds, stop=stop_seconds)
        self._command = [sys.executable, "-c", program, "serve", "--port", "0", *map(str, arguments)]
