"""Early detection: does a statistic tell a self-consuming loop from a healthy one?

A statistic is computed once a generation. Its null is what it does in a *healthy* loop, whose
every training set is fresh real data; its alternative is what it does in the loop in question.
The alarm rings where the statistic is above a threshold that the healthy loop exceeds with
the chosen rate of false alarms. What follows is the chance that it rings: the power.

The worlds whose statistics the book compares live in `detection_worlds`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from collapse_lib._types import ArrayLike, FloatOrArray, Floats
from collapse_lib.checks import one_of, probability, whole_number, whole_numbers
from collapse_lib.gaussian_theory import ESTIMATORS, probability_above

__all__ = [
    "DetectionPower",
    "detection_power",
    "frozen_risk_power",
    "variance_power",
]


@dataclass(frozen=True)
class DetectionPower:
    """How often an alarm rings, by statistic and generation.

    Attributes
    ----------
    power : ndarray, (...)
        Share of alternative runs that ring; the axes are those of the alternative after its
        first.
    low, high : ndarray, (...)
        A conservative interval for it: both the runs of the alternative and those of the
        null are finite.
    false_alarms : float
    """

    power: FloatOrArray
    low: FloatOrArray
    high: FloatOrArray
    false_alarms: float


def detection_power(
    null: ArrayLike, alternative: ArrayLike, *, false_alarms: float = 0.05, confidence: float = 0.95
) -> DetectionPower:
    """Power of the one-sided test that rings at large values, at a fixed rate of false alarms.

    Parameters
    ----------
    null : array_like, (healthy runs,)
        The statistic in independent healthy runs; at least 20/false_alarms of them.
    alternative : array_like, (runs, ...)
        The statistic in independent runs of the loop in question, any further axes, such as
        the generation. Pass the negative of a statistic that falls.
    false_alarms : float
        Chance that a healthy loop rings in one look.
    confidence : float
        Of each interval.

    Returns
    -------
    DetectionPower

    Raises
    ------
    ValueError
        If an argument is out of range or not finite, or there are too few runs.

    Notes
    -----
    Where the threshold falls on a tie, as it can for counts, runs at the tie ring with the
    chance that makes the rate among the null's runs exact. The null's quantile is itself
    estimated. So each interval runs from Wilson's lower end at the rate
    ``false_alarms − δ`` to his upper end at ``false_alarms + δ``, where δ is the normal
    half-width of a share of ``len(null)`` runs; each of the two errors has half of
    1 − confidence.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Am. Stat. Assoc. 22 (1927).

    Examples
    --------
    >>> healthy, drifting = np.arange(1000) / 1000, np.arange(1000) / 1000 + 0.5
    >>> found = detection_power(healthy, drifting)
    >>> round(float(found.power), 2), bool(found.low < 0.55 < found.high)
    (0.55, True)
    """
    rate = probability("false_alarms", false_alarms)
    miss = 1 - probability("confidence", confidence)
    null = _finite("null", null)
    if null.ndim != 1 or len(null) < 20 / min(rate, 1 - rate):
        raise ValueError(
            f"null must be a list of at least {int(np.ceil(20 / min(rate, 1 - rate)))} values, "
            f"got shape {null.shape}"
        )
    alternative = _finite("alternative", alternative)
    if alternative.ndim < 1 or len(alternative) < 2:
        raise ValueError(f"alternative must hold at least 2 runs, got shape {alternative.shape}")
    z = stats.norm.isf(miss / 4)
    slack = z * np.sqrt(rate * (1 - rate) / len(null))
    ordered = np.sort(null)
    low, high = (_ringing(ordered, alternative, rate + side * slack) for side in (-1, 1))
    runs = len(alternative)
    return DetectionPower(
        _ringing(ordered, alternative, rate),
        _wilson(low, runs, z)[0],
        _wilson(high, runs, z)[1],
        rate,
    )


def variance_power(
    n: int, generations: ArrayLike, *, estimator: str = "ml", false_alarms: float = 0.05
) -> FloatOrArray:
    """Exact power of the alarm "the fitted variance is too small", Gaussian world, replace.

    Parameters
    ----------
    n : int
        Draws a generation, at least 5.
    generations : int or array_like of int
        The generation looked at, at least 1.
    estimator : {"ml", "unbiased"}
    false_alarms : float

    Returns
    -------
    float or ndarray, the shape of ``generations``

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    A healthy variance has the law χ²_{n−1}/D; that of generation t is a product of t such
    factors, whose law `gaussian_theory.probability_above` computes.

    References
    ----------
    Proved in the chapter *Repair*.

    Examples
    --------
    >>> variance_power(100, [1, 10, 100]).round(3)
    array([0.05 , 0.445, 0.891])
    """
    n = whole_number("n", n, minimum=5)
    rate = probability("false_alarms", false_alarms)
    divisor = n - (one_of("estimator", estimator, ESTIMATORS) == "unbiased")
    level = np.sqrt(stats.chi2.ppf(rate, n - 1) / divisor)
    t = whole_numbers("generations", generations, minimum=1)
    power = [1 - probability_above(n, level, int(each), estimator) for each in t.ravel()]
    return np.reshape(power, t.shape)[()]


def frozen_risk_power(
    d: int, T: int, generations: ArrayLike, *, false_alarms: float = 0.05
) -> FloatOrArray:
    """Exact power of the excess risk on real data, linear model, frozen design, replace.

    Parameters
    ----------
    d, T : int
        Features, rows a generation, T ≥ d.
    generations : int or array_like of int
    false_alarms : float

    Returns
    -------
    float or ndarray, the shape of ``generations``
        P(F > q/t), F with d and T − d + 1 degrees of freedom and q its upper quantile.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Proved in the chapter *Repair*.

    Examples
    --------
    >>> frozen_risk_power(10, 50, [1, 2, 5]).round(3)
    array([0.05 , 0.432, 0.932])
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d)
    law = stats.f(d, T - d + 1)
    quantile = law.isf(probability("false_alarms", false_alarms))
    power: FloatOrArray = law.sf(quantile / whole_numbers("generations", generations, minimum=1))
    return power


def _ringing(ordered: Floats, alternative: Floats, rate: float) -> FloatOrArray:
    """Share of the alternative above the null's upper ``rate`` quantile, ties shared out."""
    rate = min(max(rate, 0.0), 1.0)
    ring = rate * len(ordered)  # so many of the null ring
    threshold = ordered[max(len(ordered) - 1 - int(ring), 0)]
    above = len(ordered) - np.searchsorted(ordered, threshold, side="right")
    tied = len(ordered) - np.searchsorted(ordered, threshold, side="left") - above
    chance = (ring - above) / tied
    ringing: FloatOrArray = (alternative > threshold).mean(axis=0) + chance * (
        alternative == threshold
    ).mean(axis=0)
    return ringing


def _wilson(share: FloatOrArray, runs: int, z: float) -> tuple[FloatOrArray, FloatOrArray]:
    centre = (share + z**2 / (2 * runs)) / (1 + z**2 / runs)
    half = z * np.sqrt(share * (1 - share) / runs + z**2 / (4 * runs**2)) / (1 + z**2 / runs)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def _finite(name: str, values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=float)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return array
