"""How long a word lives under Poisson sampling: the critical branching process.

A word with j occurrences leaves j independent families; each occurrence is copied a
Poisson(1) number of times. The chance g_k that one family is alive after k − 1 more
generations satisfies g₁ = 1, g_{k+1} = 1 − e^{−g_k}, and everything below follows from it.

The proofs are in the chapter *Forgetting time*.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Ints
from collapse_lib.checks import probability, weights, whole_numbers

__all__ = [
    "ALIVE_CONSTANT",
    "alive_probability",
    "expected_survivors",
    "extinction_probability",
    "forgetting_quantile",
    "no_loss_probability",
]

TABLE = 1024  # beyond it `_generation_at` is exact to about 1e-7 of a generation


def alive_probability(k: ArrayLike) -> FloatOrArray:
    """Chance g_k that one token's family, freshly drawn with mean one, is alive at fit k.

    Parameters
    ----------
    k : int or array_like of int
        At least 1, and g₁ = 1.

    Returns
    -------
    float or ndarray

    References
    ----------
    Suresh et al., arXiv 2412.17646, Theorem 2.

    Examples
    --------
    >>> alive_probability([1, 2, 3]).round(5)
    array([1.     , 0.63212, 0.46854])
    """
    k = whole_numbers("k", k, minimum=1)
    return _alive_table(int(k.max(initial=1)))[k - 1]


def extinction_probability(count: ArrayLike, t: ArrayLike) -> Floats:
    """Chance that a word seen ``count`` times is gone t generations later.

    Parameters
    ----------
    count : float or array_like
        Occurrences, at least 0.
    t : int or array_like of int

    Returns
    -------
    float or ndarray
        q_t^count with q_t = 1 − g_{t+1}; exact for Poisson sampling.

    References
    ----------
    Critical Galton–Watson process with Poisson(1) offspring; Suresh et al.,
    arXiv 2412.17646, Theorem 2.

    Examples
    --------
    >>> extinction_probability(10, 20).round(5)
    np.float64(0.39994)
    """
    t = whole_numbers("t", t, minimum=0)
    count = _counts(count)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_gone = np.log1p(-alive_probability(t + 1))  # −∞ at t = 0
        return np.where(count == 0, 1.0, np.exp(count * log_gone))


def no_loss_probability(counts: ArrayLike, t: ArrayLike) -> FloatOrArray:
    """Chance that not one of the words has been lost by generation t.

    Parameters
    ----------
    counts : array_like, (words,)
    t : int or array_like of int

    Returns
    -------
    float or ndarray, the shape of ``t``
        Π_i (1 − q_t^{c_i}) over the words with c_i > 0.

    Examples
    --------
    >>> no_loss_probability([1, 1], 1).round(5)  # (1 − 1/e)²
    np.float64(0.39958)
    """
    alive, words = _alive_by_count(counts, t)
    chance: FloatOrArray = np.prod(alive**words, axis=-1)
    return chance


def expected_survivors(counts: ArrayLike, t: ArrayLike) -> Floats:
    """Expected number of words alive t generations after these counts.

    Parameters
    ----------
    counts : array_like, (words,)
    t : int or array_like of int

    Returns
    -------
    float or ndarray, the shape of ``t``
        Σ_i (1 − q_t^{c_i}), exact for Poisson sampling.

    Examples
    --------
    >>> expected_survivors([1, 2, 10], [0, 5, 50]).round(3)
    array([3.   , 1.688, 0.43 ])
    """
    alive, words = _alive_by_count(counts, t)
    return alive @ words


def forgetting_quantile(count: ArrayLike, alpha: float) -> Ints:
    """Generation by which a word seen ``count`` times is gone with probability ``alpha``.

    Parameters
    ----------
    count : float or array_like
        Occurrences, more than 0.
    alpha : float
        In (0, 1).

    Returns
    -------
    ndarray of int, the shape of ``count``
        The smallest t with q_t^count ≥ alpha. To leading order 2·count / ln(1/alpha).

    Examples
    --------
    >>> forgetting_quantile([1, 10, 100], 0.5)
    array([  2,  27, 286])
    """
    count = _counts(count)
    if (count == 0).any():
        raise ValueError(
            "count must be more than 0, got 0: a word that is not there is already gone"
        )
    # The first t with g_{t+1} ≤ level, but not 0 where the level rounds to one.
    level = np.atleast_1d(-np.expm1(math.log(probability("alpha", alpha)) / count))
    t = np.maximum(np.searchsorted(-_alive_table(TABLE), -level), 1)
    late = t >= TABLE
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        late_t = np.ceil(_generation_at(1 / level[late])) - 1
    if not (late_t < 2**63).all():
        raise ValueError("count must be smaller: its forgetting time does not fit in 64 bits")
    t[late] = late_t
    return t.reshape(count.shape)[()]


def _generation_at(r: Floats) -> FloatOrArray:
    """The (real) k at which 1/g_k = r, for large r.

    r_{k+1} = 1/(1 − e^{−1/r_k}) = r_k + 1/2 + 1/(12 r_k) + O(r_k⁻³), and
    2r − ln(r)/3 + 1/(36 r) grows by exactly 1 + O(r⁻³) in each step.
    """
    return _slow_part(r) + OFFSET


def _slow_part(r: FloatOrArray) -> FloatOrArray:
    return 2 * r - np.log(r) / 3 + 1 / (36 * r)


@cache
def _table_of_size(size: int) -> Floats:
    g = np.empty(size)
    g[0] = 1.0
    for k in range(1, size):
        g[k] = -math.expm1(-g[k - 1])
    return g


def _alive_table(k_max: int) -> Floats:
    """The values g₁ … g_{k_max}; computed to the next power of two and kept."""
    size = max(TABLE, 1 << (k_max - 1).bit_length())
    return _table_of_size(size)[:k_max]


def _counts(counts: ArrayLike) -> Floats:
    return weights("count", np.ravel(counts), all_zero=True).reshape(np.shape(counts))


def _alive_by_count(counts: ArrayLike, t: ArrayLike) -> tuple[Floats, Ints]:
    """Chance to be alive at t for each count that occurs (last axis), and how many words have it."""
    counts = weights("counts", counts)
    present, words = np.unique(counts[counts > 0], return_counts=True)
    return 1 - extinction_probability(present, np.asarray(t)[..., None]), words


OFFSET = 2**16 - float(_slow_part(1 / _alive_table(2**16)[-1]))
# C in 1/g_k = k/2 + ln(k)/6 + C + o(1): put r ≈ k/2 into `_generation_at` and solve for r.
ALIVE_CONSTANT = -OFFSET / 2 - math.log(2) / 6
