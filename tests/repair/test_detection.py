"""Early detection: power by counting, closed forms against the loop by definition, blind statistics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib import families, loop
from collapse_lib.repair import detection
from tests.properties import least_values


def test_power_by_counting_without_ties():
    rng = np.random.default_rng(1)
    null, alternative = rng.normal(size=1000), rng.normal(1, 1, size=(500, 3))
    found = detection.detection_power(null, alternative, false_alarms=0.05)
    threshold = np.sort(null)[-51]  # 50 of 1000 are above it
    assert found.power == pytest.approx((alternative > threshold).mean(axis=0))
    assert ((found.low < found.power) & (found.power < found.high)).all()


@given(st.integers(1, 40), st.floats(0.01, 0.5))
def test_a_healthy_loop_rings_at_the_chosen_rate_whatever_the_ties(values, rate):
    null = np.random.default_rng(values).integers(values, size=4000)
    assert detection.detection_power(null, null, false_alarms=rate).power == pytest.approx(rate)


def test_interval_covers():
    """Of 95 % intervals, conservative, at most 5 % miss: 400 trials, limit 5 % + 4 sd = 9.4 %."""
    rng = np.random.default_rng(2)
    true = stats.norm.sf(stats.norm.isf(0.05) - 1)
    missed = 0
    for _ in range(400):
        found = detection.detection_power(rng.normal(size=800), rng.normal(1, 1, size=500))
        missed += not found.low <= true <= found.high
    assert missed / 400 < 0.094


def test_interval_is_that_of_two_binomials():
    """One quarter of the miss on each side of the null's quantile and of the counted runs.

    The null's part is compared with the quantiles of the binomial law of how many of its
    members lie above the true quantile, the runs' part with scipy's Wilson interval.
    """
    null, runs = np.arange(20_000.0), np.repeat(np.arange(20_000.0), 50)
    found = detection.detection_power(null, runs, false_alarms=0.3)
    ends = stats.binom.ppf([0.0125, 0.9875], 20_000, 0.3) / 20_000
    for end, side, share in ((found.low, "low", ends[0]), (found.high, "high", ends[1])):
        counted = stats.binomtest(round(share * len(runs)), len(runs))
        exact = getattr(counted.proportion_ci(1 - 0.05 / 2, method="wilson"), side)
        assert end == pytest.approx(exact, abs=1.5e-4)


@pytest.mark.parametrize("runs", [4, 60])
def test_wilson_is_scipy_s(runs):
    z = stats.norm.isf(0.04)
    for k in range(runs + 1):
        exact = stats.binomtest(k, runs).proportion_ci(0.92, method="wilson")
        low, high = (detection._wilson(np.array([k / runs]), runs, end) for end in (-z, z))
        assert (low[0], high[0]) == pytest.approx((exact.low, exact.high), abs=1e-12)
        assert low >= 0 and high <= 1


def test_certainty_widens_the_interval_to_all_there_is():
    """The rate plus or minus five standard errors leaves 0 … 1: the ends are those of no power."""
    null = np.arange(400.0)
    sure = {"confidence": 1 - 1e-6}
    rare = detection.detection_power(null, null, false_alarms=0.05, **sure)
    assert rare.low == 0 and rare.power == pytest.approx(0.05)
    often = detection.detection_power(null, np.zeros((9, 1)), false_alarms=0.95, **sure)
    assert often.high[0] == 1 and often.power[0] == 0


def test_columns_with_ties_are_counted_one_by_one():
    null = np.arange(400) // 30
    columns = np.random.default_rng(5).integers(10, 14, size=(50, 3))
    together = detection.detection_power(null, columns)
    for k in range(3):
        alone = detection.detection_power(null, columns[:, k])
        for name in ("power", "low", "high"):
            assert getattr(together, name)[k] == pytest.approx(getattr(alone, name))


def test_bad_input():
    good = np.arange(400.0)
    for null, alternative, words in [
        (good[:399], good, "null must hold at least 400 runs"),
        (good, good[:1], "at least 2 runs"),
        (good, 5.0, "at least 2 runs"),
        (np.append(good, np.nan), good, "finite"),
    ]:
        with pytest.raises(ValueError, match=words):
            detection.detection_power(null, alternative)
    assert detection.detection_power(good, good[:2]).power == 0
    for rate in (0.05, 0.95):
        with pytest.raises(ValueError, match="null must hold"):
            detection.detection_power(good[:399], good, false_alarms=rate)
    with pytest.raises(ValueError, match="false_alarms"):
        detection.detection_power(good, good, false_alarms=0)
    with pytest.raises(ValueError, match="n must be"):
        detection.variance_power(4, 1)
    with pytest.raises(ValueError, match="t must be"):
        detection.frozen_risk_power(2, 10, 0)


@pytest.mark.parametrize("estimator", ["ml", "unbiased"])
def test_variance_power_is_that_of_the_loop(estimator):
    """Standard error 0.0031: a deviation of 0.016 is noticed with probability 0.88."""
    run = loop.run(families.Gaussian(estimator), "replace", truth=[0, 1], n=12,
                   generations=6, replicates=25_000, rng=3)  # fmt: skip
    first, last = run.params[:, 1, 1], run.params[:, 6, 1]
    level = np.sqrt(stats.chi2.ppf(0.05, 11) / (12 if estimator == "ml" else 11))
    assert abs((first < level).mean() - 0.05) < 0.006
    assert (
        abs((last < level).mean() - detection.variance_power(12, 6, estimator=estimator)) < 0.0125
    )


def test_powers_begin_at_the_false_alarms_and_grow():
    t = np.array([1, 2, 5, 20])
    for rate in (0.01, 0.05, 0.2):
        for power in (
            detection.variance_power(50, t, false_alarms=rate),
            detection.frozen_risk_power(3, 9, t, false_alarms=rate),
        ):
            assert power[0] == pytest.approx(rate, abs=1e-9) and (np.diff(power) > 0).all()


def test_frozen_risk_power_is_that_of_the_loop():
    seen = detection.watch_regression(3, 9, 5, 20_000, rng=4)
    threshold = np.quantile(seen.healthy["risk"], 0.95)
    ring = (seen.loop["risk"] > threshold).mean(axis=0)
    assert abs(ring - detection.frozen_risk_power(3, 9, np.arange(1, 6))).max() < 0.016


def test_blind_and_seeing_statistics():
    seen = detection.watch_regression(3, 12, 8, 6000, rng=5)
    found = {k: detection.detection_power(seen.healthy[k], v) for k, v in seen.loop.items()}
    for name in ("residual variance", "loss, synthetic"):
        assert ((found[name].low < 0.05) & (0.05 < found[name].high)).all()
    assert found["loss, real"].low[-1] > 0.5 > found["loss, real"].high[0]


@pytest.mark.parametrize(
    "seen",
    [
        lambda: detection.watch_gaussian(30, 2, 4000, rng=6),
        lambda: detection.watch_words(1 / np.arange(1, 61), 2, 4000, n=100, common=10, rng=7),
        lambda: detection.watch_regression(3, 12, 2, 4000, rng=8),
    ],
)
def test_the_first_generation_is_healthy(seen):
    """Both train on real data: equal laws (two-sample KS, a shift of 0.1 sd is found, power 0.9)."""
    seen = seen()
    for name, values in seen.loop.items():
        assert stats.ks_2samp(values[:, 0], seen.healthy[name]).pvalue > 1e-4, name


def test_gaussian_world_has_the_law_of_the_loop():
    seen = detection.watch_gaussian(15, 4, 5000, rng=9)
    run = loop.run(families.Gaussian("ml"), "replace", truth=[0, 1], n=15,
                   generations=4, replicates=5000, rng=10).params[:, 4]  # fmt: skip
    for ours, other in [(-seen.loop["variance"][:, 3], run[:, 1] ** 2),
                        (seen.loop["mean"][:, 3], abs(run[:, 0]))]:  # fmt: skip
        assert stats.ks_2samp(ours, other).pvalue > 1e-4


def test_words_world_counts():
    seen = detection.watch_words([5, 3, 1, 1], 1, 6000, n=8, common=2, rng=11)
    p = np.array([5, 3, 1, 1]) / 10
    assert abs(-seen.healthy["support"].mean() - (1 - (1 - p) ** 8).sum()) < 0.04
    assert abs(-seen.healthy["tail mass"].mean() - 0.2) < 0.01
    assert abs(-seen.healthy["variance"].mean() - (1 - p @ p) * 7 / 8) < 0.01


@pytest.mark.parametrize("check", least_values(
    (detection.variance_power, {"n": 9, "t": 2}, {"n": 5, "t": 1}),
    (detection.frozen_risk_power, {"d": 3, "T": 9, "t": 2}, {"d": 1, "T": 3, "t": 1}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
