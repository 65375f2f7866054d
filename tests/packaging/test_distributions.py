"""What is shipped: wheels with just what belongs in them, and a core that works alone."""

from __future__ import annotations

import os
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.building import FOLDERS, run

pytestmark = pytest.mark.packaging


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wheel_holds_its_package_and_nothing_else(name: str, clone: Path, wheels: dict[str, Path]) -> None:
    folder = clone / name if name == "vikingdb" else clone / FOLDERS[name]
    sources = {f"{name}/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.py")} | {f"{name}/py.typed"}
    with zipfile.ZipFile(wheels[name]) as archive:
        held = {entry for entry in archive.namelist() if ".dist-info/" not in entry}
        metadata = {entry.rpartition("/")[2] for entry in archive.namelist() if ".dist-info/" in entry}
    assert held == {source for source in sources if "/build/" not in source}
    assert {"METADATA", "WHEEL", "RECORD", "LICENSE"} <= metadata


def test_core_works_alone_in_an_empty_environment(clone: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "alone", with_pip=True)
    python = tmp_path / "alone" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(clone / "vikingdb_core"))
    script = """
import contextlib, importlib.util, io, json, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from vikingdb_core import APIKey, BaseClient, Domain, IAM, Operation
from vikingdb_core.commands import main
from vikingdb_core.exceptions import ConfigError

assert importlib.util.find_spec("volcengine") is None
assert importlib.util.find_spec("vikingdb_vector") is None

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"code": "Success", "request_id": "r", "result": json.loads(body)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()

class Echo(BaseClient):
    domain = Domain("echo", "Echo", "__main__", (), {"data": "echo"})

with Echo(endpoint=f"http://127.0.0.1:{server.server_port}", auth=APIKey("k")) as client:
    assert client.call(Operation.raw("POST", "/echo"), {"a": 1}).result == {"a": 1}
try:
    Echo(endpoint=f"http://127.0.0.1:{server.server_port}", auth=IAM("a", "b")).call(Operation.raw("POST", "/echo"), {})
except ConfigError as error:
    assert "vikingdb-core[iam]" in str(error)
else:
    raise AssertionError("IAM needs the signer")
for command, code, says in (
    ("plugins", 0, "No problems found."),
    ("doctor", 1, "1 problem 1. vikingdb.vector needs the vector domain"),
):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main([command]) == code
    assert says in " ".join(printed.getvalue().split()), printed.getvalue()
print("core works alone")
"""
    assert "core works alone" in run(str(python), "-c", script, cwd=tmp_path)
