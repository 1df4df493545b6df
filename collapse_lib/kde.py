"""Kernel density estimates that train on their own samples: exact moments.

A draw from a Gaussian kernel density estimate is a training item picked at random plus
bandwidth × normal noise. So each item is a real one plus the noise of the models it passed
through: counting those *hops* gives the mean density and the second moment, exactly.

The proofs are in the chapter *Closed loops*.

The loop of Gaussian kernel density estimates: a simulator exact in law, and densities.

A draw is a training item picked at random plus bandwidth × normal noise, so no density is
ever evaluated to draw from it. The exact moments are in `smoothing`.

The estimate: B. W. Silverman, Density Estimation for Statistics and Data Analysis (1986).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, one_of, positive, share, whole_number

__all__ = [
    "KDETrajectory",
    "SmoothedMoments",
    "hop_distribution",
    "kde_moments",
    "log_density",
    "silverman_factor",
    "silverman_growth",
    "silverman_real_fraction",
    "simulate_kde",
]

POLICIES = ("replace", "accumulate")
ESTIMATORS = ("ml", "unbiased")


def silverman_factor(n: int) -> float:
    """Return 1.06 n^{−1/5}, the bandwidth in units of the sample's standard deviation.

    Parameters
    ----------
    n : int
        Items, at least 2.

    Returns
    -------
    float

    References
    ----------
    Silverman, Density Estimation for Statistics and Data Analysis (1986).

    Examples
    --------
    >>> round(silverman_factor(100), 4)
    0.422
    """
    factor: float = 1.06 * whole_number("n", n, minimum=2) ** -0.2
    return factor


def widening(n: int, estimator: str) -> float:
    """By how much Silverman's kernel raises the ML variance: h² = widening × V."""
    n = whole_number("n", n, minimum=2)
    one_of("estimator", estimator, ESTIMATORS)
    return silverman_factor(n) ** 2 * (n / (n - 1) if estimator == "unbiased" else 1)


def silverman_growth(n: int, estimator: str = "ml") -> float:
    """Factor by which a generation multiplies the expected variance under Silverman's rule.

    Parameters
    ----------
    n : int
        Items a generation, at least 2.
    estimator : {"ml", "unbiased"}
        Of the standard deviation in the rule.

    Returns
    -------
    float
        (1 + 1.06² n^{−2/5})(1 − 1/n) with ML, 1 − 1/n + 1.06² n^{−2/5} with unbiased.

    Examples
    --------
    >>> round(silverman_growth(100), 4), silverman_growth(2) < 1 < silverman_growth(3)
    (1.1663, True)
    """
    return (1 + widening(n, estimator)) * (1 - 1 / n)


def silverman_real_fraction(n: int, estimator: str = "ml") -> float:
    """Smallest real fraction a generation that bounds the variance under Silverman's rule.

    Parameters
    ----------
    n : int
        Items a generation, at least 2.
    estimator : {"ml", "unbiased"}

    Returns
    -------
    float
        The f above which expected variance and drift converge.

    Notes
    -----
    The solution of (1 − f)(G + 1/(n(2 − f))) = 1, G = `silverman_growth`: there the step of
    (variance, drift) has the spectral radius 1.

    References
    ----------
    Derived in the chapter *Closed loops*.

    Examples
    --------
    >>> round(silverman_real_fraction(100), 4)
    0.1465
    """
    growth = silverman_growth(n, estimator)
    fraction: float = brentq(
        lambda f: (1 - f) * (growth + 1 / (n * (2 - f))) - 1, 0.0, 1.0, xtol=1e-14
    )
    return fraction


def _step(n: int, spread: float, f: float) -> Floats:
    """One generation of (ML variance of the data, drift): its matrix; replace, n items."""
    mixed = np.array([(1 - f) * spread, f * (1 - f)])  # variance of the law drawn from
    return np.array([(1 - 1 / n) * mixed, mixed / n + [0, (1 - f) ** 2]])


@dataclass(frozen=True)
class SmoothedMoments:
    """Expected moments of the model in each generation.

    Attributes
    ----------
    variance : ndarray, (generations + 1,)
        E v_t: variance of the model, kernel included; index 0 is the truth.
    drift : ndarray, (generations + 1,)
        E (m_t − m₀)².
    """

    variance: Floats
    drift: Floats

    @property
    def total(self) -> Floats:
        """Variance + drift: the expected squared distance of a draw from the true mean."""
        return self.variance + self.drift


def kde_moments(
    n: int,
    generations: int,
    *,
    bandwidth: float | str,
    policy: str = "replace",
    real_fraction: float = 0.0,
    estimator: str = "ml",
    variance: float = 1.0,
) -> SmoothedMoments:
    """Expected variance and drift of the KDE loop, exactly.

    Parameters
    ----------
    n : int
        Items a generation, at least 2.
    generations : int
    bandwidth : float or "silverman"
        Fixed, or 1.06 σ̂ n^{−1/5} in every generation (replace only).
    policy : {"replace", "accumulate"}
    real_fraction : float
        Probability f that an item is real (replace only).
    estimator : {"ml", "unbiased"}
        Of σ̂ in Silverman's rule.
    variance : float
        Of the truth.

    Returns
    -------
    SmoothedMoments

    Raises
    ------
    ValueError
        If an argument is out of range, or the combination has no closed recursion.

    References
    ----------
    Derived in the chapter *Closed loops*.

    Examples
    --------
    >>> moments = kde_moments(20, 1000, bandwidth=0.5)
    >>> moments.variance[-1:].round(6), moments.total[-1:].round(6)  # n h², v₀ + t h²
    (array([5.]), array([251.]))
    """
    n = whole_number("n", n, minimum=2)
    generations = whole_number("generations", generations)
    h, f = check_options(bandwidth, policy, real_fraction, estimator)
    truth = positive("variance", variance)
    if policy == "accumulate":
        if h is None:
            raise ValueError("bandwidth must be a number with policy 'accumulate'")
        return _accumulated_moments(n, generations, h, truth)
    extra = widening(n, estimator) if h is None else 0.0
    noise = 0.0 if h is None else h**2
    inside = np.zeros((generations + 1, 2))  # ML variance of the data, drift
    step = _step(n, 1 + extra, f)
    for t in range(1, generations + 1):
        if t == 1:
            inside[t] = truth * (1 - 1 / n), truth / n
        else:
            fresh = (1 - f) * noise + f * truth
            inside[t] = step @ inside[t - 1] + fresh * np.array([1 - 1 / n, 1 / n])
    model = (1 + extra) * inside[:, 0] + noise
    model[0] = truth
    return SmoothedMoments(model, inside[:, 1])


def _accumulated_moments(n: int, generations: int, h: float, truth: float) -> SmoothedMoments:
    variance, drift = np.empty(generations + 1), np.zeros(generations + 1)
    variance[0] = pool = truth
    for t in range(1, generations + 1):
        if t > 1:
            pool += h**2 / t
        drift[t] = drift[t - 1] + variance[t - 1] / (n * t**2)
        variance[t] = pool + h**2 - drift[t]
    return SmoothedMoments(variance, drift)


def check_options(
    bandwidth: float | str, policy: str, real_fraction: float, estimator: str
) -> tuple[float | None, float]:
    """Return the checked bandwidth (None for Silverman's) and real fraction.

    Raises
    ------
    ValueError
        If one is out of range, or they do not go together.
    """
    one_of("policy", policy, POLICIES)
    one_of("estimator", estimator, ESTIMATORS)
    f = share("real_fraction", real_fraction)
    if f > 0 and policy != "replace":
        raise ValueError(f"real_fraction must be 0 with policy {policy!r}, got {real_fraction!r}")
    if isinstance(bandwidth, str):
        one_of("bandwidth", bandwidth, ("silverman",))
        return None, f
    return positive("bandwidth", bandwidth), f


def hop_distribution(
    generation: int, *, policy: str = "replace", real_fraction: float = 0.0
) -> Floats:
    """Law of the number of kernels that a draw from model t has passed through.

    Parameters
    ----------
    generation : int
        t, at least 1.
    policy : {"replace", "accumulate"}
    real_fraction : float
        Probability that an item is real (replace only).

    Returns
    -------
    ndarray, (generation + 1,)
        Entry l is P(L_t = l).

    Examples
    --------
    >>> hop_distribution(3).round(3), hop_distribution(3, policy="accumulate").round(3)
    (array([0., 0., 0., 1.]), array([0.   , 0.333, 0.5  , 0.167]))
    """
    t = whole_number("generation", generation, minimum=1)
    _, f = check_options(1.0, policy, real_fraction, "ml")
    law = np.zeros(t + 1)
    if policy == "replace":
        hops = np.arange(1, t)
        law[1:t] = f * (1 - f) ** (hops - 1)
        law[t] = (1 - f) ** (t - 1)
        return law
    law[1] = 1.0
    for i in range(2, t + 1):
        law[1:] = (1 - 1 / i) * law[1:] + law[:-1] / i
    return law


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
