"""The loop of Gaussian kernel density estimates: a simulator exact in law, and densities.

A draw is a training item picked at random plus bandwidth × normal noise, so no density is
ever evaluated to draw from it. The exact moments are in `smoothing`.

The estimate: B. W. Silverman, Density Estimation for Statistics and Data Analysis (1986).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, whole_number
from collapse_lib.smoothing import check_options, widening

__all__ = ["KDETrajectory", "log_density", "simulate_kde"]

CHUNK = 2**16  # items drawn together, so that the arrays stay in cache


@dataclass(frozen=True)
class KDETrajectory:
    """What a run of the KDE loop leaves behind.

    Attributes
    ----------
    mean, variance : ndarray, (replicates, generations + 1)
        Of the model, kernel included; index 0 is the truth.
    bandwidth : ndarray, (replicates, generations + 1)
        h of each model; 0 for the truth.
    log_likelihood : ndarray, (replicates, generations + 1), or None
        Mean log density at the held-out points; NaN for the truth.
    data : ndarray, (replicates, items)
        The last training set.
    """

    mean: Floats
    variance: Floats
    bandwidth: Floats
    log_likelihood: Floats | None
    data: Floats


def simulate_kde(
    n: int,
    generations: int,
    replicates: int = 1,
    *,
    bandwidth: float | str,
    policy: str = "replace",
    real_fraction: float = 0.0,
    estimator: str = "ml",
    truth: ArrayLike | None = None,
    held_out: ArrayLike | None = None,
    rng: Rng = None,
) -> KDETrajectory:
    """Simulate the loop of Gaussian kernel density estimates, exactly in law.

    Parameters
    ----------
    n : int
        Items a generation, at least 2. The first batch is real.
    generations : int
    replicates : int
    bandwidth : float or "silverman"
        Fixed, or 1.06 σ̂ N^{−1/5} for a training set of N items.
    policy : {"replace", "accumulate"}
    real_fraction : float
        Probability that an item is real, each by its own dice (replace only).
    estimator : {"ml", "unbiased"}
        Of σ̂ in Silverman's rule.
    truth : array_like, (items,), optional
        Real data to draw from, with replacement; by default the standard normal law.
    held_out : array_like, (points,), optional
        Where to evaluate the log density of every model.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    KDETrajectory

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    The question is that of Fu et al., arXiv 2402.11778.

    Examples
    --------
    >>> run = simulate_kde(20, 10, 4000, bandwidth=0.5, rng=1)
    >>> run.variance.shape, bool(abs(run.variance[:, 10].mean() / 2.605 - 1) < 0.03)
    ((4000, 11), True)
    """
    n = whole_number("n", n, minimum=2)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    h, f = check_options(bandwidth, policy, real_fraction, estimator)
    truth = None if truth is None else _numbers("truth", truth)
    points = None if held_out is None else _numbers("held_out", held_out)
    rng = as_generator(rng)

    items = n * (max(generations, 1) if policy == "accumulate" else 1)
    record = np.full((4, replicates, generations + 1), np.nan)
    record[:3, :, 0] = [[0.0], [1.0], [0.0]] if truth is None else _truth_moments(truth)
    data = np.empty((replicates, items if generations else 0))
    rows = max(1, CHUNK // items)
    for begin in range(0, replicates, rows):
        chunk = slice(begin, min(begin + rows, replicates))
        old: Floats = data[chunk]
        width: Floats = np.empty(0)  # of the first fit on
        for t in range(1, generations + 1):
            new = data[chunk, n * (t - 1) : n * t] if policy == "accumulate" else data[chunk]
            shape = (chunk.stop - begin, n)
            new[:] = _real(truth, shape, rng) if t == 1 else _copy(old, width, shape, rng)
            if f > 0 and t > 1:
                real = rng.random(shape) < f
                new[real] = _real(truth, (int(real.sum()),), rng)
            old = data[chunk, : n * t] if policy == "accumulate" else data[chunk]
            spread = old.var(axis=1)
            width = _bandwidth(h, spread, old.shape[1], estimator)
            record[:3, chunk, t] = old.mean(axis=1), spread + width**2, width
            if points is not None:
                record[3, chunk, t] = log_density(old, width, points).mean(axis=1)
    mean, variance, widths, likelihood = record
    return KDETrajectory(mean, variance, widths, None if points is None else likelihood, data)


def _numbers(name: str, values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{name} must be a one-dimensional array of finite numbers, not empty")
    return array


def _truth_moments(truth: Floats) -> list[list[float]]:
    return [[truth.mean()], [truth.var()], [0.0]]


def _real(truth: Floats | None, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return rng.standard_normal(shape) if truth is None else rng.choice(truth, size=shape)


def _copy(old: Floats, width: Floats, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    pick = rng.integers(old.shape[1], size=shape)
    return np.take_along_axis(old, pick, axis=1) + width[:, None] * rng.standard_normal(shape)


def _bandwidth(h: float | None, spread: Floats, size: int, estimator: str) -> Floats:
    if h is not None:
        return np.full(len(spread), h)
    widths: Floats = np.sqrt(widening(size, estimator) * spread)
    return widths


def log_density(data: ArrayLike, bandwidth: ArrayLike, points: ArrayLike) -> Floats:
    """Log density of Gaussian kernel density estimates.

    Parameters
    ----------
    data : array_like, (replicates, items)
    bandwidth : float or array_like, (replicates,)
        Above 0.
    points : array_like, (points,)

    Returns
    -------
    ndarray, (replicates, points)

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> log_density([[0.0]], 1.0, [0.0]).round(4)
    array([[-0.9189]])
    """
    data, points = np.atleast_2d(np.asarray(data, dtype=float)), _numbers("points", points)
    h = np.broadcast_to(np.asarray(bandwidth, dtype=float), len(data))
    if not (np.isfinite(h) & (h > 0)).all():
        raise ValueError(f"bandwidth must be finite and above 0, got {bandwidth!r}")
    log = np.empty((len(data), len(points)))
    for row, (items, width) in enumerate(zip(data, h, strict=True)):
        away = (points[:, None] - items) / width
        log[row] = logsumexp(-0.5 * away**2, axis=1)
    log_mean: Floats = log - np.log(data.shape[1] * h * np.sqrt(2 * np.pi))[:, None]
    return log_mean
