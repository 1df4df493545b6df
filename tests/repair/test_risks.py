"""What the closed forms share: sums and recursions, step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collapse_lib.repair import _risks


@given(st.floats(0, 1), st.floats(0, 1.2), st.floats(0, 2), st.floats(0, 3))
def test_pulled_risk_step_by_step(kept, growth, added, distance):
    """‖w − w₀‖² = ‖w − p‖² − 2 (w − p)·(w₀ − p) + ‖w₀ − p‖², term by term."""
    found = _risks.pulled_risk(
        np.arange(9), kept=kept, growth=growth, added=added, distance=distance
    )
    square, along = distance, distance
    for t in range(9):
        assert found[t] == pytest.approx(square - 2 * along + distance, rel=1e-9, abs=1e-9)
        square, along = growth * square + added, kept * along


def test_the_toll_needs_a_mean():
    assert _risks.toll(3, 5, noise=2.0) == pytest.approx(4 * 3)
    with pytest.raises(ValueError, match="T must be a whole number, at least 5"):
        _risks.toll(3, 4)
