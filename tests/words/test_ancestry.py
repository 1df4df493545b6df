"""The ancestor chain against the exact Wright–Fisher chains of two and of three words."""

import contextlib
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from collapse_lib.words import ancestry
from collapse_lib.words.ancestry import (
    ancestor_distribution,
    collapse_time,
    expected_vocabulary,
    kingman_survival,
    word_gone_probability,
)
from tests.properties import least_values


def two_word_chain(p, n, generations):
    """Law of the first word's count at each fit 1 … generations, and the transition matrix."""
    k = np.arange(n + 1)
    step = stats.binom.pmf(k[None, :], n, k[:, None] / n)
    law = [stats.binom.pmf(k, n, p)]
    for _ in range(generations - 1):
        law.append(law[-1] @ step)
    return np.array(law), step


def many_word_chain(p, n):
    """States (counts), their law at the first fit, and the transition matrix."""
    states = [c for c in product(range(n + 1), repeat=len(p)) if sum(c) == n]
    step = [[stats.multinomial.pmf(b, n, np.divide(a, n)) for b in states] for a in states]
    first = [stats.multinomial.pmf(b, n, p) for b in states]
    return np.array(states), np.array(first), np.array(step)


def absorption_time(first, step, absorbed):
    """Mean number of fits until absorption, the first one included."""
    inside = ~absorbed
    inner = step[np.ix_(inside, inside)]
    waiting = np.linalg.solve(np.eye(len(inner)) - inner, np.ones(len(inner)))
    return 1 + first[inside] @ waiting


@pytest.mark.parametrize("n", [1, 2, 7, 50])
def test_transitions_are_those_of_balls_in_boxes(n):
    step = ancestry._transitions(n)
    np.testing.assert_allclose(step.sum(axis=1), 1, rtol=1e-12)
    assert (np.triu(step, 1) == 0).all() and (step >= 0).all()
    balls = np.arange(n + 1)
    np.testing.assert_allclose(step @ balls, n * (1 - (1 - 1 / n) ** balls), rtol=1e-12)


def test_transitions_by_throwing_every_ball_every_way():
    n = 4
    for a in range(n + 1):
        hit = [len(set(throw)) for throw in product(range(n), repeat=a)]
        expected = np.bincount(hit, minlength=n + 1) / n**a
        np.testing.assert_allclose(ancestry._transitions(n)[a], expected, atol=1e-15)


def test_ancestor_distribution_starts_from_everybody():
    law = ancestor_distribution(5, 60)
    assert law[0].tolist() == [0, 0, 0, 0, 0, 1]
    np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)
    assert law[-1, 1] > 0.999


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (35, 0.03), (60, 0.21)])
def test_duality_in_every_generation(n, p):
    law, _ = two_word_chain(p, n, 200)
    gone = word_gone_probability([p, 1 - p], n, 200)
    np.testing.assert_allclose(gone[1:, 0], law[:, 0], atol=1e-12)
    np.testing.assert_allclose(gone[1:, 1], law[:, n], atol=1e-12)


def test_truth_is_row_zero():
    assert word_gone_probability([0.5, 0, 0.5], 4, 0).tolist() == [[0, 1, 0]]
    assert expected_vocabulary([0.5, 0, 0.5], 4, 0).tolist() == [2]


def test_three_words_by_brute_force():
    p, n, generations = np.array([0.5, 0.3, 0.2]), 4, 12
    states, law, step = many_word_chain(p, n)
    vocabulary, gone = (
        expected_vocabulary(p, n, generations),
        word_gone_probability(p, n, generations),
    )
    for t in range(1, generations + 1):
        assert vocabulary[t] == pytest.approx(law @ (states > 0).sum(axis=1), abs=1e-12)
        np.testing.assert_allclose(gone[t], law @ (states == 0), atol=1e-12)
        law = law @ step


@pytest.mark.parametrize(("p", "n"), [(0.5, 2), (0.1, 20), (0.37, 60), (1e-3, 40)])
def test_collapse_time_of_two_words(p, n):
    law, step = two_word_chain(p, n, 1)
    absorbed = np.isin(np.arange(n + 1), [0, n])
    exact = absorption_time(law[0], step, absorbed)
    assert collapse_time([p, 1 - p], n).exact == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(("p", "n"), [((0.5, 0.3, 0.2), 5), ((0.98, 0.01, 0.01), 6)])
def test_collapse_time_of_three_words(p, n):
    states, first, step = many_word_chain(p, n)
    exact = absorption_time(first, step, (states > 0).sum(axis=1) == 1)
    assert collapse_time(p, n).exact == pytest.approx(exact, rel=1e-9)


def test_collapse_time_diffusion_solves_its_equation():
    """p(1−p)/(2n) u'' = −1 with u(0) = u(1) = 0 for two words."""
    n, p = 100, np.linspace(0.005, 0.995, 199)
    u = np.array([collapse_time([x, 1 - x], n).diffusion for x in p])
    curvature = np.diff(u, 2) / (p[1] - p[0]) ** 2
    inner = p[1:-1]
    middle = (inner > 0.1) & (inner < 0.9)
    np.testing.assert_allclose((inner * (1 - inner) * curvature)[middle] / (2 * n), -1, rtol=1e-3)
    assert collapse_time([1e-12, 1 - 1e-12], n).diffusion < 1e-8


def test_collapse_time_diffusion_is_the_large_n_limit():
    p = np.array([0.4, 0.3, 0.2, 0.1])
    gaps = [result.diffusion - result.exact for result in (collapse_time(p, n) for n in (100, 800))]
    assert 0 < gaps[0] < gaps[1] < 4  # grows like a logarithm, while E T grows eightfold


def test_collapse_time_enclosure_is_tight_when_every_word_is_rare():
    n, words = 1000, 5000
    result = collapse_time(np.full(words, 1 / words), n)
    # (1−p) ln(1/(1−p)) = p − p²/2 − …, halfway between the two
    assert 2 * n - result.diffusion == pytest.approx(n / words, rel=1e-3)
    assert result.diffusion - 2 * n * (1 - 1 / words) == pytest.approx(n / words, rel=1e-3)


def test_collapse_time_of_a_single_word():
    result = collapse_time([1.0, 0.0], 30)
    assert result.exact == result.diffusion == 0


def test_kingman_survival_has_the_moments_of_its_waiting_times():
    """Σ Exp(k(k−1)/2): mean 2, variance Σ (2/(k(k−1)))² = 4π²/3 − 12."""
    mean, _ = integrate.quad(kingman_survival, 1e-9, 60)
    second, _ = integrate.quad(lambda x: 2 * x * kingman_survival(x), 1e-9, 60)
    assert mean == pytest.approx(2, abs=1e-6)
    assert second - mean**2 == pytest.approx(4 * np.pi**2 / 3 - 12, abs=1e-5)


# 40 000 sums of exponentials: the Kolmogorov–Smirnov distance is below 0.0105 with chance
# 0.9997, and rejects a law that is off by 0.02 anywhere.
def test_kingman_survival_is_the_law_of_its_waiting_times():
    k = np.arange(2, 200)
    waiting = np.random.default_rng(2).standard_exponential((40_000, len(k))) @ (2 / (k * (k - 1)))
    assert stats.kstest(waiting, lambda x: 1 - kingman_survival(x)).pvalue > 1e-3


def test_kingman_survival_is_the_limit_of_rare_words():
    n, x = 400, np.array([0.3, 1.0, 2.5])
    alone = ancestor_distribution(n, 1000)[:, 1]
    np.testing.assert_allclose(1 - alone[(x * n).astype(int) - 1], kingman_survival(x), atol=3 / n)


def test_kingman_survival_of_short_and_long_times():
    short = kingman_survival([1e-300, 1e-6, 1e-3, 0.009, 0.011, 0.05])
    np.testing.assert_allclose(short, 1, atol=1e-12)
    assert kingman_survival(float("inf")) == 0
    x = np.geomspace(1e-4, 30, 500)
    assert (np.diff(kingman_survival(x)) <= 1e-12).all()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=6), st.integers(2, 30))
def test_results_are_probabilities_for_all_words(values, n):
    total = sum(values)
    if not total > 1e-200:
        return
    p = np.array(values) / total
    gone = word_gone_probability(p, n, 8)
    assert (gone > -1e-12).all() and (gone < 1 + 1e-12).all()
    assert (np.diff(gone[1:], axis=0) > -1e-12).all()
    result = collapse_time(p, n)
    lower, upper = 2 * n * (1 - np.sum(p**2)), 2 * n
    assert -1e-12 <= lower <= result.diffusion * (1 + 1e-9) + 1e-12 <= upper * (1 + 2e-9)
    assert np.isfinite(result.exact) and result.exact >= 0


@given(st.lists(st.floats(), max_size=4))
def test_junk_is_refused_or_gives_probabilities(values):
    for call in (
        lambda: word_gone_probability(values, 4, 3),
        lambda: expected_vocabulary(values, 4, 3),
        lambda: collapse_time(values, 4).exact,
        lambda: kingman_survival(values),
    ):
        with contextlib.suppress(ValueError):
            assert np.isfinite(call()).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ancestry._transitions(0), ["n", "at least 1", "0"]),
        (lambda: ancestry._transitions(2.5), ["n", "whole number", "2.5"]),
        (lambda: ancestry._transitions(10**6), ["n", "at most 8192", "1000000"]),
        (lambda: ancestor_distribution(3, -1), ["generations", "at least 0", "-1"]),
        (lambda: word_gone_probability([0.5, 0.4], 5, 3), ["truth", "sum to 1", "0.9"]),
        (lambda: word_gone_probability([-0.5, 1.5], 5, 3), ["truth", "at least 0", "-0.5"]),
        (lambda: expected_vocabulary([float("nan"), 1], 5, 3), ["truth", "finite", "nan"]),
        (lambda: collapse_time([0.5, 0.5], 1), ["n", "at least 2", "1"]),
        (lambda: collapse_time([], 5), ["truth", "non-empty"]),
        (lambda: collapse_time([[0.5, 0.5]], 5), ["truth", "1 axis", "(1, 2)"]),
        (lambda: collapse_time([1.0, 0.5], 5), ["truth", "sum to 1", "1.5"]),
        (lambda: kingman_survival(0), ["x", "more than 0"]),
        (lambda: kingman_survival([1, float("nan")]), ["x", "more than 0", "nan"]),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as error:
        call()
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("check", least_values(
    (ancestor_distribution, {"n": 3, "generations": 2}, {"n": 1, "generations": 0}),
    (word_gone_probability, {"truth": [0.5, 0.5], "n": 3}, {"generations": 0}),
    (collapse_time, {"truth": [0.5, 0.5]}, {"n": 2}),
))  # fmt: skip
def test_the_least_value_is_in_and_the_next_below_is_out(check):
    check()
