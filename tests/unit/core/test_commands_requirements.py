"""Requirements: the versions and ranges of the SDK's metadata read as pip reads them, and nothing else is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from vikingdb_core.commands.requirements import Requirement, normalise, parse_requirement, satisfies

numbers = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
versions = st.builds("".join, st.tuples(numbers, st.sampled_from(["", ".post0", ".post1", "+cu118"])))
specifiers = st.one_of(
    st.builds("".join, st.tuples(st.sampled_from(["==", "!=", ">=", "<=", "<", ">"]), numbers)),
    st.builds("".join, st.tuples(st.sampled_from(["==", "!="]), numbers, st.just(".*"))),
)
ranges = st.lists(specifiers, max_size=3).map(",".join)


@given(versions, ranges)
def test_a_range_holds_what_pip_says_it_holds(version: str, version_range: str) -> None:
    assert satisfies(version, version_range) is SpecifierSet(version_range).contains(Version(version))


@pytest.mark.parametrize(
    ("version", "version_range"),
    [("3.0b1", "<3"), ("2.0rc1", ">=1"), ("1!2.0", ">=1"), ("1.0.dev3", ">=1"), ("1.4", "~=1.2"), ("1.0", "===1.0")],
)
def test_what_is_not_read_is_not_guessed(version: str, version_range: str) -> None:
    assert satisfies(version, version_range) is None


def test_one_part_that_excludes_a_version_is_enough() -> None:
    assert satisfies("1.0", "~=1.0,>=2") is False


@pytest.mark.parametrize(
    ("line", "requirement"),
    [
        ("requests>=2.31", Requirement("requests", frozenset(), ">=2.31")),
        ("requests", Requirement("requests", frozenset(), "")),
        ("pydantic<3,>=2.10", Requirement("pydantic", frozenset(), "<3,>=2.10")),
        ("Importlib_Metadata (>=7)", Requirement("importlib-metadata", frozenset(), ">=7")),
        ("vikingdb-core[iam]<1,>=0.1", Requirement("vikingdb-core", frozenset({"iam"}), "<1,>=0.1")),
        ('numpy>=2; extra == "embed"', Requirement("numpy", frozenset(), ">=2", "embed")),
        ("volcengine>=1.0.195 ; extra == 'iam'", Requirement("volcengine", frozenset(), ">=1.0.195", "iam")),
        ('tomli>=2; python_version < "3.11"', None),
        ('numpy>=2; python_version < "3.11" and extra == "x"', None),
        ("thing @ https://host.example/thing.whl", None),
        ("", None),
    ],
)
def test_a_line_of_the_metadata_is_read_or_left_alone(line: str, requirement: Requirement | None) -> None:
    assert parse_requirement(line) == requirement


def test_a_requirement_is_shown_as_pip_takes_it() -> None:
    assert str(parse_requirement("vikingdb-core[iam] <1,>=0.1")) == "vikingdb-core[iam]<1,>=0.1"


def test_names_have_one_spelling() -> None:
    assert {normalise(name) for name in ("Vikingdb_Core", "vikingdb.core", "vikingdb--core")} == {"vikingdb-core"}
