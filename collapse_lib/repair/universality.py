"""How far the risk of least squares depends on the law of the rows.

Of the law of a row, the risk sees its covariance first, then one number: the fourth moment of
the length of the whitened row.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, stats

from collapse_lib._types import ArrayLike, Floats
from collapse_lib.checks import array, probabilities, whole_number
from collapse_lib.repair._risks import toll

__all__ = ["corrected_risk", "elliptical_risk", "length_index", "signs_risk", "whiten"]


def whiten(rows: ArrayLike, d: int | None = None) -> Floats:
    """Rows in the coordinates of their leading d axes, each with mean zero and variance one.

    Parameters
    ----------
    rows : array_like, (N, features)
    d : int, optional
        Axes to keep, those of largest variance; at most, and by default, the rank.

    Returns
    -------
    ndarray, (N, d)

    Examples
    --------
    >>> z = whiten(np.random.default_rng(1).random((50, 3)))
    >>> bool(np.allclose(z.T @ z, 50 * np.eye(3)))
    True
    """
    rows = array("rows", rows, ndim=2)
    left, size, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    rank = int((size > 1e-9 * size[0]).sum())
    d = rank if d is None else whole_number("d", d, minimum=1)
    if d > rank:
        raise ValueError(f"d must be at most the rank {rank} of the rows, got {d}")
    return left[:, :d] * math.sqrt(len(rows))


def length_index(whitened: ArrayLike) -> float:
    """K = E‖z‖⁴/d − 1 of whitened rows z: d + 1 for normal rows, d − 1 for random signs.

    Parameters
    ----------
    whitened : array_like, (N, d)
        All rows of a population, or a sample of them.

    Returns
    -------
    float

    Examples
    --------
    >>> length_index([[1, -1], [1, 1]])
    1.0
    """
    whitened = array("whitened", whitened, ndim=2)
    return float(((whitened**2).sum(axis=1) ** 2).mean() / whitened.shape[1] - 1)


def corrected_risk(d: int, T: int, index: float, *, noise: float = 1.0) -> float:
    """Risk of one fit to T rows of any law, to first order in 1/T; exact for normal rows.

    Parameters
    ----------
    d, T : int
        Features, rows, T ≥ d + 2.
    index : float
        K of `length_index`.
    noise : float

    Returns
    -------
    float
        noise² d / (T − d − 1) · (1 + (K − d − 1)/T).

    Examples
    --------
    >>> corrected_risk(4, 15, 5), round(corrected_risk(4, 15, 3), 4)
    (0.4, 0.3467)
    """
    return toll(d, T, noise=noise) * (1 + (index - d - 1) / T)


def signs_risk(T: int) -> float:
    """Exact risk of a fit to T ≥ 2 rows of two random signs, given that it is unique; noise 1.

    XᵀX has T on the diagonal and a simple random walk S beside it, so the trace of its
    inverse is 2T/(T² − S²).

    Parameters
    ----------
    T : int

    Returns
    -------
    float

    Examples
    --------
    >>> signs_risk(2), round(signs_risk(3), 4)
    (1.0, 0.75)
    """
    T = whole_number("T", T, minimum=2)
    ups = np.arange(1, T)
    traces = 2 * T / (T**2 - (2 * ups - T) ** 2)
    return float(np.average(traces, weights=stats.binom.pmf(ups, T, 0.5)))


def elliptical_risk(d: int, T: int, squares: ArrayLike, chances: ArrayLike) -> float:
    """Risk of a fit to rows √s·g, g standard normal and s random: its limit for large d.

    Parameters
    ----------
    d, T : int
        Features, rows, T > d.
    squares, chances : array_like, (values,)
        Values of s, positive with mean 1, and their probabilities.

    Returns
    -------
    float
        d/γ, where γ solves γ = T E[s/(1 + s d/γ)].

    Examples
    --------
    >>> round(elliptical_risk(50, 100, [1.0], [1.0]), 6)
    1.0
    """
    T = whole_number("T", T, minimum=whole_number("d", d, minimum=1) + 1)
    s, chances = array("squares", squares, ndim=1), probabilities("chances", chances)
    if s.shape != chances.shape or (s <= 0).any() or abs(s @ chances - 1) > 1e-9:
        raise ValueError(f"squares must be positive with mean 1, one for each chance, got {s}")

    def falling(gamma: float) -> float:
        return float(T * (chances * s / (gamma + s * d)).sum() - 1)

    return d / float(optimize.brentq(falling, 0, 2 * T, xtol=1e-15))
