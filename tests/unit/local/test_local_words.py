"""Words: what a text is found by, and where it stands in the text as it was written."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.local.wire import Wire
from vikingdb_local.words import find_words, indexed_terms, placed_pieces, placed_terms, spaced_terms

# Letters that are composed with what stands before them, change with what stands around them, or become several.
HARD = "ΟΔΣςİßﬁ①Å\u00b4e\u0301\u0316\u0327\u1112\u1161\u11ab\u09c7\u09be한글ㅎ\uff41数据 ー_-\n"
texts = st.one_of(st.text(max_size=12), st.text(st.sampled_from(HARD), max_size=10))


@given(text=texts)
def test_every_term_has_its_place(text: str) -> None:
    assert Counter(term for term, _ in placed_terms(text)) == Counter(indexed_terms(text))
    assert [piece for piece, _ in placed_pieces(text)] == spaced_terms(text)


@given(text=texts)
def test_places_are_within_the_text(text: str) -> None:
    for placed in (list(placed_terms(text)), list(placed_pieces(text))):
        assert all(0 <= place < len(text) for _, place in placed)


@given(word=texts.filter(str.strip), other=st.text(st.sampled_from("ab 数"), max_size=5))
def test_a_word_is_found_where_it_was_put(word: str, other: str) -> None:
    text = f"{other} {word} {other}"
    assert len(other) + 1 in find_words([word], text, case_sensitive=True)[word]
    if word == word.strip():
        assert word in find_words([word], text)


def test_letters_that_change_with_their_place_are_highlighted(wire: Wire) -> None:
    fields = [
        {"FieldName": "id", "FieldType": "int64", "IsPrimaryKey": True},
        {"FieldName": "text", "FieldType": "text"},
    ]
    wire.make({"Fields": fields, "FullText": [{"Field": "text"}]}, {})
    written = {"ΟΔΟΣ": "the ΟΔΟΣ", "한국": "in \u1112\u1161\u11ab\u1100\u116e\u11a8"}
    wire.result("data/upsert", data=[{"id": key, "text": text} for key, text in enumerate(written.values(), 1)])
    for query, text in written.items():
        (hit,) = wire.result("data/search/keywords", query=query, highlight={"enable": True})["data"]
        ((term, places),) = hit["highlight"]["text"].items()
        assert (term, places) == (query.lower(), [text.index(" ") + 1])
