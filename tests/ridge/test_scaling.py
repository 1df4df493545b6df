"""Power laws against sums term by term, exponents against the least of the risk, R12 against ridge.

Power: the blocks are compared with a million terms at 1e-7. Exponents at T = 10⁸ are compared
at 0.01, where a wrong formula (ℓ_crit for ℓ*, or r for min(r, 1)) is off by 0.1 or more.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from collapse_lib import regression, ridge
from collapse_lib.ridge import scaling
from collapse_lib.ridge.scaling import PowerLaw
from collapse_lib.ridge.spectrum import ridge_risk

SIZES = np.array([1e5, 1e6, 1e7, 1e8])


def slope(values):
    return np.polyfit(np.log(SIZES), np.log(values), 1)[0]


@pytest.mark.parametrize("beta,r", [(2.0, 0.375), (1.3, 0.22), (1.5, 1.4)])
def test_blocks_are_sums_term_by_term(beta, r):
    d = 10**6
    law, k = PowerLaw(beta, r, d), np.arange(1.0, d + 1)
    blocks = law.risk(10**5, 1e-5, n=2, T0=3 * d)
    terms = ridge_risk(k**-beta, k ** -(1 + beta * (2 * r - 1)), 10**5, 1e-5, n=2, T0=3 * d)
    for name in ("bias", "variance", "toll", "kappa", "df1", "df2"):
        assert np.isclose(getattr(blocks, name), getattr(terms, name), rtol=1e-7)


def test_a_sum_without_end_is_the_limit_of_long_ones():
    long, endless = PowerLaw(1.5, 0.5, 10**12), PowerLaw(1.5, 0.5)
    a, b = long.risk(10**6, 1e-4), endless.risk(10**6, 1e-4)
    assert np.isclose(a.total, b.total, rtol=1e-6)


def test_short_spectra_are_exact():
    assert np.array_equal(PowerLaw(2, 0.375, 300).spectrum, np.arange(1.0, 301) ** -2)
    assert np.array_equal(PowerLaw(2, 0.5, 7).w0_squared, np.arange(1.0, 8) ** -1)
    assert PowerLaw(2, 0.375, 10**8).counts.sum() == pytest.approx(10**8, rel=1e-12)


@pytest.mark.parametrize("beta,r,ell", [(2.0, 0.375, 0.8), (2.0, 0.6, 0.5), (1.8, 1.5, 0.4)])
def test_rates(beta, r, ell):
    found = []
    for T in SIZES:
        risk = PowerLaw(beta, r, int(T**0.9 / 2)).risk(T, T**-ell, n=T**0.1, T0=T**0.9)
        found.append([risk.bias, risk.variance, risk.toll])
    theory = scaling.rates(beta, r, ell, a=0.1, b=0.9)
    for values, rate in zip(np.transpose(found), theory, strict=True):
        assert abs(slope(values) - rate) < 0.01


@pytest.mark.parametrize("a,b", [(0.0, 1.0), (0.0, 0.7), (0.3, 1.0), (0.2, 0.9)])
def test_optimal_exponent(a, b):
    best = [PowerLaw(2, 0.375, int(T**b / 2)).best_penalty(T, n=T**a, T0=T**b) for T in SIZES]
    penalties, risks = np.transpose(best)
    assert abs(-slope(penalties) - scaling.optimal_exponent(2, 0.375, a=a, b=b)) < 0.01
    assert abs(-slope(risks) - (b - a) * scaling.clean_rate(2, 0.375)) < 0.01


def test_much_generator_data_cannot_beat_real_labels():
    assert scaling.optimal_exponent(2, 0.375, a=-0.5, b=1) == pytest.approx(0.8)


@given(beta=st.floats(1.1, 4), r=st.floats(0.05, 3))
def test_bias_and_variance_fall_together_at_the_critical_exponent(beta, r):
    ell = scaling.critical_exponent(beta, r)
    bias, variance, toll = scaling.rates(beta, r, ell)
    assert np.isclose(bias, variance) and np.isclose(-bias, scaling.clean_rate(beta, r))
    assert np.isclose(toll, variance)


def test_published_numbers():
    law = PowerLaw(2, 0.375, 300)
    for T, plain, fixed in [(1e3, 0.271, 0.225), (1e4, 0.529, 0.178), (1e6, 2.862, 0.173)]:
        assert law.risk(T, T**-0.8, n=5, T0=600).total == pytest.approx(plain, abs=6e-4)
        assert law.risk(T, 600**-0.8, n=5, T0=600).total == pytest.approx(fixed, abs=6e-4)


@settings(max_examples=30, deadline=None)
@given(T=st.integers(600, 10**6), lam=st.floats(1e-8, 10), beta=st.floats(1.01, 5))
def test_toll_never_exceeds_its_plateau_with_twice_as_many_rows_as_dimensions(T, lam, beta):
    risk = PowerLaw(beta, 0.5, 300).risk(T, lam, n=1, T0=600)
    assert risk.toll <= 300 / 299 * (1 + 1e-12)


def test_toll_can_exceed_its_plateau_with_fewer_rows():
    spectrum = np.append(np.ones(225), np.full(75, 1e-9))
    risk = ridge_risk(spectrum, np.ones(300), 300, 1e-5, n=1, T0=600)
    assert risk.toll > 1.4 * 300 / 299


def test_best_penalty_is_a_minimum():
    spectrum, w0 = np.arange(1.0, 101) ** -1.5, np.ones(100)
    given = {"n": 3, "T0": 200, "sigma": 0.5}
    lam, least = scaling.best_penalty(spectrum, w0, 400, **given)
    around = ridge_risk(spectrum, w0, 400, lam * np.geomspace(0.5, 2, 21), **given).total
    assert around.min() == pytest.approx(least, rel=1e-9) and around.argmin() == 10


def test_best_penalty_may_lie_at_an_end_of_its_bounds():
    spectrum, w0 = np.arange(1.0, 101) ** -1.5, np.ones(100)
    free, least = scaling.best_penalty(spectrum, w0, 400)
    for bounds, end in (((2 * free, 9 * free), 2 * free), ((free / 9, free / 2), free / 2)):
        lam, risk = scaling.best_penalty(spectrum, w0, 400, bounds=bounds)
        assert lam == pytest.approx(end, rel=1e-6) and risk > least


def test_without_shrinking_it_is_ridge_and_counts_repeat():
    spectrum, counts, w0 = np.array([1.0, 0.2]), np.array([3, 5]), np.array([2.0, 1.0])
    given = {"n": 2, "T0": 30, "counts": counts}
    plain = scaling.shrunk_ridge_risk(spectrum, w0, 20, 0.1, **given)
    assert plain == pytest.approx(ridge_risk(spectrum, w0, 20, 0.1, **given).total)
    each = scaling.shrunk_ridge_risk(
        np.repeat(spectrum, counts), np.repeat(w0, counts), 20, 0.1, n=2, T0=30, shrink=0.7
    )
    assert scaling.shrunk_ridge_risk(spectrum, w0, 20, 0.1, shrink=0.7, **given) == pytest.approx(
        each
    )


def test_units_and_sizes_that_need_not_be_given():
    one = {"sigma": 1.0, "sigma0": 1.0, "norm": 1.0}
    given = {"n": 3, "T0": 7.5}  # generator rows need not be whole, only above d + 1 = 6
    assert scaling.best_shrunk_ridge(5, 10, **given) == scaling.best_shrunk_ridge(
        5, 10, **given, **one
    )
    for a in (0.0, 0.3):
        expected = scaling.optimal_exponent(2, 0.375, a=a, b=1.0)
        assert scaling.optimal_exponent(2, 0.375, a=a) == expected
    assert np.isfinite(scaling.best_shrunk_ridge(5, 10, n=1, T0=6.5)).all()


@pytest.mark.parametrize("T", [80, 300])
def test_shrunk_ridge_against_simulation(T):
    d = 150
    spectrum, w0 = np.arange(1.0, d + 1) ** -1.0, np.ones(d)
    given = {"n": 2, "T0": 400, "shrink": 0.6}
    terms = ridge.simulate_terms(spectrum, w0, T, 0.01, replicates=500, rng=1, **given)
    theory = scaling.shrunk_ridge_risk(spectrum, w0**2, T, 0.01, **given)
    assert abs(terms.total.mean() / theory - 1) < 0.02


def test_best_shrunk_ridge_is_the_best_of_all():
    ones, w0 = np.ones(300), np.full(300, 1 / 300)
    given = {"n": 25, "T0": 600, "sigma": 0.2, "sigma0": 0.2}
    lam, shrink = scaling.best_shrunk_ridge(300, 1000, **given)

    def risk(penalty, s):
        return scaling.shrunk_ridge_risk(ones, w0, 1000, penalty, shrink=s, **given)

    least = risk(lam, shrink)
    for penalty in lam * np.geomspace(0.2, 5, 9):
        for s in shrink * np.linspace(0.8, 1.2, 9):
            assert least <= risk(penalty, s) * (1 + 1e-12)
    plain = scaling.best_penalty(ones, w0, 1000, **given)
    assert least == pytest.approx(0.505, abs=5e-4) and plain[1] == pytest.approx(0.545, abs=5e-4)
    assert scaling.best_penalty(ones, w0, 1000, shrink=shrink, **given)[0] == pytest.approx(lam)


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: PowerLaw(1, 0.5), "beta must be above 1"),
        (lambda: PowerLaw(2, 0), "r must be"),
        (lambda: PowerLaw(2, 1, 0), "d must be"),
        (lambda: scaling.critical_exponent(-1, 1), "beta"),
        (lambda: scaling.optimal_exponent(2, 1, a=1, b=0.5), "b must be above a"),
        (lambda: scaling.optimal_exponent(2, 1, b=1.5), "at most 1"),
        (lambda: scaling.rates(2, 1, 0.9, b=0.4), "ell must be below"),
        (lambda: scaling.rates(2, 1, 0.8, b=0.4), "ell must be below"),
        (lambda: scaling.rates(2, 1, 0.9, b=0), "b must be"),
        (lambda: scaling.rates(2, 1, 0.9, b=1.5), "b must be"),
        (lambda: scaling.optimal_exponent(2, 1, a=0.5, b=0.5), "b must be above a"),
        (lambda: scaling.best_penalty([1], [1], 5, bounds=(0, 1)), "bounds"),
        (lambda: scaling.best_shrunk_ridge(5, 10, n=1, T0=6), "T0 must be above"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


CASES = [
    {"d": 40, "T": 100, "generations": 8, "teacher_rows": 90, "noise": 0.4},
    {"d": 20, "T": 15, "generations": 2, "teacher_rows": 30, "noise": 0.7, "signal": 4.0},
    {"d": 30, "T": 400, "generations": 5, "teacher_rows": 60, "teacher_noise": 0.3},
]


def options(case):
    noise = case.get("noise", 1.0)
    other = case.get("teacher_noise", noise)
    return {
        "n": case["generations"],
        "T0": case["teacher_rows"],
        "sigma": noise,
        "sigma0": other,
    }


@pytest.mark.parametrize("case", CASES)
def test_ridge_and_shrink_are_where_the_risk_is_least(case):
    d, signal = case["d"], case.get("signal", 1.0)

    def risk(x):
        return scaling.shrunk_ridge_risk(
            np.ones(d),
            np.full(d, signal / d),
            case["T"],
            math.exp(x[0]),
            shrink=x[1],
            **options(case),
        )

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
    d = case["d"]
    even = np.full(d, math.sqrt(case.get("signal", 1.0) / d))
    best = ridge.label_settings(**case)

    def drawn(penalty, shrink=1.0):
        return ridge.simulate_terms(
            np.ones(d),
            even,
            case["T"],
            penalty,
            shrink=shrink,
            replicates=1500,
            rng=4,
            **options(case),
        ).total

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
    best = ridge.label_settings(3, 9, generations=2, teacher_rows=9, signal=1e-4)
    given = {"counts": [3], "n": 2, "T0": 9}
    for factor in (0.5, 2):
        other = scaling.shrunk_ridge_risk(
            [1.0], [1e-4 / 3], 9, factor * best.ridge_penalty, **given
        )
        assert other > best.ridge_risk * (1 + 1e-7)


def test_the_signal_is_that_of_the_risks_of_regression():
    """Where nothing is learnt of the truth, its signal ‖w₀‖² = 4 is the risk."""
    useless = ridge.label_settings(20, 5, generations=0, teacher_rows=30, noise=1e5, signal=4.0)
    forgotten = regression.replace_risk(20, 5, 100, noise=0, signal=4.0)
    assert useless.real_risk == pytest.approx(4.0) == forgotten


@pytest.mark.parametrize(
    ("argument", "value"),
    [("d", 0), ("T", 0), ("generations", -1), ("teacher_rows", 6), ("noise", 0),
     ("teacher_noise", -1), ("signal", 0)],
)  # fmt: skip
def test_bad_settings_are_named(argument, value):
    sound = {"d": 5, "T": 9, "generations": 1, "teacher_rows": 9}
    with pytest.raises(ValueError, match=f"^{argument} must"):
        ridge.label_settings(**sound | {argument: value})
