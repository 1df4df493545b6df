"""Forgetting a batch, against the posterior that never saw it."""

import numpy as np
import pytest
from scipy import optimize

from collapse_lib.book.claims import standard_error
from collapse_lib.repair import unlearning
from tests.properties import least_values

RNG = np.random.default_rng(1)
X = RNG.standard_normal((5, 20, 3)) @ np.array([[1, 0.8, 0], [0, 1, 0], [0, 0, 2]])
Y = X @ np.array([1.0, -1.0, 0.5]) + 0.7 * RNG.standard_normal((5, 20))
OPTIONS = {"prior_precision": 0.4, "noise": 0.7}


def from_rows(x, y):
    """The posterior by the textbook, from the rows: the ridge fit and its covariance."""
    x, y = x.reshape(-1, 3), y.reshape(-1)
    covariance = np.linalg.inv(x.T @ x / 0.49 + 0.4 * np.eye(3))
    return covariance @ x.T @ y / 0.49, covariance


def statistics(x, y):
    return x.mT @ x, (x.mT @ y[..., None])[..., 0]


def everything():
    gram, moment = statistics(X, Y)
    return unlearning.posterior(gram.sum(axis=0), moment.sum(axis=0), **OPTIONS)


def test_forgetting_is_never_having_seen():
    left = everything().unlearn(*statistics(X, Y))
    for i in range(5):
        mean, covariance = from_rows(np.delete(X, i, axis=0), np.delete(Y, i, axis=0))
        np.testing.assert_allclose(left.mean[i], mean, rtol=0, atol=1e-10)
        np.testing.assert_allclose(left.covariance[i], covariance, rtol=0, atol=1e-10)


def test_a_batch_is_each_of_its_members():
    """Every number of a batch of five beliefs is that of the belief alone."""
    belief = unlearning.posterior(*statistics(X, Y), **OPTIONS)
    small = 0.0049 * np.eye(3) + np.zeros((5, 1, 1))
    less = belief.mean_field().unlearn(small, np.zeros((5, 3)))
    for i in range(5):
        mean, covariance = from_rows(X[i], Y[i])
        alone = unlearning.posterior(*statistics(X[i], Y[i]), **OPTIONS)
        np.testing.assert_allclose(belief.mean[i], mean, atol=1e-10)
        np.testing.assert_allclose(belief.covariance[i], covariance, atol=1e-10)
        np.testing.assert_allclose(belief.mean_field_gap()[i], alone.mean_field_gap())
        np.testing.assert_allclose(less.precision[i], np.diag(np.diag(alone.precision) - 0.01))
    with pytest.raises(ValueError, match="gram and moment"):
        unlearning.posterior(np.ones((5, 3, 2)), np.ones((5, 3)))
    with pytest.raises(ValueError, match="gram and moment"):
        unlearning.posterior([1.0, 2.0], 3.0)


def test_mean_field_is_the_best_of_its_kind():
    belief = everything()
    best = belief.mean_field()

    def divergence(parameters):
        """KL(q‖p) of a q with these means and logarithms of variances."""
        off, logs = parameters[:3] - belief.mean, parameters[3:]
        trace = np.diag(belief.precision) @ np.exp(logs)
        return (trace - 3 + off @ belief.precision @ off - logs.sum() - log_det) / 2

    log_det = np.linalg.slogdet(belief.precision)[1]

    found = optimize.minimize(divergence, np.zeros(6), tol=1e-12)
    np.testing.assert_allclose(found.x[:3], best.mean, atol=1e-4)
    np.testing.assert_allclose(np.exp(found.x[3:]), np.diag(best.covariance), rtol=1e-4)
    assert np.isclose(found.fun, belief.mean_field_gap(), atol=1e-8)


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_expected_gap(rho):
    correlation = np.full((4, 4), rho) + (1 - rho) * np.eye(4)
    factor = np.linalg.cholesky(correlation) * np.array([1, 2, 3, 4])[:, None]
    x = np.random.default_rng(3).standard_normal((20_000, 9, 4)) @ factor.T
    gap = unlearning.Posterior(x.mT @ x, np.zeros((20_000, 4))).mean_field_gap()
    assert abs(gap.mean() - unlearning.expected_gap(correlation, 9)) < 4 * standard_error(gap)


def test_what_the_diagonal_loses():
    """The stored diagonal takes the place of the precision in the step that forgets."""
    belief = everything()
    gram, moment = statistics(X[2], Y[2])
    variational = belief.mean_field().unlearn(gram, moment).mean_field()
    diagonal = np.diag(np.diag(belief.precision))
    surprise = (moment - gram @ belief.mean) / 0.49
    step = np.linalg.solve(diagonal - gram / 0.49, surprise)
    np.testing.assert_allclose(variational.mean, belief.mean - step, atol=1e-10)
    exact = belief.unlearn(gram, moment)
    full_step = np.linalg.solve(belief.precision - gram / 0.49, surprise)
    np.testing.assert_allclose(exact.mean, belief.mean - full_step, atol=1e-10)
    assert np.allclose(np.diag(variational.covariance), 1 / np.diag(exact.precision))


def test_without_correlation_nothing_is_lost():
    gram = np.diag([4.0, 9.0])
    belief = unlearning.posterior(3 * gram, [3.0, 1.0])
    exact = belief.unlearn(gram, [1.0, 1.0])
    variational = belief.mean_field().unlearn(gram, [1.0, 1.0])
    np.testing.assert_allclose(variational.mean, exact.mean, atol=1e-12)
    assert abs(exact.mean_field_gap()) < 1e-12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unlearning.posterior(np.eye(2), [1.0]), "gram and moment"),
        (lambda: unlearning.posterior(np.eye(2), [1.0, 1.0], noise=0), "noise"),
        (lambda: everything().unlearn(1e3 * np.eye(3), np.zeros(3)), "definite"),
        (lambda: unlearning.expected_gap(2 * np.eye(2), 9), "unit diagonal"),
        (lambda: unlearning.expected_gap(np.eye(3), 2), "rows"),
        (lambda: unlearning.expected_gap([[1, 2], [2, 1]], 9), "^correlation must be"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("check", least_values(
    (unlearning.posterior, {"gram": [[1.0]], "moment": [1.0]}, {"prior_precision": 0}),
    (unlearning.expected_gap, {"correlation": [[1, 0.5], [0.5, 1]]}, {"rows": 2}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
