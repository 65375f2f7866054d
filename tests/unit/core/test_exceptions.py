"""Exceptions: the tree is the one drawn, every error pickles, and says what a person needs."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import pytest

from tests.unit.vector.fakes import READ, FakeClock, FakeTransport, Toy, reply
from vikingdb_core import exceptions
from vikingdb_core.credentials import NoAuth
from vikingdb_core.discovery import missing_domain
from vikingdb_core.exceptions import (
    APIError,
    Attempt,
    BadRequest,
    CircuitOpenError,
    ConnectError,
    ConnectionLost,
    DecodeError,
    PluginError,
    RateLimited,
    RequestTimeout,
    TransportError,
    VikingDBError,
    branch_for_status,
)
from vikingdb_vector import exceptions as vector_exceptions


def classes_of(module: Any) -> dict[str, type[VikingDBError]]:
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, VikingDBError) and value.__module__ == module.__name__
    }


CORE = classes_of(exceptions)
EVERY = {**CORE, **classes_of(vector_exceptions)}
OFFICIAL = ("code", "request_id", "message", "status_code")


def drawn() -> dict[str, tuple[str | None, set[str], str]]:
    """The tree in the docstring: class to its parent, the built-in classes it also is, and what is said of it."""
    tree: dict[str, tuple[str | None, set[str], str]] = {}
    above: list[str] = []
    assert exceptions.__doc__ is not None
    for line in exceptions.__doc__.splitlines():
        found = re.match(r"(?P<indent>[\s│├└─]*)(?P<name>[A-Z]\w+)\s*(\(also (?P<also>\w+)\))?(?P<text>.*)$", line)
        if not found or found["name"] not in CORE or not line.startswith("    "):
            continue
        depth = (len(found["indent"]) - 4) // 4
        del above[depth:]
        tree[found["name"]] = (above[-1] if above else None, {found["also"]} - {None}, found["text"].strip())
        above.append(found["name"])
    return tree


def parents(cls: type[VikingDBError]) -> tuple[str | None, set[str]]:
    ours = [base.__name__ for base in cls.__bases__ if base in CORE.values()]
    return (ours[0] if ours else None), {base.__name__ for base in cls.__bases__ if base not in CORE.values()}


def test_the_tree_is_the_one_drawn() -> None:
    tree = drawn()
    assert tree.keys() == CORE.keys()
    for name, cls in CORE.items():
        parent, also, _ = tree[name]
        assert (parent, also or {"Exception"} if parent is None else also) == parents(cls), name


def test_every_class_is_documented_and_named_without_the_word_exception() -> None:
    for name, cls in EVERY.items():
        assert cls.__doc__, name
        assert not name.endswith("Exception")


def make(cls: type[VikingDBError]) -> VikingDBError:
    """One of this class with every attribute set."""
    details: dict[str, Any] = {"operation": "toy.read", "request_id": "r-1", "status_code": 418, "code": "Teapot.Small"}
    extra: dict[str, Any] = {}
    if issubclass(cls, APIError):
        extra = {"retry_after": 1.5, "headers": {"x-a": "1"}, "body": b"{}"}
    elif issubclass(cls, CircuitOpenError):
        extra = {"retry_after": 12.5}
    elif issubclass(cls, DecodeError):
        extra = {"body": b"<html>"}
    elif issubclass(cls, PluginError):
        extra = {"plugin": "otel", "hook": "before_call"}
    elif issubclass(cls, TransportError) and cls is not ConnectError:
        extra = {"sent": True}
    error = cls("it is a teapot", **extra, **details)
    error.attempts = (Attempt(1, "ConnectError", 0.25), Attempt(2, "ServerError(InternalError)", 0.5))
    error.add_note("not tried again: the deadline would have passed")
    return error


@pytest.mark.parametrize("cls", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_comes_out_of_a_pickle_as_it_went_in(cls: type[VikingDBError], protocol: int) -> None:
    error = make(cls)
    for twin in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert vars(twin) == vars(error)
        assert (str(twin), twin.args, twin.__notes__) == (str(error), error.args, error.__notes__)


@pytest.mark.parametrize("cls", EVERY.values(), ids=EVERY)
def test_an_error_with_nothing_but_its_message_has_the_official_attributes(cls: type[VikingDBError]) -> None:
    extra = {"sent": False} if cls is TransportError else {}
    error = cls("no", **extra)
    assert [getattr(error, name) for name in OFFICIAL] == [None, "unknown", "no", None]
    assert str(error) == "no"
    assert (error.operation, error.attempts) == (None, ())
    assert pickle.loads(pickle.dumps(error)).args == ("no",)


@pytest.mark.parametrize("cls", EVERY.values(), ids=EVERY)
def test_an_error_shows_code_status_request_id_operation_and_attempts(cls: type[VikingDBError]) -> None:
    assert str(make(cls)) == (
        "it is a teapot (code=Teapot.Small, http_status=418, request_id=r-1, operation=toy.read, attempts=3)"
    )


def test_the_name_of_a_missing_module_survives_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(missing_domain("memory"))).name == "vikingdb_memory"


def test_the_body_of_a_response_is_kept_and_not_shown() -> None:
    for error in (BadRequest("no", body=b"x" * 10_000), DecodeError("no", body=b"x" * 10_000)):
        assert len(error.body) == 2048
        assert "xx" not in str(error)
        assert "xx" not in repr(error)


def test_what_is_known_of_sending_is_said_by_the_class() -> None:
    assert ConnectError("no").sent is False
    assert RequestTimeout("no").sent is True
    assert RequestTimeout("no", sent=False).sent is False
    assert ConnectionLost("no").sent is True


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "PermissionDenied"),
        (404, "NotFound"),
        (405, "BadRequest"),
        (409, "Conflict"),
        (418, "BadRequest"),
        (429, "RateLimited"),
        (499, "BadRequest"),
        (500, "ServerError"),
        (501, "OperationNotSupported"),
        (502, "ServerError"),
        (503, "ServerError"),
        (599, "ServerError"),
        (600, "ServerError"),
        (200, "APIError"),
        (302, "APIError"),
    ],
)
def test_a_status_belongs_to_a_branch(status: int, name: str) -> None:
    assert branch_for_status(status) is CORE[name]


def failed(*answers: Any, **options: Any) -> VikingDBError:
    client = Toy(
        endpoint="https://h.example", auth=NoAuth(), transport=FakeTransport(*answers), clock=FakeClock(), **options
    )
    with pytest.raises(VikingDBError) as caught:
        client.call(READ)
    return caught.value


def test_an_answer_of_the_service_fills_every_attribute() -> None:
    body = {"code": "TooManyRequests", "message": "slow down", "request_id": "r-9"}
    error = failed(*[reply(429, body, Retry_After="2", X_A="1")] * 3)
    assert isinstance(error, RateLimited)
    assert (error.code, error.request_id, error.message, error.status_code) == (
        "TooManyRequests",
        "r-9",
        "slow down",
        429,
    )
    assert (error.status, error.retry_after, error.headers["x-a"]) == (429, 2.0, "1")
    assert b"slow down" in error.body
    assert [(each.number, each.outcome) for each in error.attempts] == [
        (1, "RateLimited(TooManyRequests)"),
        (2, "RateLimited(TooManyRequests)"),
    ]
    assert str(error) == (
        "slow down (code=TooManyRequests, http_status=429, request_id=r-9, operation=toy.read, attempts=3)"
    )


def test_an_error_after_different_failures_tells_them_all() -> None:
    error = failed(ConnectError("refused"), reply(503, b"overloaded"), ConnectionLost("reset"))
    assert isinstance(error, ConnectionLost)
    assert [each.outcome for each in error.attempts] == ["ConnectError", "ServerError"]
    assert all(each.waited_seconds >= 0 for each in error.attempts)


@pytest.mark.parametrize("builtin", [ConnectionError, OSError])
def test_network_trouble_is_caught_by_pythons_own_names(builtin: type[Exception]) -> None:
    assert isinstance(failed(*[ConnectError("refused")] * 3), builtin)


def test_a_timeout_is_caught_by_pythons_own_name() -> None:
    assert isinstance(failed(*[RequestTimeout("slow")] * 3), TimeoutError)


def test_the_official_names_catch_what_they_caught() -> None:
    from vikingdb.exceptions import VikingAPIException, VikingException

    refused, lost = failed(reply(400, b"")), failed(*[ConnectionLost("reset")] * 3)
    assert isinstance(refused, VikingException)
    assert isinstance(refused, VikingAPIException)
    assert isinstance(refused, vector_exceptions.VikingVectorException)
    assert isinstance(lost, VikingException)
    assert isinstance(lost, vector_exceptions.VikingConnectionException)
    assert not isinstance(lost, VikingAPIException)
