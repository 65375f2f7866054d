"""Record golden requests: what the official client really sends for the calls in ``official_calls.py``.

Run it with an interpreter that has ``vikingdb-python-sdk==0.1.35`` and not this repository's packages::

    python tests/golden/record.py

It needs no network and no account: a loopback server records each request and answers that the call succeeded. Only
what every run sends alike is written, so a rerun that changes the file means that the official client or the calls
changed. The recorder distrusts itself: every operation of the official client must be covered, an ``*_every_field``
call must leave no field of the official models unset, and every signature must satisfy the reference signer.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))  # for `support`; the repository's root would shadow the official `vikingdb`

from official_calls import OFFICIAL_CALLS, OfficialCall  # noqa: E402
from support.reference_signer import verify  # noqa: E402

PACKAGE, VERSION = "vikingdb-python-sdk", "0.1.35"
ACCESS_KEY, SECRET_KEY, REGION = "AKDEMO0000000000", "SKDEMO1111111111", "cn-beijing"
SUCCESS = b'{"code":"Success","message":"ok","request_id":"golden","result":{}}'

# Different in each run, for each machine or for each client, so that comparing them says nothing.
VOLATILE_HEADERS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "host",
        "user-agent",
        "x-content-sha256",
        "x-date",
    }
)


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Recorder:
    """A loopback server that keeps what it receives."""

    host: str = ""
    seen: list[Seen] = field(default_factory=list)

    def take(self) -> Seen:
        """The one request received since the last call."""
        if len(self.seen) != 1:
            raise AssertionError(f"expected one request, got {[f'{one.method} {one.target}' for one in self.seen]}")
        return self.seen.pop()


@contextmanager
def recording() -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            recorder.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(SUCCESS)))
            self.end_headers()
            self.wfile.write(SUCCESS)

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        recorder.host = f"127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield recorder
        server.shutdown()


def main() -> None:
    installed = {dist.name: dist.version for dist in metadata.distributions()}.get(PACKAGE)
    if installed != VERSION:
        raise SystemExit(f"{PACKAGE} {VERSION} is what to record, but this interpreter has {installed}")
    # The official session obeys the environment's proxies, even for the loopback.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    assert_every_operation_is_covered()
    with recording() as recorder:
        cases = [record(call, recorder) for call in OFFICIAL_CALLS]
    path = HERE / "official_requests.json"
    path.write_text(json.dumps(cases, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"{len(cases)} cases written to {path.name}")


def record(call: OfficialCall, recorder: Recorder) -> dict[str, Any]:
    """Perform one call with the official client; what was asked and what was sent."""
    from vikingdb import IAM, RequestOptions, vector

    client = vector.VikingDB(
        host=recorder.host,
        region=REGION,
        scheme="http",
        auth=IAM(ak=ACCESS_KEY, sk=SECRET_KEY),
        **call.client_options,
    )
    ping = recorder.take()
    if (ping.method, ping.target, "Authorization" in ping.headers) != ("GET", "/api/vikingdb/Ping", False):
        raise AssertionError(f"the constructor sent {ping}")
    handle = getattr(client, call.client)(**call.handle)
    options = RequestOptions(**call.request_options) if call.request_options else None
    getattr(handle, call.method)(*request_of(call), request_options=options)
    client.session.close()
    return {
        "name": call.name,
        "call": {
            "client": call.client,
            "method": call.method,
            "handle": call.handle,
            "form": call.form,
            "model": call.model,
            "arguments": call.arguments,
            "request_options": call.request_options,
            "client_options": call.client_options,
            "conflicts": call.conflicts,
        },
        "wire": wire(call.name, recorder.take()),
    }


def request_of(call: OfficialCall) -> Sequence[Any]:
    """The positional arguments of the official method: a model, a mapping or nothing."""
    from vikingdb import vector

    if call.form == "none":
        return []
    if call.form == "mapping":
        return [call.arguments]
    request = getattr(vector, str(call.model))(**call.arguments)
    if call.name.endswith("_every_field"):
        assert_every_field_is_set(call.name, request)
    return [request]


def wire(name: str, seen: Seen) -> dict[str, Any]:
    """The stable part of what was sent. Anything that another client could not repeat stops the recording."""
    refusal = verify(
        seen.method,
        seen.target,
        seen.headers,
        seen.body,
        secrets={ACCESS_KEY: SECRET_KEY},
        now=datetime.now(UTC),
        region=REGION,
    )
    if refusal:
        raise AssertionError(f"{name}: {refusal}")
    body = json.loads(seen.body)
    if seen.body != json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode():
        raise AssertionError(f"{name}: the body is not compact JSON in UTF-8")
    url = urlsplit(seen.target)
    items = dict(item.strip().split("=", 1) for item in seen.headers["Authorization"].partition(" ")[2].split(","))
    return {
        "method": seen.method,
        "path": url.path,
        "query": dict(parse_qsl(url.query, keep_blank_values=True)),
        "headers": {key: value for key, value in sorted(seen.headers.items()) if key.lower() not in VOLATILE_HEADERS},
        "signed_headers": items["SignedHeaders"].split(";"),
        "body": body,
    }


def assert_every_operation_is_covered() -> None:
    from vikingdb import vector

    clients = {
        "collection": vector.CollectionClient,
        "index": vector.IndexClient,
        "embedding": vector.EmbeddingClient,
        "rerank": vector.RerankClient,
    }
    wanted = {
        f"{name}.{method}" for name, client in clients.items() for method in vars(client) if not method.startswith("_")
    }
    for suffix in ("_every_field", "_minimal"):
        got = {f"{call.client}.{call.method}" for call in OFFICIAL_CALLS if call.name.endswith(suffix)}
        if wanted - got:
            raise AssertionError(f"no {suffix} call for {sorted(wanted - got)}")


def assert_every_field_is_set(where: str, value: Any) -> None:
    """No declared field is None or left to ``extra``, down through nested models."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        if value.model_extra:
            raise AssertionError(f"{where}: the official model lacks {sorted(value.model_extra)}")
        for name in type(value).model_fields:
            if getattr(value, name) is None:
                raise AssertionError(f"{where}.{name} is not set")
            assert_every_field_is_set(f"{where}.{name}", getattr(value, name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for position, item in enumerate(value):
            assert_every_field_is_set(f"{where}[{position}]", item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            assert_every_field_is_set(f"{where}.{key}", item)


if __name__ == "__main__":
    main()
