"""How much real data keeps a loop of words from collapsing: closed forms and calculators.

A drift here is E‖p_t − p₀‖² in units of 1 − Σp₀², the variance of the truth: 0 for a
perfect copy, 1/N for a single fit to N real items, 1 for a model that has collapsed. By
the conservation law the share of variance that remains is one minus the drift.

The proofs are in the chapter *Real and synthetic*.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import Floats
from collapse_lib.calculators import (
    migrants_needed,
    optimal_real_weight,
    presence_probability,
    retention,
    safe_synthetic_size,
    weighted_drift_limit,
)
from collapse_lib.checks import whole_number
from collapse_lib.loop import FreshReal, Immigration, LastK, PartlyReal, Policy

__all__ = [
    "drift_limit",
    "expected_drift",
    "last_k_effective_size",
    "migrants_needed",
    "optimal_real_weight",
    "presence_probability",
    "retention",
    "safe_synthetic_size",
    "weighted_drift_limit",
]


def expected_drift(policy: Policy, n: int, generations: int) -> Floats:
    """Expected drift of each generation, in units of the variance of the truth.

    Parameters
    ----------
    policy : PartlyReal, FreshReal, Immigration or LastK
    n : int
        Draws from models a generation, at least 2 (under Immigration: items in all).
    generations : int

    Returns
    -------
    ndarray, (generations + 1,)
        Entry 0 is 0: the truth.

    Raises
    ------
    ValueError
        If ``n`` or ``generations`` is out of range, or the policy is another.

    References
    ----------
    Exact for words fitted by frequencies; proved in the chapter *How much synthetic data is
    safe?* For PartlyReal and LastK see also Seddik et al., arXiv 2404.05090.

    Examples
    --------
    >>> expected_drift(PartlyReal(10), n=10, generations=3).round(4)
    array([0.    , 0.1   , 0.1225, 0.1276])
    """
    n = whole_number("n", n, minimum=2)
    generations = whole_number("generations", generations)
    if isinstance(policy, LastK):
        moments = _reused if policy.reuse else _redrawn
        return moments(policy.k, _share_of_each(policy.k, n), generations)
    first, factor, limit = _geometric(policy, n)
    t = np.arange(generations)
    return np.append(0.0, limit + (first - limit) * factor**t)


def drift_limit(policy: Policy, n: int) -> float:
    """Limit of `expected_drift` after infinitely many generations.

    Parameters
    ----------
    policy : PartlyReal, FreshReal, Immigration or LastK
    n : int
        Draws a generation, at least 2.

    Returns
    -------
    float
        1 under LastK: it collapses.

    Raises
    ------
    ValueError
        As `expected_drift`.

    Examples
    --------
    >>> N = 100
    >>> [round(N * drift_limit(policy(N), n=10**6), 3) for policy in (PartlyReal, FreshReal)]
    [1.493, 0.498]
    """
    n = whole_number("n", n, minimum=2)
    if isinstance(policy, LastK):
        _share_of_each(policy.k, n)
        return 1.0
    return _geometric(policy, n)[2]


def last_k_effective_size(k: int, n: int, *, reuse: bool = False) -> float:
    """Draws a generation of the replace loop that collapses about as fast as last-K.

    Parameters
    ----------
    k : int
        Generations in the window, at least 1.
    n : int
        Items a generation, at least ``k``.
    reuse : bool
        Whether each batch is used k times, or drawn afresh.

    Returns
    -------
    float
        A heuristic for many more than k generations and n much larger than k:
        n((k + 1)/2)² with fresh redraws, (n/k)((k + 1)/2)² with reused batches.
        `expected_drift` is exact.

    Raises
    ------
    ValueError
        If ``k`` or ``n`` is out of range.

    Examples
    --------
    >>> last_k_effective_size(3, 30), last_k_effective_size(3, 30, reuse=True)
    (120.0, 40.0)
    """
    k = whole_number("k", k, minimum=1)
    n = whole_number("n", n, minimum=k)
    return (n / k if reuse else float(n)) * ((k + 1) / 2) ** 2


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


def _redrawn(k: int, share: int, generations: int) -> Floats:
    """Drift under LastK with fresh redraws: second moments of the models in the window."""
    window: Floats = np.zeros((1, 1))  # of the truth
    drift = [0.0]
    for _ in range(generations):
        with_newest = window.mean(axis=0)
        noise = (1 - np.diag(window)).sum() / (len(window) ** 2 * share)
        window = _border(window, with_newest, with_newest.mean() + noise, k)
        drift.append(window[-1, -1])
    return np.array(drift)


def _reused(k: int, share: int, generations: int) -> Floats:
    """Drift under LastK with reused batches: second moments of the batches in the window."""
    window: Floats = np.full((1, 1), 1 / share)
    drift = [0.0]
    for _ in range(generations):
        with_newest = window.mean(axis=0)
        drift.append(with_newest.mean())
        window = _border(window, with_newest, drift[-1] + (1 - drift[-1]) / share, k)
    return np.array(drift)


def _border(window: Floats, edge: Floats, corner: float, k: int) -> Floats:
    """Add a row and a column, and drop the oldest beyond k."""
    return np.block([[window, edge[:, None]], [edge, corner]])[-k:, -k:]


def _share_of_each(k: int, n: int) -> int:
    if n < k:
        raise ValueError(f"n must be at least k = {k} for LastK, got {n}")
    return n // k
