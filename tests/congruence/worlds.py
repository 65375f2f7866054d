"""Worlds: the places where a scenario has to go alike."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tests.congruence.scenarios import Scenario, Step
from tests.support.served import HASHED, Served
from vikingdb_local import databases
from vikingdb_vector import VikingDB
from vikingdb_vector.client import AsyncVikingDB

VARYING = {
    "request_id",
    "resource_id",
    "task_id",
    "create_time",
    "update_time",
    "created_at",
    "updated_at",
    "sample_timestamp",
    "estimated_remaining_time",
}
"""Fields that differ from run to run."""

_names = itertools.count(1)


@dataclass(frozen=True)
class World:
    """A place, and the kind of client that goes there.

    Attributes:
        place: a context that has the endpoint.
        is_async: whether the client is.
        reopens: whether the database is closed and opened again before every step.
    """

    name: str
    place: Callable[[Path], Any]
    is_async: bool
    reopens: bool = False

    def __str__(self) -> str:
        return self.name


@contextmanager
def memory(_: Path) -> Iterator[str]:
    name = f"congruence{next(_names)}"
    yield f"local://{name}?embedder=hash-v1"
    databases.drop_database(name)


@contextmanager
def folder(path: Path) -> Iterator[str]:
    yield f"local://{path.as_posix()}/db?embedder=hash-v1"


@contextmanager
def http(_: Path) -> Iterator[str]:
    with Served(*HASHED) as server:
        yield server.url


WORLDS = [
    World(f"{name}, {'async' if is_async else 'sync'}", place, is_async, reopens)
    for name, place, reopens in (("memory", memory, False), ("folder, reopened", folder, True), ("http", http, False))
    for is_async in (False, True)
]


def play(world: World, scenario: Callable[[], Scenario], path: Path) -> list[Any]:
    """Take the steps of a scenario; what each of them returned or raised."""
    with world.place(path) as endpoint:
        if world.is_async:
            return asyncio.run(_play_async(scenario(), endpoint, reopens=world.reopens))
        return _play(scenario(), endpoint, reopens=world.reopens)


def _play(steps: Scenario, endpoint: str, *, reopens: bool) -> list[Any]:
    seen: list[Any] = []
    client = VikingDB(endpoint=endpoint)
    step = next(steps)
    try:
        while True:
            if reopens and not hasattr(step, "is_still"):
                client.close()
                client = VikingDB(endpoint=endpoint)
            returned, raised = _outcome(step, client)
            seen.append(shape(raised or returned))
            step = steps.send(returned) if raised is None else steps.throw(raised)
    except StopIteration:
        return seen
    finally:
        client.close()


async def _play_async(steps: Scenario, endpoint: str, *, reopens: bool) -> list[Any]:
    seen: list[Any] = []
    client = AsyncVikingDB(endpoint=endpoint)
    step = next(steps)
    try:
        while True:
            if reopens and not hasattr(step, "is_still"):
                await client.close()
                client = AsyncVikingDB(endpoint=endpoint)
            returned, raised = await _outcome_of(step, client)
            seen.append(shape(raised or returned))
            step = steps.send(returned) if raised is None else steps.throw(raised)
    except StopIteration:
        return seen
    finally:
        await client.close()


def _outcome(step: Step, client: VikingDB) -> tuple[Any, Exception | None]:
    try:
        returned = step(client)
        return list(returned) if isinstance(returned, Iterator) else returned, None
    except Exception as error:
        return None, error


async def _outcome_of(step: Step, client: Any) -> tuple[Any, Exception | None]:
    try:
        returned = step(client)
        if inspect.isawaitable(returned):
            return await returned, None
        if isinstance(returned, AsyncIterator):
            return [item async for item in returned], None
        return returned, None
    except Exception as error:
        return None, error


def shape(value: Any) -> Any:
    """What was seen, without what varies."""
    if isinstance(value, Exception):
        told = {name: getattr(value, name, None) for name in ("code", "status_code", "message")}
        return {"raised": type(value).__name__, **told}
    if isinstance(value, BaseModel):
        return shape(value.model_dump())
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items() if name not in VARYING}
    if isinstance(value, list | tuple):
        return [shape(item) for item in value]
    return value
