"""Early detection: does a statistic tell a self-consuming loop from a healthy one?

A statistic is computed once a generation. Its null is what it does in a *healthy* loop, whose
every training set is fresh real data; its alternative is what it does in the loop in question.
The alarm rings where the statistic is above a threshold that the healthy loop exceeds with
the chosen rate of false alarms. What follows is the chance that it rings: the power.

The worlds whose statistics the book compares live in `detection_worlds`.

Three worlds to watch: every statistic that a practitioner might plot, healthy and in the loop.

Each function runs both loops item by item. The healthy one fits each generation to fresh real
data; the other is replace. The statistics are oriented so that large values are suspicious.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from collapse_lib._draws import multinomial
from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Rng
from collapse_lib.checks import (
    as_generator,
    ddof,
    positive,
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

    Notes
    -----
    A healthy variance has the law χ²_{n−1}/D; that of generation t is a product of t such
    factors, whose law `gaussian.probability_above` computes.

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
    divisor = n - ddof(estimator)
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


Look = tuple[dict[str, Floats], tuple[Floats, ...]]
"""The statistics of a fit by name, and the parameters of the fit."""


@dataclass(frozen=True)
class Watched:
    """Statistics by name; large values are suspicious.

    Attributes
    ----------
    healthy : dict of ndarray, (healthy replicates,)
        In a loop of fresh real data, where all generations are alike.
    loop : dict of ndarray, (replicates, generations)
        Under replace; column t − 1 is generation t.
    """

    healthy: dict[str, Floats]
    loop: dict[str, Floats]


def watch_gaussian(
    n: int, generations: int, replicates: int, *, held_out: int = 1000, rng: Rng = None
) -> Watched:
    """Watch a Gaussian with the ML estimator; the truth is standard normal.

    Parameters
    ----------
    n : int
        Draws a generation.
    generations, replicates : int
        Each generation's statistics are kept; as many runs are healthy.
    held_out : int
        Items of the two held-out sets, drawn anew each generation: real ones, and ones from
        the model that made the training set.
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
    n, generations, replicates, held_out = _sizes(n, generations, replicates, held_out)
    rng = as_generator(rng)

    def look(mean: Floats, sd: Floats) -> Look:
        items = mean[:, None] + sd[:, None] * rng.standard_normal((replicates, n))
        m, s = items.mean(axis=1), items.std(axis=1)
        bins = np.sort(np.floor(4 * items), axis=1)
        seen = {
            "variance": -(s**2),
            "tail mass": -(abs(items) > 2).mean(axis=1),
            "support": -1.0 - (np.diff(bins, axis=1) > 0).sum(axis=1),
            "loss, real": _gaussian_loss(np.zeros(replicates), np.ones(replicates), m, s),
            "loss, synthetic": _gaussian_loss(mean, sd, m, s),
            "mean": abs(m),
        }
        return seen, (m, s)

    def _gaussian_loss(mean: Floats, sd: Floats, m: Floats, s: Floats) -> Floats:
        # The held-out items enter through mean and squares.
        centre = mean + sd * rng.standard_normal(replicates) / np.sqrt(held_out)
        spread = sd**2 * rng.chisquare(held_out - 1, replicates) / held_out
        mean_loss: Floats = (
            np.log(s) + (spread + (centre - m) ** 2) / (2 * s**2) + np.log(2 * np.pi) / 2
        )
        return mean_loss

    return _watch(look, (np.zeros(replicates), np.ones(replicates)), generations)


def watch_words(
    counts: ArrayLike,
    generations: int,
    replicates: int,
    *,
    n: int | None = None,
    common: int = 100,
    floor: float = 0.01,
    held_out: int = 1000,
    rng: Rng = None,
) -> Watched:
    """Watch word frequencies fitted by counting; p₀ = counts / counts.sum().

    Parameters
    ----------
    counts : array_like, (words,)
        In decreasing order.
    generations, replicates : int
    n : int, optional
        Tokens a generation; by default ``counts.sum()``.
    common : int
        The words after the first ``common`` are the tail.
    floor : float
        For the losses the model is mixed with this share of the uniform law, lest a word
        that is gone make them infinite.
    held_out : int
        As in `watch_gaussian`.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Watched
        Names: "variance" (minus the heterozygosity 1 − Σp²), "tail mass", "support" (minus
        the number of distinct words), "loss, real", "loss, synthetic".

    Examples
    --------
    >>> seen = watch_words([5, 3, 2], 4, 100, common=1, rng=1)
    >>> bool((seen.loop["support"].mean(axis=0)[1:] > seen.healthy["support"].mean()).all())
    True
    """
    truth = weights("counts", counts)
    n = whole_number("n", truth.sum() if n is None else n, minimum=2)
    truth = truth / truth.sum()
    _, generations, replicates, held_out = _sizes(n, generations, replicates, held_out)
    common = whole_number("common", common)
    floor = positive("floor", floor)
    rng = as_generator(rng)
    start = np.tile(truth, (replicates, 1))

    def loss(p: Floats, model: Floats) -> Floats:
        tokens = multinomial(held_out, p, rng)
        mean_loss: Floats = (
            -(tokens * np.log((1 - floor) * model + floor / truth.size)).sum(axis=1) / held_out
        )
        return mean_loss

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
    d: int,
    T: int,
    generations: int,
    replicates: int,
    *,
    signal: float = 1.0,
    held_out: int = 200,
    rng: Rng = None,
) -> Watched:
    """Watch least squares on its own labels, frozen design, isotropic features, noise 1.

    Parameters
    ----------
    d, T : int
        Features, rows, T > d + 1.
    generations, replicates : int
    signal : float
        ‖w₀‖².
    held_out : int
        Rows of the two held-out sets, drawn anew each generation; labels real, or made by
        the model that made the training labels, both with noise 1.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Watched
        Names: "variance" (of the training labels), "tail mass" (share of training labels
        beyond 2 true standard deviations), "residual variance" (of the fit on its training
        rows), "loss, real" and "loss, synthetic" (mean squared error), "risk" (‖ŵ − w₀‖²:
        the real loss on infinitely many rows, less the noise).

    Examples
    --------
    >>> seen = watch_regression(2, 10, 5, 100, rng=1)
    >>> seen.loop["risk"].shape
    (100, 5)
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d + 2)
    _, generations, replicates, held_out = _sizes(T, generations, replicates, held_out)
    signal = positive("signal", signal, zero=True)
    rng = as_generator(rng)
    truth = np.zeros((replicates, d))
    truth[:, 0] = np.sqrt(signal)
    rows = rng.standard_normal((replicates, T, d))
    solve = np.linalg.pinv(rows)

    def loss(teacher: Floats, w: Floats) -> Floats:
        # Gaussian rows: the squared errors are i.i.d. scaled χ²₁.
        scale = 1 + ((teacher - w) ** 2).sum(axis=1)
        mean_loss: Floats = scale * rng.chisquare(held_out, replicates) / held_out
        return mean_loss

    def look(teacher: Floats) -> Look:
        labels = np.einsum("rij,rj->ri", rows, teacher) + rng.standard_normal((replicates, T))
        w = np.einsum("rji,ri->rj", solve, labels)
        left = labels - np.einsum("rij,rj->ri", rows, w)
        seen = {
            "variance": (labels**2).mean(axis=1),
            "tail mass": (abs(labels) > 2 * np.sqrt(1 + signal)).mean(axis=1),
            "residual variance": (left**2).sum(axis=1) / (T - d),
            "loss, real": loss(truth, w),
            "loss, synthetic": loss(teacher, w),
            "risk": ((w - truth) ** 2).sum(axis=1),
        }
        return seen, (w,)

    return _watch(look, (truth,), generations)


def _watch(look: Callable[..., Look], truth: tuple[Floats, ...], generations: int) -> Watched:
    """One healthy look, and the looks of a loop."""
    healthy, _ = look(*truth)
    model = truth
    looks = []
    for _ in range(generations):
        seen, model = look(*model)
        looks.append(seen)
    return Watched(
        healthy, {name: np.stack([seen[name] for seen in looks], axis=1) for name in healthy}
    )


def _sizes(n: int, generations: int, replicates: int, held_out: int) -> tuple[int, int, int, int]:
    return (
        whole_number("n", n, minimum=2),
        whole_number("generations", generations, minimum=1),
        whole_number("replicates", replicates, minimum=2),
        whole_number("held_out", held_out, minimum=2),
    )
