"""The Gaussian simulator against the loop by definition, and its closed forms against both.

Power: with 20 000 runs a side the Kolmogorov–Smirnov test at p = 1e-4 sees a difference of
distribution functions of 0.022. That is 9 % in the scale of a Gaussian; the wrong estimator
makes a third after six generations at n = 8. A mean is compared at four standard errors.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from collapse_lib import gaussian, loop
from collapse_lib.conservation import expected_retention
from collapse_lib.families import Gaussian
from collapse_lib.gaussian import simulation
from collapse_lib.gaussian import theory as theory_module

N, GENERATIONS, REPLICATES = 8, 6, 20_000
ESTIMATORS = ["ml", "unbiased"]


def close(samples, theory, errors=4):
    return abs(samples.mean() - theory) < errors * samples.std() / np.sqrt(len(samples))


def by_definition(policy, estimator, seed=1):
    run = loop.run(
        Gaussian(estimator),
        policy,
        truth=[0, 1],
        n=N,
        generations=GENERATIONS,
        replicates=REPLICATES,
        rng=seed,
    )
    return run.params[..., 0], run.params[..., 1]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("policy", ["replace", "accumulate"])
def test_same_law_as_the_loop(policy, estimator):
    mean, sd = by_definition(policy, estimator)
    run = gaussian.simulate(N, GENERATIONS, REPLICATES, policy=policy, estimator=estimator, rng=2)
    assert run.means.shape == run.sds.shape == (REPLICATES, GENERATIONS + 1)
    for t in (1, 2, GENERATIONS):
        joint = [(mean[:, t], run.means[:, t]), (sd[:, t], run.sds[:, t])]
        joint.append((mean[:, t] / sd[:, t], run.means[:, t] / run.sds[:, t]))
        joint.append((mean[:, t] - mean[:, 1], run.means[:, t] - run.means[:, 1]))
        joint.append((sd[:, t] / sd[:, 1], run.sds[:, t] / run.sds[:, 1]))
        for a, b in joint:
            if a.std() > 0:
                assert stats.ks_2samp(a, b).pvalue > 1e-4


def test_the_comparison_sees_the_other_estimator():
    _, sd = by_definition("replace", "unbiased")
    run = gaussian.simulate(N, GENERATIONS, REPLICATES, estimator="ml", rng=2)
    assert stats.ks_2samp(sd[:, -1], run.sds[:, -1]).pvalue < 1e-20


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_moments_by_definition(estimator):
    mean, sd = (values[:, -1] for values in by_definition("replace", estimator, seed=3))
    at = (N, GENERATIONS, estimator)
    assert close(sd, gaussian.expected_sd(*at))
    assert close(sd**2, gaussian.expected_variance(*at))
    assert close(np.log(sd), gaussian.log_sd_mean(*at))
    assert close(mean**2, gaussian.mean_variance(*at))
    assert close(mean**2 + (sd - 1) ** 2, gaussian.expected_squared_distance(*at))
    assert close(sd**3, gaussian.moment_factor(N, 3, estimator) ** GENERATIONS)
    spread = (np.log(sd) - gaussian.log_sd_mean(*at)) ** 2
    assert close(spread, gaussian.log_sd_variance(N, GENERATIONS))
    assert close(sd > 0.5, gaussian.probability_above(N, 0.5, GENERATIONS, estimator))


def test_accumulate_keeps_what_the_conservation_law_says():
    run = gaussian.simulate(10, 50, 40_000, policy="accumulate", rng=4)
    for t in (1, 10, 50):
        assert close(run.sds[:, t] ** 2, expected_retention("accumulate", 10, 50)[t])
        assert close(run.sds[:, t] ** 2 + run.means[:, t] ** 2, 1)


def sample_and_refit(n, dim, generations, replicates, ddof, rng):
    mean, factor = (
        np.zeros((replicates, 1, dim)),
        np.broadcast_to(np.eye(dim), (replicates, dim, dim)),
    )
    for _ in range(generations):
        sample = mean + rng.standard_normal((replicates, n, dim)) @ factor.swapaxes(1, 2)
        mean = sample.mean(axis=1, keepdims=True)
        sample = sample - mean
        covariance = sample.swapaxes(1, 2) @ sample / (n - ddof)
        factor = np.linalg.cholesky(covariance)
    return mean[:, 0], covariance


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_several_dimensions_have_the_law_of_samples(estimator):
    rng = np.random.default_rng(5)
    mean, covariance = sample_and_refit(6, 3, 3, 10_000, estimator == "unbiased", rng)
    run = gaussian.simulate(6, 3, 10_000, dim=3, estimator=estimator, rng=6)
    fitted = run.factors[:, -1] @ run.factors[:, -1].swapaxes(1, 2)
    np.testing.assert_allclose(run.sds[:, -1] ** 2, np.diagonal(fitted, axis1=1, axis2=2))
    _, log_det = np.linalg.slogdet(fitted)
    np.testing.assert_allclose(run.log_det[:, -1], log_det, rtol=1e-9, atol=1e-9)
    assert close(np.linalg.slogdet(covariance)[1], gaussian.expected_log_det(6, 3, 3, estimator))
    for a, b in [
        (mean, run.means[:, -1]),
        (np.linalg.eigvalsh(covariance), np.linalg.eigvalsh(fitted)),
    ]:
        for i in range(3):
            assert stats.ks_2samp(a[:, i], b[:, i]).pvalue > 1e-4
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        assert stats.ks_2samp(covariance[:, i, j], fitted[:, i, j]).pvalue > 1e-4
        product = run.means[:, -1, i] * run.means[:, -1, j]
        assert stats.ks_2samp(mean[:, i] * mean[:, j], product).pvalue > 1e-4


def test_exponents_are_the_growth_of_the_axes():
    run = gaussian.simulate(12, 200, 500, dim=3, rng=7)
    axes = np.log(np.linalg.svd(run.factors[:, [100, 200]])[1])
    speed = (axes[:, 1] - axes[:, 0]) / 100
    for i, exponent in enumerate(gaussian.lyapunov_exponents(12, 3)):
        assert close(speed[:, i], exponent)
    assert gaussian.lyapunov_exponents(12, 1)[0] == pytest.approx(gaussian.typical_rate(12))


def refit_labelled(weights, means, n, generations, replicates, rng):
    """A labelled mixture item by item: weights, means and standard deviations, by ML."""
    shape = (replicates, len(weights))
    w, m, s = (np.broadcast_to(x, shape).astype(float) for x in (weights, means, 1.0))
    for _ in range(generations):
        label = (rng.random((replicates, n, 1)) > np.cumsum(w, axis=1)[:, None, :-1]).sum(axis=2)
        x = np.take_along_axis(m, label, 1)
        x = x + np.take_along_axis(s, label, 1) * rng.standard_normal(x.shape)
        mine = label[:, :, None] == np.arange(len(weights))
        count = mine.sum(axis=1)
        new = np.where(count > 0, (mine * x[:, :, None]).sum(axis=1) / np.maximum(count, 1), m)
        squares = (mine * (x[:, :, None] - new[:, None]) ** 2).sum(axis=1)
        w, m, s = count / n, new, np.sqrt(squares / np.maximum(count, 1))
    return w, m, s


def test_labelled_mixture_has_the_law_of_labelled_items():
    truth, means = [0.5, 0.3, 0.2], np.array([-1.0, 0.0, 2.0])
    w, m, s = refit_labelled(truth, means, 12, 3, 20_000, np.random.default_rng(8))
    run = gaussian.simulate_mixture(truth, 12, 3, 20_000, means=means, rng=9)
    for a, b in [(w, run.weights), (m, run.means), (s, run.sds)]:
        for k in range(3):
            assert stats.ks_2samp(a[:, k].round(9), b[:, -1, k].round(9)).pvalue > 1e-4


def test_mixture_conserves_variance_plus_drift():
    run = gaussian.simulate_mixture([0.5, 0.5], 10, 20, 20_000, means=[-1, 1], rng=10)
    whole = (run.weights * (run.sds**2 + run.means**2)).sum(axis=2)
    assert close(whole[:, -1], 2)
    assert (run.weights.sum(axis=2).round(12) == 1).all()
    assert (run.sds[run.weights == 0] == 0).all()
    gone = run.weights == 0
    assert (gone[:, 1:] >= gone[:, :-1]).all()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_resting_place(estimator):
    run = gaussian.simulate(100, 2500, 4000, estimator=estimator, history=False, rng=11)
    law = gaussian.limit_of_mean(estimator)
    assert stats.kstest(run.means[:, 1], law.cdf).pvalue > 1e-3
    assert stats.kstest(run.means[:, 1], stats.norm(scale=law.ppf(0.75) / 0.6745).cdf).pvalue < 1e-3


@pytest.mark.parametrize("n", [3, 10, 60])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_median_hitting_time(n, estimator):
    by = gaussian.median_hitting_time(n, 0.1, estimator)
    sds = gaussian.simulate(n, by + 1, 10_000, estimator=estimator, rng=12).sds
    hit = np.minimum.accumulate(sds, axis=1) <= 0.1
    assert hit[:, by - 2].mean() - 0.02 < 0.5 < hit[:, by + 1].mean() + 0.02
    if n >= 10:
        share = gaussian.hitting_probability(n, 0.1, by, estimator)
        assert abs(hit[:, by].mean() - share) < 0.03


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


def test_runs_do_not_depend_on_chunks_of_memory(monkeypatch):
    whole = gaussian.simulate(10, 7, 50, rng=13)
    last = gaussian.simulate(10, 7, 50, rng=13, history=False)
    np.testing.assert_array_equal(whole.sds[:, [0, -1]], last.sds)
    np.testing.assert_allclose(whole.means[:, [0, -1]], last.means, atol=1e-12)
    monkeypatch.setattr(simulation, "CHUNK", 20)
    chunked = gaussian.simulate(10, 7, 20_000, estimator="unbiased", rng=13)
    assert close(np.log(chunked.sds[:, -1]), gaussian.log_sd_mean(10, 7, "unbiased"))
    several = gaussian.simulate(10, 7, 2000, dim=2, rng=14)
    assert close(several.log_det[:, -1], gaussian.expected_log_det(10, 7, 2))


def test_no_generations():
    for options in ({}, {"dim": 2}, {"policy": "accumulate"}, {"history": False}):
        run = gaussian.simulate(5, 0, 3, rng=1, **options)
        assert run.means.shape[:2] == (3, 1) and (run.means == 0).all()


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: gaussian.simulate(1, 5), "n must"),
        (lambda: gaussian.simulate(10, -1), "generations must"),
        (lambda: gaussian.simulate(10, 5, 0), "replicates must"),
        (lambda: gaussian.simulate(10, 5, dim=10), "dim must be less than n = 10"),
        (lambda: gaussian.simulate(10, 5, dim=0), "dim must"),
        (lambda: gaussian.simulate(10, 5, estimator="mle"), "estimator must"),
        (lambda: gaussian.simulate(10, 5, policy="random-past"), "policy must be Replace"),
        (lambda: gaussian.simulate(10, 5, policy=loop.PartlyReal(3)), "policy must be Replace"),
        (lambda: gaussian.simulate(10, 5, dim=2, policy="accumulate"), "Accumulate with dim 1"),
        (lambda: gaussian.simulate(10, 5, policy="nothing"), "policy must"),
        (lambda: gaussian.simulate(10, 5, rng=1.5), "rng must"),
        (lambda: gaussian.simulate_mixture([0.5, 0.4], 10, 5), "weights must sum to 1"),
        (lambda: gaussian.simulate_mixture([1.0], 1, 5), "n must"),
        (lambda: gaussian.moment_factor(5, -4), "power must"),
        (lambda: gaussian.expected_sd(5, -1), "t must"),
        (lambda: gaussian.expected_sd(5, "a"), "t must"),
        (lambda: gaussian.probability_above(5, 0, 3), "ratio must"),
        (lambda: gaussian.probability_above(2, 0.5, 3), "t must"),
        (lambda: gaussian.probability_above(4, 0.5, 1), "t must be a whole number, at least 2"),
        (lambda: gaussian.median_hitting_time(5, 1.0), "ratio must"),
        (lambda: gaussian.limit_of_mean("t2"), "estimator must"),
        (lambda: gaussian.lyapunov_exponents(3, 3), "dim must be less"),
    ],
)
def test_bad_input(call, word):
    with pytest.raises(ValueError, match=word):
        call()
