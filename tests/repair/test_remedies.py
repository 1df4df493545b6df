"""Remedies: closed forms against the loop row by row, and against each other where they meet."""

import numpy as np
import pytest

from collapse_lib import regression
from collapse_lib.repair import remedies
from tests.properties import least_values, squared_unit

D, T, SIGNAL = 3, 12, 2.0


def run(fit, generations, replicates, seed):
    """Excess risk of each generation, row by row; fit(X, y, w, t, rng)."""
    rng = np.random.default_rng(seed)
    w = truth = np.tile(np.sqrt([SIGNAL, 0, 0]), (replicates, 1))
    risk = []
    for t in range(1, generations + 1):
        X = rng.standard_normal((replicates, T, D))
        y = np.einsum("rij,rj->ri", X, w) + 0.7 * rng.standard_normal((replicates, T))
        w = fit(X, y, w, t, rng)
        risk.append(((w - truth) ** 2).sum(axis=1))
    return np.array(risk)


def solve(X, y, ridge=0.0):
    gram = X.transpose(0, 2, 1) @ X + ridge * np.eye(D)
    return np.linalg.solve(gram, np.einsum("rij,ri->rj", X, y)[..., None])[..., 0]


def agrees(risk, theory):
    """Four standard errors; with 20 000 runs they are about 3 % of the risk."""
    stderr = risk.std(axis=1) / np.sqrt(risk.shape[1])
    return (abs(risk.mean(axis=1) - theory) < 4 * stderr + 2e-3 * theory).all()


def test_ridge_from_zero():
    constants = remedies.filter_constants(remedies.ridge_filter(0.2), D, T, draws=50_000, rng=1)
    risk = run(lambda X, y, *_: solve(X, y, 0.2 * T), 6, 20_000, 2)
    assert agrees(risk, remedies.filtered_risk(constants, range(1, 7), signal=SIGNAL, noise=0.7))


@pytest.mark.parametrize("start", ["zero", "last"])
def test_descent(start):
    def fit(X, y, w, *_):
        v = w if start == "last" else np.zeros_like(w)
        for _ in range(4):
            v = v + 0.2 / T * np.einsum("rij,ri->rj", X, y - np.einsum("rij,rj->ri", X, v))
        return v

    constants = remedies.filter_constants(
        remedies.descent_filter(4, 0.2), D, T, draws=50_000, rng=3
    )
    theory = remedies.filtered_risk(constants, range(1, 6), signal=SIGNAL, noise=0.7, start=start)
    assert agrees(run(fit, 5, 20_000, 4), theory)


def test_input_noise():
    risk = run(
        lambda X, y, w, t, rng: solve(X + 0.4 * rng.standard_normal(X.shape), y), 5, 20_000, 5
    )
    theory = remedies.input_noise_risk(D, T, range(1, 6), jitter=0.4, signal=SIGNAL, noise=0.7)
    assert agrees(risk, theory)


def test_split_ensemble():
    risk = run(
        lambda X, y, *_: (solve(X[:, :6], y[:, :6]) + solve(X[:, 6:], y[:, 6:])) / 2, 3, 40_000, 6
    )
    assert agrees(risk, remedies.split_ensemble_risk(D, T, [1, 2, 3], members=2, noise=0.7))


def test_steps():
    steps = np.array([1, 0.3, 0.6, 0.2])
    risk = run(lambda X, y, w, t, _: w + steps[t - 1] * (solve(X, y) - w), 4, 20_000, 7)
    assert agrees(risk, remedies.stepped_risk(D, T, steps, noise=0.7))


def test_without_a_remedy_all_are_replace():
    t = np.array([1, 4, 9])
    plain = regression.replace_risk(D, T, t, noise=0.7)
    full = remedies.FilterConstants(1.0, 1.0, D / (T - D - 1), np.zeros(3))
    for risk in (
        remedies.filtered_risk(full, t, signal=SIGNAL, noise=0.7),
        remedies.filtered_risk(full, t, signal=SIGNAL, noise=0.7, start="last"),
        remedies.input_noise_risk(D, T, t, jitter=0, signal=SIGNAL, noise=0.7),
        remedies.split_ensemble_risk(D, T, t, members=1, noise=0.7),
        remedies.stepped_risk(D, T, np.ones(9), noise=0.7)[t - 1],
    ):
        assert risk == pytest.approx(plain, rel=1e-12)


def test_all_models_so_far_is_frozen_accumulate():
    steps = 1 / np.arange(1, 31)
    frozen = regression.accumulate_risk(D, T, np.arange(1, 31), design="frozen")
    assert remedies.stepped_risk(D, T, steps) == pytest.approx(frozen, rel=1e-12)


def test_a_generation_that_stands_still_adds_nothing():
    risk = remedies.stepped_risk(D, T, [1, 0, 0.5])
    assert risk[1] == risk[0] and risk[2] == pytest.approx(1.25 * risk[0])


def test_each_step_of_descent_takes_its_share():
    """From zero towards one at curvature a: each step leaves the share 1 − a/10."""
    left = 1.0
    for _ in range(3):
        left -= 0.1 * 2.0 * left
    assert remedies.descent_filter(3, 0.1)(np.array([2.0])) == pytest.approx(1 - left)


def test_filter_constants_of_one_feature_are_chi_square_integrals():
    from scipy import integrate, stats

    filter = remedies.ridge_filter(0.3)
    found = remedies.filter_constants(filter, 1, T, draws=200_000, rng=8)
    for k, what in enumerate(
        [lambda a: filter(a), lambda a: filter(a) ** 2, lambda a: filter(a) ** 2 / a / T]
    ):
        exact = integrate.quad(lambda x, what=what: what(x / T) * stats.chi2.pdf(x, T), 0, 200)[0]
        measured = (found.kept, found.kept_squared, found.toll)[k]
        assert abs(measured - exact) < 4 * found.stderr[k]


def test_bad_input():
    with pytest.raises(ValueError, match="members must divide"):
        remedies.split_ensemble_risk(3, 12, 1, members=5)
    for steps in ([1.5], [0.5, -0.1], 0.5):
        with pytest.raises(ValueError, match="steps must"):
            remedies.stepped_risk(3, 12, steps)
    with pytest.raises(ValueError, match="T must be"):
        remedies.filter_constants(remedies.ridge_filter(1), 3, 4)
    with pytest.raises(ValueError, match="start"):
        remedies.filtered_risk(
            remedies.FilterConstants(1, 1, 1, np.zeros(3)), 1, signal=1, start="there"
        )
    with pytest.raises(ValueError, match="jitter"):
        remedies.input_noise_risk(3, 12, 1, jitter=-1, signal=1)


@pytest.mark.parametrize("check", least_values(
    (remedies.ridge_filter, {}, {"penalty": 0}),
    (remedies.descent_filter, {"rate": 0.1}, {"steps": 1}),
    (remedies.filtered_risk,
     {"constants": remedies.FilterConstants(0.5, 0.3, 0.1, None), "t": 2, "signal": 1},
     {"t": 0, "signal": 0}),
    (remedies.input_noise_risk, {"d": 3, "T": 9, "t": 2, "jitter": 1, "signal": 1},
     {"d": 1, "T": 5, "t": 0, "jitter": 0, "signal": 0}),
    (remedies.split_ensemble_risk, {"d": 3, "T": 20, "t": 2, "members": 2},
     {"d": 1, "t": 0, "members": 1}),
    (remedies.split_ensemble_risk, {"d": 3, "t": 2, "members": 1}, {"T": 5}),
    (remedies.stepped_risk, {"d": 3, "T": 9, "steps": [0.5]}, {"d": 1, "T": 5}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


@pytest.mark.parametrize("check", squared_unit(
    *(
        (remedies.filtered_risk,
         {"constants": remedies.FilterConstants(0.5, 0.3, 0.1, None), "start": start,
          "t": [1, 2, 5]},
         {"noise": 0.7}, {"signal": 1.3})
        for start in ("zero", "last")
    ),
    (remedies.input_noise_risk, {"d": 3, "T": 9, "t": [1, 2, 5], "jitter": 0.4},
     {"noise": 0.7}, {"signal": 1.3}),
    (remedies.split_ensemble_risk, {"d": 3, "T": 20, "members": 2, "t": [1, 2, 5]},
     {"noise": 0.7}, {}),
    (remedies.stepped_risk, {"d": 3, "T": 9, "steps": [0.5, 0.2]}, {"noise": 0.7}, {}),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
