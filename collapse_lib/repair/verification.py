"""Verification: train only on what a verifier lets through, in closed form.

Words: a generator that errs, and a verifier that accepts a right word with probability a and a
wrong one with probability b. The odds of wrong to right obey a linear recursion.

Regression: a row is accepted with probability exp(−r²/2τ²), r its residual against a verifier
model fitted to real rows. A Gaussian times a Gaussian is a Gaussian, so accepted rows are
again those of a linear model, whose weights have moved a fixed share towards the verifier's.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Rng
from collapse_lib.checks import (
    as_generator,
    positive,
    probability,
    share,
    whole_number,
    whole_numbers,
)

__all__ = [
    "accepted_rows",
    "pull",
    "verified_limit",
    "verified_risk",
    "wrong_odds",
    "wrong_odds_limit",
]


def wrong_odds(
    error: float, ratio: float, generations: ArrayLike, *, start: float = 0.0
) -> FloatOrArray:
    """Odds of wrong to right words after some generations, many tokens.

    Parameters
    ----------
    error : float
        Chance that a word that should be right comes out wrong, between 0 and 1.
    ratio : float
        b/a: chance that a wrong word is accepted over that of a right one, at least 0.
    generations : int or array_like of int
    start : float
        Odds at the start.

    Returns
    -------
    float or ndarray, the shape of ``generations``

    References
    ----------
    Proved in the chapter *Repair*.

    Examples
    --------
    >>> wrong_odds(0.1, 0.45, [0, 1, 2]).round(3), round(wrong_odds_limit(0.1, 0.45), 3)
    (array([0.   , 0.05 , 0.075]), 0.1)
    """
    error, ratio = probability("error", error), positive("ratio", ratio, zero=True)
    start = positive("start", start, zero=True)
    t = whole_numbers("generations", generations)
    growth = ratio / (1 - error)
    if abs(growth - 1) < 1e-12:
        return start + error * t
    still = error * growth / (1 - growth)
    return still + (start - still) * growth**t


def wrong_odds_limit(error: float, ratio: float) -> float:
    """Where the odds of wrong to right settle: finite exactly if ratio < 1 − error.

    Parameters
    ----------
    error, ratio : float
        As in `wrong_odds`.

    Returns
    -------
    float

    Examples
    --------
    >>> wrong_odds_limit(0.1, 0.95)
    inf
    """
    error, ratio = probability("error", error), positive("ratio", ratio, zero=True)
    return ratio * error / (1 - error - ratio) if ratio < 1 - error else np.inf


def pull(tolerance: float, *, noise: float = 1.0) -> float:
    """The share k = σ²/(σ² + τ²) of the way to the verifier that acceptance moves the labels.

    Parameters
    ----------
    tolerance : float
        τ: a row with residual r is accepted with probability exp(−r²/2τ²).
    noise : float
        σ, standard deviation of the label noise.

    Returns
    -------
    float

    Examples
    --------
    >>> pull(3.0)
    0.1
    """
    variance = positive("noise", noise) ** 2
    return variance / (variance + positive("tolerance", tolerance) ** 2)


def verified_risk(
    d: int,
    T: int,
    generations: ArrayLike,
    *,
    tolerance: float,
    verifier_risk: float,
    noise: float = 1.0,
) -> FloatOrArray:
    """Expected excess risk given the verifier, each generation fitted to T accepted rows.

    Isotropic Gaussian rows, least squares, replace; the first labels are the truth's, with
    noise.

    Parameters
    ----------
    d, T : int
        Features, accepted rows, T ≥ d + 2.
    generations : int or array_like of int
    tolerance, noise : float
        As in `pull`.
    verifier_risk : float
        ‖w_v − w₀‖² of the verifier, or its expectation.

    Returns
    -------
    float or ndarray, the shape of ``generations``

    References
    ----------
    Proved in the chapter *Repair*. That verified retraining ends at what the verifier knows
    is the finding of Yi et al., arXiv 2510.16657, for another verifier.

    Examples
    --------
    >>> verified_risk(5, 20, [1, 20], tolerance=2.0, verifier_risk=0.2).round(3)
    array([0.296, 1.015])
    """
    t = whole_numbers("generations", generations)
    kept, growth, toll = _recursion(d, T, tolerance, noise)
    fault = positive("verifier_risk", verifier_risk, zero=True)
    still = toll / (1 - growth)
    apart = still + (fault - still) * growth**t  # E‖ŵ_t − w_v‖²
    return apart + fault * (1 - 2 * kept**t)


def verified_limit(
    d: int, T: int, *, tolerance: float, verifier_risk: float, noise: float = 1.0
) -> float:
    """What `verified_risk` tends to: the verifier's own risk, and a toll on top.

    Parameters
    ----------
    d, T, tolerance, verifier_risk, noise
        As in `verified_risk`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(verified_limit(5, 20, tolerance=2.0, verifier_risk=0.2), 3)
    1.02
    """
    _, growth, toll = _recursion(d, T, tolerance, noise)
    return toll / (1 - growth) + positive("verifier_risk", verifier_risk, zero=True)


def accepted_rows(
    teacher: Floats,
    verifier: Floats,
    T: int,
    *,
    tolerance: float,
    noise: float = 1.0,
    rng: Rng = None,
) -> tuple[Floats, Floats, float]:
    """Draw rows until T of each replicate are accepted, one by one as defined.

    Parameters
    ----------
    teacher, verifier : ndarray, (replicates, d)
        The weights that make the labels, and those that judge them.
    T : int
        Accepted rows wanted.
    tolerance, noise : float
        As in `pull`.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    rows : ndarray, (replicates, T, d)
    labels : ndarray, (replicates, T)
    share : float
        Rows accepted over rows drawn.

    Examples
    --------
    >>> x, y, share = accepted_rows(np.zeros((2, 3)), np.zeros((2, 3)), 5, tolerance=1.0, rng=1)
    >>> x.shape, y.shape
    ((2, 5, 3), (2, 5))
    """
    teacher, verifier = np.asarray(teacher, dtype=float), np.asarray(verifier, dtype=float)
    if teacher.ndim != 2 or teacher.shape != verifier.shape:
        raise ValueError(
            "teacher and verifier must be arrays of one shape (replicates, d), got "
            f"{teacher.shape} and {verifier.shape}"
        )
    T = whole_number("T", T, minimum=1)
    tolerance, noise = positive("tolerance", tolerance), positive("noise", noise)
    rng = as_generator(rng)
    rows = np.empty((len(teacher), T, teacher.shape[1]))
    labels = np.empty((len(teacher), T))
    have = np.zeros(len(teacher), dtype=int)
    drawn = 0
    while (open_ := np.flatnonzero(have < T)).size:
        x = rng.standard_normal((open_.size, T, teacher.shape[1]))
        y = np.einsum("rij,rj->ri", x, teacher[open_]) + noise * rng.standard_normal(x.shape[:2])
        residual = y - np.einsum("rij,rj->ri", x, verifier[open_])
        keep = rng.random(y.shape) < np.exp(-(residual**2) / (2 * tolerance**2))
        place = have[open_, None] + np.cumsum(keep, axis=1) - 1
        keep &= place < T
        at, which = np.nonzero(keep)
        rows[open_[at], place[at, which]] = x[at, which]
        labels[open_[at], place[at, which]] = y[at, which]
        have[open_] += keep.sum(axis=1)
        full = have[open_] == T  # of a run that is now full, count the draws up to its last
        last = T - np.argmax(keep[:, ::-1], axis=1)
        drawn += int(np.where(full, last, T).sum())
    return rows, labels, labels.size / drawn


def _recursion(d: int, T: int, tolerance: float, noise: float) -> tuple[float, float, float]:
    """What is kept of the distance, its growth in the square, and what a fit adds."""
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d + 2)
    k = share("pull", pull(tolerance, noise=noise))
    toll = (1 - k) * noise**2 / (T - d - 1)
    return 1 - k, (1 - k) ** 2 + k * (1 - k) / (T - d - 1), toll * d
