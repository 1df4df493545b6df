"""Power laws against sums term by term, exponents against the least of the risk, R12 against ridge.

Power: the blocks are compared with a million terms at 1e-7. Exponents at T = 10⁸ are compared
at 0.01, where a wrong formula (ℓ_crit for ℓ*, or r for min(r, 1)) is off by 0.1 or more.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from collapse_lib import regression, ridge
from collapse_lib.ridge import Ridge, Teacher, scaling
from collapse_lib.ridge.scaling import PowerLaw
from collapse_lib.ridge.spectrum import ridge_risk
from tests.properties import least_values, squared_unit, unitless

SIZES = np.array([1e5, 1e6, 1e7, 1e8])


def slope(values):
    return np.polyfit(np.log(SIZES), np.log(values), 1)[0]


@pytest.mark.parametrize("beta,r", [(2.0, 0.375), (1.3, 0.22), (1.5, 1.4)])
def test_blocks_are_sums_term_by_term(beta, r):
    d = 10**6
    law, k = PowerLaw(beta, r, d), np.arange(1.0, d + 1)
    teacher = Teacher(2, 3 * d)
    blocks = ridge_risk(law.student(10**5, 1e-5), teacher)
    truth = k ** (-(1 + beta * (2 * r - 1)) / 2)
    terms = ridge_risk(Ridge(k**-beta, truth, 10**5, 1e-5), teacher)
    for name in ("bias", "variance", "toll", "kappa", "df1", "df2"):
        assert np.isclose(getattr(blocks, name), getattr(terms, name), rtol=1e-7)


def test_a_sum_without_end_is_the_limit_of_long_ones():
    long, endless = PowerLaw(1.5, 0.5, 10**12), PowerLaw(1.5, 0.5)
    a, b = (ridge_risk(law.student(10**6, 1e-4)) for law in (long, endless))
    assert np.isclose(a.total, b.total, rtol=1e-6)


def test_short_spectra_are_exact():
    assert np.array_equal(PowerLaw(2, 0.375, 300).spectrum, np.arange(1.0, 301) ** -2)
    assert np.allclose(PowerLaw(2, 0.5, 7).truth ** 2, np.arange(1.0, 8) ** -1, rtol=1e-15)
    assert PowerLaw(2, 0.375, 10**8).multiplicities.sum() == pytest.approx(10**8, rel=1e-12)


@pytest.mark.parametrize("beta,r,ell", [(2.0, 0.375, 0.8), (2.0, 0.6, 0.5), (1.8, 1.5, 0.4)])
def test_rates(beta, r, ell):
    found = []
    for T in SIZES:
        student = PowerLaw(beta, r, int(T**0.9 / 2)).student(T, T**-ell)
        risk = ridge_risk(student, Teacher(T**0.1, T**0.9))
        found.append([risk.bias, risk.variance, risk.toll])
    theory = -2 * min(r, 1) * ell, ell / beta - 1, ell / beta - 1 + 0.1 + 1 - 0.9
    for values, rate in zip(np.transpose(found), theory, strict=True):
        assert abs(slope(values) - rate) < 0.01


@pytest.mark.parametrize("a,b", [(0.0, 1.0), (0.0, 0.7), (0.3, 1.0), (0.2, 0.9)])
def test_optimal_exponent(a, b):
    best = [
        scaling.best_penalty(PowerLaw(2, 0.375, int(T**b / 2)).student(T), Teacher(T**a, T**b))
        for T in SIZES
    ]
    penalties, risks = np.transpose(best)
    assert abs(-slope(penalties) - scaling.optimal_exponent(2, 0.375, a=a, b=b)) < 0.01
    assert abs(-slope(risks) - (b - a) * 0.6) < 0.01  # c = 2βr/(2βr + 1)


def test_much_generator_data_cannot_beat_real_labels():
    assert scaling.optimal_exponent(2, 0.375, a=-0.5, b=1) == pytest.approx(0.8)


@given(beta=st.floats(1.1, 4), r=st.floats(0.05, 3))
def test_bias_and_variance_fall_together_at_the_critical_exponent(beta, r):
    ell = scaling.optimal_exponent(beta, r)
    assert np.isclose(-2 * min(r, 1) * ell, ell / beta - 1)


def test_published_numbers():
    law = PowerLaw(2, 0.375, 300)
    for T, plain, fixed in [(1e3, 0.271, 0.225), (1e4, 0.529, 0.178), (1e6, 2.862, 0.173)]:
        for penalty, expected in [(T**-0.8, plain), (600**-0.8, fixed)]:
            risk = ridge_risk(law.student(T, penalty), Teacher(5, 600))
            assert risk.total == pytest.approx(expected, abs=6e-4)


@settings(max_examples=30, deadline=None)
@given(T=st.integers(600, 10**6), lam=st.floats(1e-8, 10), beta=st.floats(1.01, 5))
def test_toll_never_exceeds_its_plateau_with_twice_as_many_rows_as_dimensions(T, lam, beta):
    risk = ridge_risk(PowerLaw(beta, 0.5, 300).student(T, lam), Teacher(1, 600))
    assert risk.toll <= 300 / 299 * (1 + 1e-12)


def test_toll_can_exceed_its_plateau_with_fewer_rows():
    spectrum = np.append(np.ones(225), np.full(75, 1e-9))
    risk = ridge_risk(Ridge(spectrum, np.ones(300), 300, 1e-5), Teacher(1, 600))
    assert risk.toll > 1.4 * 300 / 299


def test_best_penalty_is_a_minimum():
    student = Ridge(np.arange(1.0, 101) ** -1.5, np.ones(100), 400, noise=0.5)
    teacher = Teacher(3, 200)
    lam, least = scaling.best_penalty(student, teacher)
    around = ridge_risk(replace(student, penalty=lam * np.geomspace(0.5, 2, 21)), teacher).total
    assert around.min() == pytest.approx(least, rel=1e-9) and around.argmin() == 10


def test_best_penalty_may_lie_at_an_end_of_its_bounds():
    student = Ridge(np.arange(1.0, 101) ** -1.5, np.ones(100), 400)
    free, least = scaling.best_penalty(student)
    for bounds, end in (((2 * free, 9 * free), 2 * free), ((free / 9, free / 2), free / 2)):
        lam, risk = scaling.best_penalty(student, bounds=bounds)
        assert lam == pytest.approx(end, rel=1e-6) and risk > least


def test_units_and_sizes_that_need_not_be_given():
    white = Ridge(np.ones(5), np.full(5, 5**-0.5), 10)
    teacher = Teacher(3, 7.5)  # its rows need not be whole, only above d + 1 = 6
    plain = scaling.best_shrunk_ridge(white, teacher)
    full = scaling.best_shrunk_ridge(replace(white, noise=1.0), replace(teacher, noise=1.0))
    assert (plain.penalty, plain.shrink) == (full.penalty, full.shrink)
    for a in (0.0, 0.3):
        expected = scaling.optimal_exponent(2, 0.375, a=a, b=1.0)
        assert scaling.optimal_exponent(2, 0.375, a=a) == expected
    assert np.isfinite(scaling.best_shrunk_ridge(white, Teacher(1, 6.5)).penalty)


@pytest.mark.parametrize("T", [80, 300])
def test_shrunk_ridge_against_simulation(T):
    d = 150
    spectrum, w0 = np.arange(1.0, d + 1) ** -1.0, np.ones(d)
    student, teacher = Ridge(spectrum, w0, T, 0.01, shrink=0.6), Teacher(2, 400)
    terms = ridge.simulate_terms(student, teacher, replicates=500, rng=1)
    assert abs(terms.total.mean() / ridge_risk(student, teacher).total - 1) < 0.02


def test_best_shrunk_ridge_is_the_best_of_all():
    white = Ridge(np.ones(300), np.full(300, 300**-0.5), 1000, noise=0.2)
    teacher = Teacher(25, 600, noise=0.2)
    best = scaling.best_shrunk_ridge(white, teacher)
    least = ridge_risk(best, teacher).total
    for shrink in best.shrink * np.linspace(0.8, 1.2, 9):
        penalties = best.penalty * np.geomspace(0.2, 5, 9)
        others = ridge_risk(replace(white, penalty=penalties, shrink=shrink), teacher).total
        assert (least <= others * (1 + 1e-12)).all()
    plain = scaling.best_penalty(white, teacher)
    assert least == pytest.approx(0.505, abs=5e-4) and plain[1] == pytest.approx(0.545, abs=5e-4)
    assert scaling.best_penalty(best, teacher)[0] == pytest.approx(best.penalty)


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: PowerLaw(1, 0.5), "beta must be above 1"),
        (lambda: PowerLaw(2, 0), "r must be"),
        (lambda: PowerLaw(2, 1, 0), "d must be"),
        (lambda: scaling.optimal_exponent(-1, 1), "beta"),
        (lambda: scaling.optimal_exponent(1, 0), "r must be"),
        (lambda: scaling.optimal_exponent(2, 1, a=1, b=0.5), "b must be above a"),
        (lambda: scaling.optimal_exponent(2, 1, b=1.5), "at most 1"),
        (lambda: scaling.optimal_exponent(2, 1, a=0.5, b=0.5), "b must be above a"),
        (lambda: scaling.best_penalty(Ridge([1], [1], 5), bounds=(0, 1)), "bounds"),
        (lambda: scaling.best_penalty(Ridge([1], [1], [5, 6])), "rows must be"),
        (lambda: scaling.best_penalty(Ridge([1], [1], 5), Teacher([1, 2], 9)), "generations must"),
        (
            lambda: scaling.best_shrunk_ridge(Ridge(np.ones(5), np.ones(5), 10), Teacher(1, 6)),
            "rows must be above",
        ),
        (
            lambda: scaling.best_shrunk_ridge(Ridge([1, 2], [1, 1], 10), Teacher(1, 6)),
            "spectrum must be 1",
        ),
        (
            lambda: scaling.best_shrunk_ridge(Ridge([1, 1], [0, 0], 10), Teacher(1, 6)),
            "truth",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


CASES = [
    {"d": 40, "rows": 100, "generations": 8, "teacher_rows": 90, "noise": 0.4},
    {"d": 20, "rows": 15, "generations": 2, "teacher_rows": 30, "noise": 0.7, "signal": 4.0},
    {"d": 30, "rows": 400, "generations": 5, "teacher_rows": 60, "teacher_noise": 0.3},
]


def fit(case, penalty, shrink=1.0):
    """The student with these settings, and its teacher."""
    d, noise = case["d"], case.get("noise", 1.0)
    even = np.full(d, math.sqrt(case.get("signal", 1.0) / d))
    student = Ridge(np.ones(d), even, case["rows"], penalty, noise=noise, shrink=shrink)
    teacher_noise = case.get("teacher_noise", noise)
    return student, Teacher(case["generations"], case["teacher_rows"], noise=teacher_noise)


@pytest.mark.parametrize("case", CASES)
def test_ridge_and_shrink_are_where_the_risk_is_least(case):
    def risk(x):
        return ridge.ridge_risk(*fit(case, math.exp(x[0]), x[1])).total

    best = ridge.label_settings(**case)
    tight = {"xatol": 1e-7, "fatol": 1e-13, "maxiter": 4000}
    found = optimize.minimize(risk, [-2.0, 0.7], method="Nelder-Mead", options=tight)
    assert math.exp(found.x[0]) == pytest.approx(best.penalty, rel=1e-4)
    assert found.x[1] == pytest.approx(best.shrink, rel=1e-4)
    assert found.fun == pytest.approx(best.risk, rel=1e-9)
    alone = optimize.minimize_scalar(lambda x: risk([x, 1.0]), bounds=(-7, 7), method="bounded")
    assert alone.fun == pytest.approx(best.ridge_risk, rel=1e-6)
    assert risk([math.log(best.ridge_penalty), 1.0]) == pytest.approx(best.ridge_risk, rel=1e-9)
    assert best.risk < best.ridge_risk < best.clean_risk and best.real_risk < best.risk


# 1500 runs: standard errors of at most 0.5 % of the risks; the pairs of settings see the same data.
@pytest.mark.parametrize("case", CASES[:2])
def test_the_risks_are_those_of_fits(case):
    best = ridge.label_settings(**case)

    def drawn(penalty, shrink=1.0):
        return ridge.simulate_terms(*fit(case, penalty, shrink), replicates=1500, rng=4).total

    both = drawn(best.penalty, best.shrink)
    for other in (
        drawn(1.5 * best.penalty, best.shrink),
        drawn(best.penalty / 1.5, best.shrink),
        drawn(best.penalty, best.shrink * 1.05),
        drawn(best.penalty, best.shrink / 1.05),
        drawn(best.ridge_penalty),
    ):
        assert (other - both).mean() > 4 * (other - both).std() / math.sqrt(1500)
    # the equivalents are off by a few tenths of a percent at these sizes
    for samples, expected in (
        (both, best.risk),
        (drawn(best.ridge_penalty), best.ridge_risk),
        (drawn(best.clean_penalty), best.clean_risk),
    ):
        assert samples.mean() == pytest.approx(expected, rel=0.03)


def test_real_labels_need_no_shrink():
    best = ridge.label_settings(50, 200, generations=0, teacher_rows=60, noise=0.5)
    assert best.shrink == 1
    assert best.penalty == best.ridge_penalty == best.clean_penalty == 0.25 * 50 / 200
    assert best.risk == best.ridge_risk == best.clean_risk == best.real_risk


def test_perfect_generators_are_as_good_as_the_truth():
    best = ridge.label_settings(50, 200, generations=9, teacher_rows=60, noise=0.5, teacher_noise=0)
    assert best.shrink == 1 and best.risk == best.real_risk


def test_the_best_penalty_for_a_weak_signal_is_large():
    case = {"d": 3, "rows": 9, "generations": 2, "teacher_rows": 9, "signal": 1e-4}
    best = ridge.label_settings(**case)
    for factor in (0.5, 2):
        other = ridge.ridge_risk(*fit(case, factor * best.ridge_penalty)).total
        assert other > best.ridge_risk * (1 + 1e-7)


def test_the_signal_is_that_of_the_risks_of_regression():
    """Where nothing is learnt of the truth, its signal ‖w₀‖² = 4 is the risk."""
    useless = ridge.label_settings(20, 5, generations=0, teacher_rows=30, noise=1e5, signal=4.0)
    forgotten = regression.replace_risk(20, 5, 100, noise=0, signal=4.0)
    assert useless.real_risk == pytest.approx(4.0) == forgotten


@pytest.mark.parametrize(
    ("argument", "value"),
    [("d", 0), ("rows", 0), ("generations", -1), ("teacher_rows", 6), ("noise", 0),
     ("teacher_noise", -1), ("signal", 0)],
)  # fmt: skip
def test_bad_settings_are_named(argument, value):
    sound = {"d": 5, "rows": 9, "generations": 1, "teacher_rows": 9}
    with pytest.raises(ValueError, match=f"^{argument} must"):
        ridge.label_settings(**sound | {argument: value})


@pytest.mark.parametrize("check", least_values(
    (ridge.label_settings, {"d": 3, "rows": 9, "generations": 2, "teacher_rows": 9},
     {"d": 1, "rows": 1, "generations": 0, "teacher_rows": 5, "teacher_noise": 0}),
    (PowerLaw, {"beta": 2, "r": 1}, {"d": 1}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


def settings_of_labels(**given):
    return ridge.label_settings(3, 9, generations=2, teacher_rows=9, **given)


def risk_of_labels(**given):
    return settings_of_labels(**given).risk


@pytest.mark.parametrize("check", squared_unit(
    (risk_of_labels, {}, {"noise": 0.7, "teacher_noise": 1.1}, {"signal": 1.3}),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()


def penalty_of_labels(norm, **given):
    return settings_of_labels(signal=norm**2, **given).ridge_penalty


def best_penalty_and_shrink(truth, noise, teacher_noise):
    student = Ridge(np.ones(3), truth, 9, noise=noise)
    best = ridge.best_shrunk_ridge(student, Teacher(2, 8, teacher_noise))
    return best.penalty, best.shrink


@pytest.mark.parametrize("check", unitless(
    (penalty_of_labels, {}, {"noise": 0.7, "teacher_noise": 1.1, "norm": 1.3}),
    (best_penalty_and_shrink, {},
     {"truth": [1.0, 2.0, 3.0], "noise": 0.7, "teacher_noise": 1.1}),
))  # fmt: skip
def test_a_share_has_no_unit(check):
    check()
