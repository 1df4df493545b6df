"""The softmax layer: maximum likelihood, checked from outside."""

import numpy as np
import pytest
from scipy.optimize import minimize

from collapse_lib.words import softmax
from tests.properties import least_values


def data(contexts=6, d=3, words=4, runs=5, rng=1):
    rng = np.random.default_rng(rng)
    seen = rng.multinomial(200, rng.dirichlet(np.full(words, 3.0), (runs, contexts))) / 200
    return rng.standard_normal((runs, contexts, d)), seen


def test_the_fit_is_the_maximum_that_a_general_optimiser_finds():
    features, seen = data()

    def loss(flat):
        p = softmax.predict(features[:1], flat.reshape(1, 3, 3))
        return -(seen[:1] * np.log(p)).sum()

    general = minimize(loss, np.zeros(9), method="BFGS", tol=1e-10).x.reshape(3, 3)
    np.testing.assert_allclose(softmax.fit(features, seen, steps=30)[0], general, atol=1e-3)


def test_the_fit_matches_the_feature_averages():
    features, seen = data()
    left = seen - softmax.predict(features, softmax.fit(features, seen, steps=30))
    assert np.abs(features.swapaxes(1, 2) @ left).max() < 1e-4


def test_the_small_ridge_is_that_of_the_slope():
    features, seen = data()
    scores = softmax.fit(features, seen, steps=30)
    slope = features.swapaxes(1, 2) @ (seen - softmax.predict(features, scores))
    np.testing.assert_allclose(slope[..., :-1], softmax.RIDGE * scores, atol=1e-12)
    np.testing.assert_allclose(softmax.fit(features, seen), scores, atol=1e-6)  # eight steps do


def test_scores_far_apart_do_not_overflow():
    features = np.array([[[1.0], [0.0]], [[-1.0], [0.001]]])
    p = softmax.predict(features, np.full((2, 1, 1), 2000.0))
    expected = [[[1, 0], [0.5, 0.5]], [[0, 1], [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))]]]
    np.testing.assert_allclose(p, expected, atol=1e-12)


def test_a_start_far_away_is_left_by_short_steps():
    """Undamped, the first step from a score of −12 would be of the order of e¹²."""
    features, seen = np.ones((2, 1, 1)), np.array([[[0.9, 0.1]], [[0.3, 0.7]]])
    start = np.array([[[-12.0]], [[0.0]]])
    once = softmax.fit(features, seen, start=start, steps=1)
    assert once[0, 0, 0] == pytest.approx(-12 + softmax.LONGEST_STEP)
    newton = np.array([0.3 - 0.5]) / 0.25  # what is near takes the whole step
    np.testing.assert_allclose(once[1, 0], newton, rtol=1e-4)
    scores = softmax.fit(features, seen, start=start, steps=30)
    np.testing.assert_allclose(softmax.predict(features, scores), seen, atol=1e-4)


def test_as_many_features_as_contexts_fit_the_frequencies():
    features, seen = data(d=6)
    found = softmax.predict(features, softmax.fit(features, seen, steps=60))
    np.testing.assert_allclose(found, seen, atol=1e-3)


def test_a_missing_word_leaves_finite_scores():
    one_hot = np.eye(2)[None]
    seen = np.array([[[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]]])
    scores = softmax.fit(one_hot, seen, steps=30)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(softmax.predict(one_hot, scores), seen, atol=1e-4)


def test_bad_input_is_named():
    features, seen = data()
    with pytest.raises(ValueError, match="alike"):
        softmax.fit(features, seen[:, :-1])
    with pytest.raises(ValueError, match="steps must be a whole number, at least 1"):
        softmax.fit(features, seen, steps=0)
    for start in (np.zeros((5, 3, 4)), np.zeros((1, 3, 3))):
        with pytest.raises(ValueError, match=r"start must be .*\(5, 3, 3\), got") as error:
            softmax.fit(features, seen, start=start)
        assert str(start.shape) in str(error.value)
    with pytest.raises(ValueError, match="start must be a non-empty array with 3 axes"):
        softmax.fit(features, seen, start=np.zeros(9))
    with pytest.raises(ValueError, match="start must be finite"):
        softmax.fit(features, seen, start=np.full((5, 3, 3), np.nan))


def test_the_start_is_where_newton_begins():
    features, seen = data()
    scores = softmax.fit(features, seen, steps=30)
    from_there = softmax.fit(features, seen, start=scores, steps=1)
    np.testing.assert_allclose(from_there, scores, atol=1e-9)
    np.testing.assert_array_equal(
        softmax.fit(features, seen, start=np.zeros_like(scores)), softmax.fit(features, seen)
    )


@pytest.mark.parametrize("check", least_values(
    (softmax.fit, {"features": np.ones((1, 2, 1)), "frequencies": np.full((1, 2, 2), 0.5)},
     {"steps": 1}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
