"""Any collection, any history of it, any search: the engine says what a naive reading of the specification says.

A history writes, deletes, waits, adds fields and opens its folder again. It is served from caches and from columns in
order, which are made for few rows too. After every step searches are compared with the oracle's.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.local.history import History
from tests.unit.local.oracle import Shape
from tests.unit.local.worlds import shapes
from vikingdb_local.engine import derived, order


@settings(max_examples=150)
@given(data=st.data(), shape=shapes(), in_folder=st.booleans(), changes=st.integers(2, 7))
def test_histories_and_searches_are_as_the_oracle_says(
    data: st.DataObject, shape: Shape, in_folder: bool, changes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(derived, "MIN_CACHED_ROWS", 3)
        patch.setattr(derived, "MIN_STALE_ROWS", 0)
        patch.setattr(order, "MIN_ROWS", 1)
        patch.setattr(order, "MIN_TAIL_ROWS", data.draw(st.sampled_from([0, 2])))
        patch.setattr(order, "FEW", data.draw(st.sampled_from([0.2, 1])))
        history = History(shape, Path(folder, "db") if in_folder else None, data.draw)
        try:
            history.upsert()
            for _ in range(changes):
                history.change()
                history.settle()
                history.look()
            history.look_up()
        finally:
            history.close()
