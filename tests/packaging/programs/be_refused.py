"""Ask for a plugin, an auth scheme and a domain that cannot be had. Arguments: their names."""

import json
import sys

import vikingdb
from vikingdb.vector import VikingDB
from vikingdb_core.exceptions import VikingDBError

plugin, auth, domain = sys.argv[1:]
said = {}
for name, ask in {
    plugin: lambda: VikingDB(endpoint="https://vikingdb.example", auth=vikingdb.APIKey("my-key"), plugins=[plugin]),
    auth: lambda: VikingDB(endpoint="https://vikingdb.example", auth=auth),
    domain: lambda: getattr(vikingdb, domain),
}.items():
    try:
        ask()
    except (VikingDBError, AttributeError) as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
