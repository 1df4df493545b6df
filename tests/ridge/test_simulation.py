"""The ridge simulators against designs drawn row by row and, for OLS, the loop by definition.

Power: with 4000 runs a side the Kolmogorov–Smirnov test at p = 1e-4 sees a difference of
distribution functions of 0.05. The excess risk is of χ² type here, with a relative spread of
about a half: a scale that is wrong by 12 % is seen, and so is one degree of freedom missing
in the generators (T0 − d + 1 = 8 against 7). Means are compared at four standard errors.
"""

import numpy as np
import pytest
from scipy import stats

from collapse_lib import loop, ridge
from collapse_lib.ridge import simulation
from collapse_lib.ridge.spectrum import ridge_loop_risk, ridge_risk

D, RUNS = 5, 4000
SPECTRUM = 1 / np.arange(1.0, D + 1)
W0 = np.array([1.0, -0.5, 2.0, 0.3, -1.0])


def rows(T, rng, runs=RUNS):
    return rng.standard_normal((runs, T, D)) * np.sqrt(SPECTRUM)


def fitted(x, y, penalty):
    """Ridge by definition, (runs, D); least norm without penalty."""
    if penalty == 0:
        return np.einsum("rij,rj->ri", np.linalg.pinv(x), y)
    gram = x.transpose(0, 2, 1) @ x + penalty * x.shape[1] * np.eye(D)
    return np.linalg.solve(gram, np.einsum("rti,rt->ri", x, y)[..., None])[..., 0]


def labels(x, w, sigma, rng):
    return np.einsum("rti,ri->rt", x, w) + sigma * rng.standard_normal(x.shape[:2])


def excess(w):
    return (w - W0) ** 2 @ SPECTRUM


def by_definition(T, penalty, n, T0, design, rng):
    w = np.broadcast_to(W0, (RUNS, D))
    frozen = rows(T0, rng)
    for _ in range(n):
        x = rows(T0, rng) if design == "fresh" else frozen
        w = fitted(x, labels(x, w, 0.7, rng), 0)
    x = rows(T, rng)
    return excess(fitted(x, labels(x, w, 0.4, rng), penalty))


class Regression:
    """Rows (x, y) with y = x·w + noise, fitted by OLS: a family for the loop by definition."""

    def sample(self, params, size, rng):
        x = rows(size, rng, len(params))
        return np.concatenate([x, labels(x, params, 0.7, rng)[..., None]], axis=2)

    def fit(self, data):
        return fitted(data[..., :D], data[..., D], 0)


def same(a, b):
    close = abs(a.mean() - b.mean()) < 4 * np.hypot(a.std(), b.std()) / np.sqrt(len(a))
    return close and stats.ks_2samp(a, b).pvalue > 1e-4


@pytest.mark.parametrize("T", [3, 5, 9])
def test_bartlett_factor_has_the_law_of_the_design(T):
    rng = np.random.default_rng(1)
    r = ridge.bartlett_factor(T, D, RUNS, rng=2)
    z = rng.standard_normal((RUNS, T, D))
    assert r.shape == (RUNS, min(T, D), D) and not np.tril(r, -1).any()
    ours, theirs = (a.transpose(0, 2, 1) @ a for a in (r, z))
    assert same(ours[:, 0, 1], theirs[:, 0, 1]) and same(ours[:, 4, 4], theirs[:, 4, 4])
    largest = [np.linalg.eigvalsh(gram)[:, -1] for gram in (ours, theirs)]
    smallest = [np.linalg.eigvalsh(gram)[:, D - min(T, D)] for gram in (ours, theirs)]
    assert same(*largest) and same(*smallest)


@pytest.mark.parametrize("T,penalty", [(12, 0.1), (12, 0.0), (3, 0.05), (3, 0.0), (5, 0.2)])
@pytest.mark.parametrize("design", ["fresh", "frozen"])
def test_one_fit_has_the_law_of_the_definition(T, penalty, design):
    rng = np.random.default_rng(3)
    a = by_definition(T, penalty, 3, 12, design, rng)
    b = ridge.simulate_ridge(
        SPECTRUM, W0, T, penalty, n=3, T0=12, sigma=0.4, sigma0=0.7,
        design=design, replicates=RUNS, rng=4,
    )  # fmt: skip
    assert same(np.log(a), np.log(b))


def test_the_comparison_sees_one_missing_row():
    a = by_definition(12, 0.1, 3, 12, "fresh", np.random.default_rng(3))
    b = ridge.simulate_ridge(
        SPECTRUM, W0, 12, 0.1, n=3, T0=11, sigma=0.4, sigma0=0.7, replicates=RUNS, rng=4
    )
    assert not same(np.log(a), np.log(b))


def test_generators_are_the_loop_by_definition():
    run = loop.run(Regression(), "replace", truth=W0, n=12, generations=4, replicates=RUNS, rng=5)
    e = ridge.labeller_errors(SPECTRUM, 4, 12, RUNS, sigma0=0.7, rng=6)
    assert same(np.log(excess(run.params[:, -1])), np.log(excess(e + W0)))
    assert same(run.params[:, -1, 2] - W0[2], e[:, 2])


@pytest.mark.parametrize("T,penalty", [(12, 0.1), (4, 0.0), (12, 0.0)])
def test_loop_of_ridge_fits_has_the_law_of_the_definition(T, penalty):
    rng = np.random.default_rng(7)
    w = np.broadcast_to(W0, (RUNS, D))
    run = ridge.simulate_ridge_loop(SPECTRUM, W0, T, penalty, 3, sigma=0.4, replicates=RUNS, rng=8)
    assert run.shape == (RUNS, 4) and not run[:, 0].any()
    for t in range(1, 4):
        x = rows(T, rng)
        w = fitted(x, labels(x, w, 0.4, rng), penalty)
        assert same(np.log(excess(w)), np.log(run[:, t]))


@pytest.mark.parametrize("T,penalty", [(12, 0.1), (4, 0.05), (1, 0.0)])
@pytest.mark.parametrize("shrink", [1.0, 0.6])
def test_terms_are_conditional_means(T, penalty, shrink):
    given = {"n": 3, "T0": 14, "sigma": 0.4, "sigma0": 0.7, "shrink": shrink, "replicates": 20_000}
    terms = ridge.simulate_terms(SPECTRUM, W0, T, penalty, rng=9, **given)
    whole = ridge.simulate_ridge(SPECTRUM, W0, T, penalty, rng=10, **given)
    spread = np.hypot(terms.total.std(), whole.std()) / np.sqrt(len(whole))
    assert abs(terms.total.mean() - whole.mean()) < 4 * spread
    assert terms.total.std() < whole.std()


def test_terms_one_by_one():
    given = {"T0": 14, "sigma": 0.4, "sigma0": 0.7, "replicates": 20_000}
    terms = ridge.simulate_terms(SPECTRUM, W0, 12, 0.1, n=3, rng=11, **given)
    given |= {"rng": 12}
    bias = ridge.simulate_ridge(SPECTRUM, W0, 12, 0.1, **given | {"sigma": 0})
    noise = ridge.simulate_ridge(SPECTRUM, 0 * W0, 12, 0.1, **given)
    fake = ridge.simulate_ridge(SPECTRUM, 0 * W0, 12, 0.1, n=3, **given | {"sigma": 0})
    for a, b in [(terms.bias, bias), (terms.variance, noise), (terms.toll, fake)]:
        assert abs(a.mean() - b.mean()) < 4 * np.hypot(a.std(), b.std()) / np.sqrt(20_000)


def test_penalties_share_their_data():
    given = {"n": 2, "T0": 14, "replicates": 50}
    many = ridge.simulate_ridge(SPECTRUM, W0, 12, [0.1, 0.2], rng=13, **given)
    one = ridge.simulate_ridge(SPECTRUM, W0, 12, 0.1, rng=13, **given)
    assert many.shape == (50, 2) and np.allclose(many[:, 0], one)
    terms = ridge.simulate_terms(SPECTRUM, W0, 12, [0.1, 0.2], rng=13, **given)
    assert terms.bias.shape == terms.total.shape == (50, 2)


def test_simulators_and_equivalents_agree_when_the_dimension_is_large():
    d = 150
    spectrum, w0 = np.arange(1.0, d + 1) ** -1.0, np.ones(d)
    terms = ridge.simulate_terms(spectrum, w0, 300, 0.01, n=2, T0=400, replicates=40, rng=16)
    risk = ridge_risk(spectrum, w0**2, 300, 0.01, n=2, T0=400)
    for name in ("bias", "variance", "toll"):
        assert abs(getattr(terms, name).mean() / getattr(risk, name) - 1) < 0.03
    run = ridge.simulate_ridge_loop(spectrum, w0, 300, 0.01, 3, replicates=100, rng=17)
    risk = ridge_loop_risk(spectrum, w0**2, 300, 0.01, 3)
    assert (abs(run.mean(axis=0)[1:] / risk[1:] - 1) < 0.03).all()


def test_chunks_make_no_difference_to_the_shape(monkeypatch):
    monkeypatch.setattr(simulation, "CHUNK", 3 * D**2)
    assert ridge.simulate_ridge(SPECTRUM, W0, 9, 0.1, replicates=10, rng=1).shape == (10,)
    assert np.isfinite(ridge.simulate_terms(SPECTRUM, W0, 9, 0.1, replicates=10, rng=1).total).all()


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: ridge.bartlett_factor(0, 1, 1), "T must be"),
        (lambda: ridge.labeller_errors([1, 1], 1, 1, 1), "T0 must be"),
        (lambda: ridge.labeller_errors([1], 1, 3, 1, design="new"), "design must be one of"),
        (lambda: ridge.simulate_ridge([1], [1, 2], 3, 0.1), "w0 must have the shape"),
        (lambda: ridge.simulate_ridge([1], [1], 3, -0.1), "penalty must be"),
        (lambda: ridge.simulate_ridge([1], [1], 3, 0.1, n=2), "T0 must be"),
        (lambda: ridge.simulate_terms([1], [1], 3, 0.1, n=2, T0=2), "T0 must be at least d"),
        (lambda: ridge.simulate_ridge([1], [1], 3, 0.1, rng=1.5), "rng must be"),
        (lambda: ridge.simulate_ridge_loop([1], [1], 3, [0.1, 1], 2), "penalty must be one"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
