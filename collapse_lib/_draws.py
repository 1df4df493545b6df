"""Multinomial draws, one row a replicate, that never hand a token to a word that cannot be drawn."""

from __future__ import annotations

import numpy as np

__all__ = ["multinomial"]


def multinomial(n, p, rng) -> np.ndarray:
    """Draw n tokens for each row of probabilities.

    Parameters
    ----------
    n : int
    p : ndarray, (replicates, words)
        Each row adds up to 1, up to rounding.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, (replicates, words)

    Notes
    -----
    numpy gives what rounding leaves over to the last word, whatever its probability. If
    that is 0, the tokens go to the row's commonest word instead.

    Examples
    --------
    >>> multinomial(5, np.array([[1.0, 0.0]]), np.random.default_rng(1))
    array([[5, 0]])
    """
    drawn = rng.multinomial(n, p)
    stray = np.flatnonzero((p[:, -1] == 0) & (drawn[:, -1] > 0))
    drawn[stray, p[stray].argmax(axis=1)] += drawn[stray, -1]
    drawn[stray, -1] = 0
    return drawn
