"""Early detection: does a statistic tell a self-consuming loop from a healthy one?

A statistic is computed once per generation. Its null is what it does in a *healthy* loop, whose
every training set is fresh real data; its alternative is what it does in the loop in question,
here replace. The alarm rings where the statistic is above a threshold that the healthy loop
exceeds with the chosen rate of false alarms. Its power is the chance that it rings.

Three worlds are watched item by item, with every statistic that a practitioner might plot, each
turned so that large values are suspicious. Two powers are known exactly.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from collapse_lib._draws import multinomial
from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Rng
from collapse_lib.checks import (
    array,
    as_generator,
    ddof,
    probability,
    weights,
    whole_number,
    whole_numbers,
)
from collapse_lib.gaussian.theory import probability_above

__all__ = [
    "DetectionPower",
    "Watched",
    "detection_power",
    "frozen_risk_power",
    "variance_power",
    "watch_gaussian",
    "watch_regression",
    "watch_words",
]

# The losses are means over held-out items or rows, drawn anew in each generation: real ones,
# and ones from the model that made the training set.
HELD_OUT_ITEMS, HELD_OUT_ROWS = 1000, 200
FLOOR = 0.01  # share of the uniform law in a loss over words, lest a word that is gone make it ∞


@dataclass(frozen=True)
class Watched:
    """Statistics by name; large values are suspicious.

    Attributes
    ----------
    healthy : dict of ndarray, (replicates,)
        In a loop of fresh real data, where all generations are alike.
    loop : dict of ndarray, (replicates, generations)
        Under replace; column t − 1 is generation t.
    """

    healthy: dict[str, Floats]
    loop: dict[str, Floats]


Look = tuple[dict[str, Floats], tuple[Floats, ...]]
"""The statistics of a fit by name, and the parameters of the fit."""


def watch_gaussian(n: int, generations: int, replicates: int, *, rng: Rng = None) -> Watched:
    """Watch a Gaussian with the ML estimator; the truth is standard normal.

    Parameters
    ----------
    n, generations, replicates : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Watched
        Names: "variance" (minus the fitted variance), "tail mass" (minus the share of the
        batch beyond 2 true standard deviations), "support" (minus the number of occupied
        bins of width 0.25), "loss, real" and "loss, synthetic" (mean of −ln p on the
        held-out items), "mean" (distance of the fitted mean from the true one).

    Examples
    --------
    >>> seen = watch_gaussian(50, 3, 100, rng=1)
    >>> seen.loop["variance"].shape, seen.healthy["variance"].shape
    ((100, 3), (100,))
    """
    n, rng = whole_number("n", n, minimum=2), as_generator(rng)
    replicates = whole_number("replicates", replicates, minimum=2)
    truth = np.zeros(replicates), np.ones(replicates)

    def loss(mean: Floats, sd: Floats, m: Floats, s: Floats) -> Floats:
        # The held-out items enter through mean and squares.
        centre = mean + sd * rng.standard_normal(replicates) / np.sqrt(HELD_OUT_ITEMS)
        spread = sd**2 * rng.chisquare(HELD_OUT_ITEMS - 1, replicates) / HELD_OUT_ITEMS
        square = spread + (centre - m) ** 2
        mean_loss: Floats = np.log(s) + square / (2 * s**2) + np.log(2 * np.pi) / 2
        return mean_loss

    def look(mean: Floats, sd: Floats) -> Look:
        items = mean[:, None] + sd[:, None] * rng.standard_normal((replicates, n))
        m, s = items.mean(axis=1), items.std(axis=1)
        bins = np.sort(np.floor(4 * items), axis=1)
        seen = {
            "variance": -(s**2),
            "tail mass": -(abs(items) > 2).mean(axis=1),
            "support": -1.0 - (np.diff(bins, axis=1) > 0).sum(axis=1),
            "loss, real": loss(*truth, m, s),
            "loss, synthetic": loss(mean, sd, m, s),
            "mean": abs(m),
        }
        return seen, (m, s)

    return _watch(look, truth, generations)


def watch_words(
    truth: ArrayLike,
    generations: int,
    replicates: int,
    *,
    n: int,
    common: int = 100,
    rng: Rng = None,
) -> Watched:
    """Watch word frequencies fitted by counting.

    Parameters
    ----------
    truth : array_like, (words,)
        In decreasing order; any non-negative weights.
    generations, replicates, n : int
    common : int
        The words after the first ``common`` are the tail.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Watched
        Names: "variance" (minus the heterozygosity 1 − Σp²), "tail mass", "support" (minus
        the number of distinct words), "loss, real", "loss, synthetic".

    Examples
    --------
    >>> seen = watch_words([5, 3, 2], 4, 100, n=10, common=1, rng=1)
    >>> bool((seen.loop["support"].mean(axis=0)[1:] > seen.healthy["support"].mean()).all())
    True
    """
    truth, rng = weights("truth", truth), as_generator(rng)
    n, common = whole_number("n", n, minimum=2), whole_number("common", common)
    replicates = whole_number("replicates", replicates, minimum=2)
    start = np.tile(truth / truth.sum(), (replicates, 1))

    def loss(p: Floats, model: Floats) -> Floats:
        logs = np.log((1 - FLOOR) * model + FLOOR / model.shape[1])
        total: Floats = (multinomial(HELD_OUT_ITEMS, p, rng) * logs).sum(axis=1)
        return -total / HELD_OUT_ITEMS

    def look(p: Floats) -> Look:
        model = multinomial(n, p, rng) / n
        seen = {
            "variance": (model**2).sum(axis=1) - 1,
            "tail mass": -model[:, common:].sum(axis=1),
            "support": -(model > 0).sum(axis=1).astype(float),
            "loss, real": loss(start, model),
            "loss, synthetic": loss(p, model),
        }
        return seen, (model,)

    return _watch(look, (start,), generations)


def watch_regression(
    d: int, T: int, generations: int, replicates: int, *, rng: Rng = None
) -> Watched:
    """Watch least squares on its own labels: frozen design, isotropic rows, signal and noise 1.

    Parameters
    ----------
    d, T : int
        Features, rows, T > d + 1.
    generations, replicates : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Watched
        Names: "variance" (of the training labels), "tail mass" (share of training labels
        beyond 2 true standard deviations), "residual variance" (of the fit on its training
        rows), "loss, real" and "loss, synthetic" (mean squared error on the held-out rows),
        "risk" (‖ŵ − w₀‖²: the real loss on infinitely many rows, less the noise).

    Examples
    --------
    >>> seen = watch_regression(2, 10, 5, 100, rng=1)
    >>> seen.loop["risk"].shape
    (100, 5)
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d + 2)
    replicates, rng = whole_number("replicates", replicates, minimum=2), as_generator(rng)
    truth = np.tile(np.eye(d)[0], (replicates, 1))
    rows = rng.standard_normal((replicates, T, d))
    solve = np.linalg.pinv(rows)

    def loss(teacher: Floats, w: Floats) -> Floats:
        # Gaussian rows: the squared errors are i.i.d. scaled χ²₁.
        scale: Floats = 1 + ((teacher - w) ** 2).sum(axis=1)
        return scale * rng.chisquare(HELD_OUT_ROWS, replicates) / HELD_OUT_ROWS

    def look(teacher: Floats) -> Look:
        labels = np.einsum("rij,rj->ri", rows, teacher) + rng.standard_normal((replicates, T))
        w = np.einsum("rji,ri->rj", solve, labels)
        left = labels - np.einsum("rij,rj->ri", rows, w)
        seen = {
            "variance": (labels**2).mean(axis=1),
            "tail mass": (abs(labels) > 2 * np.sqrt(2)).mean(axis=1),
            "residual variance": (left**2).sum(axis=1) / (T - d),
            "loss, real": loss(truth, w),
            "loss, synthetic": loss(teacher, w),
            "risk": ((w - truth) ** 2).sum(axis=1),
        }
        return seen, (w,)

    return _watch(look, (truth,), generations)


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
    """

    power: FloatOrArray
    low: FloatOrArray
    high: FloatOrArray


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
    null, alternative = np.sort(array("null", null, ndim=1)), array("alternative", alternative)
    needed = math.ceil(20 / min(rate, 1 - rate))
    if len(null) < needed:
        raise ValueError(f"null must hold at least {needed} runs, got {len(null)}")
    if alternative.ndim < 1 or len(alternative) < 2:
        raise ValueError(f"alternative must hold at least 2 runs, got shape {alternative.shape}")
    z = stats.norm.isf(miss / 4)
    slack = z * np.sqrt(rate * (1 - rate) / len(null))
    low, high = (
        _wilson(_ringing(null, alternative, rate + side * slack), len(alternative), side * z)
        for side in (-1, 1)
    )
    return DetectionPower(_ringing(null, alternative, rate), low, high)


def variance_power(
    n: int, t: ArrayLike, *, estimator: str = "ml", false_alarms: float = 0.05
) -> FloatOrArray:
    """Exact power of the alarm "the fitted variance is too small", Gaussian world, replace.

    A healthy variance has the law χ²_{n−1}/D, D = n or n − 1; that of generation t is a product
    of t such factors.

    Parameters
    ----------
    n : int
        At least 5.
    t : int or array_like of int
        The generation looked at, at least 1.
    estimator : {"ml", "unbiased"}
    false_alarms : float

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> variance_power(100, [1, 10, 100]).round(3)
    array([0.05 , 0.445, 0.891])
    """
    n, t = whole_number("n", n, minimum=5), whole_numbers("t", t, minimum=1)
    rate = probability("false_alarms", false_alarms)
    smallest = stats.chi2.ppf(rate, n - 1) / (n - ddof(estimator))
    above = [probability_above(n, smallest**0.5, each, estimator) for each in t.ravel().tolist()]
    return 1 - np.reshape(above, t.shape)[()]


def frozen_risk_power(d: int, T: int, t: ArrayLike, *, false_alarms: float = 0.05) -> FloatOrArray:
    """Exact power of the excess risk on real data, linear model, frozen design, replace.

    Parameters
    ----------
    d, T : int
        Features, rows, T ≥ d.
    t : int or array_like of int
        The generation looked at, at least 1.
    false_alarms : float

    Returns
    -------
    float or ndarray
        P(F > q/t), F with d and T − d + 1 degrees of freedom and q its upper quantile.

    Examples
    --------
    >>> frozen_risk_power(10, 50, [1, 2, 5]).round(3)
    array([0.05 , 0.432, 0.932])
    """
    d = whole_number("d", d, minimum=1)
    law = stats.f(d, whole_number("T", T, minimum=d) - d + 1)
    quantile = law.isf(probability("false_alarms", false_alarms))
    power: FloatOrArray = law.sf(quantile / whole_numbers("t", t, minimum=1))
    return power


def _watch(look: Callable[..., Look], truth: tuple[Floats, ...], generations: int) -> Watched:
    """One healthy look, and the looks of a loop."""
    generations = whole_number("generations", generations, minimum=1)
    healthy, _ = look(*truth)
    model, looks = truth, []
    for _ in range(generations):
        seen, model = look(*model)
        looks.append(seen)
    return Watched(
        healthy, {name: np.stack([seen[name] for seen in looks], axis=1) for name in healthy}
    )


def _ringing(null: Floats, alternative: Floats, rate: float) -> FloatOrArray:
    """Share of the alternative above the sorted null's upper ``rate`` quantile, ties shared out."""
    ring = min(max(rate, 0.0), 1.0) * len(null)  # runs of the null that ring
    threshold = null[max(len(null) - 1 - int(ring), 0)]
    above = (null > threshold).sum()
    chance = (ring - above) / (null == threshold).sum()
    ringing: FloatOrArray = (alternative > threshold).mean(axis=0) + chance * (
        alternative == threshold
    ).mean(axis=0)
    return ringing


def _wilson(share: FloatOrArray, runs: int, z: float) -> FloatOrArray:
    """The upper end of Wilson's interval for a share of runs, z standard errors wide; z < 0: lower."""
    centre = share + z**2 / (2 * runs)
    width = z * np.sqrt(share * (1 - share) / runs + z**2 / (4 * runs**2))
    return np.clip((centre + width) / (1 + z**2 / runs), 0, 1)
