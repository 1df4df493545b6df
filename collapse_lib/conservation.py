"""The conservation law behind every distribution chapter, and what each policy keeps.

For a feature φ whose training-set mean m and total variance v the fitted model
reproduces, each generation satisfies E v + E‖m − m₀‖² = v₀: variance is never lost,
only turned into drift. What remains of v after t generations depends on the policy
alone, and is exact.

The proofs are in the chapters *The loop* and *Accumulation*.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import Floats
from collapse_lib.checks import whole_number
from collapse_lib.loop import (
    Accumulate,
    AccumulateSubsample,
    Policy,
    RandomPast,
    Replace,
    policy_named,
)

__all__ = ["expected_retention", "retention_limit"]


def expected_retention(policy: str | Policy, n: int, generations: int) -> Floats:
    """Share of the variance expected to remain after each generation, E v_t / v₀.

    Parameters
    ----------
    policy : Policy or str
        Replace, Accumulate, AccumulateSubsample or RandomPast.
    n : int
        Draws per generation, at least 2.
    generations : int

    Returns
    -------
    ndarray, (generations + 1,)

    Notes
    -----
    Holds for one-hot words (v = 1 − Σp²) and for any feature whose variance is
    fitted by maximum likelihood (the sum of squares over n).

    References
    ----------
    Derived in the chapter *The loop* from the conservation law. For replace and
    random-past with words, see also Seddik et al., arXiv 2404.05090.

    Examples
    --------
    >>> expected_retention("accumulate", n=10, generations=2).round(4)
    array([1.    , 0.9   , 0.8775])
    """
    policy = policy_named(policy)
    n = whole_number("n", n, minimum=2)
    t = np.arange(1.0, whole_number("generations", generations) + 1)
    match policy:
        case Replace():
            return _running_product(np.full(t.shape, 1 - 1 / n))
        case Accumulate() | RandomPast():
            return _running_product(1 - 1 / (n * t**2))
        case AccumulateSubsample():
            pool, correction = _subsample_pool(n, t)
            return np.append(1.0, pool[:-1] * (1 - correction / n))
    raise ValueError(
        f"policy must be Replace, Accumulate, AccumulateSubsample or RandomPast, got {policy!r}"
    )


def retention_limit(policy: str | Policy, n: int) -> float:
    """Share of the variance expected to remain after infinitely many generations.

    Parameters
    ----------
    policy : Policy or str
        Replace, Accumulate or RandomPast.
    n : int
        Draws per generation, at least 2.

    Returns
    -------
    float
        0 for Replace, else sin(π/√n)/(π/√n).

    References
    ----------
    Euler's product sin(πx)/(πx) = Π(1 − x²/i²) at x = 1/√n.

    Examples
    --------
    >>> round(retention_limit("accumulate", n=10), 5)
    0.84344
    """
    policy = policy_named(policy)
    n = whole_number("n", n, minimum=2)
    match policy:
        case Replace():
            return 0.0
        case Accumulate() | RandomPast():
            return float(np.sinc(1 / np.sqrt(n)))
    raise ValueError(f"policy must be Replace, Accumulate or RandomPast, got {policy!r}")


def _running_product(factors: Floats) -> Floats:
    return np.append(1.0, np.cumprod(factors))


def _subsample_pool(n: int, t: Floats) -> tuple[Floats, Floats]:
    """Variance of the pool before and after each batch, and the finite-population factor of each subsample."""
    correction = (t * n - n) / (t * n - 1)
    shrink = 1 - (1 + correction * (1 - 1 / n)) / (n * (t + 1) ** 2)
    return (1 - 1 / n) * _running_product(shrink), correction
