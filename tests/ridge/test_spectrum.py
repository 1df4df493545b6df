"""The deterministic equivalents: their equation, exact special cases, and real ridge fits.

Power: 400 fits at d = 40 give each term a standard error below 1 % of itself; the equivalents
are right to O(1/T), here about 1 %. A wrong power of κ or a missing 1 + u is off by 10 % or more.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collapse_lib.ridge.spectrum import degrees_of_freedom, kappa, ridge_loop_risk, ridge_risk

D = 40
SPECTRUM = 1 / np.arange(1, D + 1)
W0 = np.random.default_rng(0).standard_normal(D)


def ridge(x, y, penalty):
    """Ridge by definition, for one design; least norm without penalty."""
    if penalty == 0:
        return np.linalg.pinv(x) @ y
    gram = x.T @ x + penalty * len(x) * np.eye(x.shape[1])
    return np.linalg.solve(gram, x.T @ y)


def excess(w):
    return SPECTRUM @ (w - W0) ** 2


@given(
    beta=st.floats(0.0, 3.0),
    penalty=st.floats(1e-9, 10.0),
    rows=st.floats(1.0, 1e6),
    size=st.integers(1, 200),
)
def test_kappa_solves_its_equation(beta, penalty, rows, size):
    spectrum = np.arange(1, size + 1) ** -beta
    root = kappa(spectrum, penalty, rows)
    assert root > penalty * (1 - 1e-14)
    assert root <= (penalty + spectrum.sum() / rows) * (1 + 1e-14)
    left = root * (1 - degrees_of_freedom(spectrum, root) / rows)
    assert abs(left - penalty) < 1e-11 * root


@pytest.mark.parametrize("rows", [1, 10, 39, 39.999])
def test_kappa_without_penalty_makes_the_degrees_of_freedom_the_rows(rows):
    root = kappa(SPECTRUM, 0, rows)
    assert root > 0
    assert abs(degrees_of_freedom(SPECTRUM, root) / rows - 1) < 1e-10


def test_eigenvalues_may_be_counted():
    spectrum, counts = np.array([2.0, 0.5, 0.1]), np.array([3, 1, 4])
    long, w0_squared = np.repeat(spectrum, counts), np.array([1.0, 0.0, 2.0])
    for m in (1, 2, 3):
        share = long / (long + 0.7)
        assert degrees_of_freedom(spectrum, 0.7, m, counts=counts) == pytest.approx(sum(share**m))
    risk = ridge_risk(spectrum, w0_squared, 9, 0.2, counts=counts, n=1, T0=20)
    each = ridge_risk(long, np.repeat(w0_squared, counts), 9, 0.2, n=1, T0=20)
    for name in ("bias", "variance", "toll", "kappa", "df1", "df2"):
        assert getattr(risk, name) == pytest.approx(getattr(each, name))
    assert risk.df1 == pytest.approx(degrees_of_freedom(long, risk.kappa))
    assert risk.df2 == pytest.approx(degrees_of_freedom(long, risk.kappa, 2))


def test_kappa_without_penalty_is_zero_with_enough_rows():
    assert kappa(SPECTRUM, 0, D) == kappa(SPECTRUM, 0, 10 * D) == 0


def test_kappa_of_white_inputs():
    lam, phi = 0.01, 0.3
    half = lam + phi - 1
    exact = (half + np.sqrt(half**2 + 4 * lam)) / 2
    assert abs(kappa(np.ones(300), lam, 1000) - exact) < 1e-15


def test_counts_are_multiplicities():
    few, many = [1.0, 0.1], [1.0, 0.1, 0.1, 0.1]
    assert np.isclose(kappa(few, 0.01, 7, counts=[1, 3]), kappa(many, 0.01, 7), rtol=1e-14)
    a = ridge_risk(few, [1, 2], 7, 0.01, n=2, T0=30, counts=[1, 3])
    b = ridge_risk(many, [1, 2, 2, 2], 7, 0.01, n=2, T0=30)
    assert np.isclose(a.bias, b.bias) and np.isclose(a.toll, b.toll)
    a = ridge_loop_risk(few, [1, 2], 7, 0.01, 3, counts=[1, 3])
    assert np.allclose(a, ridge_loop_risk(many, [1, 2, 2, 2], 7, 0.01, 3))


@pytest.mark.parametrize("rows,penalty", [(100, 0.01), (400, 0.1), (25, 0.02), (20, 0.0)])
def test_terms_against_ridge_fits(rows, penalty):
    rng = np.random.default_rng(1)
    runs, generators = 400, 120
    found = np.zeros((runs, 3))
    for run in range(runs):
        x = rng.standard_normal((rows, D)) * np.sqrt(SPECTRUM)
        clean = ridge(x, x @ W0, penalty)
        noisy = ridge(x, rng.standard_normal(rows), penalty)
        first = rng.standard_normal((generators, D)) * np.sqrt(SPECTRUM)
        wrong = ridge(first, rng.standard_normal(generators), 0)
        carried = ridge(x, x @ wrong, penalty)
        found[run] = excess(clean), SPECTRUM @ noisy**2, SPECTRUM @ carried**2
    risk = ridge_risk(SPECTRUM, W0**2, rows, penalty, n=1, T0=generators)
    theory = np.array([risk.bias, risk.variance, risk.toll])
    error = 4 * found.std(axis=0) / np.sqrt(runs) + 1.5 / min(rows, D) * theory
    assert (abs(found.mean(axis=0) - theory) < error).all()


def test_checked_number_of_the_source():
    risk = ridge_risk(
        np.ones(300), np.full(300, 1 / 300), 1000, 1e-3, n=5, T0=600, sigma=0.2, sigma0=0.2
    )
    assert abs(risk.total - 0.21717) < 1e-5


def test_without_penalty_it_is_ordinary_least_squares():
    risk = ridge_risk(SPECTRUM, W0**2, 100, 0, n=[0, 1, 7], T0=90)
    assert risk.bias.shape == (3,) and not risk.bias.any()
    assert np.allclose(risk.variance, D / (100 - D))
    assert np.allclose(risk.toll, np.array([0, 1, 7]) * D / (90 - D - 1))


def test_arguments_broadcast():
    risk = ridge_risk(SPECTRUM, W0**2, [[100], [200]], [0.1, 0.2, 0.3], n=1, T0=50)
    one = ridge_risk(SPECTRUM, W0**2, 200, 0.3, n=1, T0=50)
    assert risk.total.shape == (2, 3)
    assert risk.total[1, 2] == one.total


def test_loop_of_one_generation_is_one_fit():
    for rows, penalty in [(100, 0.01), (20, 0.0)]:
        loop = ridge_loop_risk(SPECTRUM, W0**2, rows, penalty, 1, sigma=0.3)
        one = ridge_risk(SPECTRUM, W0**2, rows, penalty, sigma=0.3)
        assert np.isclose(loop[1], one.total, rtol=1e-12)


def test_loop_of_white_interpolants_saturates():
    d, T = 300, 150
    risk = ridge_loop_risk(np.ones(d), np.full(d, 1 / d), T, 0, 10, sigma=0.1)
    share = T / d
    geometric = (1 - share ** np.arange(11)) / (1 - share)
    limit = 1 - share ** np.arange(11) + 0.01 * T / (d - T) * geometric
    assert np.allclose(risk, limit, rtol=1e-10)


def test_loop_against_ridge_fits():
    rng = np.random.default_rng(2)
    rows, penalty, generations, runs = 60, 0.02, 4, 300
    found = np.zeros((runs, generations + 1))
    for run in range(runs):
        w = W0
        for t in range(1, generations + 1):
            x = rng.standard_normal((rows, D)) * np.sqrt(SPECTRUM)
            w = ridge(x, x @ w + 0.5 * rng.standard_normal(rows), penalty)
            found[run, t] = excess(w)
    theory = ridge_loop_risk(SPECTRUM, W0**2, rows, penalty, generations, sigma=0.5)
    error = 4 * found.std(axis=0) / np.sqrt(runs) + 0.02 * theory
    assert (abs(found.mean(axis=0) - theory) <= error).all()


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: kappa([], 1, 1), "spectrum must be"),
        (lambda: kappa([1, 0], 1, 1), "spectrum must be above 0"),
        (lambda: kappa([1, np.nan], 1, 1), "spectrum"),
        (lambda: kappa("abc", 1, 1), "spectrum"),
        (lambda: kappa([1], -1, 1), "penalty"),
        (lambda: kappa([1], 1, 0), "T must be"),
        (lambda: degrees_of_freedom([1], 1, 0), "m must be"),
        (lambda: degrees_of_freedom([1], -1), "kappa"),
        (lambda: kappa([1], 1, 1, counts=[1, 1]), "counts must have the shape"),
        (lambda: ridge_risk([1], [1, 1], 5, 1), "w0_squared must have the shape"),
        (lambda: ridge_risk([1], [-1], 5, 1), "w0_squared must be at least 0"),
        (lambda: ridge_risk([1], [1], 5, 1, n=1), "T0 must be above d"),
        (lambda: ridge_risk([1], [1], 5, 1, n=1, T0=2), "T0 must be above d"),
        (lambda: ridge_risk([1], [1], 5, 1, n=-1, T0=9), "n must be"),
        (lambda: ridge_risk([1, 1], [1, 1], 2, 0), "infinite"),
        (lambda: ridge_loop_risk([1, 1], [1, 1], 2, 0, 1), "infinite"),
        (lambda: ridge_loop_risk([1], [1], 2, 0, -1), "generations"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
