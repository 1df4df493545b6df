"""The risk of least squares on rows that are not normal, against refitting."""

import itertools

import numpy as np
import pytest

from collapse_lib.book.claims import standard_error
from collapse_lib.regression import one_fit_risk
from collapse_lib.repair import universality
from tests.properties import least_values, squared_unit


def risks(draw, d, T, replicates, rng):
    """Risk of a fit given its rows: the trace of the inverse of XᵀX."""
    x = draw(np.random.default_rng(rng), (replicates, T, d))
    return np.trace(np.linalg.inv(x.mT @ x), axis1=1, axis2=2)


def signs(rng, shape):
    return rng.integers(0, 2, shape) * 2.0 - 1


def laplace(rng, shape):
    return rng.laplace(size=shape) / np.sqrt(2)


@pytest.mark.parametrize("T", [2, 3, 6])
def test_two_signs_over_every_outcome(T):
    traces = []
    for outcome in itertools.product([-1.0, 1.0], repeat=2 * T):
        x = np.array(outcome).reshape(T, 2)
        if abs(x[:, 0] @ x[:, 1]) < T:
            traces.append(np.trace(np.linalg.inv(x.T @ x)))
    assert np.isclose(universality.signs_risk(T), np.mean(traces))


@pytest.mark.parametrize(("draw", "kurtosis"), [(signs, -2), (laplace, 3)])
def test_corrected_risk_to_first_order(draw, kurtosis):
    """What is left of the error falls faster than 1/T: by four to ten for T times three."""
    d, left = 6, []
    for T, replicates in ((48, 20_000), (144, 40_000)):
        risk = risks(draw, d, T, replicates, 1)
        theory = universality.corrected_risk(d, T, d + 1 + kurtosis)
        naive = one_fit_risk(d, T)
        left.append(abs(risk.mean() / theory - 1))
        assert left[-1] < 0.15 * abs(risk.mean() / naive - 1)
        assert abs(risk.mean() - naive) > 10 * standard_error(risk)
    assert left[1] < 0.002


def test_length_index_of_known_laws():
    rng = np.random.default_rng(2)
    assert universality.length_index(signs(rng, (100, 7))) == 6
    normal = universality.length_index(rng.standard_normal((400_000, 3)))
    assert abs(normal - 4) < 0.1
    assert abs(universality.length_index(laplace(rng, (400_000, 3))) - 7) < 0.4


def test_elliptical_risk_is_the_limit():
    s, chances = np.array([0.5, 1.5]), np.array([0.5, 0.5])

    def rows(rng, shape):
        scale = np.sqrt(rng.choice(s, p=chances, size=(*shape[:2], 1)))
        return scale * rng.standard_normal(shape)

    risk = risks(rows, 60, 120, 300, 3)
    limit = universality.elliptical_risk(60, 120, s, chances)
    assert abs(risk.mean() / limit - 1) < 0.03 < limit / one_fit_risk(60, 120) - 1
    small = universality.elliptical_risk(10, 10**6, s, chances) * 1e5 - 1  # K − 1, over T
    assert np.isclose(small * 1e6, 1.25 * 10, rtol=1e-3)


def test_elliptical_risk_where_its_equation_is_a_square_root():
    """For d = 1, T = 2 and squares a, b alike: a/(m + a) + b/(m + b) = 1, so that m² = ab."""
    for a in (0.01, 0.3, 1.0):
        b = 2 - a
        found = universality.elliptical_risk(1, 2, [a, b], [0.5, 0.5])
        assert found == pytest.approx(1 / np.sqrt(a * b), rel=1e-12)


def test_chances_may_add_up_to_one_but_for_rounding():
    tenths = universality.elliptical_risk(5, 9, [1.0] * 10, [0.1] * 10)
    assert tenths == pytest.approx(universality.elliptical_risk(5, 9, [1.0], [1.0]), rel=1e-12)


def test_whitening():
    rows = np.random.default_rng(4).random((60, 4)) @ np.diag([1, 5, 2, 0])
    z = universality.whiten(rows)
    assert z.shape == (60, 3)
    np.testing.assert_allclose(z.T @ z / 60, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.abs(universality.whiten(rows, 2)), np.abs(z[:, :2]))
    small = universality.whiten(1e-6 * rows)  # the unit does not matter, nor does it for the rank
    np.testing.assert_allclose(np.abs(small), np.abs(z), atol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: universality.corrected_risk(5, 6, 6), "T must be"),
        (lambda: universality.signs_risk(1), "T must be"),
        (lambda: universality.elliptical_risk(5, 9, [1.0, 2.0], [0.5, 0.5]), "squares"),
        (lambda: universality.elliptical_risk(5, 9, [0.0, 2.0], [0.5, 0.5]), "squares"),
        (lambda: universality.elliptical_risk(5, 9, [-0.5, 2.5], [0.5, 0.5]), "squares"),
        (lambda: universality.whiten(np.ones((5, 2)) * np.arange(5)[:, None], 2), "rank 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("check", least_values(
    (universality.corrected_risk, {"d": 3, "T": 9, "index": 4}, {"d": 1, "T": 5}),
    (universality.signs_risk, {}, {"T": 2}),
    (universality.whiten, {"rows": np.eye(4)}, {"d": 1}),
    (universality.elliptical_risk, {"d": 3, "T": 9, "squares": [1], "chances": [1]},
     {"d": 1, "T": 4}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


@pytest.mark.parametrize("check", squared_unit(
    (universality.corrected_risk, {"d": 3, "T": 9, "index": 5}, {"noise": 0.7}, {}),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
