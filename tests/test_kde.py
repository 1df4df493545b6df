"""Kernel density estimates: the simulator against the loop by definition, theory against both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib import kde, loop
from collapse_lib.loop import Immigration
from tests.properties import least_values, squared_unit

REPLICATES = 20_000


class Kernels:
    """A KDE by definition: its parameters are its data and, last, its bandwidth (−1: truth)."""

    def __init__(self, bandwidth):
        self.bandwidth = bandwidth

    def fit(self, data):
        h = np.full(len(data), self.bandwidth) if self.bandwidth != "silverman" else None
        if h is None:
            h = 1.06 * data.std(axis=1) * data.shape[1] ** -0.2
        return np.column_stack([data, h])

    def sample(self, params, size, rng):
        noise = rng.normal(size=(len(params), size))
        if (params[:, -1] == -1).all():
            return noise
        index = rng.integers(params.shape[1] - 1, size=noise.shape)
        drawn = np.array([row[i] for row, i in zip(params[:, :-1], index, strict=True)])
        return drawn + params[:, -1:] * noise


def run_kernels(family, policy, n, generations, seed, replicates=REPLICATES):
    """Mean and variance of the last model; the pool grows, so `loop.run` cannot stack models."""
    rng = np.random.default_rng(seed)
    history = loop.History(family, rng, models=[np.full((replicates, n + 1), -1.0)])
    for _ in range(generations):
        data = loop.policy_named(policy).training_set(history, n)
        history.models.append(family.fit(data))
    last = history.models[-1]
    return last[:, :-1].mean(axis=1), last[:, :-1].var(axis=1) + last[:, -1] ** 2


# 20 000 runs each: a Kolmogorov–Smirnov distance of 0.025 gives p < 1e-5, and a mean that is
# off by 0.05 standard deviations gives |z| = 5.
def same_law(a, b):
    z = stats.ttest_ind(a, b, equal_var=False).statistic
    return stats.ks_2samp(a, b).pvalue > 1e-3 and abs(z) < 4


@pytest.mark.parametrize(
    "policy, bandwidth",
    [
        ("replace", 0.4),
        (Immigration(0.3), 0.4),
        (Immigration(0.2), "silverman"),
        ("accumulate", 0.4),
        ("accumulate", "silverman"),
    ],
)
def test_the_kde_simulator_is_the_loop_by_definition(policy, bandwidth):
    mean, variance = run_kernels(Kernels(bandwidth), policy, n=6, generations=4, seed=5)
    fast = kde.simulate(6, 4, REPLICATES, bandwidth=bandwidth, policy=policy, rng=6)
    assert same_law(mean, fast.mean[:, 4])
    assert same_law(variance, fast.variance[:, 4])


def test_loop_run_agrees_with_the_kde_simulator():
    n, h = 6, 0.4
    slow = loop.run(
        Kernels(h), "replace", truth=np.full(n + 1, -1.0),
        n=n, generations=3, replicates=REPLICATES, rng=7,
    ).params[:, 3]  # fmt: skip
    fast = kde.simulate(n, 3, REPLICATES, bandwidth=h, rng=8)
    assert same_law(slow[:, :n].var(axis=1) + h**2, fast.variance[:, 3])
    assert same_law(slow[:, 0], fast.data[:, 0])


# Relative standard errors are below 1.5 %: an error of 6 % in a moment is found.
@pytest.mark.parametrize("estimator", ["ml", "unbiased"])
@pytest.mark.parametrize("bandwidth", [0.4, "silverman"])
@pytest.mark.parametrize("f", [0.0, 0.3])
def test_kde_moments_are_those_of_the_simulator(estimator, bandwidth, f):
    options = {"bandwidth": bandwidth, "policy": Immigration(f), "estimator": estimator}
    run = kde.simulate(8, 4, 40_000, rng=9, **options)
    exact = kde.moments(8, 4, **options)
    for t in range(1, 5):
        for values, theory in [
            (run.variance[:, t], exact.variance[t]),
            (run.mean[:, t] ** 2, exact.drift[t]),
        ]:
            assert abs(values.mean() - theory) < 4 * values.std() / 200


@pytest.mark.parametrize("h", [0.4, 1.5])
def test_accumulated_moments_are_those_of_the_simulator(h):
    options = {"bandwidth": h, "policy": "accumulate"}
    run = kde.simulate(5, 5, 40_000, rng=13, **options)
    exact = kde.moments(5, 5, **options)
    assert exact.drift[0] == 0 and exact.variance[0] == 1
    for t in range(1, 6):
        for values, theory in [
            (run.variance[:, t], exact.variance[t]),
            (run.mean[:, t] ** 2, exact.drift[t]),
        ]:
            assert abs(values.mean() - theory) < 4 * values.std() / 200


def test_silverman_s_kernel_is_a_share_of_the_sample_s_standard_deviation():
    x = np.random.default_rng(14).normal(size=7)
    for estimator, ddof in (("ml", 0), ("unbiased", 1)):
        h = kde.silverman_factor(7) * x.std(ddof=ddof)
        assert kde._widening(7, estimator) * x.var() == pytest.approx(h**2)
        once = kde.moments(7, 2, bandwidth="silverman", estimator=estimator)
        growth = once.variance[2] / once.variance[1]
        assert kde.silverman_growth(7, estimator) == pytest.approx(growth)


def test_real_data_given_as_an_array_set_the_truth():
    run = kde.simulate(6, 3, 40_000, bandwidth=0.3, truth=[-2.0, 2.0], rng=10)
    exact = kde.moments(6, 3, bandwidth=0.3, variance=4.0)
    assert run.mean[0, 0] == 0 and run.variance[0, 0] == 4 and run.bandwidth[0, 0] == 0
    assert abs(run.variance[:, 3].mean() - exact.variance[3]) < 4 * run.variance[:, 3].std() / 200


def test_closed_forms_of_the_moments():
    t, n, h = np.arange(31), 9, 0.35
    replace = kde.moments(n, 30, bandwidth=h, variance=2.0)
    np.testing.assert_allclose(
        replace.variance, n * h**2 + (1 - 1 / n) ** t * (2 - n * h**2), rtol=1e-12
    )
    np.testing.assert_allclose(replace.total, 2 + t * h**2, rtol=1e-12)
    pooled = kde.moments(n, 30, bandwidth=h, policy="accumulate")
    np.testing.assert_allclose(pooled.total[1:], 1 + h**2 * np.cumsum(1 / t[1:]), rtol=1e-12)
    f = 0.2
    mixed = kde.moments(n, 3000, bandwidth=h, policy=Immigration(f))
    drift = (1 + h**2 * (1 - f) / f) / (n - (n - 1) * (1 - f) ** 2)
    np.testing.assert_allclose(
        [mixed.drift[-1], mixed.total[-1]], [drift, 1 + h**2 / f], rtol=1e-10
    )


@given(
    st.integers(1, 12),
    st.sampled_from(["replace", Immigration(0.4), Immigration(1), "accumulate"]),
)
def test_hops_add_up_to_the_second_moment(t, policy):
    law = kde.hop_distribution(t, policy)
    total = kde.moments(5, t, bandwidth=0.5, policy=policy).total[t]
    assert law.min() >= 0 and abs(law.sum() - 1) < 1e-12
    assert abs(1 + 0.25 * law @ np.arange(t + 1) - total) < 1e-10


def test_silverman_real_fraction_is_where_the_moments_stop_growing():
    for n in (2, 3, 10, 100, 1000):
        for estimator in ("ml", "unbiased"):
            f = kde.silverman_real_fraction(n, estimator)
            options = {"bandwidth": "silverman", "estimator": estimator}
            ends = [
                kde.moments(n, 6000, policy=Immigration(times * f), **options).total[[5000, 6000]]
                for times in (0.97, 1.03)
            ]
            assert ends[0][1] > 1.5 * ends[0][0]
            assert ends[1][1] < 1.01 * ends[1][0]


def test_log_density_is_the_sum_of_kernels():
    data, points = np.random.default_rng(11).normal(size=(3, 5)), [-1.0, 0.0, 2.5]
    h = np.array([0.3, 0.5, 1.0])
    brute = np.log(
        stats.norm.pdf(np.array(points)[:, None], data[:, None], h[:, None, None]).mean(axis=2)
    )
    np.testing.assert_allclose(kde.log_density(data, h, points), brute, rtol=1e-12)
    run = kde.simulate(5, 2, 3, bandwidth=0.3, held_out=points, rng=12)
    assert np.isnan(run.log_likelihood[:, 0]).all()
    last = kde.log_density(run.data, 0.3, points).mean(axis=1)
    np.testing.assert_allclose(run.log_likelihood[:, 2], last)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: kde.log_density([[1.0]], 1.0, []), "points must be"),
        (lambda: kde.simulate(5, 2, bandwidth=0.0), "bandwidth must be a finite number above"),
        (lambda: kde.simulate(5, 2, bandwidth="scott"), "bandwidth must be one of 'silverman'"),
        (lambda: kde.simulate(1, 2, bandwidth=1), "n must be a whole number, at least 2"),
        (
            lambda: kde.simulate(5, 2, bandwidth=1, policy="random-past"),
            "policy must be Replace, Accumulate or Immigration, got RandomPast",
        ),
        (lambda: kde.moments(5, 2, bandwidth=1, policy=loop.LastK(2)), "policy must be Replace"),
        (lambda: kde.hop_distribution(2, loop.FreshReal(3)), "policy must be Replace"),
        (lambda: kde.simulate(5, 2, bandwidth=1, estimator="mle"), "estimator must be one of"),
        (lambda: kde.moments(5, 2, bandwidth=1, estimator="mle"), "estimator must be one of"),
        (lambda: kde.moments(5, 2, bandwidth=1, variance=0), "variance must be"),
        (lambda: kde.simulate(5, 2, bandwidth=1, truth=[np.nan]), "truth must be"),
        (
            lambda: kde.moments(5, 2, bandwidth="silverman", policy="accumulate"),
            "bandwidth must be a number with Accumulate",
        ),
        (lambda: kde.silverman_growth(10, "median"), "estimator must be one of 'ml', 'unbiased'"),
        (lambda: kde.hop_distribution(0), "generation must be a whole number, at least 1"),
        (lambda: kde.log_density([[1.0]], 0.0, [1.0]), "bandwidth must be finite and above 0"),
    ],
)
def test_bad_input_names_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("check", least_values(
    (kde.silverman_factor, {}, {"n": 2}),
    (kde.silverman_growth, {}, {"n": 2}),
    (kde.moments, {"n": 5, "generations": 2, "bandwidth": 0.5}, {"n": 2, "generations": 0}),
    (kde.silverman_real_fraction, {"estimator": "unbiased"}, {"n": 2}),
    (kde.hop_distribution, {}, {"generation": 1}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()


def variance_of_the_last_fit(**given):
    return kde.moments(9, 4, **given).total


@pytest.mark.parametrize("check", squared_unit(
    *(
        (variance_of_the_last_fit, {"policy": policy}, {"bandwidth": 0.7}, {"variance": 1.3})
        for policy in (Immigration(0.2), "accumulate")
    ),
))  # fmt: skip
def test_a_risk_is_in_the_square_of_the_unit(check):
    check()
