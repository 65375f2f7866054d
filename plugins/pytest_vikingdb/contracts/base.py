"""Contract: the base of all contracts, and the guard that keeps their tests as they were written.

A subclass that defines a test of its contract anew would look as if it kept a promise it has dropped. So the class
cannot be made, and pytest reports it where it collects the file. A promise that cannot be kept is said so::

    class TestBadge(AuthContract):
        @pytest.mark.xfail(reason="the vault has no clock that could be stopped")
        def test_the_same_request_is_signed_the_same(self):
            super().test_the_same_request_is_signed_the_same()

Such a mark is strict: when the promise is kept after all, the test fails until the override is removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest


class ContractOverridden(pytest.Collector.CollectError):
    """A subclass of a contract replaces one of its tests."""


class Contract:
    """Base of contracts. ``class StoreContract(Contract, contract=True)`` makes another one, guarded likewise."""

    _promises: ClassVar[dict[str, type]] = {}
    """The class that each test comes from."""

    _is_contract: ClassVar[bool] = False
    _left_out: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, *, contract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        inherited: dict[str, type] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited |= vars(base).get("_promises", {})
        for name, owner in inherited.items():
            _check_kept(cls, name, owner)
        own = {name: cls for name in vars(cls) if name.startswith("test")} if contract else {}
        cls._promises = {**inherited, **own}
        cls._is_contract = contract

    @classmethod
    def _leave_out(cls, names: Iterable[str]) -> None:
        """Take tests out of this class that do not apply to it. A contract's to say; it also says so in the report."""
        cls._left_out = frozenset(names)
        for name in cls._left_out:
            setattr(cls, name, None)


def _check_kept(cls: type[Contract], name: str, owner: type) -> None:
    holder = next(base for base in cls.__mro__ if name in vars(base))
    if name in vars(holder).get("_left_out", ()):
        return
    if holder is not owner and not _is_excused(vars(holder)[name]):
        by = "" if holder is cls else f", by way of {holder.__name__},"
        contract = next(base for base in cls.__mro__ if _declares(base, name))
        raise ContractOverridden(
            f"{cls.__name__} replaces {name}{by} and so drops a promise of {contract.__name__}. Give the test another "
            "name; or, if the promise cannot be kept, mark it @pytest.mark.xfail(reason='why'), with no condition and "
            "strict"
        )


def _declares(base: type, name: str) -> bool:
    own = vars(base)
    return bool(own.get("_is_contract")) and name in own["_promises"]


def _is_excused(override: Any) -> bool:
    """Whether it is marked xfail, with a reason and for good. The mark is made strict."""
    marks = getattr(override, "pytestmark", [])
    for place, mark in enumerate(marks):
        if mark.name == "xfail" and not mark.args and _is_reasoned(mark.kwargs):
            marks[place] = pytest.mark.xfail(**{**mark.kwargs, "strict": True}).mark
            return True
    return False


def _is_reasoned(options: dict[str, Any]) -> bool:
    # Under a condition that is false, the override would run in the promise's place.
    return "condition" not in options and options.get("strict", True) and bool(str(options.get("reason", "")).strip())
