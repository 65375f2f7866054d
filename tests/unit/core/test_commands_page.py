"""Page: what commands print fits the terminal, and what is there to be copied stays whole."""

from __future__ import annotations

import pytest

from vikingdb_core.commands.page import Page

LONG = "https://a-host-with-a-rather-long-name.example/and/a/path/that/does/not/end/before/the/edge/of/the/line"


def test_names_stand_in_one_column_and_what_is_said_of_them_in_another() -> None:
    page = Page(width=60)
    page.heading("Versions")
    page.terms([("a", ["one", "two"]), ("longer", ["word " * 14]), ("a name that takes its own line", ["below"])])
    assert str(page).splitlines() == [
        "Versions",
        "  a       one",
        "          two",
        "  longer  word word word word word word word word word word",
        "          word word word word",
        "  a name that takes its own line",
        "          below",
    ]


@pytest.mark.parametrize("width", [20, 60, 80, 500])
def test_lines_end_before_the_edge_of_the_terminal_and_before_they_are_hard_to_read(width: int) -> None:
    page = Page(width=width)
    page.text("word " * 200)
    page.terms([("term", ["word " * 200])])
    page.numbered(["word " * 200])
    assert max(map(len, str(page).splitlines())) < min(max(width, 60), 100)


def test_an_address_is_not_cut() -> None:
    page = Page(width=60)
    page.terms([("data", [LONG, f"see {LONG}"])])
    page.numbered([f"see {LONG}"])
    assert str(page).count(LONG) == 3


def test_a_term_without_words_is_still_there() -> None:
    page = Page(width=60)
    page.terms([("nothing", [])])
    assert str(page) == "  nothing"


@pytest.mark.parametrize(
    ("problems", "shown"),
    [
        ([], ["No problems found."]),
        (["this"], ["1 problem", "  1. this"]),
        (["this", "word " * 14], ["2 problems", "  1. this", "  2. " + "word " * 10 + "word", "     word word word"]),
    ],
)
def test_a_page_ends_with_what_is_wrong(problems: list[str], shown: list[str]) -> None:
    page = Page(width=60)
    page.verdict(problems)
    assert str(page).splitlines() == shown
