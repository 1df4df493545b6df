"""What each policy keeps: exact enumeration with fractions, then simulation by definition."""

from collections import defaultdict
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collapse_lib.conservation import expected_retention, retention_limit
from collapse_lib.families import Categorical, Gaussian
from collapse_lib.loop import FreshReal, LastK, PartlyReal, run
from tests.properties import least_values

POLICIES = ["replace", "accumulate", "accumulate-subsample", "random-past"]
TRUTH = Fraction(1, 3)


def binomial(n, p):
    return [(k, comb(n, k) * p**k * (1 - p) ** (n - k)) for k in range(n + 1)]


def hypergeometric(good, bad, n):
    return [
        (k, Fraction(comb(good, k) * comb(bad, n - k), comb(good + bad, n)))
        for k in range(max(0, n - bad), min(good, n) + 1)
    ]


# Each policy as: state before fit t -> possible (state, fitted share of the first word, chance).
# The state is what the policy needs to know of the past, in numbers of the first word.
def replace(state, t, n):
    p = TRUTH if state is None else Fraction(state, n)
    return [(k, Fraction(k, n), chance) for k, chance in binomial(n, p)]


def accumulate(state, t, n):
    p, pool = (TRUTH, 0) if state is None else (Fraction(state, n * (t - 1)), state)
    return [(pool + k, Fraction(pool + k, n * t), chance) for k, chance in binomial(n, p)]


def accumulate_subsample(state, t, n):
    pool, model = (0, TRUTH) if state is None else (state[0], Fraction(state[1], n))
    return [
        ((pool + k, m), Fraction(m, n), chance * chosen)
        for k, chance in binomial(n, model)
        for m, chosen in hypergeometric(pool + k, n * t - pool - k, n)
    ]


def random_past(state, t, n):
    past = 0 if state is None else state
    mixture = (TRUTH + Fraction(past, n)) / t
    return [(past + k, Fraction(k, n), chance) for k, chance in binomial(n, mixture)]


ENUMERATE = dict(
    zip(POLICIES, (replace, accumulate, accumulate_subsample, random_past), strict=True)
)


def enumerated_retention(policy, n, generations):
    """E H_t / H_0 of two words, over every outcome."""
    law, kept = {None: Fraction(1)}, [Fraction(1)]
    for t in range(1, generations + 1):
        following, total = defaultdict(Fraction), Fraction(0)
        for state, weight in law.items():
            for outcome, p, chance in ENUMERATE[policy](state, t, n):
                following[outcome] += weight * chance
                total += weight * chance * p * (1 - p)
        law = following
        kept.append(total / (TRUTH * (1 - TRUTH)))
    assert sum(law.values()) == 1
    return kept


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("policy", POLICIES)
def test_expected_retention_over_every_outcome(policy, n):
    exact = enumerated_retention(policy, n, 5)
    np.testing.assert_allclose(
        expected_retention(policy, n, 5), [float(x) for x in exact], rtol=1e-13
    )


# 20 000 runs: a standard error of about 0.3 % of what is left, so that a formula that is
# off by 2.5 % is caught (|z| > 4) with a chance above 99 %.
@pytest.mark.parametrize("policy", POLICIES)
def test_loop_keeps_what_the_formula_says_of_words(policy):
    truth = np.array([0.5, 0.3, 0.2])
    params = run(
        Categorical(3), policy, truth=truth, n=8, generations=6, replicates=20_000, rng=4
    ).params
    kept = (1 - (params**2).sum(axis=2)) / (1 - truth @ truth)
    assert_agrees(kept[:, 1:], expected_retention(policy, 8, 6)[1:])
    with pytest.raises(AssertionError):
        assert_agrees(kept[:, 1:], expected_retention(policy, 9, 6)[1:])


@pytest.mark.parametrize("policy", POLICIES)
def test_loop_keeps_what_the_formula_says_of_numbers(policy):
    """The same law for a Gaussian fitted by maximum likelihood."""
    params = run(
        Gaussian("ml"), policy, truth=[2.0, 3.0], n=10, generations=5, replicates=20_000, rng=6
    ).params
    assert_agrees(params[:, 1:, 1] ** 2 / 9, expected_retention(policy, 10, 5)[1:])


def assert_agrees(samples, expected):
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert np.abs((samples.mean(axis=0) - expected) / error).max() < 4


@pytest.mark.parametrize("policy", POLICIES)
def test_variance_kept_and_drift_add_up(policy):
    """E v_t + E‖p_t − p₀‖² = v₀ in each generation, whatever the policy."""
    truth = np.array([0.6, 0.3, 0.1])
    params = run(
        Categorical(3), policy, truth=truth, n=5, generations=4, replicates=20_000, rng=9
    ).params
    total = 1 - (params**2).sum(axis=2) + ((params - truth) ** 2).sum(axis=2)
    assert_agrees(total[:, 1:], 1 - truth @ truth)


@pytest.mark.parametrize("n", [2, 10, 300])
@pytest.mark.parametrize("policy", ["accumulate", "random-past"])
def test_retention_limit_is_where_the_product_goes(policy, n):
    generations = 20_000
    kept = expected_retention(policy, n, generations)[-1]
    # What is still to come is Π (1 − 1/(n i²)) ≈ 1 − 1/(n(generations + ½)).
    to_come = 1 - 1 / (n * (generations + 0.5))
    assert retention_limit(policy, n) == pytest.approx(kept * to_come, rel=1e-9)


def test_retention_limit_of_replace():
    assert retention_limit("replace", 50) == 0
    assert expected_retention("replace", 50, 2000)[-1] < 1e-17


@pytest.mark.parametrize("policy", ["accumulate", "random-past"])
def test_the_share_lost_for_ever_is_first_order_in_1_over_n(policy):
    """n(1 − limit) = π²/6 + a/n + …: Richardson's extrapolation leaves an error of order 1/n²."""
    n = 10**4
    loss = [m * (1 - retention_limit(policy, m)) for m in (n, 2 * n)]
    assert 2 * loss[1] - loss[0] == pytest.approx(np.pi**2 / 6, abs=1e-6)


def test_what_a_subsample_loses_for_ever():
    """π²/2 − 2: extrapolated in the number of generations, whose error is of order 1/t, then in n."""

    def loss(n):
        half, full = (
            n * (1 - expected_retention("accumulate-subsample", n, t)[-1]) for t in (5000, 10_000)
        )
        return 2 * full - half

    n = 2000
    assert 2 * loss(2 * n) - loss(n) == pytest.approx(np.pi**2 / 2 - 2, abs=1e-4)


@given(st.sampled_from(POLICIES), st.integers(2, 10**6), st.integers(0, 300))
def test_retention_falls_from_one_and_stays_a_share(policy, n, generations):
    kept = expected_retention(policy, n, generations)
    assert kept.shape == (generations + 1,) and kept[0] == 1
    assert (kept > 0).all() and (np.diff(kept) <= 0).all()


@given(
    st.sampled_from(POLICIES),
    st.one_of(st.floats(), st.text(), st.none(), st.integers(max_value=1)),
)
def test_junk_for_n_is_refused(policy, junk):
    if isinstance(junk, float) and junk >= 2 and junk == int(min(junk, 1e300)):
        assert np.isfinite(expected_retention(policy, junk, 3)).all()
        return
    with pytest.raises(ValueError, match="n must be a whole number, at least 2"):
        expected_retention(policy, junk, 3)


@pytest.mark.parametrize("policy", [PartlyReal(5), FreshReal(5), LastK(2), "no-such", 7, None])
@pytest.mark.parametrize(
    "call", [lambda p: expected_retention(p, 5, 2), lambda p: retention_limit(p, 5)]
)
def test_a_policy_without_a_closed_form_is_named(policy, call):
    with pytest.raises(ValueError, match="policy must be"):
        call(policy)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="generations must be a whole number, at least 0, got -1"):
        expected_retention("replace", 5, -1)
    with pytest.raises(ValueError, match="n must be a whole number, at least 2, got 1"):
        retention_limit("accumulate", 1)
    with pytest.raises(ValueError, match="policy must be Replace, Accumulate or RandomPast"):
        retention_limit("accumulate-subsample", 5)


@pytest.mark.parametrize("check", least_values(
    (expected_retention, {"policy": "replace", "n": 5, "generations": 3},
     {"n": 2, "generations": 0}),
    (retention_limit, {"policy": "accumulate"}, {"n": 2}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
