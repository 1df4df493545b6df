"""The closed forms of the Gaussian loop against the loop by definition, and against the simulator.

A mean is compared at four standard errors.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from collapse_lib import gaussian, loop
from collapse_lib.families import Gaussian
from collapse_lib.gaussian import theory as theory_module
from tests.properties import least_values

ESTIMATORS = ["ml", "unbiased"]


def close(samples, theory, errors=4):
    return abs(samples.mean() - theory) < errors * samples.std() / np.sqrt(len(samples))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_moments_by_definition(estimator):
    n, t = 8, 6
    run = loop.run(
        Gaussian(estimator), "replace", truth=[0, 1], n=n, generations=t, replicates=20_000, rng=3
    )
    mean, sd = run.params[:, -1].T
    exact = gaussian.moments(n, t, estimator)
    assert close(sd, exact.sd)
    assert close(sd**2, exact.variance)
    assert close(np.log(sd), exact.log_sd)
    assert close((np.log(sd) - exact.log_sd) ** 2, exact.log_sd_variance)
    assert close(mean**2, exact.drift)
    assert close(mean**2 + (sd - 1) ** 2, exact.squared_distance)
    assert close(sd**3, gaussian.moment_factor(n, 3, estimator) ** t)
    assert close(sd > 0.5, gaussian.probability_above(n, 0.5, t, estimator))


def test_exponents_are_the_growth_of_the_axes():
    run = gaussian.simulate(12, 200, 500, dim=3, rng=7)
    axes = np.log(np.linalg.svd(run.factor[:, [100, 200]])[1])
    speed = (axes[:, 1] - axes[:, 0]) / 100
    for i, exponent in enumerate(gaussian.lyapunov_exponents(12, 3)):
        assert close(speed[:, i], exponent)
    assert gaussian.lyapunov_exponents(12, 1)[0] == pytest.approx(gaussian.typical_rate(12))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_resting_place(estimator):
    run = gaussian.simulate(100, 2500, 4000, estimator=estimator, history=False, rng=11)
    law = gaussian.limit_of_mean(estimator)
    assert stats.kstest(run.mean[:, 1], law.cdf).pvalue > 1e-3
    assert stats.kstest(run.mean[:, 1], stats.norm(scale=law.ppf(0.75) / 0.6745).cdf).pvalue < 1e-3


@pytest.mark.parametrize("n", [2, 5, 40])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_hitting_probability_of_one_and_two_rounds(n, estimator):
    divisor, ratio = n - (estimator == "unbiased"), 0.6
    law = stats.chi2(n - 1, scale=1 / divisor)  # of the factor of the variance
    once = law.cdf(ratio**2)
    second = integrate.quad(lambda x: law.pdf(x) * law.cdf(ratio**2 / x), ratio**2, np.inf)[0]
    exact = gaussian.hitting_probability(n, ratio, [0, 1, 2], estimator)
    assert exact == pytest.approx([0, once, once + second], abs=1e-8)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_hitting_probability_is_the_share_of_walks(estimator):
    n, by = 10, 25
    sds = gaussian.simulate(n, by, 40_000, estimator=estimator, rng=12).sd
    for ratio in (0.1, 0.5):
        share = (sds <= ratio).any(axis=1)
        assert close(share, gaussian.hitting_probability(n, ratio, by, estimator))


@pytest.mark.parametrize("n", [3, 10, 60])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_median_hitting_time_is_at_most_one_generation_late(n, estimator):
    for ratio in (0.1, 0.01):
        by = gaussian.median_hitting_time(n, ratio, estimator)
        before, then = gaussian.hitting_probability(n, ratio, [by - 2, by], estimator)
        assert before < 0.5 <= then


def test_the_boundary_moves_by_the_mean_overshoot():
    """A walk with drift −μ jumps 0.5826 sd + skewness/6 + μ/4 past a level, to first order in μ.

    The law's mean has the first two parts; the third is a quarter of a generation (Siegmund).
    400 000 walks: standard error 0.0002; a skewness that is wrong by a seventh is off by 0.0024.
    """
    n, level, rng = 12, -np.log(0.2), np.random.default_rng(15)
    past, walk = [], np.zeros(400_000)
    while walk.size:
        walk = walk - np.log(rng.chisquare(n - 1, walk.size) / (n - 1)) / 2
        past.append(walk[walk >= level] - level)
        walk = walk[walk < level]
    past = np.concatenate(past)
    drift = -gaussian.typical_rate(n, "unbiased")
    theory = theory_module._hitting_law(n, 0.2, "unbiased").mean() * drift - level + drift / 4
    assert abs(past.mean() - theory) < 4 * past.std() / np.sqrt(len(past)) + 3e-4


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("power", [-3.5, -1, 0.5, 3])
def test_moment_factor_is_an_integral(power, estimator):
    n, divisor = 5, 5 - (estimator == "unbiased")
    law = stats.chi2(n - 1)
    exact = integrate.quad(
        lambda y: 2 * y * (y * y / divisor) ** (power / 2) * law.pdf(y * y), 0, np.inf
    )[0]
    assert gaussian.moment_factor(n, power, estimator) == pytest.approx(exact, rel=1e-6)


def test_probability_above_where_it_is_known():
    for n, ratio in [(5, 0.3), (20, 1.2), (100, 0.9)]:
        exact = stats.chi2.sf(ratio**2 * n, n - 1)
        assert gaussian.probability_above(n, ratio, 1) == pytest.approx(exact, abs=1e-7)
    assert gaussian.probability_above(10, 0.1, 2000) == pytest.approx(0, abs=1e-7)
    for t in range(1, 200):
        for ratio in (1e-4, 1e4):
            assert 0 <= gaussian.probability_above(10, ratio, t) <= 1


@given(st.integers(5, 300), st.floats(0.01, 3), st.integers(1, 500), st.floats(0, 4))
def test_chernoff_bounds_the_probability(n, ratio, t, power):
    bound = gaussian.chernoff_bound(n, ratio, t, power, "unbiased")
    assert gaussian.probability_above(n, ratio, t, "unbiased") <= bound + 1e-6
    assert bound <= 1
    plain = gaussian.moment_factor(n, 1) ** t / ratio  # Markov's inequality for σ itself
    assert gaussian.chernoff_bound(n, ratio, t) == pytest.approx(min(plain, 1))
    cubed = gaussian.moment_factor(n, 3, "unbiased") ** t / ratio**3
    assert gaussian.chernoff_bound(n, ratio, t, 3, "unbiased") == pytest.approx(min(cubed, 1))


@given(st.integers(2, 10**6))
def test_inequalities_proved_in_the_chapter(n):
    rate, mean = gaussian.typical_rate(n, "unbiased"), gaussian.moment_factor(n, 1, "unbiased")
    assert -1 / (n - 1) < rate < -1 / (2 * (n - 1)) + 1e-13
    assert np.log(mean) < -1 / (4 * n - 2) + 1e-9
    assert gaussian.typical_rate(n) == pytest.approx(rate + np.log1p(-1 / n) / 2, abs=1e-12)


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: gaussian.moment_factor(5, -4), "power must"),
        (lambda: gaussian.moments(5, -1), "t must"),
        (lambda: gaussian.moments(5, "a"), "t must"),
        (lambda: gaussian.probability_above(5, 0, 3), "ratio must"),
        (lambda: gaussian.probability_above(2, 0.5, 3), "t must"),
        (lambda: gaussian.probability_above(4, 0.5, 1), "t must be a whole number, at least 2"),
        (lambda: gaussian.median_hitting_time(5, 1.0), "ratio must"),
        (lambda: gaussian.hitting_probability(5, 1.0, 3), "ratio must"),
        (lambda: gaussian.hitting_probability(5, 0.5, 1.5), "t must be whole"),
        (lambda: gaussian.limit_of_mean("t2"), "estimator must"),
        (lambda: gaussian.lyapunov_exponents(3, 3), "dim must be less"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()


@pytest.mark.parametrize("check", least_values(
    (gaussian.moment_factor, {"power": 1}, {"n": 2}),
    (gaussian.typical_rate, {}, {"n": 2}),
    (gaussian.moments, {"n": 5, "t": 3}, {"n": 2, "t": 0}),
    (gaussian.probability_above, {"ratio": 0.5, "n": 5}, {"t": 1}),
    (gaussian.probability_above, {"ratio": 0.5, "n": 2}, {"t": 4}),
    (gaussian.probability_above, {"ratio": 0.5, "n": 4}, {"t": 2}),
    (gaussian.hitting_probability, {"ratio": 0.5, "n": 5, "t": 3}, {"n": 2, "t": 0}),
    (gaussian.lyapunov_exponents, {"n": 5}, {"dim": 1}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
