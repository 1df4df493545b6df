"""Real rows beside synthetic ones: the closed forms against fits, and against every other choice."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from collapse_lib import loop, regression
from collapse_lib.words import mixing
from tests.properties import least_values, squared_unit


def test_fresh_real_rows():
    run = regression.simulate(
        10, 12, generations=12, replicates=20_000, policy=loop.FreshReal(28), rng=9
    )
    for t in (1, 2, 12):
        error = run.risk[:, t].mean() - regression.fresh_real_risk(10, 12, 28, t)
        assert abs(error) < 4 * run.risk[:, t].std() / 20_000**0.5


def test_contraction_by_drawing_both_matrices():
    d, synthetic, real = 4, 7, 5
    x = np.random.default_rng(10).standard_normal((100_000, synthetic + real, d))
    made = np.einsum("rij,ri->rj", x[:, :synthetic], x[:, :synthetic, 0])
    e = np.linalg.solve(x.mT @ x, made[..., None])
    sample = (e**2).sum(axis=(1, 2))
    error = sample.mean() - regression.fresh_real_contraction(d, synthetic, real)
    assert abs(error) < 4 * sample.std() / 100_000**0.5
    assert sample.std() / 100_000**0.5 < 0.01


def test_contraction_of_one_feature_is_the_second_moment_of_a_beta_law():
    for synthetic, real in ((7, 5), (1, 2), (30, 1)):
        share = stats.beta(synthetic / 2, real / 2)
        exact = share.var() + share.mean() ** 2
        assert regression.fresh_real_contraction(1, synthetic, real) == pytest.approx(exact)


@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 40), st.integers(0, 30))
@example(23, 27, 7, 5)  # the factor is 1, but not in floats: 1 + 4 · 23/10 = 10.2
def test_fresh_real_risk_is_its_recursion_in_fractions(d, synthetic, real, t):
    """r ↦ c r + d/(M − d − 1) with M rows and c from the sums of the chapter *Accumulation*."""
    synthetic = max(synthetic, d + 2 - real)
    M = Fraction(synthetic + real)
    square = synthetic * (synthetic + 2) / (M * (M + 2))
    cross = synthetic * real / (M * (M - 1) * (M + 2))
    factor = square + cross * ((M * d - 2) / (M - d - 1) - 1)
    risks = [Fraction(0), Fraction(1)]
    for _ in range(t):
        risks.append(factor * risks[-1] + d / (M - d - 1))
    result = regression.fresh_real_risk(d, synthetic, real, [0, t], first=1)
    np.testing.assert_allclose(result, [0, float(risks[t])], rtol=1e-12)


def test_a_drop_of_real_rows_counts():
    """The factor is about 1 − 2·9/10¹⁸, 1 in floats; the risk stays what the real rows leave."""
    assert regression.fresh_real_contraction(3, 10**18, 9) == 1
    for synthetic in (10**18, 10**30):
        risk = regression.fresh_real_risk(3, synthetic, 9, [1, 2])
        np.testing.assert_allclose(risk, regression.one_fit_risk(3, 9))


@settings(max_examples=50)
@given(st.floats(1e-6, 0.999))
def test_optimal_weight_is_the_least_resting_risk(fraction):
    def resting(w):
        noise = w**2 / fraction + (1 - w) ** 2 / (1 - fraction)
        return noise / (1 - (1 - w) ** 2)

    best = regression.best_fresh_weight(fraction)
    assert resting(best) <= min(resting(0.99 * best), resting(min(1.01 * best, 1))) * (1 + 1e-9)


def test_all_rows_real_need_no_weighing():
    assert regression.best_fresh_weight(1) == 1
    with pytest.raises(ValueError, match="fraction must lie above 0"):
        regression.best_fresh_weight(0)


@given(st.floats(1e-300, 1))
@example(1 - 1e-12)
@example(2.0**-1074)
def test_the_best_weight_to_the_last_digits(share):
    """[−α + √(4α − 3α²)] / (2(1 − α)) cancels near 1: here with 400 digits, and 1 at α = 1."""
    with localcontext(prec=400):
        alpha = Decimal(share)
        root = (4 * alpha - 3 * alpha**2).sqrt()
        exact = 1 if share == 1 else (root - alpha) / (2 * (1 - alpha))
        assert abs(Decimal(regression.best_fresh_weight(share)) / exact - 1) < Decimal("1e-15")


def test_many_more_real_rows_than_synthetic_ones():
    """With κ spare synthetic rows for a spare real one the weight is 1 − κ + 2κ² − …"""
    assert regression.best_row_weight(3, 10**15, 5) == pytest.approx(1 - 1e-15, abs=2e-16)
    assert regression.best_row_weight(3, 10**6, 5) == pytest.approx(1 - 1e-6, abs=1e-11)


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
    best = regression.best_row_weight(d, real, synthetic)
    least = resting_risk(best, d, real, synthetic)
    assert 0 < best < 1
    assert least == pytest.approx(best * regression.one_fit_risk(d, real), rel=1e-9)
    assert (resting_risk(np.linspace(0.001, 1, 97), d, real, synthetic) >= least * (1 - 1e-9)).all()


@given(st.integers(1, 20), st.integers(1, 200), st.integers(1, 200))
def test_the_best_weight_is_the_root_without_the_terms_of_words(d, spare, other):
    """(n′/N′)w² + w − 1 = 0 with d + 1 rows taken off; words have two terms 1/N besides."""
    best = regression.best_row_weight(d, d + 1 + spare, d + 1 + other)
    assert other / spare * best**2 + best == pytest.approx(1)
    words = mixing.best_real_weight(spare, other)
    least, more = (resting_risk(w, d, d + 1 + spare, d + 1 + other) for w in (best, words))
    assert words < best and least < more


def test_rows_are_not_words():
    assert regression.best_row_weight(2, real=7, synthetic=8) == pytest.approx(0.5798, abs=5e-5)
    assert mixing.best_real_weight(4, 5) == pytest.approx(0.5542, abs=5e-5)


def test_the_risk_at_the_best_weight_by_fitting():
    # 10 000 runs: a standard error of 0.9 %, and the weight 1/2 leaves 13 % more.
    d, real, synthetic, rng = 3, 10, 40, np.random.default_rng(3)
    best = regression.best_row_weight(d, real, synthetic)
    truth = model = np.zeros((10_000, d))
    for _ in range(10):
        fits = least_squares(truth, real, rng), least_squares(model, synthetic, rng)
        model = best * fits[0] + (1 - best) * fits[1]
    risk = (model**2).sum(axis=1)
    expected = best * regression.one_fit_risk(d, real)
    assert abs(risk.mean() - expected) < 4 * risk.std() / 100
    assert resting_risk(0.5, d, real, synthetic) > 1.1 * expected


def test_before_any_fit_there_is_no_risk():
    assert regression.fresh_real_risk(5, 20, 10, 0) == 0


@pytest.mark.parametrize(
    ("arguments", "name"), [((5, 6, 20), "real"), ((5, 20, 6), "synthetic"), ((2.5, 20, 20), "d")]
)
def test_bad_arguments_are_named(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        regression.best_row_weight(*arguments)


@pytest.mark.parametrize("check", least_values(
    (regression.fresh_real_contraction, {"d": 3, "synthetic": 4, "real": 5},
     {"d": 1, "synthetic": 0, "real": 1}),
    (regression.fresh_real_contraction, {"d": 3, "synthetic": 5}, {"real": 0}),
    (regression.fresh_real_risk, {"d": 3, "synthetic": 4, "real": 6, "t": 2},
     {"d": 1, "synthetic": 0, "real": 5, "t": 0, "noise": 0}),
    (regression.fresh_real_risk, {"d": 3, "synthetic": 9, "real": 2, "t": 2, "first": 1},
     {"real": 1, "first": 0}),
    (regression.best_row_weight, {"d": 3, "real": 9, "synthetic": 9},
     {"d": 1, "real": 5, "synthetic": 5}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


@pytest.mark.parametrize("check", squared_unit(
    (regression.fresh_real_risk, {"d": 3, "synthetic": 4, "real": 5, "t": [1, 2, 5]},
     {"noise": 0.7}, {}),
    (regression.fresh_real_risk, {"d": 3, "synthetic": 4, "real": 2, "t": [1, 2, 5]},
     {"noise": 0.7}, {"first": 1.3}),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
