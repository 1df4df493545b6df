"""The one multinomial draw that every simulator of words uses."""

import numpy as np

from collapse_lib._draws import chunks, multinomial


class Scripted:
    """A generator whose multinomial draw is known beforehand."""

    def __init__(self, drawn):
        self.drawn = np.array(drawn)

    def multinomial(self, n, p):
        return self.drawn.copy()


def test_a_stray_token_goes_to_a_word_that_can_be_drawn():
    p = np.array([[0.2, 0.8, 0], [0.1, 0, 0.9]])
    drawn = multinomial(5, p, Scripted([[3, 1, 1], [2, 2, 1]]))
    assert drawn.tolist() == [[3, 2, 0], [2, 2, 1]]


def test_nothing_else_is_touched():
    p = np.random.default_rng(1).dirichlet(np.ones(7), size=500)
    ours = multinomial(40, p, np.random.default_rng(2))
    assert (ours == np.random.default_rng(2).multinomial(40, p)).all()


def test_a_rounding_remainder_does_not_wake_a_dead_word():
    p = np.array([[1 / 3, 1 / 3, 1 / 3 - 1e-13, 0.0]] * 20_000)  # leaves 1e-13 to the last word
    drawn = multinomial(10**9, p, np.random.default_rng(3))
    assert not drawn[:, 3].any() and (drawn.sum(axis=1) == 10**9).all()


def test_chunks_cover_every_replicate_once():
    for numbers, at_once in [(1, 1), (3, 10), (100, 10), (0, 4)]:
        parts = [np.arange(7)[part] for part in chunks(7, numbers, at_once=at_once)]
        np.testing.assert_array_equal(np.concatenate(parts), np.arange(7))
        assert max(map(len, parts)) == max(1, at_once // max(numbers, 1)) or len(parts) == 1
