"""Kernel density estimates that train on their own samples: a simulator and exact moments.

A draw from a Gaussian kernel density estimate is a training item picked at random plus
bandwidth × normal noise. So no density is ever evaluated to draw from one, and each item is a
real one plus the noise of the models it passed through: counting those *hops* gives the mean
density and the second moment, exactly.

Policies are Replace, Accumulate, or Immigration(f), where each item is real with chance f. The
bandwidth is a number, or "silverman": 1.06 σ̂ N^{−1/5} for a training set of N items, after
B. W. Silverman, Density Estimation for Statistics and Data Analysis (1986).

The proofs are in the chapter *Closed loops*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from collapse_lib._draws import chunks
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import array, as_generator, ddof, one_of, positive, whole_number
from collapse_lib.loop import Accumulate, Immigration, Policy, Replace, policy_named

__all__ = [
    "KDEMoments",
    "KDETrajectory",
    "hop_distribution",
    "log_density",
    "moments",
    "silverman_factor",
    "silverman_growth",
    "silverman_real_fraction",
    "simulate",
]

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


def simulate(
    n: int,
    generations: int,
    replicates: int = 1,
    *,
    bandwidth: float | str,
    policy: Policy | str = "replace",
    estimator: str = "ml",
    truth: ArrayLike | None = None,
    held_out: ArrayLike | None = None,
    rng: Rng = None,
) -> KDETrajectory:
    """Simulate the loop of Gaussian kernel density estimates, exactly in law.

    Parameters
    ----------
    n : int
        Items per generation, at least 2. The first batch is real.
    generations, replicates : int
    bandwidth : float or "silverman"
    policy : Policy or str
        Replace, Accumulate or Immigration.
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
    >>> run = simulate(20, 10, 4000, bandwidth=0.5, rng=1)
    >>> run.variance.shape, bool(abs(run.variance[:, 10].mean() / 2.605 - 1) < 0.03)
    ((4000, 11), True)
    """
    n = whole_number("n", n, minimum=2)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    h = _bandwidth(bandwidth)
    policy, f = _real_fraction(policy)
    ddof(estimator)  # refuses other names
    truth = None if truth is None else array("truth", truth, ndim=1)
    points = None if held_out is None else array("held_out", held_out, ndim=1)
    rng = as_generator(rng)

    keep = isinstance(policy, Accumulate)
    items = n * (max(generations, 1) if keep else 1)
    record = np.full((4, replicates, generations + 1), np.nan)
    start = (0.0, 1.0) if truth is None else (truth.mean(), truth.var())
    record[:3, :, 0] = np.array([*start, 0.0])[:, None]
    data = np.empty((replicates, items if generations else 0))
    for part in chunks(replicates, items, at_once=CHUNK):
        old: Floats = data[part]
        width: Floats = np.empty(0)  # of the first fit on
        for t in range(1, generations + 1):
            new = data[part, n * (t - 1) : n * t] if keep else data[part]
            new[:] = _real(truth, new.shape, rng) if t == 1 else _copies(old, width, n, rng)
            if f > 0 and t > 1:
                real = rng.random(new.shape) < f
                new[real] = _real(truth, (int(real.sum()),), rng)
            old = data[part, : n * t] if keep else data[part]
            spread = old.var(axis=1)
            if h is None:
                width = np.sqrt(_widening(old.shape[1], estimator) * spread)
            else:
                width = np.full(len(old), h)
            record[:3, part, t] = old.mean(axis=1), spread + width**2, width
            if points is not None:
                record[3, part, t] = log_density(old, width, points).mean(axis=1)
    mean, variance, widths, likelihood = record
    return KDETrajectory(mean, variance, widths, None if points is None else likelihood, data)


def _bandwidth(bandwidth: float | str) -> float | None:
    """The checked bandwidth; None for Silverman's."""
    if isinstance(bandwidth, str):
        one_of("bandwidth", bandwidth, ("silverman",))
        return None
    return positive("bandwidth", bandwidth)


def _real_fraction(policy: Policy | str) -> tuple[Policy, float]:
    """The policy, and the chance of an item to be real from the second generation on."""
    policy = policy_named(policy)
    match policy:
        case Replace() | Accumulate():
            return policy, 0.0
        case Immigration(fraction):
            return policy, fraction
    raise ValueError(f"policy must be Replace, Accumulate or Immigration, got {policy!r}")


def _real(truth: Floats | None, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return rng.standard_normal(shape) if truth is None else rng.choice(truth, size=shape)


def _copies(old: Floats, width: Floats, n: int, rng: np.random.Generator) -> Floats:
    pick = rng.integers(old.shape[1], size=(len(old), n))
    return np.take_along_axis(old, pick, axis=1) + width[:, None] * rng.standard_normal(pick.shape)


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
    data, points = array("data", data, ndim=2), array("points", points, ndim=1)
    h = np.broadcast_to(np.asarray(bandwidth, dtype=float), len(data))
    if not (np.isfinite(h) & (h > 0)).all():
        raise ValueError(f"bandwidth must be finite and above 0, got {bandwidth!r}")
    log = np.empty((len(data), len(points)))
    for row, (items, width) in enumerate(zip(data, h, strict=True)):
        away = (points[:, None] - items) / width
        log[row] = logsumexp(-0.5 * away**2, axis=1)
    log_mean: Floats = log - np.log(data.shape[1] * h * np.sqrt(2 * np.pi))[:, None]
    return log_mean


def hop_distribution(generation: int, policy: Policy | str = "replace") -> Floats:
    """Law of the number of kernels that a draw from model t has passed through.

    Parameters
    ----------
    generation : int
        t, at least 1.
    policy : Policy or str
        Replace, Accumulate or Immigration.

    Returns
    -------
    ndarray, (generation + 1,)
        Entry l is P(L_t = l).

    Examples
    --------
    >>> hop_distribution(3).round(3), hop_distribution(3, "accumulate").round(3)
    (array([0., 0., 0., 1.]), array([0.   , 0.333, 0.5  , 0.167]))
    """
    t = whole_number("generation", generation, minimum=1)
    policy, f = _real_fraction(policy)
    law = np.zeros(t + 1)
    if isinstance(policy, Accumulate):
        law[1] = 1.0
        for i in range(2, t + 1):
            law[1:] = (1 - 1 / i) * law[1:] + law[:-1] / i
        return law
    law[1:t] = f * (1 - f) ** np.arange(t - 1)
    law[t] = (1 - f) ** (t - 1)
    return law


@dataclass(frozen=True)
class KDEMoments:
    """Expected moments of the model in each generation; index 0 is the truth.

    Attributes
    ----------
    variance : ndarray, (generations + 1,)
        E v_t: variance of the model, kernel included.
    drift : ndarray, (generations + 1,)
        E (m_t − m₀)².
    """

    variance: Floats
    drift: Floats

    @property
    def total(self) -> Floats:
        """Variance + drift: the expected squared distance of a draw from the true mean."""
        return self.variance + self.drift


def moments(
    n: int,
    generations: int,
    *,
    bandwidth: float | str,
    policy: Policy | str = "replace",
    estimator: str = "ml",
    variance: float = 1.0,
) -> KDEMoments:
    """Expected variance and drift of the KDE loop, exactly.

    Parameters
    ----------
    n : int
        Items per generation, at least 2.
    generations : int
    bandwidth : float or "silverman"
        Silverman's with Replace and Immigration only: Accumulate has no closed recursion.
    policy : Policy or str
        Replace, Accumulate or Immigration.
    estimator : {"ml", "unbiased"}
        Of σ̂ in Silverman's rule.
    variance : float
        Of the truth.

    Returns
    -------
    KDEMoments

    Examples
    --------
    >>> exact = moments(20, 1000, bandwidth=0.5)
    >>> exact.variance[-1:].round(6), exact.total[-1:].round(6)  # n h², v₀ + t h²
    (array([5.]), array([251.]))
    """
    n = whole_number("n", n, minimum=2)
    generations = whole_number("generations", generations)
    h = _bandwidth(bandwidth)
    policy, f = _real_fraction(policy)
    extra, truth = _widening(n, estimator), positive("variance", variance)
    if isinstance(policy, Accumulate):
        if h is None:
            raise ValueError("bandwidth must be a number with Accumulate, got 'silverman'")
        return _accumulated_moments(n, generations, h, truth)
    extra, noise = (extra, 0.0) if h is None else (0.0, h**2)
    inside = np.zeros((generations + 1, 2))  # ML variance of the data, drift
    spread = np.array([1 - 1 / n, 1 / n])  # of a draw's variance: what stays, what moves the mean
    step = np.outer(spread, [(1 - f) * (1 + extra), f * (1 - f)])
    step[1, 1] += (1 - f) ** 2
    for t in range(1, generations + 1):
        if t == 1:
            inside[t] = truth * spread
        else:
            inside[t] = step @ inside[t - 1] + ((1 - f) * noise + f * truth) * spread
    model = (1 + extra) * inside[:, 0] + noise
    model[0] = truth
    return KDEMoments(model, inside[:, 1])


def _accumulated_moments(n: int, generations: int, h: float, truth: float) -> KDEMoments:
    variance, drift = np.empty(generations + 1), np.zeros(generations + 1)
    variance[0] = pool = truth
    for t in range(1, generations + 1):
        if t > 1:
            pool += h**2 / t
        drift[t] = drift[t - 1] + variance[t - 1] / (n * t**2)
        variance[t] = pool + h**2 - drift[t]
    return KDEMoments(variance, drift)


def silverman_factor(n: int) -> float:
    """Return 1.06 n^{−1/5}, the bandwidth in units of the sample's standard deviation.

    Parameters
    ----------
    n : int
        Items, at least 2.

    Returns
    -------
    float

    Examples
    --------
    >>> round(silverman_factor(100), 4)
    0.422
    """
    factor: float = 1.06 * whole_number("n", n, minimum=2) ** -0.2
    return factor


def _widening(n: int, estimator: str) -> float:
    """By how much Silverman's kernel raises the ML variance: h² = widening × V."""
    return silverman_factor(n) ** 2 * (n / (n - ddof(estimator)))


def silverman_growth(n: int, estimator: str = "ml") -> float:
    """Factor by which a generation multiplies the expected variance under Silverman's rule.

    Parameters
    ----------
    n : int
        Items per generation, at least 2.
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
    return (1 + _widening(n, estimator)) * (1 - 1 / n)


def silverman_real_fraction(n: int, estimator: str = "ml") -> float:
    """Smallest real fraction f that bounds variance and drift under Silverman's rule.

    Parameters
    ----------
    n, estimator
        As in `silverman_growth`.

    Returns
    -------
    float

    Notes
    -----
    The solution of (1 − f)(G + 1/(n(2 − f))) = 1, G = `silverman_growth`: there the step of
    (variance, drift) has the spectral radius 1.

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
