"""Masked: names are shown and values are not; errors leave a discreet function without anybody's local values."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback

import pytest

from vikingdb_core.masked import Masked, discreet

PLANTED = "PLANTEDSECRET"


def printed(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def fails(secret: str) -> str:
    try:
        int(f"{secret[:1]}x")
    except ValueError as error:
        raise LookupError("not found") from error
    return secret


@discreet
def guarded(secret: str, *, again: bool = False) -> str:
    """Says it back."""
    if again:
        return secret
    return fails(secret)


def test_a_masked_mapping_shows_its_names_alone() -> None:
    masked = Masked({"secret_key": PLANTED, "access_key": "AKDEMO"})
    assert repr(masked) == str(masked) == "Masked(access_key, secret_key)"
    assert dict(masked) == {"secret_key": PLANTED, "access_key": "AKDEMO"}
    assert masked.get("secret_key") == PLANTED
    assert len(masked) == 2
    assert not Masked()


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_masked_mapping_is_neither_pickled_nor_copied(way: object) -> None:
    assert callable(way)
    with pytest.raises(TypeError, match="not pickled"):
        way(Masked({"secret_key": PLANTED}))


def test_a_masked_mapping_follows_what_it_masks() -> None:
    environ = {"A": "1"}
    masked = Masked(environ)
    environ["B"] = "2"
    assert set(masked) == {"A", "B"}


def test_an_error_leaves_a_discreet_function_with_its_lines_and_causes_but_without_local_values() -> None:
    with pytest.raises(LookupError) as caught:
        guarded(PLANTED)
    shown = printed(caught.value)
    assert "in fails" in shown
    assert "in guarded" in shown
    assert "ValueError" in shown
    assert PLANTED not in shown


def test_without_it_the_same_error_shows_them() -> None:
    with pytest.raises(LookupError) as caught:
        guarded.__wrapped__(PLANTED)  # type: ignore[attr-defined]
    assert PLANTED in printed(caught.value)


def test_a_discreet_function_is_otherwise_the_same() -> None:
    assert guarded("value", again=True) == "value"
    assert guarded.__doc__ == "Says it back."
    assert list(inspect.signature(guarded).parameters) == ["secret", "again"]


def test_frames_that_still_run_keep_their_values() -> None:
    def caller() -> str:
        kept = "kept"
        with pytest.raises(LookupError):
            guarded(PLANTED)
        return kept

    assert caller() == "kept"
