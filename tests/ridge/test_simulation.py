"""The ridge simulators against designs drawn row by row and, for OLS, the loop by definition.

Power: with 4000 runs a side the Kolmogorov–Smirnov test at p = 1e-4 sees a difference of
distribution functions of 0.05. The excess risk is of χ² type here, with a relative spread of
about a half: a scale that is wrong by 12 % is seen, and so is one degree of freedom missing
in the generators (T0 − d + 1 = 8 against 7). Means are compared at four standard errors.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from collapse_lib import loop, ridge
from collapse_lib.regression import fresh_real_contraction
from collapse_lib.ridge import Ridge, Teacher, simulation
from collapse_lib.ridge.spectrum import mixed_toll, ridge_loop_risk, ridge_risk

D, RUNS = 5, 4000
SPECTRUM = 1 / np.arange(1.0, D + 1)
W0 = np.array([1.0, -0.5, 2.0, 0.3, -1.0])
ONE = Ridge([1], [1], 3, 0.1)


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
    student = Ridge(SPECTRUM, W0, T, penalty, noise=0.4)
    teacher = Teacher(3, 12, noise=0.7, design=design)
    b = ridge.simulate_ridge(student, teacher, replicates=RUNS, rng=4)
    assert same(np.log(a), np.log(b))


def test_the_comparison_sees_one_missing_row():
    a = by_definition(12, 0.1, 3, 12, "fresh", np.random.default_rng(3))
    student, teacher = Ridge(SPECTRUM, W0, 12, 0.1, noise=0.4), Teacher(3, 11, noise=0.7)
    b = ridge.simulate_ridge(student, teacher, replicates=RUNS, rng=4)
    assert not same(np.log(a), np.log(b))


def test_generators_are_the_loop_by_definition():
    run = loop.run(Regression(), "replace", truth=W0, n=12, generations=4, replicates=RUNS, rng=5)
    teacher = Teacher(4, 12, noise=0.7)
    e = simulation._teacher_errors(SPECTRUM, teacher, RUNS, np.random.default_rng(6))
    assert same(np.log(excess(run.params[:, -1])), np.log(excess(e + W0)))
    assert same(run.params[:, -1, 2] - W0[2], e[:, 2])


@pytest.mark.parametrize("T,penalty", [(12, 0.1), (4, 0.0), (12, 0.0)])
def test_loop_of_ridge_fits_has_the_law_of_the_definition(T, penalty):
    rng = np.random.default_rng(7)
    w = np.broadcast_to(W0, (RUNS, D))
    student = Ridge(SPECTRUM, W0, T, penalty, noise=0.4)
    run = ridge.simulate_ridge_loop(student, 3, replicates=RUNS, rng=8)
    assert run.shape == (RUNS, 4) and not run[:, 0].any()
    for t in range(1, 4):
        x = rows(T, rng)
        w = fitted(x, labels(x, w, 0.4, rng), penalty)
        assert same(np.log(excess(w)), np.log(run[:, t]))


@pytest.mark.parametrize("T,penalty", [(12, 0.1), (4, 0.05), (1, 0.0)])
@pytest.mark.parametrize("shrink", [1.0, 0.6])
def test_terms_are_conditional_means(T, penalty, shrink):
    student = Ridge(SPECTRUM, W0, T, penalty, noise=0.4, shrink=shrink)
    teacher = Teacher(3, 14, noise=0.7)
    terms = ridge.simulate_terms(student, teacher, replicates=20_000, rng=9)
    whole = ridge.simulate_ridge(student, teacher, replicates=20_000, rng=10)
    spread = np.hypot(terms.total.std(), whole.std()) / np.sqrt(len(whole))
    assert abs(terms.total.mean() - whole.mean()) < 4 * spread
    assert terms.total.std() < whole.std()


def test_terms_one_by_one():
    student, teacher = Ridge(SPECTRUM, W0, 12, 0.1, noise=0.4), Teacher(3, 14, noise=0.7)
    terms = ridge.simulate_terms(student, teacher, replicates=20_000, rng=11)
    given = {"replicates": 20_000, "rng": 12}
    silent = replace(student, noise=0)
    bias = ridge.simulate_ridge(silent, **given)
    noise = ridge.simulate_ridge(replace(student, truth=0 * W0), **given)
    fake = ridge.simulate_ridge(replace(silent, truth=0 * W0), teacher, **given)
    for a, b in [(terms.bias, bias), (terms.variance, noise), (terms.toll, fake)]:
        assert abs(a.mean() - b.mean()) < 4 * np.hypot(a.std(), b.std()) / np.sqrt(20_000)


def test_penalties_share_their_data():
    given = {"teacher": Teacher(2, 14), "replicates": 50, "rng": 13}
    two, first = Ridge(SPECTRUM, W0, 12, [0.1, 0.2]), Ridge(SPECTRUM, W0, 12, 0.1)
    many, one = (ridge.simulate_ridge(student, **given) for student in (two, first))
    assert many.shape == (50, 2) and np.allclose(many[:, 0], one)
    terms = ridge.simulate_terms(two, **given)
    assert terms.bias.shape == terms.total.shape == (50, 2)


def test_simulators_and_equivalents_agree_when_the_dimension_is_large():
    d = 150
    spectrum, w0 = np.arange(1.0, d + 1) ** -1.0, np.ones(d)
    student, teacher = Ridge(spectrum, w0, 300, 0.01), Teacher(2, 400)
    terms = ridge.simulate_terms(student, teacher, replicates=40, rng=16)
    risk = ridge_risk(student, teacher)
    for name in ("bias", "variance", "toll"):
        assert abs(getattr(terms, name).mean() / getattr(risk, name) - 1) < 0.03
    for shrink in (1.0, 0.8):
        student = replace(student, shrink=shrink)
        run = ridge.simulate_ridge_loop(student, 3, replicates=100, rng=17)
        risk = ridge_loop_risk(student, 3)
        assert (abs(run.mean(axis=0)[1:] / risk[1:] - 1) < 0.03).all()


def test_chunks_make_no_difference_to_the_shape(monkeypatch):
    monkeypatch.setattr(simulation, "AT_ONCE", 3 * D**2)
    student = Ridge(SPECTRUM, W0, 9, 0.1)
    assert ridge.simulate_ridge(student, replicates=10, rng=1).shape == (10,)
    assert np.isfinite(ridge.simulate_terms(student, replicates=10, rng=1).total).all()


@pytest.mark.parametrize("real,synthetic,penalty", [(8, 6, 0.1), (2, 7, 0.05), (4, 4, 0.0)])
@pytest.mark.parametrize("shrink", [1.0, 0.6])
def test_mixed_fit_against_the_definition(real, synthetic, penalty, shrink):
    """A toll that forgets the real rows, or counts them twice, is off by a third or more."""
    rng = np.random.default_rng(14)
    delta = rng.standard_normal((RUNS, D)) * [1, 0.5, 2, 0.1, 1]
    x1, x2 = rows(real, rng), rows(synthetic, rng)
    w = np.broadcast_to(W0, (RUNS, D))
    y = np.concatenate([labels(x1, w, 0.4, rng), labels(x2, w + delta, 0.4, rng)], axis=1)
    a = excess(shrink * fitted(np.concatenate([x1, x2], axis=1), y, penalty))
    student = Ridge(SPECTRUM, W0, real + synthetic, penalty, noise=0.4, shrink=shrink)
    error = [1, 0.25, 4, 0.01, 1]
    run = ridge.simulate_mixed(student, synthetic, error=error, replicates=RUNS, rng=15)
    spread = np.hypot(run.total.std(), a.std()) / np.sqrt(RUNS)
    assert abs(run.total.mean() - a.mean()) < 4 * spread


@pytest.mark.parametrize("d,real,synthetic", [(3, 4, 3), (10, 12, 8), (1, 2, 5)])
def test_mixed_least_squares_has_the_exact_toll(d, real, synthetic):
    error = np.arange(1.0, d + 1)
    student = Ridge(1 / error, 0 * error, real + synthetic)
    run = ridge.simulate_mixed(student, synthetic, error=error, replicates=40_000, rng=1)
    exact = fresh_real_contraction(d, synthetic, real) * d
    assert abs(run.toll.mean() - exact) < 4 * run.toll.std() / 200
    assert run.toll.std() / 200 < 0.02 * exact


def test_mixed_equivalent_against_designs():
    d = 150
    spectrum = np.arange(1.0, d + 1) ** -1.0
    error = 0.1 / spectrum
    for penalty in (1e-3, 0.05):
        student = Ridge(spectrum, np.ones(d), 300, penalty)
        run = ridge.simulate_mixed(student, 120, error=error, replicates=60, rng=2)
        assert abs(run.toll.mean() / mixed_toll(student, 120, error=error) - 1) < 0.02
        risk = ridge_risk(student)
        assert abs(run.bias.mean() / risk.bias - 1) < 0.03
        assert abs(run.variance.mean() / risk.variance - 1) < 0.03


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: ridge.bartlett_factor(0, 1, 1), "T must be"),
        (
            lambda: ridge.simulate_ridge(Ridge([1, 1], [1, 1], 3), Teacher(2, 1)),
            "the teacher's rows must be a whole number, at least 2, got 1",
        ),
        (lambda: ridge.simulate_ridge(ONE, Teacher(2, 4.5)), "rows must be a whole number"),
        (lambda: ridge.simulate_ridge(ONE, Teacher(0.5, 9)), "generations must be a whole"),
        (lambda: ridge.simulate_ridge(Ridge([1], [1], 3.5)), "rows must be a whole number"),
        (lambda: ridge.simulate_ridge(Ridge([1], [1], [3, 4])), "rows must be a whole number"),
        (lambda: ridge.simulate_ridge(replace(ONE, multiplicities=[2])), "multiplicities must be"),
        (lambda: ridge.simulate_terms(ONE, Teacher(2, 2)), "rows must be above d"),
        (lambda: ridge.simulate_ridge(ONE, rng=1.5), "rng must be"),
        (lambda: ridge.simulate_ridge(ONE, replicates=0), "replicates must be"),
        (
            lambda: ridge.simulate_ridge_loop(Ridge([1], [1], 3, [0.1, 1]), 2),
            "penalty must be a finite",
        ),
        (
            lambda: ridge.simulate_mixed(Ridge([1, 1], [1, 1], 1, 1), 0, error=[1, 1]),
            "synthetic must be",
        ),
        (lambda: ridge.simulate_mixed(ONE, 3, error=[1]), "synthetic must be .* at most 2"),
        (
            lambda: ridge.simulate_mixed(Ridge([1] * 3, [1] * 3, 2), 1, error=[1] * 3),
            "penalty must be above 0",
        ),
        (lambda: ridge.simulate_mixed(ONE, 1, error=[1, 2]), "error must have"),
        (lambda: ridge.simulate_mixed(ONE, 1, error=[-1]), "error must be"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
