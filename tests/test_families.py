"""The two families by definition: what they fit, and the law they draw from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib.families import Categorical, Gaussian


def test_categorical_fits_frequencies():
    data = np.array([[0, 0, 2, 1], [2, 2, 2, 2]])
    assert Categorical(3).fit(data).tolist() == [[0.5, 0.25, 0.25], [0, 0, 1]]


# 30 000 draws: a chi-square test at 0.001 sees a probability that is off by 0.015 with
# a chance above 95 %; the last lines show that it sees 0.02.
def test_categorical_draws_its_probabilities():
    p = np.array([0.5, 0.0, 0.3, 0.2])
    drawn = Categorical(4).sample(np.tile(p, (3, 1)), 10_000, np.random.default_rng(1))
    assert drawn.shape == (3, 10_000)
    seen = np.bincount(drawn.ravel(), minlength=4)
    assert seen[1] == 0
    present = p > 0
    assert stats.chisquare(seen[present], seen.sum() * p[present]).pvalue > 1e-3
    wrong = np.array([0.48, 0.3, 0.22])
    assert stats.chisquare(seen[present], seen.sum() * wrong).pvalue < 1e-6


def test_each_replicate_draws_from_its_own_model():
    drawn = Categorical(2).sample(np.array([[1.0, 0.0], [0.0, 1.0]]), 50, np.random.default_rng(2))
    assert (drawn[0] == 0).all() and (drawn[1] == 1).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_categorical_fit_is_a_distribution(words):
    fitted = Categorical(6).fit(np.array([words]))[0]
    assert fitted.sum() == pytest.approx(1)
    assert ((fitted > 0) == np.isin(np.arange(6), words)).all()


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_gaussian_estimators_differ_by_the_divisor(values):
    data, n = np.array([values]), len(values)
    (mean, ml), (same_mean, unbiased) = (
        Gaussian("ml").fit(data)[0],
        Gaussian("unbiased").fit(data)[0],
    )
    squares = np.sum((data - data.mean()) ** 2)
    assert mean == same_mean == data.mean()
    assert ml**2 * n == pytest.approx(squares, rel=1e-9, abs=1e-6)
    assert unbiased**2 * (n - 1) == pytest.approx(squares, rel=1e-9, abs=1e-6)


# 20 000 draws: a Kolmogorov–Smirnov test at 0.001 sees a shift of 0.05 standard deviations.
def test_gaussian_draws_its_law():
    params = np.array([[3.0, 2.0]])
    drawn = Gaussian().sample(params, 20_000, np.random.default_rng(3))[0]
    assert stats.kstest(drawn, stats.norm(3, 2).cdf).pvalue > 1e-3
    assert stats.kstest(drawn, stats.norm(3.1, 2).cdf).pvalue < 1e-3


def test_gaussian_names_its_estimators():
    with pytest.raises(ValueError, match="estimator must be one of 'ml', 'unbiased', got 'bayes'"):
        Gaussian("bayes")


@pytest.mark.parametrize("p", [[0.5, 0.6], [-0.1, 1.1], [1.0], [float("nan"), 1.0]])
def test_categorical_names_bad_probabilities(p):
    with pytest.raises(ValueError, match="truth must be 2 probabilities that sum to 1"):
        Categorical(2).sample(np.array([p]), 3, np.random.default_rng(1))
