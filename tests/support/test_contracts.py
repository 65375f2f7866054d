"""Contracts tell the honest from the liars: each broken promise fails the test that has it, and no other."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

# Here, before pytester saves the modules, so that there is one copy of them.
from pytest_vikingdb import AuthContract, DomainContract, PluginContract, TransportContract
from pytest_vikingdb.contracts import Contract, ContractOverridden
from tests.support.inner import LOADED, failed_tests
from vikingdb_core.hooks.manager import HookSet

pytest_plugins = ["pytester"]

LIARS = Path(__file__).with_name("liars")


@pytest.mark.parametrize("what", ["auth", "transport", "plugin", "domain"])
def test_a_broken_promise_fails_its_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(HookSet, "throttle", HookSet.throttle)  # a liar replaces it for good; undone after the test
    source = (LIARS / f"{what}_liars.py").read_text(encoding="utf-8")
    breaks: dict[str, set[str]] = importlib.import_module(f"tests.support.liars.{what}_liars").BREAKS
    failed = failed_tests(pytester, source)
    assert len(breaks) > 3
    assert failed == {kind: breaks.get(kind, set()) for kind in failed}
    assert breaks.keys() <= failed.keys()


@pytest.mark.parametrize(
    ("what", "contract"),
    [("auth", AuthContract), ("transport", TransportContract), ("plugin", PluginContract), ("domain", DomainContract)],
)
def test_every_promise_is_broken_by_somebody(what: str, contract: type[Contract]) -> None:
    breaks: dict[str, set[str]] = importlib.import_module(f"tests.support.liars.{what}_liars").BREAKS
    assert set().union(*breaks.values()) == set(contract._promises)


# The guard

BADGE = """
import pytest
from pytest_vikingdb import AuthContract
from vikingdb_core.credentials import NoAuth


class BadgeContract(AuthContract):
    no_secrets = "it sends nothing"

    def make_auth(self):
        return NoAuth()

"""
PROMISE = "test_it_answers_true_or_false"


@pytest.mark.parametrize(
    "override",
    [
        f"class TestBadge(BadgeContract):\n    def {PROMISE}(self): pass",
        f"class TestBadge(BadgeContract):\n    {PROMISE} = None",
        f"class Mild:\n    def {PROMISE}(self): pass\nclass TestBadge(Mild, BadgeContract): pass",
        f"class Mild(BadgeContract):\n    def {PROMISE}(self): pass\nclass TestBadge(Mild): pass",
        f"class TestBadge(BadgeContract):\n    @pytest.mark.skip(reason='no')\n    def {PROMISE}(self): pass",
        f"class TestBadge(BadgeContract):\n    @pytest.mark.xfail\n    def {PROMISE}(self): pass",
        f"class TestBadge(BadgeContract):\n    @pytest.mark.xfail(reason=' ')\n    def {PROMISE}(self): pass",
        "class TestBadge(BadgeContract):\n    @pytest.mark.xfail(reason='no', strict=False)\n"
        f"    def {PROMISE}(self): pass",
        f"class TestBadge(BadgeContract):\n    @pytest.mark.xfail(False, reason='no')\n    def {PROMISE}(self): pass",
    ],
    ids=["again", "none", "by a mixin", "by a base", "skip", "no reason", "blank", "not strict", "under a condition"],
)
def test_a_promise_that_is_replaced_silently_stops_the_collection(pytester: pytest.Pytester, override: str) -> None:
    path = pytester.makepyfile(test_inner=BADGE + override)
    result = pytester.runpytest_inprocess(*LOADED, path)
    result.assert_outcomes(errors=1)
    kind = "Mild" if override.startswith("class Mild(") else "TestBadge"
    (line,) = {line for line in result.outlines if line.startswith(kind)}
    assert line.startswith(f"{kind} replaces {PROMISE}")
    assert "and so drops a promise of AuthContract" in line
    assert "mark it @pytest.mark.xfail(reason='why')" in line


def test_a_promise_that_cannot_be_kept_is_said_with_a_reason(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(
        test_inner=BADGE
        + f"""
class TestBadge(BadgeContract):
    @pytest.mark.xfail(reason="it answers in rhyme")
    def {PROMISE}(self):
        assert False
"""
    )
    result = pytester.runpytest_inprocess(*LOADED, "-rx", path)
    outcomes = result.parseoutcomes()
    assert outcomes.pop("xfailed") == 1
    assert outcomes.keys() == {"passed"}
    result.stdout.fnmatch_lines([f"XFAIL *::{PROMISE} - it answers in rhyme"])


def test_an_excuse_that_no_longer_holds_is_a_failure(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(
        test_inner=BADGE
        + f"""
class TestBadge(BadgeContract):
    @pytest.mark.xfail(reason="it answers in rhyme")
    def {PROMISE}(self):
        super().{PROMISE}()
"""
    )
    result = pytester.runpytest_inprocess(*LOADED, path)
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*XPASS(strict)* it answers in rhyme"])


def test_a_contract_is_collected_where_it_is_kept_and_takes_tests_of_ones_own(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(
        test_inner=BADGE
        + """
class TestBadge(BadgeContract):
    def test_of_my_own(self):
        pass
"""
    )
    result = pytester.runpytest_inprocess(*LOADED, "--collect-only", "-q", path)
    collected = [line for line in result.outlines if "::" in line]
    assert {line.split("::")[1] for line in collected} == {"TestBadge"}
    assert any(line.endswith("::test_of_my_own") for line in collected)
    assert len(collected) > 10


def test_a_contract_of_ones_own_is_guarded_likewise() -> None:
    class StoreContract(Contract, contract=True):
        def test_it_stores(self) -> None: ...

    class TestStore(StoreContract):
        def test_it_forgets(self) -> None: ...

    with pytest.raises(ContractOverridden, match="TestOther replaces test_it_stores and so drops a promise of StoreC"):

        class TestOther(TestStore):
            def test_it_stores(self) -> None: ...


def test_a_subclass_that_gives_nothing_is_told_what_to_give(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(
        test_inner="from pytest_vikingdb import AuthContract\nclass TestBadge(AuthContract): pass\n"
    )
    result = pytester.runpytest_inprocess(*LOADED, path)
    assert "passed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines(["*NotImplementedError: TestBadge.make_auth() is to return the auth under test"])


@pytest.mark.parametrize("contract", [AuthContract, TransportContract, PluginContract, DomainContract])
def test_every_promise_is_explained(contract: type[Contract]) -> None:
    assert len(contract._promises) > 8
    for name in contract._promises:
        assert inspect.getdoc(getattr(contract, name)), name
