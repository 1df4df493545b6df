"""The n-gram index against a plain dictionary, the walk against its transition matrix."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collapse_lib.words import ngram

VERSE = np.array([0, 1, 2, 0, 3, 2, 0, 1, 4, 0, 3])  # the cat and the dog and the cat or …
token_lists = st.lists(st.integers(0, 4), min_size=5, max_size=40)


def contexts(tokens, order):
    """The order − 1 words before each position of a circular text."""
    return [
        tuple(int(tokens[i - back]) for back in range(order - 1, 0, -1)) for i in range(len(tokens))
    ]


def positions_by_context(tokens, order):
    table = defaultdict(list)
    for position, context in enumerate(contexts(tokens, order)):
        table[context].append(position)
    return table


@given(token_lists, st.integers(1, 4))
def test_index_is_that_of_a_dictionary(tokens, order):
    index = ngram.index(np.array(tokens), order)
    table = positions_by_context(tokens, order)
    before = contexts(tokens, order)
    assert len(index.first) == len(table)
    for number, (first, size) in enumerate(zip(index.first, index.size, strict=True)):
        group = index.positions[first : first + size].tolist()
        assert group == table[before[group[0]]]
        assert (index.context[group] == number).all()


@given(token_lists, st.integers(2, 4))
def test_index_where_the_contexts_do_not_fit_into_64_bits(tokens, order):
    """Word numbers up to 2^42: three of them make a number that does not fit."""
    tokens = np.array(tokens)
    np.testing.assert_array_equal(
        ngram.index(tokens * 2**40, order).positions, ngram.index(tokens, order).positions
    )
    same = ngram.index(tokens * 2**40, order).context == ngram.index(tokens, order).context
    assert same.all()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("walkers", [1, 3, 11, 1000])
def test_each_word_follows_the_words_copied_before_it(order, walkers):
    tokens = np.tile(VERSE, 9)
    walkers_used = min(walkers, len(tokens))
    steps = -(-len(tokens) // walkers_used)
    positions = ngram.walk(ngram.index(tokens, order), walkers=walkers, rng=3)
    assert len(positions) == len(tokens)
    before = contexts(tokens, order)
    for i in range(len(positions)):
        step = i % steps  # within one walk
        if step:
            # the copied position's context is the last position's, one word on
            last = positions[i - 1]
            expected = (before[last] + (int(tokens[last]),))[1:] if order > 1 else ()
            assert before[positions[i]] == expected
        if step >= order - 1:
            copied = tuple(tokens[positions[i - order + 1 : i]].tolist())
            assert before[positions[i]] == copied


def transition_matrix(index):
    """Chance to copy each position next, given the position copied last."""
    length = len(index.context)
    matrix = np.zeros((length, length))
    for last in range(length):
        following = index.context[(last + 1) % length]
        start = index.first[following]
        group = index.positions[start : start + index.size[following]]
        matrix[last, group] = 1 / len(group)
    return matrix


@given(token_lists, st.integers(1, 4))
def test_uniform_positions_are_stationary_at_every_order(tokens, order):
    matrix = transition_matrix(ngram.index(np.array(tokens), order))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=0), 1, rtol=1e-12)  # offspring mean one, exactly


# 20 000 walks of 11 words: standard errors of about 1 %, so that a mean of 1.06 would be
# seen (|z| > 4) with a chance above 95 %; a walk that starts at position 0 is seen here.
@pytest.mark.parametrize(("order", "walkers"), [(1, 4), (2, 1), (2, 4), (3, 3)])
def test_each_position_is_copied_once_on_average(order, walkers):
    index, rng = ngram.index(VERSE, order), np.random.default_rng(5)
    copies = np.array(
        [
            np.bincount(ngram.walk(index, walkers=walkers, rng=rng), minlength=11)
            for _ in range(20_000)
        ]
    )
    assert (copies.sum(axis=1) == 11).all()
    error = copies.std(axis=0, ddof=1) / np.sqrt(len(copies))
    assert np.abs((copies.mean(axis=0) - 1) / error).max() < 4


def expected_variance(tokens, word, order, steps, walkers):
    """Of the count of a word in so many walks: indicators, one for each step, and their returns."""
    there = tokens == word
    matrix, law = transition_matrix(ngram.index(tokens, order)), there / there.sum()
    share, returns = there.mean(), 0.0
    for s in range(1, steps):
        law = law @ matrix
        returns += (1 - s / steps) * (law[there].sum() - share)
    return walkers * steps * share * (1 - share + 2 * returns)


# The chapter's formula: one plus twice the returns in excess of chance, per token.
@pytest.mark.parametrize(("order", "walkers"), [(1, 3), (2, 3), (3, 3), (2, 1)])
def test_the_variance_of_a_count_is_that_of_the_returns(order, walkers):
    tokens = np.tile(VERSE, 3)
    index, rng = ngram.index(tokens, order), np.random.default_rng(8)
    counts = np.array(
        [(tokens[ngram.walk(index, walkers=walkers, rng=rng)] == 1).sum() for _ in range(8000)]
    )
    spread = (counts - 6.0) ** 2
    theory = expected_variance(tokens, 1, order, len(tokens) // walkers, walkers)
    error = spread.std(ddof=1) / np.sqrt(len(spread))
    assert abs(spread.mean() - theory) < 4 * error
    # the variance of independent draws, far away but at order 1, where it is exact
    assert (abs(spread.mean() - 6 * (1 - 6 / 33)) > 8 * error) == (order > 1)


def test_a_word_that_comes_back_for_certain_has_no_variance():
    """The chapter's circle, order 2: every third word is *the*."""
    circle = np.array([0, 1, 2, 0, 3, 4])  # the cat saw the dog run
    assert expected_variance(circle, 0, 2, 6, 1) == pytest.approx(0, abs=1e-12)
    for seed in range(20):
        copy = ngram.walk(ngram.index(circle, 2), walkers=1, rng=seed)
        assert (circle[copy] == 0).sum() == 2


def test_a_walk_from_a_fixed_start_is_told_apart():
    index = ngram.index(VERSE, 2)
    start = np.zeros(11)
    start[0] = 1
    matrix, visits = transition_matrix(index), np.zeros(11)
    for _ in range(11):
        visits += start
        start = start @ matrix
    assert np.abs(visits - 1).max() > 0.06


# The next position given the last: 40 000 steps, chi-square against the exact transition matrix.
def test_steps_are_drawn_from_the_transition_matrix():
    tokens = np.tile(VERSE, 2)
    index = ngram.index(tokens, 2)
    matrix, seen = transition_matrix(index), np.zeros((len(tokens), len(tokens)))
    rng = np.random.default_rng(6)
    for _ in range(2000):
        walk = ngram.walk(index, walkers=1, rng=rng)
        np.add.at(seen, (walk[:-1], walk[1:]), 1)
    assert not seen[matrix == 0].any()
    for last in range(len(tokens)):
        possible = matrix[last] > 0
        expected = seen[last].sum() * matrix[last, possible]
        if possible.sum() > 1:
            assert stats.chisquare(seen[last, possible], expected).pvalue > 1e-4


@pytest.mark.parametrize("order", [1, 2, 3])
def test_rewriting_keeps_the_length_and_never_brings_a_word_back(order):
    tokens = np.tile(VERSE, 5)
    history = ngram.rewrite(tokens, 40, order=order, rng=7)
    assert (history.counts.sum(axis=1) == len(tokens)).all()
    alive = history.counts > 0
    assert not (alive[1:] & ~alive[:-1]).any()
    for word, time in enumerate(history.forgetting_time):
        assert alive[:time, word].all() and not alive[time:, word].any()


def test_rewriting_nothing():
    history = ngram.rewrite(np.array([0, 1, 0]), 0, order=1, rng=1)
    assert history.counts.tolist() == [[2, 1]] and history.forgetting_time.tolist() == [1, 1]


TOKENS = np.array([0, 1, 0, 2])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ngram.index(TOKENS, 0), ["order", "at least 1", "0"]),
        (lambda: ngram.index(TOKENS, 4), ["order", "less than", "4 words", "got 4"]),
        (lambda: ngram.index(TOKENS, 1.5), ["order", "whole number", "1.5"]),
        (lambda: ngram.index([], 1), ["order", "0 words"]),
        (lambda: ngram.walk(ngram.index(TOKENS, 1), walkers=0), ["walkers", "at least 1", "0"]),
        (lambda: ngram.walk(ngram.index(TOKENS, 1), rng=-2), ["rng", "non-negative", "-2"]),
        (lambda: ngram.rewrite(TOKENS, -1, order=1), ["generations", "at least 0", "-1"]),
        (lambda: ngram.rewrite(TOKENS, 0, order=0), ["order", "at least 1", "0"]),
        (lambda: ngram.rewrite([], 3, order=1), ["order", "0 words"]),
        (
            lambda: ngram.rewrite(TOKENS, 1, order=1, walkers=0.5),
            ["walkers", "whole number", "0.5"],
        ),
        (lambda: ngram.rewrite(TOKENS, 1, order=1, rng="x"), ["rng", "int", "'x'"]),
        (lambda: ngram.index([0.5, 1], 1), ["tokens", "whole number", "0.5"]),
        (lambda: ngram.rewrite([0, -1, 1], 1, order=1), ["tokens", "at least 0", "-1"]),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as error:
        call()
    for word in words:
        assert word in str(error.value)
