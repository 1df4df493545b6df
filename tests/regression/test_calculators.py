"""Calculators for inherited labels: against fits by definition, and against every other choice."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from collapse_lib import regression, ridge
from collapse_lib import regression as calculators
from collapse_lib.ridge import Ridge, Teacher


@given(st.integers(1, 500), st.integers(2, 10**6), st.integers(1, 10**4))
def test_rows_needed_is_effective_rows_turned_around(d, spare, generations):
    real = d + spare
    rows = calculators.rows_needed(d, real, generations)
    assert calculators.effective_rows(d, rows, generations) == pytest.approx(real, rel=1e-12)


def test_that_many_rows_are_as_good_as_the_real_ones():
    # The standard error is 0.5 % of the risk: one row more or less, 5 % of it, is seen.
    rows = calculators.rows_needed(6, real=27, generations=5)
    last = regression.simulate(6, rows, generations=5, replicates=20_000, rng=1).risk[:, -1]
    once = least_squares(np.zeros((20_000, 6)), 27, np.random.default_rng(2))
    risks = np.stack([last, (once**2).sum(axis=1)])
    gap = risks.mean(axis=1) @ [1, -1]
    assert abs(gap) < 4 * math.sqrt(risks.var(axis=1).sum() / 20_000)


def least_squares(teacher, rows, rng):
    """One fit for each teacher, to rows that it has labelled."""
    x = rng.standard_normal((len(teacher), rows, teacher.shape[1]))
    y = x @ teacher[..., None] + rng.standard_normal((len(teacher), rows, 1))
    return np.linalg.solve(x.mT @ x, x.mT @ y)[..., 0]


def resting_risk(weight, d, real, synthetic):
    """Fixed point of r = w²V + (1 − w)²(r + V'), the risks of one fit of each kind."""
    own, other = (regression.one_fit_risk(d, rows) for rows in (real, synthetic))
    rest = (1 - weight) ** 2
    return (weight**2 * own + rest * other) / (1 - rest)


@given(st.integers(1, 50), st.integers(1, 10**4), st.integers(1, 10**4))
def test_no_weight_beats_the_best_one(d, spare, other):
    real, synthetic = d + 1 + spare, d + 1 + other
    best = calculators.best_row_weight(d, real, synthetic)
    least = resting_risk(best, d, real, synthetic)
    assert 0 < best < 1
    assert least == pytest.approx(best * regression.one_fit_risk(d, real), rel=1e-9)
    assert (resting_risk(np.linspace(0.001, 1, 97), d, real, synthetic) >= least * (1 - 1e-9)).all()


def test_the_risk_at_the_best_weight_by_fitting():
    # 10 000 runs: a standard error of 0.9 %, and the weight 1/2 leaves 13 % more.
    d, real, synthetic, rng = 3, 10, 40, np.random.default_rng(3)
    best = calculators.best_row_weight(d, real, synthetic)
    truth = model = np.zeros((10_000, d))
    for _ in range(10):
        fits = least_squares(truth, real, rng), least_squares(model, synthetic, rng)
        model = best * fits[0] + (1 - best) * fits[1]
    risk = (model**2).sum(axis=1)
    expected = best * regression.one_fit_risk(d, real)
    assert abs(risk.mean() - expected) < 4 * risk.std() / 100
    assert resting_risk(0.5, d, real, synthetic) > 1.1 * expected


CASES = [
    {"d": 40, "rows": 100, "generations": 8, "generator_rows": 90, "noise": 0.4},
    {"d": 20, "rows": 15, "generations": 2, "generator_rows": 30, "noise": 0.7, "signal": 2.0},
    {"d": 30, "rows": 400, "generations": 5, "generator_rows": 60, "generator_noise": 0.3},
]


def fit(case, penalty, shrink=1.0):
    """The student with these settings, and its teacher."""
    d, noise = case["d"], case.get("noise", 1.0)
    even = np.full(d, case.get("signal", 1.0) / math.sqrt(d))
    student = Ridge(np.ones(d), even, case["rows"], penalty, noise=noise, shrink=shrink)
    other = case.get("generator_noise", noise)
    return student, Teacher(case["generations"], case["generator_rows"], noise=other)


@pytest.mark.parametrize("case", CASES)
def test_ridge_and_shrink_are_where_the_risk_is_least(case):
    def risk(x):
        return ridge.ridge_risk(*fit(case, math.exp(x[0]), x[1])).total

    best = ridge.label_settings(**case)
    tight = {"xatol": 1e-7, "fatol": 1e-13, "maxiter": 4000}
    found = optimize.minimize(risk, [-2.0, 0.7], method="Nelder-Mead", options=tight)
    assert math.exp(found.x[0]) == pytest.approx(best.penalty, rel=1e-4)
    assert found.x[1] == pytest.approx(best.shrink, rel=1e-4)
    assert found.fun == pytest.approx(best.risk, rel=1e-9)
    alone = optimize.minimize_scalar(lambda x: risk([x, 1.0]), bounds=(-7, 7), method="bounded")
    assert alone.fun == pytest.approx(best.ridge_risk, rel=1e-6)
    assert risk([math.log(best.ridge_penalty), 1.0]) == pytest.approx(best.ridge_risk, rel=1e-9)
    assert best.risk < best.ridge_risk < best.clean_risk and best.real_risk < best.risk


# 1500 runs: standard errors of at most 0.5 % of the risks; the pairs of settings see the same data.
@pytest.mark.parametrize("case", CASES[:2])
def test_the_risks_are_those_of_fits(case):
    best = ridge.label_settings(**case)

    def drawn(penalty, shrink=1.0):
        return ridge.simulate_terms(*fit(case, penalty, shrink), replicates=1500, rng=4).total

    both = drawn(best.penalty, best.shrink)
    for other in (
        drawn(1.5 * best.penalty, best.shrink),
        drawn(best.penalty / 1.5, best.shrink),
        drawn(best.penalty, best.shrink * 1.05),
        drawn(best.penalty, best.shrink / 1.05),
        drawn(best.ridge_penalty),
    ):
        assert (other - both).mean() > 4 * (other - both).std() / math.sqrt(1500)
    # the equivalents are off by a few tenths of a percent at these sizes
    for samples, expected in (
        (both, best.risk),
        (drawn(best.ridge_penalty), best.ridge_risk),
        (drawn(best.clean_penalty), best.clean_risk),
    ):
        assert samples.mean() == pytest.approx(expected, rel=0.03)


def test_real_labels_need_no_shrink():
    best = ridge.label_settings(50, 200, generations=0, generator_rows=60, noise=0.5)
    assert best.shrink == 1
    assert best.penalty == best.ridge_penalty == best.clean_penalty == 0.25 * 50 / 200
    assert best.risk == best.ridge_risk == best.clean_risk == best.real_risk


def test_perfect_generators_are_as_good_as_the_truth():
    best = ridge.label_settings(
        50, 200, generations=9, generator_rows=60, noise=0.5, generator_noise=0
    )
    assert best.shrink == 1 and best.risk == best.real_risk


def test_the_best_penalty_for_a_weak_signal_is_large():
    case = {"d": 3, "rows": 9, "generations": 2, "generator_rows": 9, "signal": 0.01}
    best = ridge.label_settings(**case)
    for factor in (0.5, 2):
        other = ridge.ridge_risk(*fit(case, factor * best.ridge_penalty)).total
        assert other > best.ridge_risk * (1 + 1e-7)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: calculators.rows_needed(0, 10, 1), "d"),
        (lambda: calculators.rows_needed(5, 6, 1), "real"),
        (lambda: calculators.rows_needed(5, 7, 0), "generations"),
        (lambda: calculators.best_row_weight(5, 6, 20), "real"),
        (lambda: calculators.best_row_weight(5, 20, 6), "synthetic"),
        (lambda: calculators.best_row_weight(2.5, 20, 20), "d"),
        (lambda: ridge.label_settings(5, 0, generations=1, generator_rows=9), "rows"),
        (lambda: ridge.label_settings(5, 9, generations=-1, generator_rows=9), "generations"),
        (
            lambda: ridge.label_settings(5, 9, generations=1, generator_rows=6),
            "generator_rows",
        ),
        (
            lambda: ridge.label_settings(5, 9, generations=1, generator_rows=9, noise=0),
            "noise",
        ),
        (
            lambda: ridge.label_settings(5, 9, generations=1, generator_rows=9, generator_noise=-1),
            "generator_noise",
        ),
        (
            lambda: ridge.label_settings(5, 9, generations=1, generator_rows=9, signal=0),
            "signal",
        ),
    ],
)
def test_bad_arguments_are_named(call, argument):
    with pytest.raises(ValueError, match=f"^{argument} must"):
        call()
