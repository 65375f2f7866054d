"""The synchronous client: its options, its handles, and what they return."""

from typing import assert_type

from vikingdb import IAM, APIKey, HeaderAuth, NoAuth, RetryPolicy
from vikingdb.vector import CollectionClient, EmbeddingClient, IndexClient, RerankClient, VikingDB
from vikingdb_core.models import AnyResponse, Envelope
from vikingdb_core.operation import Operation
from vikingdb_core.retry import Retry
from vikingdb_vector.admin import AdminClient

client = VikingDB(endpoint="https://h.example", region="cn-beijing", auth=IAM("ak", "sk"), timeout=30)
assert_type(client, VikingDB)
VikingDB(host="h.example", scheme="https", auth=IAM(ak="ak", sk="sk", session_token=None), sts_token="", timeout=30)
VikingDB(auth=APIKey("key"), proxies="http://proxy.example:3128", verify="/etc/ca.pem", retry=1, deadline=2.5)
VikingDB(auth=HeaderAuth({"X-Top-User-Id": "1"}), retry=RetryPolicy(max_attempts=2), plugins=["otel", object()])
VikingDB(auth="vault", proxies={"https": "http://proxy.example"}, verify=False, headers={"X-Team": "search"})
VikingDB()

VikingDB("https://h.example")  # E: [call-arg]
VikingDB(endpoint=5)  # E: [arg-type]
VikingDB(timeout="30")  # E: [arg-type]
VikingDB(timout=30)  # E: [arg-type]
VikingDB(auth=IAM)  # E: [arg-type]
VikingDB(auth=("ak", "sk"))  # E: [arg-type]
VikingDB(retry=1.5)  # E: [arg-type]
VikingDB(plugins=5)  # E: [arg-type]
VikingDB(headers={"X-Team": 1})  # E: [dict-item]
VikingDB(verify=5)  # E: [arg-type]
VikingDB(transport=object())  # E: [arg-type]
IAM(5, "sk")  # E: [arg-type]
IAM("ak", "sk", provider=NoAuth())  # E: [arg-type]
APIKey()  # E: [call-arg]
RetryPolicy(max_attempts="3")  # E: [arg-type]
Retry(after="soon")  # E: [arg-type]

books = client.collection(collection_name="books", project_name=None, primary_key="id")
by_mood = client.index(resource_id="vdb-1", index_name="by_mood")
assert_type(books, CollectionClient)
assert_type(by_mood, IndexClient)
assert_type(client.embedding(), EmbeddingClient)
assert_type(client.rerank(), RerankClient)
assert_type(client.admin, AdminClient)
assert_type(client.ping(), Envelope)
assert_type(client.ping().request_id, str | None)
assert_type(client.close(), None)

client.collection("books")  # E: [call-arg]
client.collection(name="books")  # E: [call-arg]
client.collection(collection_name=5)  # E: [arg-type]
client.index(collection_name="books", index="by_mood")  # E: [call-arg]
client.colection(collection_name="books")  # E: [attr-defined]
client.admin()  # E: [operator]

with VikingDB(endpoint="local://demo") as opened:
    assert_type(opened, VikingDB)

raw = Operation.raw("POST", "/api/vikingdb/data/brand_new")
assert_type(client.call(raw, {"anything": 1}), AnyResponse)
client.call("/api/vikingdb/data/brand_new")  # E: [arg-type]
client.call(raw, 5)  # E: [arg-type]
