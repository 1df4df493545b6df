"""Poisson sampling: every closed form against token-level simulation or a brute-force search."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collapse_lib.words import branching
from collapse_lib.words.branching import (
    ALIVE_CONSTANT,
    alive_probability,
    expected_survivors,
    extinction_probability,
    forgetting_quantile,
    no_loss_probability,
)
from tests.properties import least_values

COUNTS = np.array([1, 1, 2, 5, 10])
GENERATIONS = 30
REPLICATES = 20_000


@pytest.fixture(scope="module")
def forgetting_times():
    """Forgetting times of words whose tokens are each copied a Poisson(1) number of times."""
    rng = np.random.default_rng(11)
    times = np.full((REPLICATES, len(COUNTS)), GENERATIONS + 1)
    word = np.repeat(np.arange(times.size).reshape(times.shape), COUNTS, axis=1).ravel()
    alive = np.ones(times.size, dtype=bool)
    for t in range(1, GENERATIONS + 1):
        word = np.repeat(word, rng.poisson(1.0, size=len(word)))
        now = np.zeros_like(alive)
        now[word] = True
        times.ravel()[alive & ~now] = t
        alive = now
    return times


def z_scores(successes, trials, probability):
    return (successes - trials * probability) / np.sqrt(trials * probability * (1 - probability))


# With 20 000 replicates a standard error is at most 0.0035, so that a probability that is
# off by 0.02 is missed (|z| < 4) with a chance below 5 %.
def test_extinction_probability_is_that_of_a_token_level_simulation(forgetting_times):
    t = np.array([1, 2, 5, 10, 20, 30])
    gone = (forgetting_times[:, :, None] <= t).sum(axis=0)
    z = z_scores(gone, REPLICATES, extinction_probability(COUNTS[:, None], t))
    assert np.abs(z).max() < 4


def test_a_simulation_with_another_offspring_mean_is_rejected(forgetting_times):
    gone = (forgetting_times[:, 4] <= 20).sum()
    assert abs(z_scores(gone, REPLICATES, extinction_probability(10.5, 20))) > 4


def test_extinction_probability_by_composing_generating_functions():
    """q_{t+1} = e^{q_t − 1}: written out, and not by way of g."""
    q = [0.0]
    for _ in range(200):
        q.append(np.exp(q[-1] - 1))
    counts = np.array([0, 0.5, 1, 7, 1000])
    expected = np.array(q)[:, None] ** counts
    found = extinction_probability(counts, np.arange(201)[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-300)


def test_extinction_probability_of_a_word_that_is_not_there():
    assert extinction_probability(0, 5) == 1.0
    assert extinction_probability([0, 1], 0).tolist() == [1.0, 0.0]


def test_alive_constant():
    assert ALIVE_CONSTANT == pytest.approx(0.39913, abs=1e-5)
    k = 10**6
    exact = 1 / alive_probability(k)
    assert exact == pytest.approx(k / 2 + np.log(k) / 6 + ALIVE_CONSTANT, abs=1e-5)


def test_no_numbers_give_no_numbers():
    assert alive_probability([]).shape == (0,)


def test_generations_beyond_the_table_are_exact_to_a_ten_millionth():
    """The generation at which 1/g is r, for the g of each generation up to 20 000."""
    k = np.arange(1024, 20_000)
    found = branching._generation_at(1 / alive_probability(k))
    assert np.abs(found - k).max() < 1e-7


def test_forgetting_times_up_to_the_largest_64_bit_number():
    count = 2e18
    assert 2**62 < forgetting_quantile(count, 0.5) < 2**63
    assert forgetting_quantile(count, 0.5) == pytest.approx(2 * count / np.log(2), rel=1e-9)


def test_expected_survivors(forgetting_times):
    t = np.array([0, 1, 5, 20])
    alive = (forgetting_times[:, :, None] > t).sum(axis=1)
    expected = expected_survivors(COUNTS, t)
    error = alive.std(axis=0, ddof=1) / np.sqrt(REPLICATES)
    assert expected[0] == len(COUNTS)
    assert np.abs((alive.mean(axis=0) - expected)[1:] / error[1:]).max() < 4


def test_no_loss_probability(forgetting_times):
    t = np.array([1, 2, 4])
    whole = (forgetting_times.min(axis=1)[:, None] > t).sum(axis=0)
    assert np.abs(z_scores(whole, REPLICATES, no_loss_probability(COUNTS, t))).max() < 4
    # The first generation by hand: a token leaves no copy with chance 1/e.
    by_hand = np.prod(1 - np.exp(-COUNTS.astype(float)))
    assert no_loss_probability(COUNTS, 1) == pytest.approx(by_hand, rel=1e-12)


def test_words_with_no_occurrence_change_no_expectation():
    counts = [3, 0, 1, 0]
    assert expected_survivors(counts, 7) == expected_survivors([1, 3], 7)
    assert no_loss_probability(counts, 7) == no_loss_probability([1, 3], 7)


@pytest.fixture(scope="module")
def log_gone():
    """ln q_t for t up to 2^19, by its own recursion."""
    g, size = 1.0, 2**19
    table = np.empty(size)
    table[0] = -np.inf
    for t in range(1, size):
        g = -np.expm1(-g)
        table[t] = np.log1p(-g)
    return table


@pytest.mark.parametrize("alpha", [0.001, 0.1, 0.5, 0.9, 0.99])
def test_forgetting_quantile_is_the_smallest_generation(log_gone, alpha):
    counts = np.arange(1, 2001)
    brute_force = np.searchsorted(log_gone, np.log(alpha) / counts)
    assert brute_force.max() < len(log_gone)
    np.testing.assert_array_equal(forgetting_quantile(counts, alpha), brute_force)


def test_forgetting_quantile_of_small_counts_by_definition():
    for count in (1, 2, 10, 300):
        t = int(forgetting_quantile(count, 0.5))
        assert extinction_probability(count, t - 1) < 0.5 <= extinction_probability(count, t)


def test_forgetting_quantile_is_never_before_the_first_fit():
    assert forgetting_quantile(1, 1e-17) == 1
    assert forgetting_quantile(0.001, 0.5) == 1


def test_forgetting_quantile_is_linear_in_the_count():
    """To leading order 2·count/ln(1/alpha)."""
    for alpha, slope in [(0.1, 0.869), (0.5, 2.885), (0.9, 18.98)]:
        assert forgetting_quantile(10**7, alpha) / 10**7 == pytest.approx(slope, rel=1e-3)


@given(st.floats(1e-6, 1e15), st.integers(1, 2000))
def test_extinction_probability_is_a_distribution_function(count, t):
    before, now = extinction_probability(count, [t - 1, t])
    assert 0 <= before <= now <= 1


@given(st.floats(1e-3, 1e9), st.floats(1e-9, 1 - 1e-6))
def test_forgetting_quantile_is_monotone(count, alpha):
    t, of_a_commoner_word = forgetting_quantile([count, 1.5 * count], alpha)
    with_more_certainty = forgetting_quantile(count, (1 + alpha) / 2)
    assert 1 <= t <= min(of_a_commoner_word, with_more_certainty)


@given(st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.none(), st.booleans()))
def test_junk_is_refused_or_gives_a_probability(junk):
    for call in (
        lambda: extinction_probability(junk, 3),
        lambda: expected_survivors([junk], 3),
        lambda: no_loss_probability([1, junk], 2),
        lambda: forgetting_quantile(3, junk),
        lambda: forgetting_quantile(junk, 0.5),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a subnormal count may overflow on its way to 1
            try:
                value = call()
            except ValueError:
                continue
        assert np.isfinite(value).all() and (np.asarray(value) >= 0).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: alive_probability(0), ["k", "at least 1", "0"]),
        (lambda: alive_probability(1.5), ["k", "whole number", "1.5"]),
        (lambda: alive_probability([1, -2]), ["k", "at least 1", "-2"]),
        (lambda: extinction_probability(-1, 2), ["count", "at least 0", "-1"]),
        (lambda: extinction_probability(float("nan"), 2), ["count", "finite", "nan"]),
        (lambda: extinction_probability(1, -1), ["t", "at least 0", "-1"]),
        (lambda: extinction_probability(1, 0.5), ["t", "whole number", "0.5"]),
        (lambda: expected_survivors([], 2), ["counts", "non-empty"]),
        (lambda: expected_survivors([0, 0], 2), ["counts", "positive sum"]),
        (lambda: no_loss_probability([1, float("inf")], 2), ["counts", "finite", "inf"]),
        (lambda: forgetting_quantile(0, 0.5), ["count", "more than 0"]),
        (lambda: forgetting_quantile(1, 1), ["alpha", "strictly between 0 and 1", "1"]),
        (lambda: forgetting_quantile(1e300, 0.5), ["count", "smaller"]),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as error:
        call()
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("check", least_values(
    (alive_probability, {}, {"k": 1}),
    (extinction_probability, {"count": 1}, {"t": 0}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
