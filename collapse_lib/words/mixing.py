"""How much real data keeps a loop of words from collapsing, and how to weigh it.

A drift here is E‖p_t − p₀‖² in units of 1 − Σp₀², the variance of the truth: 0 for a
perfect copy, 1/N for a single fit to N real items, 1 for a model that has collapsed. By
the conservation law the share of variance that remains is one minus the drift.

The proofs are in the chapter *Real and synthetic*.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from collapse_lib._types import ArrayLike, FloatOrArray, Floats
from collapse_lib.checks import array, positive, probability, share, whole_number
from collapse_lib.loop import FreshReal, Immigration, LastK, PartlyReal, Policy

__all__ = [
    "best_real_weight",
    "drift_limit",
    "expected_drift",
    "migrants_needed",
    "presence_probability",
    "retention",
    "safe_synthetic_size",
    "weighted_drift_limit",
]

LEAST = 1e-4  # smallest share of real items for which presence is summed, term by term


def expected_drift(policy: Policy, n: int, generations: int) -> Floats:
    """Expected drift of each generation, in units of the variance of the truth.

    Parameters
    ----------
    policy : PartlyReal, FreshReal, Immigration or LastK
    n : int
        Draws from models per generation, at least 2 and k (under Immigration: items in all).
    generations : int

    Returns
    -------
    ndarray, (generations + 1,)
        Entry 0 is 0: the truth.

    References
    ----------
    Exact for words fitted by frequencies. For PartlyReal and LastK see also Seddik et al.,
    arXiv 2404.05090.

    Examples
    --------
    >>> expected_drift(PartlyReal(10), n=10, generations=3).round(4)
    array([0.    , 0.1   , 0.1225, 0.1276])
    """
    n = _draws(policy, n)
    generations = whole_number("generations", generations)
    if isinstance(policy, LastK):
        return _last_k(policy, n, generations)
    first, factor, limit = _geometric(policy, n)
    t = np.arange(generations)
    return np.append(0.0, limit + (first - limit) * factor**t)


def drift_limit(policy: Policy, n: int) -> float:
    """Limit of `expected_drift` after infinitely many generations; 1 is collapse.

    Parameters
    ----------
    policy : PartlyReal, FreshReal, Immigration or LastK
    n : int
        As in `expected_drift`.

    Returns
    -------
    float

    Examples
    --------
    >>> N = 100
    >>> [round(N * drift_limit(policy(N), n=10**6), 3) for policy in (PartlyReal, FreshReal)]
    [1.493, 0.498]
    """
    n = _draws(policy, n)
    return 1.0 if isinstance(policy, LastK) else _geometric(policy, n)[2]


def _draws(policy: Policy, n: int) -> int:
    return whole_number("n", n, minimum=max(2, policy.k) if isinstance(policy, LastK) else 2)


def _geometric(policy: Policy, n: int) -> tuple[float, float, float]:
    """First value, factor and limit of a drift that approaches its limit geometrically."""
    match policy:
        case PartlyReal(real):
            limit = 1 / real + (1 - 1 / real) * n / (real**2 + 2 * real * n + n)
            return 1 / real, (n / (real + n)) ** 2 * (1 - 1 / n), limit
        case FreshReal(real):
            limit = (real + n) / (real**2 + 2 * real * n + n)
            return 1 / real, (n / (real + n)) ** 2 * (1 - 1 / n), limit
        case Immigration(fraction):
            factor = (1 - fraction) ** 2 * (1 - 1 / n)
            return 1 / n, factor, 1 / n / (1 - factor)
    raise ValueError(f"policy must be PartlyReal, FreshReal, Immigration or LastK, got {policy!r}")


def _last_k(policy: LastK, n: int, generations: int) -> Floats:
    """Drift under LastK, from second moments of the models (or reused batches) in the window."""
    share, drift = n // policy.k, [0.0]
    window: Floats = np.full((1, 1), 1 / share if policy.reuse else 0.0)
    for _ in range(generations):
        with_newest = window.mean(axis=0)
        if policy.reuse:
            drift.append(with_newest.mean())
            newest = drift[-1] + (1 - drift[-1]) / share
        else:
            noise = (1 - np.diag(window)).sum() / (len(window) ** 2 * share)
            newest = with_newest.mean() + noise
            drift.append(newest)
        bordered = np.block([[window, with_newest[:, None]], [with_newest, newest]])
        window = bordered[-policy.k :, -policy.k :]
    return np.array(drift)


def safe_synthetic_size(real: int, drift: float, *, heterozygosity: float = 1.0) -> float:
    """Largest number of synthetic items that keeps a partly real loop close to its real data.

    Each model is trained on the same ``real`` items and on n draws from the model before.

    Parameters
    ----------
    real : int
        Real items N, at least 2.
    drift : float
        Largest acceptable E‖p_t − p₁‖², in every generation t; p₁ is the fit to the real
        items alone.
    heterozygosity : float
        1 − Σp₀² of the truth, in (0, 1]; the default is the worst case.

    Returns
    -------
    int or float
        The largest n, 0 if no n will do; ``math.inf`` if every n will.

    References
    ----------
    From the exact limit n(1 − σ₁)/(N² + 2Nn + n) with 1 − σ₁ = (1 − 1/N)(1 − Σp₀²). Seddik et
    al., arXiv 2404.05090, Theorem 3, give a sufficient condition.

    Examples
    --------
    >>> safe_synthetic_size(1000, drift=0.1 / 1000)  # a tenth of the sampling error
    125
    >>> safe_synthetic_size(1000, drift=0.5 / 1000)
    inf
    """
    real = whole_number("real", real, minimum=2)
    drift = positive("drift", drift)
    variance = (1 - 1 / real) * share("heterozygosity", heterozygosity, zero=False)
    spare = variance - drift * (2 * real + 1)
    if spare <= 0:
        return math.inf
    return math.floor(drift * real**2 / spare * (1 + 1e-12))


def weighted_drift_limit(weight: ArrayLike, real: int, synthetic: int) -> FloatOrArray:
    """Drift in the long run with fresh real data that count with a weight.

    Each fit is w × (frequencies of fresh real items) + (1 − w) × (those of synthetic items).

    Parameters
    ----------
    weight : float or array_like
        Weight w of the real items, in (0, 1].
    real, synthetic : int
        Real items N and synthetic items n per generation, at least 1.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> round(float(weighted_drift_limit(0.5, real=100, synthetic=100)), 6)
    0.006645
    """
    real, synthetic = _sizes(real, synthetic)
    weight = array("weight", weight)
    if not ((weight > 0) & (weight <= 1)).all():
        raise ValueError(f"weight must be more than 0 and at most 1, got {weight}")
    model = (1 - weight) ** 2 / synthetic
    return (weight**2 / real + model) / (weight * (2 - weight) + model)


def best_real_weight(real: int, synthetic: int) -> float:
    """Weight of the fresh real items that makes the long-run drift smallest.

    Parameters
    ----------
    real, synthetic : int
        Real items N and synthetic items n per generation, at least 1.

    Returns
    -------
    float
        The positive root of (k − 1/N)w² + (1 + 1/N)w − 1 = 0 with k = n/N. For large N it is
        (√(1 + 4k) − 1)/(2k), and one over the golden ratio if also n = N. The drift there is
        w/N.

    References
    ----------
    He, Xu, Cheng, arXiv 2502.18049, for large samples.

    Examples
    --------
    >>> round(best_real_weight(10**6, 10**6), 4), round(best_real_weight(5, 5), 4)
    (0.618, 0.5963)
    """
    real, synthetic = _sizes(real, synthetic)
    square, line = (synthetic - 1) / real, 1 + 1 / real
    return 2 / (line + math.sqrt(line**2 + 4 * square))


def _sizes(real: int, synthetic: int) -> tuple[int, int]:
    return whole_number("real", real, minimum=1), whole_number("synthetic", synthetic, minimum=1)


def presence_probability(p: float, n: int, fraction: float) -> float:
    """Share of generations in which a word is there, in the long run, with immigration.

    Parameters
    ----------
    p : float
        True probability of the word, in (0, 1).
    n : int
        Items per generation, at least 1.
    fraction : float
        Chance that an item is real, from 1e-4 to 1.

    Returns
    -------
    float
        1 − exp(−n f p U_f), U_f = Σ u_k, u₀ = 1, u_{k+1} = 1 − e^{−(1−f)u_k}: exact for
        Poisson sampling, and close to multinomial sampling when the word is rare.

    Examples
    --------
    >>> round(presence_probability(1e-4, 10_000, 0.05), 3)
    0.228
    """
    p, n = probability("p", p), whole_number("n", n, minimum=1)
    if share("fraction", fraction) < LEAST:
        raise ValueError(f"fraction must be at least {LEAST}, got {fraction!r}")
    return -math.expm1(-n * p * fraction * _descent(float(fraction)))


def migrants_needed(p: float, n: int, presence: float) -> float:
    """Real items per generation that keep a word present a given share of the time.

    Parameters
    ----------
    p : float
        True probability of the word, in (0, 1).
    n : int
        Items per generation, at least 1.
    presence : float
        Share of generations in which the word is to be there. At most the share with real
        data alone, 1 − exp(−n p).

    Returns
    -------
    float
        n f for the smallest fraction f that will do, in (0, n].

    Examples
    --------
    >>> round(migrants_needed(1e-3, 10_000, 0.9))  # of 10 000 items per generation
    421
    """
    p, n = probability("p", p), whole_number("n", n, minimum=1)
    presence, most = positive("presence", presence), -math.expm1(-n * p)
    least = presence_probability(p, n, LEAST)
    if not least < presence <= most:
        raise ValueError(
            f"presence must be more than {least:.6g}, which a real fraction of {LEAST} already "
            f"reaches, and at most 1 − exp(−n p) = {most:.6g}, what real data alone reach, "
            f"got {presence!r}"
        )
    if presence == most:
        return float(n)
    missing = math.log1p(-presence) / (n * p)
    migrants: float = n * brentq(lambda f: f * _descent(f) + missing, LEAST, 1.0, xtol=1e-9)
    return migrants


@lru_cache(maxsize=512)
def _descent(fraction: float) -> float:
    """U_f: the generations in which one migrant's family is alive, on average."""
    total, alive = 0.0, 1.0
    while alive > 1e-4 * fraction:
        total += alive
        alive = -math.expm1(-(1 - fraction) * alive)
    return total + alive / fraction  # geometric from here on


def retention(batch_sizes: Iterable[int]) -> float:
    """Share of the variance that accumulating these batches keeps, Π(1 − n_i/N_i²).

    Parameters
    ----------
    batch_sizes : array_like of int, (batches,)
        n₁, n₂, …, each at least 1; the first batch is real. N_i = n₁ + … + n_i.

    Returns
    -------
    float

    References
    ----------
    Proved in the chapter *The loop*, where (N − 1)/(N + 1) is shown to be a floor, N = n₁.

    Examples
    --------
    >>> round(retention([10, 10, 10]), 4), round(retention([20] + 200 * [1]), 4)
    (0.8678, 0.9089)
    """
    sizes = np.array([whole_number("batch_sizes", size, minimum=1) for size in batch_sizes])
    if not sizes.size:
        raise ValueError("batch_sizes must hold at least one batch, got none")
    pool = np.cumsum(sizes, dtype=float)
    return float(np.prod(1 - sizes / pool**2))
