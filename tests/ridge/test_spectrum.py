"""The deterministic equivalents: their equation, exact special cases, and real ridge fits.

Power: 400 fits at d = 40 give each term a standard error below 1 % of itself; the equivalents
are right to O(1/T), here about 1 %. A wrong power of κ or a missing 1 + u is off by 10 % or more.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collapse_lib.regression import fresh_real_contraction
from collapse_lib.ridge.spectrum import (
    Ridge,
    Teacher,
    kappa,
    mixed_toll,
    ridge_loop_risk,
    ridge_risk,
)
from tests.properties import least_values, squared_unit

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


def degrees_of_freedom(spectrum, kappa, m=1):
    return sum((spectrum / (spectrum + kappa)) ** m)


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
    long, truth = np.repeat(spectrum, counts), np.array([1.0, 0.0, 2.0])
    teacher = Teacher(1, 20)
    risk = ridge_risk(Ridge(spectrum, truth, 9, 0.2, multiplicities=counts), teacher)
    each = ridge_risk(Ridge(long, np.repeat(truth, counts), 9, 0.2), teacher)
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
    few = Ridge([1.0, 0.1], [1, 2], 7, 0.01, shrink=0.9, multiplicities=[1, 3])
    many = Ridge([1.0, 0.1, 0.1, 0.1], [1, 2, 2, 2], 7, 0.01, shrink=0.9)
    assert few.dimension == many.dimension == 4
    a, b = (ridge_risk(student, Teacher(2, 30)) for student in (few, many))
    assert np.isclose(a.kappa, kappa(many.spectrum, 0.01, 7), rtol=1e-14)
    assert np.isclose(a.bias, b.bias) and np.isclose(a.toll, b.toll)
    assert np.allclose(ridge_loop_risk(few, 3), ridge_loop_risk(many, 3))
    one, each = (mixed_toll(student, 3, error=student.truth) for student in (few, many))
    assert np.isclose(one, each)


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
    risk = ridge_risk(Ridge(SPECTRUM, W0, rows, penalty), Teacher(1, generators))
    theory = np.array([risk.bias, risk.variance, risk.toll])
    error = 4 * found.std(axis=0) / np.sqrt(runs) + 1.5 / min(rows, D) * theory
    assert (abs(found.mean(axis=0) - theory) < error).all()


def test_checked_number_of_the_source():
    student = Ridge(np.ones(300), np.full(300, 300**-0.5), 1000, 1e-3, noise=0.2)
    risk = ridge_risk(student, Teacher(generations=5, rows=600, noise=0.2))
    assert abs(risk.total - 0.21717) < 1e-5


def test_without_penalty_it_is_ordinary_least_squares():
    risk = ridge_risk(Ridge(SPECTRUM, W0, 100), Teacher([0, 1, 7], 90))
    assert risk.bias.shape == (3,) and not risk.bias.any()
    assert np.allclose(risk.variance, D / (100 - D))
    assert np.allclose(risk.toll, np.array([0, 1, 7]) * D / (90 - D - 1))


def test_arguments_broadcast():
    many = Ridge(SPECTRUM, W0, [[100], [200]], [0.1, 0.2, 0.3])
    risk = ridge_risk(many, Teacher(1, 50))
    one = ridge_risk(Ridge(SPECTRUM, W0, 200, 0.3), Teacher(1, 50))
    assert risk.total.shape == (2, 3)
    assert risk.total[1, 2] == one.total


def test_loop_of_one_generation_is_one_fit():
    for rows, penalty in [(100, 0.01), (20, 0.0)]:
        for shrink in (1.0, 0.6):
            student = Ridge(SPECTRUM, W0, rows, penalty, noise=0.3, shrink=shrink)
            one = ridge_risk(student).total
            assert np.isclose(ridge_loop_risk(student, 1)[1], one, rtol=1e-12)


def test_loop_of_white_interpolants_saturates():
    d, T = 300, 150
    risk = ridge_loop_risk(Ridge(np.ones(d), np.full(d, d**-0.5), T, noise=0.1), 10)
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
    theory = ridge_loop_risk(Ridge(SPECTRUM, W0, rows, penalty, noise=0.5), generations)
    error = 4 * found.std(axis=0) / np.sqrt(runs) + 0.02 * theory
    assert (abs(found.mean(axis=0) - theory) <= error).all()


def test_a_shrunk_fit_against_the_definition():
    rng, rows, shrink, runs = np.random.default_rng(3), 60, 0.6, 400
    found = np.zeros(runs)
    for run in range(runs):
        x = rng.standard_normal((rows, D)) * np.sqrt(SPECTRUM)
        found[run] = excess(shrink * ridge(x, x @ W0 + 0.5 * rng.standard_normal(rows), 0.02))
    risk = ridge_risk(Ridge(SPECTRUM, W0, rows, 0.02, noise=0.5, shrink=shrink))
    assert abs(found.mean() / risk.total - 1) < 0.02
    full = ridge_risk(Ridge(SPECTRUM, W0, rows, 0.02, noise=0.5))
    assert np.isclose(risk.variance, shrink**2 * full.variance, rtol=1e-12)
    nothing = ridge_risk(Ridge(SPECTRUM, W0, rows, 0.02, shrink=0.0), Teacher(3, 90))
    assert np.isclose(nothing.total, excess(0), rtol=1e-12)


def test_mixed_toll_tends_to_the_exact_one():
    d = 400
    equivalent = mixed_toll(Ridge(np.ones(d), np.ones(d), 1400), 900, error=np.full(d, 1 / d))
    assert abs(equivalent / fresh_real_contraction(d, 900, 500) - 1) < 2e-3


def test_without_real_rows_the_mixed_toll_is_that_of_the_teacher():
    d = 20
    spectrum = np.arange(1.0, d + 1) ** -1.0
    error = 3 * 0.25 / (50 - d - 1) / spectrum
    for shrink in (1.0, 0.7):
        student = Ridge(spectrum, np.ones(d), 80, 0.02, shrink=shrink)
        risk = ridge_risk(student, Teacher(3, 50, noise=0.5))
        assert np.isclose(mixed_toll(student, 80, error=error), risk.toll, rtol=1e-12)


def test_mixed_toll_begins_where_the_rows_exceed_the_degrees_of_freedom():
    """Without a penalty they are d = 40: one row more has a toll, as many have none."""
    assert np.isfinite(mixed_toll(Ridge(SPECTRUM, W0, D + 1), 4, error=np.ones(D)))
    with pytest.raises(ValueError, match="rows"):
        mixed_toll(Ridge(SPECTRUM, W0, D), 3, error=np.ones(D))


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: kappa([], 1, 1), "spectrum must be"),
        (lambda: kappa([1, 0], 1, 1), "spectrum must be above 0"),
        (lambda: kappa([1, np.nan], 1, 1), "spectrum"),
        (lambda: kappa("abc", 1, 1), "spectrum"),
        (lambda: kappa([1], -1, 1), "penalty"),
        (lambda: kappa([1], 1, 0), "rows must be"),
        (lambda: Ridge([], [], 1), "spectrum must be"),
        (lambda: Ridge([1, 0], [1, 1], 5), "spectrum must be above 0"),
        (lambda: Ridge([1], [1, 1], 5), "truth must have the shape"),
        (lambda: Ridge([1], [np.inf], 5), "truth must be finite"),
        (lambda: Ridge([1], [1], 0), "rows must be"),
        (lambda: Ridge([1], [1], [5, -5]), "rows must be .* got -5.0"),
        (lambda: Ridge([1], [1], 5, -1), "penalty must be .* at least 0, got -1"),
        (lambda: Ridge([1], [1], 5, noise=-1), "noise must be"),
        (lambda: Ridge([1], [1], 5, shrink=np.inf), "shrink must be"),
        (lambda: Ridge([1], [1], 5, multiplicities=[1, 1]), "multiplicities must have the shape"),
        (lambda: Ridge([1], [1], 5, multiplicities=[-1]), "multiplicities must be at least 0"),
        (lambda: Teacher(-1, 9), "generations must be"),
        (lambda: Teacher([0, -1], 9), "generations must be"),
        (lambda: Teacher(1, 0), "rows must be"),
        (lambda: Teacher(1, 9, noise=-1), "noise must be"),
        (lambda: Teacher(1, 9, design="new"), "design must be one of"),
        (lambda: ridge_risk(Ridge([1], [1], 5), Teacher(1, 2)), "rows must be above d"),
        (lambda: ridge_risk(Ridge([1, 1], [1, 1], 2)), "infinite"),
        (lambda: ridge_loop_risk(Ridge([1, 1], [1, 1], 2), 1), "infinite"),
        (lambda: ridge_loop_risk(Ridge([1], [1], 2), -1), "generations"),
        (lambda: ridge_loop_risk(Ridge([1], [1], 2, [0.1, 1]), 2), "penalty must be a finite"),
        (lambda: ridge_loop_risk(Ridge([1], [1], [2, 3]), 2), "rows must be a finite"),
        (lambda: mixed_toll(Ridge([1, 1], [1, 1], 2), 1, error=[1, 1]), "infinite"),
        (lambda: mixed_toll(Ridge([1], [1], 2), 3, error=[1]), "synthetic must be .* at most 2"),
        (lambda: mixed_toll(Ridge([1], [1], 2, [1, 2]), 1, error=[1]), "penalty must be a finite"),
        (lambda: mixed_toll(Ridge([1], [1], 2, 1), 1, error=[1, 2]), "error must have the shape"),
        (lambda: mixed_toll(Ridge([1], [1], 2, 1), 1, error=[-1]), "error must be at least 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def error_in_three_dimensions(rows):
    return Teacher(2, rows).error(3)


@pytest.mark.parametrize("check", least_values(
    (kappa, {"spectrum": [0.5, 0.5], "rows": 5, "penalty": 1}, {"penalty": 0}),
    (Ridge, {"spectrum": [0.5, 0.5], "truth": [0.5, 0.5], "rows": 5}, {"penalty": 0, "noise": 0}),
    (Teacher, {"rows": 9}, {"generations": 0}),
    (Teacher, {"generations": 1, "rows": 9}, {"noise": 0}),
    (error_in_three_dimensions, {}, {"rows": 5}),
    (ridge_loop_risk, {"student": Ridge([0.5, 0.5], [0.5, 0.5], 5, 1)}, {"generations": 0}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


def risk_after_two(truth, noise, teacher_noise, shrink=1.0):
    student = Ridge([1.0, 0.5, 0.25], truth, 9, 0.3, noise=noise, shrink=shrink)
    return ridge_risk(student, Teacher(2, 8, teacher_noise)).total


def risk_of_the_loop(truth, noise):
    return ridge_loop_risk(Ridge([1.0, 0.5, 0.25], truth, 9, 0.3, noise=noise), 4)


@pytest.mark.parametrize("check", squared_unit(
    *(
        (risk_after_two, more, {"truth": [1.0, 2.0, 3.0], "noise": 0.7, "teacher_noise": 1.1}, {})
        for more in ({}, {"shrink": 0.8})
    ),
    (risk_of_the_loop, {}, {"truth": [1.0, 2.0, 3.0], "noise": 0.7}, {}),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
