"""Real and synthetic rows in one fit: simulator against designs drawn row by row, and theory.

Power: 4000 runs put the mean total within 2 % (one standard error); a toll that forgets the
real rows, or counts them twice, is off by a third or more.
"""

import numpy as np
import pytest

from collapse_lib.regression import fresh_real_contraction
from collapse_lib.ridge import mixed_rows
from collapse_lib.ridge.spectrum import ridge_risk

D, RUNS = 5, 4000
SPECTRUM = 1 / np.arange(1.0, D + 1)
W0 = np.array([1.0, -0.5, 2.0, 0.3, -1.0])


def rows(T, rng):
    return rng.standard_normal((RUNS, T, D)) * np.sqrt(SPECTRUM)


def labels(x, w, sigma, rng):
    return np.einsum("rti,ri->rt", x, w) + sigma * rng.standard_normal(x.shape[:2])


def fitted(x, y, penalty):
    gram = x.transpose(0, 2, 1) @ x + penalty * x.shape[1] * np.eye(D)
    return np.linalg.solve(gram, np.einsum("rti,rt->ri", x, y)[..., None])[..., 0]


def excess(w):
    return (w - W0) ** 2 @ SPECTRUM


@pytest.mark.parametrize("real,synthetic,penalty", [(8, 6, 0.1), (2, 7, 0.05), (4, 4, 0.0)])
def test_mixed_fit_against_the_definition(real, synthetic, penalty):
    rng = np.random.default_rng(14)
    delta = rng.standard_normal((RUNS, D)) * [1, 0.5, 2, 0.1, 1]
    x1, x2 = rows(real, rng), rows(synthetic, rng)
    w = np.broadcast_to(W0, (RUNS, D))
    y = np.concatenate([labels(x1, w, 0.4, rng), labels(x2, w + delta, 0.4, rng)], axis=1)
    a = excess(fitted(np.concatenate([x1, x2], axis=1), y, penalty))
    run = mixed_rows.simulate(
        SPECTRUM, W0, real, synthetic, penalty, error=[1, 0.25, 4, 0.01, 1], sigma=0.4,
        replicates=RUNS, rng=15,
    )  # fmt: skip
    spread = np.hypot(run.total.std(), a.std()) / np.sqrt(RUNS)
    assert abs(run.total.mean() - a.mean()) < 4 * spread


@pytest.mark.parametrize("d,real,synthetic", [(3, 4, 3), (10, 12, 8), (1, 2, 5)])
def test_least_squares_has_the_exact_toll(d, real, synthetic):
    spectrum, error = 1 / np.arange(1.0, d + 1), np.arange(1.0, d + 1)
    run = mixed_rows.simulate(
        spectrum, 0 * error, real, synthetic, 0, error=error, replicates=40_000, rng=1
    )
    exact = fresh_real_contraction(d, synthetic, real) * d
    assert abs(run.toll.mean() - exact) < 4 * run.toll.std() / 200
    assert run.toll.std() / 200 < 0.02 * exact


def test_equivalent_tends_to_the_exact_toll():
    d = 400
    equivalent = mixed_rows.toll(np.ones(d), 500, 900, 0, error=np.full(d, 1 / d))
    assert abs(equivalent / fresh_real_contraction(d, 900, 500) - 1) < 2e-3


def test_equivalent_against_designs():
    d = 150
    spectrum = np.arange(1.0, d + 1) ** -1.0
    error = 0.1 / spectrum
    for penalty in (1e-3, 0.05):
        run = mixed_rows.simulate(
            spectrum, np.ones(d), 180, 120, penalty, error=error, replicates=60, rng=2
        )
        theory = mixed_rows.toll(spectrum, 180, 120, penalty, error=error)
        assert abs(run.toll.mean() / theory - 1) < 0.02
        risk = ridge_risk(spectrum, np.ones(d), 300, penalty)
        assert abs(run.bias.mean() / risk.bias - 1) < 0.03
        assert abs(run.variance.mean() / risk.variance - 1) < 0.03


def test_without_real_rows_it_is_the_toll_of_the_generators():
    d = 20
    spectrum = np.arange(1.0, d + 1) ** -1.0
    error = 3 * 0.25 / (50 - d - 1) / spectrum
    mixed = mixed_rows.toll(spectrum, 0, 80, 0.02, error=error)
    risk = ridge_risk(spectrum, np.ones(d), 80, 0.02, n=3, T0=50, sigma0=0.5)
    assert np.isclose(mixed, risk.toll, rtol=1e-12)


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: mixed_rows.simulate([1, 1], [1, 1], 1, 0, 1, error=[1, 1]), "synthetic must be"),
        (lambda: mixed_rows.simulate([1] * 3, [1] * 3, 1, 1, 0, error=[1] * 3), "penalty must be"),
        (lambda: mixed_rows.simulate([1], [1], 1, 1, 1, error=[1, 2]), "error must have"),
        (lambda: mixed_rows.simulate([1], [1], 1, 1, 1, error=[-1]), "error must be"),
        (lambda: mixed_rows.toll([1], 1, 1, -1, error=[1]), "penalty"),
        (lambda: mixed_rows.toll([1, 1], 1, 1, 0, error=[1, 1]), "infinite"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_theory_begins_where_the_rows_exceed_the_degrees_of_freedom():
    """Without a penalty they are d = 5: six rows have a toll, five have none to speak of."""
    given = {"penalty": 0, "error": np.ones(D)}
    assert np.isfinite(mixed_rows.toll(SPECTRUM, 2, 4, **given))
    with pytest.raises(ValueError, match="rows"):
        mixed_rows.toll(SPECTRUM, 2, 3, **given)
