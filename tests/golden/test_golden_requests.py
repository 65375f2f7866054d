"""Golden requests: our client sends what the official client sends, and what the specification says.

``official_requests.json`` was recorded from the official client by ``record.py``; ``specified_requests.json`` was
written by hand from the specification. Where ours is different on purpose, ``DIFFERENCES`` says so and why.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.reference_signer import verify
from tests.unit.vector.fakes import AsyncFakeTransport, FakeTransport
from vikingdb_core.credentials import IAM
from vikingdb_core.messages import Request
from vikingdb_core.models import UnknownFieldWarning
from vikingdb_core.request_options import RequestOptions
from vikingdb_vector import models
from vikingdb_vector.client import AsyncVikingDB, VikingDB
from vikingdb_vector.domain import DOMAIN

AK, SK, REGION = "AKDEMO0000000000", "SKDEMO1111111111", "cn-beijing"
# Ours alone, or of the moment.
OWN_HEADERS = {"User-Agent", "Host", "Authorization", "X-Date", "X-Content-Sha256"}


@dataclass(frozen=True)
class Difference:
    """What we send instead, by its path in the recorded request, and why."""

    why: str
    ours: dict[str, Any]


DIFFERENCES = {
    "search_by_vector_minimal": Difference(
        "vectors go out as they were given, unvalidated number by number; the official model turns 1 into 1.0",
        {"body.dense_vector": [1, 0, 0, -1]},
    ),
    "search_by_vector_from_mapping": Difference(
        "a mapping is read by the same model as keyword arguments, so that mistakes in it are found; a float is one",
        {"body.advance.scale_k": 1.0},
    ),
    "ping_by_post": Difference(
        "the official Python client pings by GET without a body, the specification's case is the Java client's",
        {"method": "GET", "body": None},
    ),
}


def read(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return cases


OFFICIAL, SPECIFIED = read("official_requests.json"), read("specified_requests.json")
CASES = OFFICIAL + SPECIFIED
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


def perform(
    call: dict[str, Any], arguments: tuple[list[Any], dict[str, Any]], *, asynchronous: bool = False
) -> Request:
    """Make the call with our client; the one request it sends."""
    options = {"endpoint": "https://h.example", "region": REGION, "auth": IAM(AK, SK), **call["client_options"]}
    wire: Any = AsyncFakeTransport() if asynchronous else FakeTransport()
    client: Any = (AsyncVikingDB if asynchronous else VikingDB)(transport=wire, **options)
    match call["client"]:
        case "vikingdb":
            handle = client
        case "admin":
            handle = client.admin
        case name:
            handle = getattr(client, name)(**call["handle"])
    request_options = RequestOptions(**call["request_options"]) if call["request_options"] else None
    positional, named = arguments
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownFieldWarning)
        answer = getattr(handle, call["method"])(*positional, **named, request_options=request_options)
        if asynchronous:
            asyncio.run(answer)
    (request,) = wire.wire.requests if asynchronous else wire.requests
    assert isinstance(request, Request)
    return request


def as_recorded(call: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments in the form the golden call has: a model, a mapping, or nothing."""
    if call["form"] == "none":
        return [], {}
    if call["form"] == "mapping":
        return [call["arguments"]], {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownFieldWarning)
        return [getattr(models, call["model"])(**call["arguments"])], {}


def expected(case: dict[str, Any]) -> dict[str, Any]:
    """The golden request with the differences that are on purpose, and the Host that only we sign."""
    wire = copy.deepcopy(case["wire"])
    for path, value in DIFFERENCES[case["name"]].ours.items() if case["name"] in DIFFERENCES else ():
        *parents, last = path.split(".")
        place = wire
        for parent in parents:
            place = place[parent]
        place[last] = value
    if wire["signed_headers"] is not None:
        wire["signed_headers"] = sorted({*wire["signed_headers"], "host"})
    return wire


def sent(request: Request, *, with_signature: bool = True) -> dict[str, Any]:
    """What was sent, in the form of a golden request, read from the URL and the bytes as a server would."""
    url = urlsplit(request.url)
    signed = re.search(r"SignedHeaders=([^,]+),", request.headers["Authorization"])
    return {
        "method": request.method,
        "path": url.path,
        "query": dict(parse_qsl(url.query, keep_blank_values=True)),
        "headers": {name: value for name, value in sorted(request.headers.items()) if name not in OWN_HEADERS},
        "signed_headers": signed.group(1).split(";") if signed and with_signature else None,
        "body": json.loads(request.body) if request.body else None,
    }


def text(wire: dict[str, Any]) -> str:
    """JSON text tells 1 from 1.0 and from true, as equality does not."""
    return json.dumps(wire, ensure_ascii=False, sort_keys=True, indent=1)


@each_case
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_our_request_is_the_golden_one(case: dict[str, Any], asynchronous: bool) -> None:
    request = perform(case["call"], as_recorded(case["call"]), asynchronous=asynchronous)
    golden = expected(case)
    assert text(sent(request, with_signature=golden["signed_headers"] is not None)) == text(golden)


@each_case
def test_a_server_accepts_our_signature(case: dict[str, Any]) -> None:
    request = perform(case["call"], as_recorded(case["call"]))
    url = urlsplit(request.url)
    target = f"{url.path}?{url.query}" if url.query else url.path
    now = datetime.now(UTC)
    refusal = verify(request.method, target, request.headers, request.body, secrets={AK: SK}, now=now, region=REGION)
    assert refusal is None


@each_case
def test_text_goes_out_as_it_is(case: dict[str, Any]) -> None:
    body = perform(case["call"], as_recorded(case["call"])).body.decode("utf-8")
    assert "\\u" not in body
    assert not re.search(r'": |, "', re.sub(r'"(\\.|[^"\\])*"', '""', body)), (
        "compact, as the official client writes it"
    )


def in_snake_case(arguments: dict[str, Any]) -> dict[str, Any]:
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in arguments.items()}


ADMIN = [case for case in CASES if case["call"]["client"] == "admin"]


@pytest.mark.parametrize("case", ADMIN, ids=lambda case: case["name"])
@pytest.mark.parametrize("form", ["keywords", "model", "snake case mapping"])
def test_the_control_plane_takes_every_form_of_a_request(case: dict[str, Any], form: str) -> None:
    named = in_snake_case(case["call"]["arguments"])
    forms: dict[str, Callable[[], tuple[list[Any], dict[str, Any]]]] = {
        "keywords": lambda: ([], named),
        "model": lambda: ([model_of(case)(**named)], {}),
        "snake case mapping": lambda: ([named], {}),
    }
    request = perform(case["call"], forms[form]())
    assert text(sent(request)["body"]) == text(case["wire"]["body"])


def model_of(case: dict[str, Any]) -> Any:
    words = case["call"]["method"].split("_")
    return getattr(models, "".join(word.capitalize() for word in words) + "Request")


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_one(name: str) -> None:
    (case,) = [case for case in CASES if case["name"] == name]
    unchanged = {**case["wire"], "signed_headers": expected(case)["signed_headers"]}
    assert text(expected(case)) != text(unchanged)


def test_every_operation_of_the_domain_has_a_golden_request() -> None:
    covered = set()
    for case in CASES:
        request = sent(perform(case["call"], as_recorded(case["call"])))
        covered.add((request["method"], request["path"], request["query"].get("Action")))
    addresses = {
        (operation.method, operation.path, dict(operation.query).get("Action")) for operation in DOMAIN.operations
    }
    assert addresses - covered == set()


def test_every_method_that_calls_the_service_has_a_golden_request() -> None:
    called = {(case["call"]["client"], case["call"]["method"]) for case in CASES}
    client = VikingDB(endpoint="https://h.example", auth=IAM(AK, SK), transport=FakeTransport())
    handles: dict[str, Any] = {
        "collection": client.collection(collection_name="books"),
        "index": client.index(collection_name="books", index_name="i"),
        "embedding": client.embedding(),
        "rerank": client.rerank(),
        "admin": client.admin,
    }
    for name, handle in handles.items():
        for method, function in inspect.getmembers(type(handle), inspect.isfunction):
            if (
                not method.startswith("_")
                and "``POST" in (function.__doc__ or "")
                and not method.startswith(("iter_", "wait_"))
            ):
                assert (name, method) in called


def test_golden_cases_have_names_of_their_own() -> None:
    names = [case["name"] for case in OFFICIAL + SPECIFIED]
    assert len(set(names)) == len(names)
    assert set(DIFFERENCES) <= set(names)
