"""Use the three strangers by name, and tell when each was imported. Arguments: their packages."""

import json
import os
import sys
from pathlib import Path

import vikingdb
from pytest_vikingdb import Connection, LoopbackServer, Wire
from vikingdb.vector import VikingDB
from vikingdb_core import discovery

GROUPS = (discovery.AUTH, discovery.DOMAINS, discovery.PLUGINS)
HERE = {"endpoint": "https://vikingdb.example"}


def loaded() -> list[str]:
    return [name for name in sys.argv[1:] if name in sys.modules]


def answer_with_a_token(connection: Connection) -> None:
    connection.read_request()
    connection.reply(200, b'{"token": "opensesame", "expires_in": 60}', b"Connection: close")


found: dict[str, object] = {"after import": loaded()}
VikingDB(**HERE, auth=vikingdb.APIKey("my-key")).close()
found["names"] = {group: discovery.names(group) for group in GROUPS}
found["after a client and a look"] = loaded()

with LoopbackServer(answer_with_a_token) as tokens:
    profile = Path("config.toml")
    profile.write_text(f'[default.auth.rotating_token]\nurl = "{tokens.url}"\n', encoding="utf-8")
    os.environ["VIKINGDB_CONFIG_FILE"] = str(profile)
    VikingDB(**HERE, auth="rotating_token").close()
    found["after an auth scheme was named"] = loaded()

    wire = Wire().reply(200, {"code": "Success", "result": {"fetch": [{"id": "Dune", "fields": {}}]}})
    db = VikingDB(**HERE, auth="rotating_token", plugins=["response_cache"], transport=wire)
    found["after a plugin was named"] = loaded()
    books = db.collection(collection_name="books")
    found["read"] = [books.fetch({"ids": ["Dune"]}).result.items[0].id for _ in range(2)]
    found["sent"] = [request.headers["Authorization"] for request in wire.requests]

wire = Wire().reply(200, {"code": "Success", "event": {"event_id": "e1", "actor": "ada", "action": "login"}})
with vikingdb.audit.AuditClient(
    endpoint="https://audit.example", auth=vikingdb.APIKey("my-key"), transport=wire
) as audit:
    found["recorded"] = audit.trail("logins").record("ada", "login").event.actor
found["in the end"] = loaded()
print(json.dumps(found))
