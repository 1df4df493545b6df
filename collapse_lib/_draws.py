"""What several simulators draw: counts of words, the factor of a Gaussian design, in parts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collapse_lib._types import Floats, Ints, Rng
from collapse_lib.checks import as_generator, whole_number

__all__ = ["bartlett_factor", "chunks", "multinomial"]


def chunks(replicates: int, numbers: int, *, at_once: int) -> Iterator[slice]:
    """Slices of the replicates, so few at a time that their arrays stay in cache or memory.

    One replicate draws ``numbers``; at most ``at_once`` of them are drawn together, unless one
    replicate alone draws more.

    >>> [(part.start, part.stop) for part in chunks(5, 10, at_once=25)]
    [(0, 2), (2, 4), (4, 5)]
    """
    size = max(1, at_once // max(numbers, 1))
    return (slice(i, min(i + size, replicates)) for i in range(0, replicates, size))


def bartlett_factor(T: int, d: int, replicates: int, *, rng: Rng = None) -> Floats:
    """Draw the triangular factor R of T × d standard normal matrices Z: RᵀR has the law of ZᵀZ.

    The result is (replicates, min(T, d), d): a trapezoid if T < d, and zero below the diagonal.
    Entry (i, i), counted from 0, is χ with T − i degrees of freedom; those to its right are
    standard normal; all are independent: M. S. Bartlett, "On the theory of statistical
    regression", Proc. R. Soc. Edinburgh 53 (1933).

    >>> bartlett_factor(10**9, 3, 5, rng=1).shape, bartlett_factor(2, 3, 5, rng=1).shape
    ((5, 3, 3), (5, 2, 3))
    """
    T, d = whole_number("T", T, minimum=1), whole_number("d", d, minimum=1)
    replicates, rng = whole_number("replicates", replicates, minimum=1), as_generator(rng)
    rank = min(T, d)
    factor = np.zeros((replicates, rank, d))
    above = np.triu_indices(rank, 1, d)
    factor[:, *above] = rng.standard_normal((replicates, len(above[0])))
    half = np.broadcast_to((T - np.arange(rank)) / 2, (replicates, rank))
    np.einsum("rii->ri", factor[:, :, :rank])[:] = np.sqrt(2 * rng.standard_gamma(half))
    return factor


def multinomial(n: int, p: Floats, rng: np.random.Generator) -> Ints:
    """Draw n tokens for each row of probabilities, none of them for a word of probability 0.

    ``p`` is (replicates, words); each row adds up to 1, up to rounding. numpy gives what rounding
    leaves over to the last word, whatever its probability. If that is 0, the tokens go to the
    row's commonest word instead.

    >>> multinomial(5, np.array([[1.0, 0.0]]), np.random.default_rng(1))
    array([[5, 0]])
    """
    drawn = rng.multinomial(n, p)
    stray = np.flatnonzero((p[:, -1] == 0) & (drawn[:, -1] > 0))
    drawn[stray, p[stray].argmax(axis=1)] += drawn[stray, -1]
    drawn[stray, -1] = 0
    return drawn
