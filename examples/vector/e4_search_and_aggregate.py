"""E4, numbers: rows in the order of a field, and counts, in all and by group.

python examples/vector/e4_search_and_aggregate.py
"""

from __future__ import annotations

from typing import NamedTuple

from guide import TEXT, TEXT_INDEX, OwnRows, Setting, start

from vikingdb.vector import AggRequest, F, SearchByScalarRequest, UpsertDataRequest, VikingDB

DWARFS = (
    ("Ceres", 0, 2.8, "Ceres is the largest body of the asteroid belt."),
    ("Pluto", 1, 39.5, "Pluto was called a planet for seventy-six years."),
    ("Haumea", 1, 43.1, "Haumea turns so fast that it is shaped like an egg."),
    ("Makemake", 1, 45.4, "Makemake is covered with frozen methane."),
    ("Eris", 2, 67.8, "Eris is a little smaller than Pluto, and heavier."),
)


class Counts(NamedTuple):
    farthest: list[str]
    nearest: str
    total: int
    beyond_forty: int
    by_paragraph: dict[int, int]
    crowded: dict[int, int]


def run(setting: Setting) -> Counts:
    with VikingDB(**setting.options) as client:
        collection = client.collection(**TEXT, **setting.scope)
        index = client.index(**TEXT_INDEX, **setting.scope)
        with OwnRows(setting, collection, index) as own:
            for dwarf in DWARFS:
                collection.upsert(UpsertDataRequest(data=[own.row(*dwarf)]))
            own.wait()

            down = SearchByScalarRequest(field="score", filter=own.filter, limit=2, output_fields=["title"])
            farthest = index.search_by_scalar(down).result.data
            for hit in farthest:  # the score of a hit is the value of the field
                print(f"  {hit.score:>5.1f}  {hit.fields['title']}")
            up = SearchByScalarRequest(field="score", order="asc", filter=own.filter, limit=1, output_fields=["title"])
            nearest = index.search_by_scalar(up).result.data[0]
            print(f"  {nearest.score:>5.1f}  {nearest.fields['title']}, the nearest")

            total = index.aggregate(AggRequest(op="count", filter=own.filter)).result.total
            far = own.filter & (F("score") >= 40)
            beyond = index.aggregate(AggRequest(op="count", filter=far)).result.total
            print(f"{total} rows, {beyond} of them beyond 40 astronomical units")

            grouped = AggRequest(op="count", field="paragraph", filter=own.filter)
            crowded = grouped.model_copy(update={"cond": {"gt": 1}})
            counts = Counts(
                [hit.fields["title"] for hit in farthest],
                nearest.fields["title"],
                total,
                beyond,
                by_part(own, index.aggregate(grouped).result.groups),
                by_part(own, index.aggregate(crowded).result.groups),
            )
            print(f"By paragraph: {counts.by_paragraph}; with more than one row: {counts.crowded}")
            return counts


def by_part(own: OwnRows, groups: dict[str, int]) -> dict[int, int]:
    """Counts by paragraph of this run. Groups have strings for keys, as JSON has them."""
    return {int(paragraph) - own.first_paragraph: count for paragraph, count in sorted(groups.items())}


def main() -> None:
    start(run)


if __name__ == "__main__":
    main()
