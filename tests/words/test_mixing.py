"""Closed forms of policies that mix, against the simulator and against every outcome."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib import loop
from collapse_lib.conservation import expected_retention
from collapse_lib.families import Categorical, Gaussian
from collapse_lib.words import mixing, simulate
from tests.properties import least_values

TRUTH = np.array([0.5, 0.3, 0.15, 0.05])
VARIANCE = 1 - TRUTH @ TRUTH
POLICIES = [
    loop.PartlyReal(3),
    loop.FreshReal(3),
    loop.Immigration(0.2),
    loop.LastK(3),
    loop.LastK(3, reuse=True),
]


@pytest.mark.parametrize("policy", [*POLICIES, loop.LastK(1), loop.Immigration(0)], ids=str)
def test_expected_drift_is_that_of_the_loop(policy):
    run = simulate(TRUTH, 12, 100_000, n=10, policy=policy, rng=4)  # no multiple of 3
    drift = run.drift[:, 1:] / VARIANCE
    error = drift.std(axis=0) / math.sqrt(len(drift))
    assert (
        np.abs((drift.mean(axis=0) - mixing.expected_drift(policy, 10, 12)[1:]) / error).max() < 4
    )


def test_drift_and_retention_add_up_where_both_are_known():
    replace = 1 - expected_retention("replace", 12, 30)
    for policy in (loop.Immigration(0), loop.LastK(1), loop.LastK(1, reuse=True)):
        np.testing.assert_allclose(mixing.expected_drift(policy, 12, 30), replace, atol=1e-14)
    assert mixing.retention(5 * [12]) == pytest.approx(expected_retention("accumulate", 12, 5)[-1])


def drift_over_every_outcome(policy, n, generations):
    """Drift of two words, in units of p(1 − p), by following every outcome and its chance."""
    p = 0.3

    def outcomes(size, share):
        return [(k / size, stats.binom.pmf(k, size, share)) for k in range(size + 1)]

    def follow(law, step):
        drift = [0.0]
        for t in range(1, generations + 1):
            after = {}
            for share, chance in law.items():
                for new, weight in step(t, share):
                    new = round(new, 12)
                    after[new] = after.get(new, 0.0) + chance * weight
            law = after
            drift.append(sum(chance * (share - p) ** 2 for share, chance in law.items()))
        return np.array(drift) / (p * (1 - p))

    def mixed(real_share, real, share):
        return [((real * real_share + n * made) / (real + n), c) for made, c in outcomes(n, share)]

    match policy:
        case loop.PartlyReal(real):
            return sum(
                chance * follow(
                    {p: 1.0},
                    lambda t, share, r=r: [(r, 1.0)] if t == 1 else mixed(r, real, share),
                )
                for r, chance in outcomes(real, p)
            )  # fmt: skip
        case loop.FreshReal(real):
            return follow(
                {p: 1.0},
                lambda t, share: outcomes(real, p) if t == 1 else [
                    (new, c * chance) for r, chance in outcomes(real, p)
                    for new, c in mixed(r, real, share)
                ],
            )  # fmt: skip
        case loop.Immigration(fraction):
            return follow(
                {p: 1.0}, lambda t, share: outcomes(n, fraction * p + (1 - fraction) * share)
            )


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("policy", POLICIES[:3], ids=str)
def test_expected_drift_over_every_outcome(policy, n):
    exact = drift_over_every_outcome(policy, n, 4)
    np.testing.assert_allclose(mixing.expected_drift(policy, n, 4), exact, rtol=1e-10)


def test_last_k_goes_all_the_way():
    for reuse in (False, True):
        assert mixing.drift_limit(loop.LastK(3, reuse=reuse), 10) == 1


@pytest.mark.parametrize("policy", POLICIES[:3], ids=str)
def test_the_limit_is_the_limit(policy):
    far = mixing.expected_drift(policy, 20, 4000)[-1]
    assert far == pytest.approx(mixing.drift_limit(policy, 20), rel=1e-12)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("reuse", [False, True])
def test_last_k_collapses_at_about_its_effective_size(k, reuse):
    remains = 1 - mixing.expected_drift(loop.LastK(k, reuse=reuse), 300, 5000)
    rate = math.log(remains[-1001] / remains[-1]) / 1000
    size = (300 / k if reuse else 300) * ((k + 1) / 2) ** 2
    assert remains[-1] < 0.02 and rate * size == pytest.approx(1, rel=0.02)


def weighted_by_repetition(real_times, synthetic_times):
    """A policy in which each real item counts real_times, each synthetic one synthetic_times."""

    class Weighted:
        def training_set(self, history, n):
            real = np.repeat(history.draw(n, model=0), real_times, axis=1)
            made = np.repeat(history.draw(n), synthetic_times, axis=1)
            return np.concatenate([real, made], axis=1)

    return Weighted()


def test_weighted_drift_against_the_loop():
    run = loop.run(
        Categorical(4),
        weighted_by_repetition(3, 1),
        truth=TRUTH,
        n=5,
        generations=25,
        replicates=40_000,
        rng=5,
    )
    drift = ((run.params[:, -1] - TRUTH) ** 2).sum(axis=1) / VARIANCE
    expected = mixing.weighted_drift_limit(0.75, 5, 5)
    assert abs(drift.mean() - expected) < 4 * drift.std() / 200


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_no_weight_beats_the_optimal_one(real, synthetic):
    best = mixing.best_real_weight(real, synthetic)
    assert 0 < best <= 1
    at_best = mixing.weighted_drift_limit(best, real, synthetic)
    assert at_best == pytest.approx(best / real, rel=1e-9)
    others = mixing.weighted_drift_limit(np.linspace(0.001, 1, 97), real, synthetic)
    assert (others >= at_best * (1 - 1e-12)).all()


def test_a_tiny_weight_loses_no_digits():
    weight, real, synthetic = 1e-9, 10, 10**17
    exact = Fraction(weight) ** 2 / real + (1 - Fraction(weight)) ** 2 / synthetic
    exact /= 1 - (1 - Fraction(weight)) ** 2 * (1 - Fraction(1, synthetic))
    found = mixing.weighted_drift_limit(weight, real, synthetic)
    assert found == pytest.approx(float(exact), rel=1e-12)


def test_the_best_weight_loses_no_digits():
    for real, synthetic in [(10**9, 2), (3, 10**15), (10**15, 10**15 + 1)]:
        w = Fraction(mixing.best_real_weight(real, synthetic))
        square, line = Fraction(synthetic - 1, real), 1 + Fraction(1, real)
        off = (square * w**2 + line * w - 1) / (2 * square * w + line)  # one Newton step
        assert abs(off / w) < 1e-15


def test_equal_weights_are_the_policy_fresh_real():
    limit = mixing.weighted_drift_limit(30 / 50, 30, 20)
    assert limit == pytest.approx(mixing.drift_limit(loop.FreshReal(30), 20), rel=1e-12)


@given(st.integers(2, 10**5), st.floats(1e-9, 1.0), st.floats(0.01, 1.0))
def test_safe_size_is_the_largest(real, drift, heterozygosity):
    size = mixing.safe_synthetic_size(real, drift, heterozygosity=heterozygosity)

    def at(n):
        variance = (1 - 1 / real) * heterozygosity
        return n * variance / (real**2 + 2 * real * n + n)

    if size == math.inf:
        assert at(10**18) <= drift * (1 + 1e-9)
    else:
        assert at(size) <= drift * (1 + 1e-9) and at(size + 1) >= drift * (1 - 1e-9)


@pytest.mark.parametrize("heterozygosity", [1.0, 0.6])
@pytest.mark.parametrize("real", [2, 3, 7, 40])
def test_safe_size_of_a_drift_that_a_size_just_reaches(real, heterozygosity):
    """Given the first fit p₁ all later ones have mean p₁, so that the squares add up."""
    for n in range(2, 40):
        from_truth = mixing.drift_limit(loop.PartlyReal(real), n)
        from_first_fit = heterozygosity * (from_truth - 1 / real)
        options = {"heterozygosity": heterozygosity}
        assert mixing.safe_synthetic_size(real, from_first_fit, **options) == n
        assert mixing.safe_synthetic_size(real, from_first_fit * (1 - 1e-9), **options) == n - 1


def stationary_chance_to_be_absent(n, p, fraction):
    """The count of one word under multinomial sampling is a binomial chain."""
    x = np.arange(n + 1)
    step = stats.binom.pmf(x, n, (fraction * p + (1 - fraction) * x / n)[:, None])
    law = np.full(n + 1, 1 / (n + 1))
    for _ in range(12):
        step = step @ step
    return (law @ step)[0]


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.5, 1.0])
def test_presence_against_the_binomial_chain(fraction):
    n, p = 500, 0.004
    exact = 1 - stationary_chance_to_be_absent(n, p, fraction)
    assert mixing.presence_probability(p, n, fraction) == pytest.approx(exact, rel=0.01)


@given(st.floats(0.05, 0.99), st.floats(0.001, 0.5))
def test_migrants_needed_inverts_presence(share_of_most, p):
    n = 1000
    presence = -math.expm1(-n * p) * share_of_most
    if presence <= mixing.presence_probability(p, n, mixing.LEAST):
        return
    fraction = mixing.migrants_needed(p, n, presence) / n
    assert mixing.presence_probability(p, n, fraction) == pytest.approx(presence, rel=1e-4)


def test_migrants_at_the_ends_of_what_can_be_asked():
    p, n = 0.01, 50
    assert mixing.migrants_needed(p, n, -math.expm1(-n * p)) == n
    with pytest.raises(ValueError, match="presence must be more than"):
        mixing.migrants_needed(p, n, mixing.presence_probability(p, n, mixing.LEAST))


@pytest.mark.parametrize("fraction", [0.01, 0.3, 1.0])
def test_presence_by_following_one_family_to_its_end(fraction):
    alive, total = 1.0, 0.0
    while alive > 1e-17:
        total += alive
        alive = 1 - math.exp(-(1 - fraction) * alive) if alive > 1e-4 else (
            (1 - fraction) * alive * (1 - (1 - fraction) * alive / 2)
        )  # fmt: skip
    missing = math.exp(-1000 * 0.002 * fraction * total)
    assert mixing.presence_probability(0.002, 1000, fraction) == pytest.approx(
        1 - missing, rel=1e-6
    )


def test_immigration_keeps_the_shape_of_vectors():
    class Vectors(Gaussian):
        def sample(self, params, size, rng):
            return rng.standard_normal((len(params), size, 2))

        def fit(self, data):
            return data.mean(axis=1)

    run = loop.run(Vectors(), loop.Immigration(0.5), truth=[0, 0], n=5, generations=2, replicates=3)
    assert run.params.shape == (3, 3, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: loop.Immigration(1.5), "fraction must lie between 0 and 1"),
        (lambda: mixing.expected_drift(loop.Replace(), 10, 5), "policy must be PartlyReal"),
        (lambda: mixing.expected_drift(loop.LastK(9), 5, 5), "n must be a whole .* at least 9"),
        (lambda: mixing.drift_limit(loop.LastK(9), 5), "n must be a whole .* at least 9"),
        (lambda: mixing.safe_synthetic_size(1, 0.1), "real must be a whole number, at least 2"),
        (lambda: mixing.safe_synthetic_size(9, 0), "drift must be a finite number above 0"),
        (lambda: mixing.safe_synthetic_size(9, 0.1, heterozygosity=2), "above 0 up to 1"),
        (lambda: mixing.weighted_drift_limit(0, 5, 5), "weight must be more than 0"),
        (lambda: mixing.weighted_drift_limit([0.5, 1.5], 5, 5), "at most 1"),
        (lambda: mixing.best_real_weight(0, 5), "real must be a whole number, at least 1"),
        (lambda: mixing.presence_probability(0.1, 10, 0), "fraction must be at least 0.0001"),
        (lambda: mixing.migrants_needed(0.001, 100, 0.5), "presence must be .* and at most"),
        (lambda: mixing.migrants_needed(0.5, 10**6, 0.9), "presence must be more than"),
        (lambda: mixing.retention([]), "at least one batch"),
        (lambda: mixing.retention([3, 0]), "batch_sizes must be a whole number, at least 1"),
    ],
)
def test_errors_say_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("check", least_values(
    (mixing.safe_synthetic_size, {"drift": 0.1}, {"real": 2}),
    (mixing.weighted_drift_limit, {"weight": 0.5, "real": 3, "synthetic": 3},
     {"real": 1, "synthetic": 1}),
    (mixing.best_real_weight, {"real": 3, "synthetic": 3}, {"real": 1, "synthetic": 1}),
    (mixing.presence_probability, {"p": 0.5, "fraction": 0.5}, {"n": 1}),
    (mixing.migrants_needed, {"p": 0.5, "presence": 0.2}, {"n": 1}),
    (mixing.expected_drift, {"policy": loop.PartlyReal(3), "n": 5, "generations": 3},
     {"n": 2, "generations": 0}),
    (mixing.expected_drift, {"policy": loop.LastK(3), "generations": 3}, {"n": 3}),
    (mixing.drift_limit, {"policy": loop.Immigration(0.5)}, {"n": 2}),
    (mixing.drift_limit, {"policy": loop.LastK(3)}, {"n": 3}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
