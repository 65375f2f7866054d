"""The control plane: collections and indexes from creation to deletion.

Live it makes a collection and an index of its own, which the service may charge for while they are there.

    python examples/vector/admin.py
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from guide import Setting, start

from vikingdb.exceptions import NotFound
from vikingdb.vector import (
    AdminClient,
    CollectionAlreadyExists,
    CollectionField,
    CollectionFilter,
    IndexFilter,
    OperationDenied,
    VectorIndex,
    VikingDB,
)

INDEX = "by_shape"


class Administered(NamedTuple):
    is_second_refused: bool
    fields: list[str]
    description: str | None
    scalar_index: list[str]
    status_when_disabled: str | None
    disabled_refusal: str
    status_when_enabled: str | None
    in_pages: list[str | None]
    in_iteration: list[str | None]
    protected_refusal: str
    left: list[str | None]


def run(setting: Setting) -> Administered:
    name = f"guide_{secrets.token_hex(4)}"
    with VikingDB(**setting.options) as client:
        admin, project = client.admin, setting.project
        with removed_at_the_end(admin, name, project):
            is_second_refused = create(admin, name, project)
            admin.update_collection(
                collection_name=name,
                description="craters and their shapes",
                fields=[CollectionField(field_name="depth", field_type="float32", default_value=0.5)],
                project_name=project,
            )
            described = admin.get_collection(collection_name=name, project_name=project).result
            fields = [field.field_name for field in described.fields]
            print(f"{name}: {described.description}; fields {', '.join(fields)}")

            admin.update_index(collection_name=name, index_name=INDEX, scalar_index=["depth"], project_name=project)
            index = admin.wait_until_ready(collection_name=name, index_name=INDEX, project_name=project)
            scalar_index = [field.field_name for field in index.scalar_index]
            print(f"{INDEX}: {index.status}; filters may use {', '.join(scalar_index)}")

            in_pages, in_iteration = list_all(admin, name, project)
            status_when_disabled, disabled_refusal = disable(client, name, project)
            admin.enable_index(collection_name=name, index_name=INDEX, project_name=project)
            enabled = admin.wait_until_ready(collection_name=name, index_name=INDEX, project_name=project)
            print(f"Enabled again: {enabled.status}")
            protected_refusal = delete(admin, name, project)
        keyword = CollectionFilter(collection_name_keyword=name)
        left = [each.collection_name for each in admin.iter_collections(filter=keyword, project_name=project)]
    return Administered(
        is_second_refused=is_second_refused,
        fields=fields,
        description=described.description,
        scalar_index=scalar_index,
        status_when_disabled=status_when_disabled,
        disabled_refusal=disabled_refusal,
        status_when_enabled=enabled.status,
        in_pages=in_pages,
        in_iteration=in_iteration,
        protected_refusal=protected_refusal,
        left=left,
    )


def create(admin: AdminClient, name: str, project: str | None) -> bool:
    """A collection that brings its own vectors, and an index. Says whether a second one of the name is refused."""
    fields = [
        CollectionField(field_name="crater", field_type="string", is_primary_key=True),
        CollectionField(field_name="width", field_type="float32"),
        CollectionField(field_name="shape", field_type="vector", dim=4),
    ]
    made = admin.create_collection(collection_name=name, fields=fields, project_name=project)
    print(f"Created {name}, resource id {made.result.resource_id}")
    admin.create_index(
        collection_name=name,
        index_name=INDEX,
        vector_index=VectorIndex(index_type="flat", distance="cosine", quant="float"),
        scalar_index=["width"],
        project_name=project,
    )
    ready = admin.wait_until_ready(collection_name=name, index_name=INDEX, project_name=project)
    print(f"Created {INDEX}: {ready.status}")
    try:
        admin.create_collection(collection_name=name, fields=fields, project_name=project)
    except CollectionAlreadyExists as error:
        print(f"A second one is refused: {error.message}")
        return True
    return False


def list_all(admin: AdminClient, name: str, project: str | None) -> tuple[list[str | None], list[str | None]]:
    """One page at a time, or all in a loop that turns the pages by itself."""
    page = admin.list_collections(filter=CollectionFilter(collection_name_keyword=name), project_name=project).result
    indexes = admin.list_indexes(filter=IndexFilter(collection_name=[name]), page_size=10, project_name=project).result
    in_pages = [*(each.collection_name for each in page.collections), *(each.index_name for each in indexes.indexes)]

    keyword = CollectionFilter(collection_name_keyword=name)
    in_iteration = [each.collection_name for each in admin.iter_collections(filter=keyword, project_name=project)]
    of_collection = IndexFilter(collection_name=[name])
    in_iteration += [each.index_name for each in admin.iter_indexes(filter=of_collection, project_name=project)]
    print(f"Listed: {', '.join(map(str, in_iteration))}")
    return in_pages, in_iteration


def disable(client: VikingDB, name: str, project: str | None) -> tuple[str | None, str]:
    """An index that is switched off keeps its definition, and is not searched."""
    client.admin.disable_index(collection_name=name, index_name=INDEX, project_name=project)
    status = client.admin.get_index(collection_name=name, index_name=INDEX, project_name=project).result.status
    refusal = ""
    try:
        client.index(collection_name=name, index_name=INDEX, project_name=project).search_by_random({"limit": 1})
    except OperationDenied as error:
        refusal = error.message
    print(f"Disabled: {status}. {refusal}")
    return status, refusal


def delete(admin: AdminClient, name: str, project: str | None) -> str:
    """Indexes first; and what is protected against deletion says so."""
    admin.update_collection(collection_name=name, del_protection=True, project_name=project)
    admin.delete_index(collection_name=name, index_name=INDEX, project_name=project)
    refusal = ""
    try:
        admin.delete_collection(collection_name=name, project_name=project)
    except OperationDenied as error:
        refusal = error.message
        print(f"Protected: {refusal}")
    admin.update_collection(collection_name=name, del_protection=False, project_name=project)
    admin.delete_collection(collection_name=name, project_name=project)
    print(f"Deleted {INDEX} and {name}")
    return refusal


@contextmanager
def removed_at_the_end(admin: AdminClient, name: str, project: str | None) -> Iterator[None]:
    """Whatever happens, no collection of the name is left."""
    try:
        yield
    finally:
        with suppress(NotFound):
            admin.update_collection(collection_name=name, del_protection=False, project_name=project)
            with suppress(NotFound):
                admin.delete_index(collection_name=name, index_name=INDEX, project_name=project)
            admin.delete_collection(collection_name=name, project_name=project)


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
