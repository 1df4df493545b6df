"""Reading, numbering and rewriting text; the n-gram index against a plain dictionary."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collapse_lib.data import text
from collapse_lib.data.text import (
    ngram_index,
    ngram_walk,
    number_words,
    offspring,
    read,
    rewrite,
    words,
)

VERSE = "the cat and the dog and the cat or the dog"
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
    index = ngram_index(np.array(tokens), order)
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
        ngram_index(tokens * 2**40, order).positions, ngram_index(tokens, order).positions
    )
    same = ngram_index(tokens * 2**40, order).context == ngram_index(tokens, order).context
    assert same.all()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("walkers", [1, 3, 11, 1000])
def test_each_word_follows_the_words_copied_before_it(order, walkers):
    tokens = np.tile(number_words(VERSE).tokens, 9)
    walkers_used = min(walkers, len(tokens))
    steps = -(-len(tokens) // walkers_used)
    positions = ngram_walk(ngram_index(tokens, order), walkers=walkers, rng=3)
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
    matrix = transition_matrix(ngram_index(np.array(tokens), order))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=0), 1, rtol=1e-12)  # offspring mean one, exactly


# 20 000 walks of 11 words: standard errors of about 1 %, so that a mean of 1.06 would be
# seen (|z| > 4) with a chance above 95 %; a walk that starts at position 0 is seen here.
@pytest.mark.parametrize(("order", "walkers"), [(1, 4), (2, 1), (2, 4), (3, 3)])
def test_each_position_is_copied_once_on_average(order, walkers):
    index, rng = ngram_index(number_words(VERSE).tokens, order), np.random.default_rng(5)
    copies = np.array(
        [offspring(ngram_walk(index, walkers=walkers, rng=rng)) for _ in range(20_000)]
    )
    assert (copies.sum(axis=1) == 11).all()
    error = copies.std(axis=0, ddof=1) / np.sqrt(len(copies))
    assert np.abs((copies.mean(axis=0) - 1) / error).max() < 4


def test_a_walk_from_a_fixed_start_is_told_apart():
    index = ngram_index(number_words(VERSE).tokens, 2)
    start = np.zeros(11)
    start[0] = 1
    matrix, visits = transition_matrix(index), np.zeros(11)
    for _ in range(11):
        visits += start
        start = start @ matrix
    assert np.abs(visits - 1).max() > 0.06


# The next position given the last: 40 000 steps, chi-square against the exact transition matrix.
def test_steps_are_drawn_from_the_transition_matrix():
    from scipy import stats

    tokens = np.tile(number_words(VERSE).tokens, 2)
    index = ngram_index(tokens, 2)
    matrix, seen = transition_matrix(index), np.zeros((len(tokens), len(tokens)))
    rng = np.random.default_rng(6)
    for _ in range(2000):
        walk = ngram_walk(index, walkers=1, rng=rng)
        np.add.at(seen, (walk[:-1], walk[1:]), 1)
    assert not seen[matrix == 0].any()
    for last in range(len(tokens)):
        possible = matrix[last] > 0
        expected = seen[last].sum() * matrix[last, possible]
        if possible.sum() > 1:
            assert stats.chisquare(seen[last, possible], expected).pvalue > 1e-4


def test_offspring():
    assert offspring(np.array([0, 0, 2])).tolist() == [2, 0, 1]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_rewriting_keeps_the_length_and_never_brings_a_word_back(order):
    tokens = np.tile(number_words(VERSE).tokens, 5)
    history = rewrite(tokens, 40, order=order, rng=7)
    assert (history.counts.sum(axis=1) == len(tokens)).all()
    alive = history.counts > 0
    assert not (alive[1:] & ~alive[:-1]).any()
    for word, time in enumerate(history.forgetting_time):
        assert alive[:time, word].all() and not alive[time:, word].any()
    assert history.order == order


def test_rewriting_nothing():
    history = rewrite(np.array([0, 1, 0]), 0, order=1, rng=1)
    assert history.counts.tolist() == [[2, 1]] and history.forgetting_time.tolist() == [1, 1]


def test_words_of_a_text():
    assert words("Don't panic: it's 42 o’clock! naïve_word ÉTÉ") == [
        "don't", "panic", "it's", "o’clock", "naïve", "word", "été",
    ]  # fmt: skip
    assert words("123 !? _") == []


def test_vocabulary_is_commonest_first_then_alphabetical():
    result = number_words("b a c b a d b")
    assert result.vocabulary == ("b", "a", "c", "d")
    assert result.counts.tolist() == [3, 2, 1, 1]
    assert [result.vocabulary[i] for i in result.tokens] == ["b", "a", "c", "b", "a", "d", "b"]


@given(st.text(alphabet="abc XY'-1é\n", max_size=60))
def test_numbering_gives_the_words_back(string):
    found = words(string)
    if not found:
        with pytest.raises(ValueError, match="at least one word"):
            number_words(string)
        return
    result = number_words(string)
    assert [result.vocabulary[i] for i in result.tokens] == found
    assert (np.diff(result.counts) <= 0).all()
    np.testing.assert_array_equal(np.bincount(result.tokens), result.counts)


def test_text_that_ships_with_python():
    result = read()
    assert len(result.tokens) == result.counts.sum() > 10_000
    assert len(result.vocabulary) == len(result.counts) == result.tokens.max() + 1


def test_text_of_the_readers_own(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Été, été; hiver.", encoding="utf-8")
    for name in (path, str(path)):
        assert read(name).vocabulary == ("été", "hiver")


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(FileNotFoundError) as error:
            read(path)
        assert "path" in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe\x00\xd8", "UTF-8"), (b"", "at least one word"), (b"1 2 3 !", "at least one word")],
)
def test_an_unreadable_or_wordless_file_is_named(tmp_path, content, message):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    assert "path" in str(error.value) and str(path) in str(error.value)


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "mine.txt"
    path.write_text("words")

    def refuse(self, encoding):
        raise PermissionError("Permission denied")

    monkeypatch.setattr(text.Path, "read_text", refuse)
    with pytest.raises(ValueError, match=r"readable UTF-8 text file.*Permission denied"):
        read(path)


TOKENS = np.array([0, 1, 0, 2])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ngram_index(TOKENS, 0), ["order", "at least 1", "0"]),
        (lambda: ngram_index(TOKENS, 4), ["order", "less than", "4 words", "got 4"]),
        (lambda: ngram_index(TOKENS, 1.5), ["order", "whole number", "1.5"]),
        (lambda: ngram_index([], 1), ["order", "0 words"]),
        (lambda: ngram_walk(ngram_index(TOKENS, 1), walkers=0), ["walkers", "at least 1", "0"]),
        (lambda: ngram_walk(ngram_index(TOKENS, 1), rng=-2), ["rng", "non-negative", "-2"]),
        (lambda: rewrite(TOKENS, -1, order=1), ["generations", "at least 0", "-1"]),
        (lambda: rewrite(TOKENS, 0, order=0), ["order", "at least 1", "0"]),
        (lambda: rewrite([], 3, order=1), ["order", "0 words"]),
        (lambda: rewrite(TOKENS, 1, order=1, walkers=0.5), ["walkers", "whole number", "0.5"]),
        (lambda: rewrite(TOKENS, 1, order=1, rng="x"), ["rng", "int", "'x'"]),
        (lambda: number_words(""), ["text", "at least one word"]),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as error:
        call()
    for word in words:
        assert word in str(error.value)
