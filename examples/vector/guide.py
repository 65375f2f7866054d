"""Guide: what the guides share. Where they run, and rows of their own that are gone afterwards.

A guide runs on the embedded engine and its sample data. When ``VIKINGDB_AK`` and ``VIKINGDB_SK`` are set, or stand in a
file ``.env`` in the current folder or the repository's, it runs on the managed service. (The SDK itself never reads
``.env``.)
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from vikingdb import IAM
from vikingdb.exceptions import NotFound, PermissionDenied, TransportError, Unauthorized
from vikingdb.vector import CollectionClient, DeleteDataRequest, F, IndexClient, SearchByScalarRequest, SearchItemResult

EMBEDDED = "local://?seed=walkthrough"
HOST = "api-vikingdb.vikingdb.ap-southeast-1.volces.com"
REGION = "ap-southeast-1"
ENV_FILES = (Path(".env"), Path(__file__).parents[2] / ".env")

TEXT: dict[str, Any] = {"collection_name": "text"}
TEXT_INDEX = {**TEXT, "index_name": "text_index"}
VECTOR: dict[str, Any] = {"collection_name": "vector"}
VECTOR_INDEX = {**VECTOR, "index_name": "vector_index"}

PARAGRAPHS = 100
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Setting:
    """Where a guide runs.

    Attributes:
        is_live: on the managed service. It indexes in the background, so a guide waits for its rows.
        options: what ``VikingDB`` is built with.
        project: the project's name, if one is set.
        scope: what a collection is addressed by beside its name.
    """

    is_live: bool
    options: dict[str, Any] = field(repr=False)
    project: str | None = None
    scope: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.is_live:
            return f"Live: the managed service at {self.options.get('host', self.options.get('endpoint'))}"
        return f"Embedded: {self.options['endpoint']}, no account"


def embedded(endpoint: str = EMBEDDED) -> Setting:
    """The embedded engine."""
    return Setting(is_live=False, options={"endpoint": endpoint})


def find_setting(environment: Mapping[str, str] = os.environ, files: Sequence[Path] | None = None) -> Setting:
    """The managed service if there are keys for it, in the environment or in a file; else the embedded engine."""
    values: dict[str, str] = {}
    for path in reversed(ENV_FILES if files is None else files):
        values.update(read_env_file(path))
    values.update({name: value for name, value in environment.items() if value})
    if not (values.get("VIKINGDB_AK") and values.get("VIKINGDB_SK")):
        return embedded()
    names = {"project_name": "VIKINGDB_PROJECT", "resource_id": "VIKINGDB_RESOURCE_ID"}
    scope = {argument: values[name] for argument, name in names.items() if values.get(name)}
    return Setting(
        is_live=True,
        options={
            "host": values.get("VIKINGDB_HOST") or HOST,
            "region": values.get("VIKINGDB_REGION") or REGION,
            "auth": IAM(values["VIKINGDB_AK"], values["VIKINGDB_SK"]),
        },
        project=scope.get("project_name"),
        scope=scope,
    )


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME=value`` lines; none if there is no such file."""
    if not path.is_file():
        return {}
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            values[name.strip()] = value.strip().strip("\"'")
    return values


def start(run: Callable[[Setting], object]) -> None:
    """Run a guide as a program: say where, and end with one sentence where the user is the one to act."""
    setting = find_setting()
    print(setting)
    try:
        run(setting)
    except TransportError as error:
        sys.exit(f"No answer: {error}\nIs the host right, and is there a way to it?")
    except (Unauthorized, PermissionDenied) as error:
        sys.exit(f"Refused: {error}\nAre VIKINGDB_AK and VIKINGDB_SK right, and may they use VikingDB in this region?")
    except NotFound as error:
        sys.exit(f"Missing: {error}\nexamples/vector/README.md says what the account needs.")


class OwnRows:
    """Rows of one run: a session tag in every title, and paragraphs that nobody else uses.

    On leaving they are deleted, whatever happened. Their ids are the service's and no write returns them, so they are
    found by their paragraphs.

        with OwnRows(setting, collection, index) as own:
            collection.upsert(UpsertDataRequest(data=[own.row("Titan", 0, 1.2, "A moon with lakes.")]))
            own.wait()
    """

    def __init__(self, setting: Setting, collection: CollectionClient, index: IndexClient) -> None:
        self.tag = f"guide-{secrets.token_hex(4)}"
        self.first_paragraph = 10**6 + secrets.randbelow(1 << 40) * PARAGRAPHS
        self.filter = F("paragraph").between(self.first_paragraph, self.first_paragraph + PARAGRAPHS - 1)
        self._collection = collection
        self._index = index
        self._patience_seconds = PATIENCE_SECONDS if setting.is_live else 0.0
        self._made = 0
        self._seen: set[int | str] = set()

    def row(self, title: str, part: int, score: float, text: str, **more: Any) -> dict[str, Any]:
        """A row to write; ``part`` is its paragraph among this run's, from 0."""
        self._made += 1
        title, paragraph = f"{title} [{self.tag}]", self.first_paragraph + part
        return {"title": title, "paragraph": paragraph, "score": score, "text": text, **more}

    def wait(self) -> None:
        """Wait until every row is in the index: a while on the managed service, not at all embedded.

        Raises:
            TimeoutError: they were not.
        """
        ends = time.monotonic() + self._patience_seconds
        while len(self._look()) < self._made:
            if time.monotonic() >= ends:
                raise TimeoutError(f"{len(self._seen)} of {self._made} rows are in the index; the others do not come")
            time.sleep(POLL_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Delete what was written, also when the guide failed before all of it was written or could be found."""
        ends = time.monotonic() + self._patience_seconds
        deleted: set[int | str] = set()
        while True:
            self._look()
            if ids := list(self._seen - deleted)[:PARAGRAPHS]:
                self._collection.delete(DeleteDataRequest(ids=ids))
                deleted.update(ids)
            elif len(deleted) >= self._made:
                return
            elif time.monotonic() >= ends:
                if self._patience_seconds:
                    print(f"Rows titled {self.tag} may be left: the index never showed them", file=sys.stderr)
                return
            else:
                time.sleep(POLL_SECONDS)

    def _look(self) -> list[SearchItemResult]:
        request = SearchByScalarRequest(field="paragraph", filter=self.filter, limit=PARAGRAPHS, output_fields=[])
        hits = self._index.search_by_scalar(request).result.data
        self._seen.update(hit.id for hit in hits)
        return hits
