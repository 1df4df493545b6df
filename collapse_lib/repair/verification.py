"""Verification: train only on what a verifier lets through, in closed form.

Words: a generator that errs, and a verifier that accepts a right word with probability a and a
wrong one with probability b. The odds of wrong to right obey a linear recursion.

Regression: a row is accepted with probability exp(−r²/2τ²), r its residual against a verifier
model fitted to real rows, τ the tolerance. A Gaussian times a Gaussian is a Gaussian, so
accepted rows are again those of a linear model, whose weights have moved a fixed share towards
the verifier's.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Rng
from collapse_lib.checks import (
    array,
    as_generator,
    positive,
    probability,
    whole_number,
    whole_numbers,
)
from collapse_lib.regression.theory import geometric_sum
from collapse_lib.repair._risks import pulled_risk, toll

__all__ = ["accepted_rows", "verified_risk", "wrong_odds"]


def wrong_odds(error: float, ratio: float, t: ArrayLike, *, start: float = 0.0) -> FloatOrArray:
    """Odds of wrong to right words after t generations of many tokens.

    They stay bounded exactly if ratio < 1 − error.

    Parameters
    ----------
    error : float
        Chance that a word that should be right comes out wrong, between 0 and 1.
    ratio : float
        b/a: chance that a wrong word is accepted over that of a right one.
    t : int or array_like of int
    start : float
        Odds in generation 0.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> wrong_odds(0.1, 0.45, [0, 1, 2, 50]).round(3)
    array([0.   , 0.05 , 0.075, 0.1  ])
    """
    error, ratio = probability("error", error), positive("ratio", ratio, zero=True)
    start, t = positive("start", start, zero=True), whole_numbers("t", t)
    growth = ratio / (1 - error)
    return growth**t * start + error * growth * geometric_sum(growth, t)


def verified_risk(
    d: int, T: int, t: ArrayLike, *, tolerance: float, verifier_risk: float, noise: float = 1.0
) -> FloatOrArray:
    """Expected excess risk given the verifier, each generation fitted to T accepted rows.

    Isotropic Gaussian rows, least squares, replace; the first labels are the truth's, with
    noise.

    Parameters
    ----------
    d, T : int
        Features, accepted rows, T ≥ d + 2.
    t : int or array_like of int
    tolerance : float
        τ.
    verifier_risk : float
        ‖w_v − w₀‖² of the verifier, or its expectation.
    noise : float
        σ, standard deviation of the labels' noise.

    Returns
    -------
    float or ndarray

    References
    ----------
    Proved in the chapter *Repair*. That verified retraining ends at what the verifier knows
    is the finding of Yi et al., arXiv 2510.16657, for another verifier.

    Examples
    --------
    >>> verified_risk(5, 20, [1, 20], tolerance=2.0, verifier_risk=0.2).round(3)
    array([0.296, 1.015])
    """
    t, fault = whole_numbers("t", t), positive("verifier_risk", verifier_risk, zero=True)
    variance = positive("noise", noise) ** 2
    kept = 1 - variance / (variance + positive("tolerance", tolerance) ** 2)
    growth = kept**2 + kept * (1 - kept) * toll(d, T) / d
    added = kept * toll(d, T, noise=noise)
    return pulled_risk(t, kept=kept, growth=growth, added=added, distance=fault)


def accepted_rows(
    teacher: ArrayLike,
    verifier: ArrayLike,
    T: int,
    *,
    tolerance: float,
    noise: float = 1.0,
    rng: Rng = None,
) -> tuple[Floats, Floats]:
    """Draw rows until T of each replicate are accepted, one by one as defined.

    Parameters
    ----------
    teacher, verifier : array_like, (replicates, d)
        The weights that make the labels, and those that judge them.
    T : int
    tolerance, noise : float
        As in `verified_risk`.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    rows : ndarray, (replicates, T, d)
    labels : ndarray, (replicates, T)

    Examples
    --------
    >>> x, y = accepted_rows(np.zeros((2, 3)), np.zeros((2, 3)), 5, tolerance=1.0, rng=1)
    >>> x.shape, y.shape
    ((2, 5, 3), (2, 5))
    """
    teacher, verifier = array("teacher", teacher, ndim=2), array("verifier", verifier, ndim=2)
    if teacher.shape != verifier.shape:
        raise ValueError(
            "teacher and verifier must be arrays of one shape (replicates, d), got "
            f"{teacher.shape} and {verifier.shape}"
        )
    T = whole_number("T", T, minimum=1)
    tolerance, noise = positive("tolerance", tolerance), positive("noise", noise)
    rng = as_generator(rng)
    replicates, d = teacher.shape
    rows, labels = np.empty((replicates, T, d)), np.empty((replicates, T))
    have = np.zeros(replicates, dtype=int)
    while (short := np.flatnonzero(have < T)).size:
        x = rng.standard_normal((short.size, T, d))
        y = np.einsum("rij,rj->ri", x, teacher[short]) + noise * rng.standard_normal(x.shape[:2])
        residual = y - np.einsum("rij,rj->ri", x, verifier[short])
        accepted = rng.random(y.shape) < np.exp(-(residual**2) / (2 * tolerance**2))
        place = have[short, None] + np.cumsum(accepted, axis=1) - 1
        accepted &= place < T
        at, which = np.nonzero(accepted)
        rows[short[at], place[at, which]] = x[at, which]
        labels[short[at], place[at, which]] = y[at, which]
        have[short] += accepted.sum(axis=1)
    return rows, labels
