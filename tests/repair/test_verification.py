"""Verification: recursions step by step, accepted rows against their exact law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib.repair import verification as v
from tests.properties import least_values, squared_unit


@given(st.floats(0.01, 0.9), st.floats(0, 1.5), st.floats(0, 3))
def test_wrong_odds_step_by_step(error, ratio, start):
    odds, found = start, v.wrong_odds(error, ratio, np.arange(9), start=start)
    for t in range(9):
        assert found[t] == pytest.approx(odds, rel=1e-6, abs=1e-9)
        wrong = odds / (1 + odds)
        wrong += error * (1 - wrong)
        odds = ratio * wrong / (1 - wrong)


def test_wrong_odds_at_the_threshold_and_limit():
    assert v.wrong_odds(0.1, 0.9, 7) == pytest.approx(0.7)
    assert v.wrong_odds(0.1, 0.5, 500) == pytest.approx(0.5 * 0.1 / (1 - 0.1 - 0.5))


def test_accepted_rows_have_their_law():
    """Means over 8000 × 30 rows; KS on 30 000 labels finds a shift of 0.03 sd with power 0.9."""
    rng = np.random.default_rng(1)
    teacher, verifier = np.tile([1.0, 0.0], (8000, 1)), np.tile([0.0, 0.5], (8000, 1))
    x, y = v.accepted_rows(teacher, verifier, 30, tolerance=1.5, noise=0.8, rng=rng)
    k, total, delta = 0.64 / (0.64 + 2.25), 0.64 + 2.25, np.array([1.0, -0.5])
    left = (y - x @ ((1 - k) * teacher[0] + k * verifier[0]))[:, 0]
    assert stats.kstest(left / np.sqrt((1 - k) * 0.64), "norm").pvalue > 1e-4
    covariance = np.linalg.inv(np.eye(2) + np.outer(delta, delta) / total)
    rows = x.reshape(-1, 2)
    assert abs(rows.T @ rows / len(rows) - covariance).max() < 0.012


def test_verified_risk_is_that_of_the_loop():
    rng = np.random.default_rng(2)
    fault = np.tile([1.5, 0.0, -0.6], (20_000, 1))
    w, risk = np.zeros_like(fault), []
    for _ in range(4):
        x, y = v.accepted_rows(w, fault, 12, tolerance=1.2, noise=0.7, rng=rng)
        gram = x.transpose(0, 2, 1) @ x
        w = np.linalg.solve(gram, np.einsum("rij,ri->rj", x, y)[..., None])[..., 0]
        risk.append((w**2).sum(axis=1))
    risk = np.array(risk)
    theory = v.verified_risk(3, 12, range(1, 5), tolerance=1.2, verifier_risk=2.61, noise=0.7)
    stderr = risk.std(axis=1) / np.sqrt(risk.shape[1])
    assert (abs(risk.mean(axis=1) - theory) < 4 * stderr).all() and (stderr < 0.01 * theory).all()


def test_limits():
    options = {"tolerance": 2.0, "verifier_risk": 0.3, "noise": 0.5}
    k = 0.25 / (0.25 + 4)
    growth = (1 - k) ** 2 + k * (1 - k) / 14
    limit = 0.3 + (1 - k) * 0.25 * 5 / 14 / (1 - growth)
    assert v.verified_risk(5, 20, 2000, **options) == pytest.approx(limit) and limit > 0.3
    assert v.verified_risk(5, 20, 0, **options) == pytest.approx(0)
    lenient = v.verified_risk(5, 20, 7, tolerance=1e5, verifier_risk=0.3, noise=0.5)
    assert lenient == pytest.approx(7 * 0.25 * 5 / 14, rel=1e-6)


def test_bad_input():
    with pytest.raises(ValueError, match="error"):
        v.wrong_odds(0, 0.5, 1)
    with pytest.raises(ValueError, match="ratio"):
        v.wrong_odds(0.1, -1, 1)
    with pytest.raises(ValueError, match="one shape"):
        v.accepted_rows(np.zeros((2, 3)), np.zeros((3, 3)), 5, tolerance=1)
    with pytest.raises(ValueError, match="T must be"):
        v.verified_risk(5, 6, 1, tolerance=1, verifier_risk=0)
    with pytest.raises(ValueError, match="tolerance"):
        v.verified_risk(5, 9, 1, tolerance=0, verifier_risk=0)


@pytest.mark.parametrize("check", least_values(
    (v.wrong_odds, {"error": 0.1, "ratio": 0.5, "t": 2}, {"ratio": 0, "t": 0, "start": 0}),
    (v.verified_risk, {"d": 3, "T": 9, "t": 2, "tolerance": 1, "verifier_risk": 1},
     {"d": 1, "T": 5, "t": 0, "verifier_risk": 0}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


@pytest.mark.parametrize("check", squared_unit(
    (v.verified_risk, {"d": 3, "T": 9, "t": [1, 2, 5]},
     {"noise": 0.7, "tolerance": 1.1}, {"verifier_risk": 1.3}),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
