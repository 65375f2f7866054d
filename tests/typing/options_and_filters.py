"""RequestOptions, and filters as expressions."""

from datetime import UTC, datetime
from typing import Any, assert_type

from vikingdb import F, Filter, RequestOptions
from vikingdb.vector import SearchResponse, VikingDB

options = RequestOptions(
    headers={"X-Team": "search"},
    query={"dry_run": "1"},
    request_id="my-id",
    max_attempts=1,
    timeout=5,
    connect_timeout=1.5,
    deadline=10,
    idempotent=True,
)
assert_type(options.timeout, float | None)
RequestOptions(timeout="5")  # E: [arg-type]
RequestOptions(timout=5)  # E: [arg-type]
RequestOptions(max_attempts=1.5)  # E: [arg-type]
RequestOptions(headers={"X-Team": 1})  # E: [dict-item]
RequestOptions(headers=["X-Team"])  # E: [arg-type]
RequestOptions(idempotent="yes")  # E: [arg-type]
options.timeout = 6
options.timeout = "6"  # E: [assignment]
options.timout = 6  # E: [attr-defined]
options.headers["X-Team"] = "shop"
print(options.timout)  # E: [attr-defined]

cheap = F("price") < 20
assert_type(cheap, Filter)
assert_type(cheap & (F("genre") == "sf") | F("genre").any_of("noir", "art"), Filter)
assert_type(cheap & {"op": "must", "field": "genre", "conds": ["sf"]}, Filter)
assert_type(F("published") >= datetime(2026, 1, 1, tzinfo=UTC), Filter)
assert_type(F("price").between(5, 20), Filter)
assert_type(cheap.to_wire(), dict[str, Any])
F(5)  # E: [arg-type]
print(F("price") < [1])  # E: [operator]
F("price").betwen(5, 20)  # E: [attr-defined]
print(cheap & True)  # E: [operator]
print(cheap & 5)  # E: [operator]

index = VikingDB().index(collection_name="books", index_name="i")
assert_type(index.search_by_random({"filter": cheap}, request_options=options), SearchResponse)
index.search_by_random(request_options={"timeout": 5})  # E: [arg-type]
index.search_by_random(cheap)  # E: [arg-type]
