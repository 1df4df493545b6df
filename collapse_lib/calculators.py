"""Calculators for whoever mixes real and synthetic text: how much is safe, how to weigh it.

Each turns a theorem of the chapter *Real and synthetic* into one number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from collapse_lib._types import ArrayLike, FloatOrArray
from collapse_lib.checks import positive, probability, share, whole_number

__all__ = [
    "migrants_needed",
    "optimal_real_weight",
    "presence_probability",
    "retention",
    "safe_synthetic_size",
    "weighted_drift_limit",
]

LEAST = 1e-4  # smallest share of real items for which presence is summed, term by term


def safe_synthetic_size(real: int, drift: float, *, heterozygosity: float = 1.0) -> float:
    """Largest number of synthetic items that keeps a partly real loop close to its real data.

    Each model is trained on the same ``real`` items and on n draws from the model before.

    Parameters
    ----------
    real : int
        Real items N, at least 2.
    drift : float
        Largest acceptable E‖p_t − p₁‖², in every generation t, more than 0; p₁ is the fit to
        the real items alone.
    heterozygosity : float
        1 − Σp₀² of the truth, in (0, 1]; the default is the worst case.

    Returns
    -------
    int or float
        The largest n, 0 if no n will do; ``math.inf`` if every n will.

    Raises
    ------
    ValueError
        If an argument is out of range.

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
        Real items N and synthetic items n of a generation, at least 1.

    Returns
    -------
    float or ndarray, the shape of ``weight``
        Same shape as ``weight``; in units of the variance of the truth.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(float(weighted_drift_limit(0.5, real=100, synthetic=100)), 6)
    0.006645
    """
    real, synthetic = _sizes(real, synthetic)
    weight = np.asarray(weight, dtype=float)
    if not ((weight > 0) & (weight <= 1)).all():
        raise ValueError(f"weight must be more than 0 and at most 1, got {weight}")
    other = (1 - weight) ** 2
    return (weight**2 / real + other / synthetic) / (1 - other * (1 - 1 / synthetic))


def optimal_real_weight(real: int, synthetic: int) -> float:
    """Weight of the fresh real items that makes the long-run drift smallest.

    Parameters
    ----------
    real, synthetic : int
        Real items N and synthetic items n of a generation, at least 1.

    Returns
    -------
    float
        The positive root of (k − 1/N)w² + (1 + 1/N)w − 1 = 0 with k = n/N. For large N it is
        (√(1 + 4k) − 1)/(2k), and one over the golden ratio if also n = N. The drift there is
        w/N.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    He, Xu, Cheng, arXiv 2502.18049, for large samples.

    Examples
    --------
    >>> round(optimal_real_weight(10**6, 10**6), 4), round(optimal_real_weight(5, 5), 4)
    (0.618, 0.5963)
    """
    real, synthetic = _sizes(real, synthetic)
    square, line = (synthetic - 1) / real, 1 + 1 / real
    return 2 / (line + math.sqrt(line**2 + 4 * square))


def presence_probability(p: float, n: int, fraction: float) -> float:
    """Share of generations in which a word is there, in the long run, with immigration.

    Parameters
    ----------
    p : float
        True probability of the word, in (0, 1).
    n : int
        Items a generation, at least 1.
    fraction : float
        Chance that an item is real, from 1e-4 to 1.

    Returns
    -------
    float
        1 − exp(−n f p U_f), U_f = Σ u_k, u₀ = 1, u_{k+1} = 1 − e^{−(1−f)u_k}: exact for
        Poisson sampling, and close to multinomial sampling when the word is rare.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(presence_probability(1e-4, 10_000, 0.05), 3)
    0.228
    """
    p, n, fraction = probability("p", p), whole_number("n", n, minimum=1), _fraction(fraction)
    return -math.expm1(-n * p * fraction * _descent(fraction))


def migrants_needed(p: float, n: int, presence: float) -> float:
    """Real items a generation that keep a word present a given share of the time.

    Parameters
    ----------
    p : float
        True probability of the word, in (0, 1).
    n : int
        Items a generation, at least 1.
    presence : float
        Share of generations in which the word is to be there. At most the share with real
        data alone, 1 − exp(−n p).

    Returns
    -------
    float
        n f for the smallest fraction f that will do, in (0, n].

    Raises
    ------
    ValueError
        If an argument is out of range, or real data alone do not suffice.

    Examples
    --------
    >>> round(migrants_needed(1e-3, 10_000, 0.9))  # of 10 000 items a generation
    421
    """
    p, n = probability("p", p), whole_number("n", n, minimum=1)
    most = -math.expm1(-n * p)
    presence = positive("presence", presence)
    if presence > most:
        raise ValueError(
            f"presence must be at most 1 − exp(−n p) = {most:.6g}, what real data alone "
            f"reach, got {presence!r}"
        )
    least = presence_probability(p, n, LEAST)
    if presence <= least:
        raise ValueError(
            f"presence must be more than {least:.6g}, which a real fraction of {LEAST} already "
            f"reaches, got {presence!r}"
        )
    if presence == most:
        return float(n)
    missing = math.log1p(-presence) / (n * p)
    migrants: float = n * brentq(lambda f: f * _descent(f) + missing, LEAST, 1.0, xtol=1e-9)
    return migrants


def retention(batch_sizes: Iterable[int]) -> float:
    """Share of the variance that accumulating these batches keeps, Π(1 − n_i/N_i²).

    Parameters
    ----------
    batch_sizes : array_like of int, (batches,)
        n₁, n₂, …, each at least 1; the first batch is real. N_i = n₁ + … + n_i.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there is no batch, or a size is not a whole number of at least 1.

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


@lru_cache(maxsize=512)
def _descent(fraction: float) -> float:
    """U_f: the generations in which one migrant's family is alive, on average."""
    total, alive = 0.0, 1.0
    while alive > 1e-4 * fraction:
        total += alive
        alive = -math.expm1(-(1 - fraction) * alive)
    return total + alive / fraction  # geometric from here on


def _sizes(real: int, synthetic: int) -> tuple[int, int]:
    return whole_number("real", real, minimum=1), whole_number("synthetic", synthetic, minimum=1)


def _fraction(value: float) -> float:
    value = share("fraction", value)
    if value < LEAST:
        raise ValueError(f"fraction must be at least {LEAST}, got {value!r}")
    return value
