"""Use the vector domain, and no stranger."""

import json

import vikingdb
from pytest_vikingdb import Wire
from vikingdb.vector import VikingDB

wire = Wire().reply(200, {"code": "Success", "result": {"fetch": [{"id": "Dune", "fields": {}}]}})
with VikingDB(endpoint="https://vikingdb.example", auth=vikingdb.APIKey("my-key"), transport=wire) as db:
    print(json.dumps(db.collection(collection_name="books").fetch({"ids": ["Dune"]}).result.items[0].id))
