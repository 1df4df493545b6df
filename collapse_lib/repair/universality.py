"""How far the risk of least squares depends on the law of the rows.

Of the law of a row, the risk sees its covariance first, then one number: the fourth moment of
the length of the whitened row.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

import math

import numpy as np

from collapse_lib._types import ArrayLike, Floats
from collapse_lib.checks import whole_number
from collapse_lib.regression.theory import one_fit_risk

__all__ = ["corrected_risk", "elliptical_risk", "length_index", "signs_risk", "whiten"]


def whiten(rows: ArrayLike, d: int | None = None) -> Floats:
    """Rows in the coordinates of their leading d axes, each with mean zero and variance one.

    Parameters
    ----------
    rows : array_like, (N, features)
    d : int, optional
        Axes to keep, those of largest variance; by default all that are not constant.

    Returns
    -------
    ndarray, (N, d)

    Raises
    ------
    ValueError
        If ``d`` is more than the rank of the rows.

    Examples
    --------
    >>> z = whiten(np.random.default_rng(1).random((50, 3)))
    >>> bool(np.allclose(z.T @ z, 50 * np.eye(3)))
    True
    """
    rows = np.asarray(rows, dtype=float)
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
    >>> length_index(np.array([[1.0, -1.0], [1.0, 1.0]]))
    1.0
    """
    whitened = np.asarray(whitened, dtype=float)
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
    T = whole_number("T", T, minimum=whole_number("d", d, minimum=1) + 2)
    return one_fit_risk(d, T, noise=noise) * (1 + (index - d - 1) / T)


def signs_risk(T: int) -> float:
    """Exact risk of a fit to T rows of two random signs, given that it is unique; noise 1.

    XᵀX has T on the diagonal and a simple random walk S beside it, so the trace of its
    inverse is 2T/(T² − S²).

    Parameters
    ----------
    T : int
        At least 2.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``T`` is smaller.

    Examples
    --------
    >>> signs_risk(2), round(signs_risk(3), 4)
    (1.0, 0.75)
    """
    T = whole_number("T", T, minimum=2)
    ups = np.arange(1, T)
    ways = np.array([float(math.comb(T, up)) for up in ups])
    return float((ways * 2 * T / (T**2 - (2 * ups - T) ** 2)).sum() / ways.sum())


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
    s, chances = np.asarray(squares, dtype=float), np.asarray(chances, dtype=float)
    if s.shape != chances.shape or (s <= 0).any() or abs(s @ chances - 1) > 1e-9:
        raise ValueError(f"squares must be positive with mean 1, got {s}")
    low, high = 0.0, float(T)  # γ ↦ T E[s/(γ + s d)] falls; it is 1 at the solution
    for _ in range(200):
        middle = (low + high) / 2
        above = T * (chances * s / (middle + s * d)).sum() > 1
        low, high = (middle, high) if above else (low, middle)
    return d / ((low + high) / 2)
