"""Sampling at a temperature: the loop without chance, where it can rest, and a sampler.

At temperature θ a model with probabilities p is sampled from B(p) ∝ p^{1/θ}. With a
fraction f of real data the loop without chance is p' = (1 − f) B(p) + f p₀, which the sampler
follows when n is large.

Where the truth is uniform on s words, let one word have y times the share of each other word.
It keeps its share at the real fraction F(y) = s/(y + s − 1) · (y^a − y)/(y^a − 1), a = 1/θ:
threshold, spinodal, fixed points and branches are read off F.

The proofs are in the chapter *Closed loops*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from collapse_lib._draws import chunks, multinomial
from collapse_lib._types import ArrayLike, Bools, FloatOrArray, Floats, Ints, Rng
from collapse_lib.checks import (
    array,
    as_generator,
    positive,
    probabilities,
    probability,
    share,
    shares,
    whole_number,
)

__all__ = [
    "Branches",
    "FixedPoints",
    "TemperatureTrajectory",
    "branches",
    "fixed_points",
    "iterate",
    "simulate_temperature",
    "temper",
    "temperature_spinodal",
    "temperature_threshold",
    "tempered",
]


def temper(p: ArrayLike, temperature: float) -> Floats:
    """Sharpen (θ < 1) or flatten (θ > 1) probabilities: B(p) ∝ p^{1/θ}.

    Parameters
    ----------
    p : array_like, (..., words)
        Probabilities, or any non-negative weights; each row must have a positive one.
    temperature : float

    Returns
    -------
    ndarray, (..., words)
        Rows sum to 1; words of probability 0 keep it.

    References
    ----------
    Marchi et al., arXiv 2404.02325.

    Examples
    --------
    >>> temper([0.8, 0.2], 0.5).round(4)
    array([0.9412, 0.0588])
    """
    temperature, p = positive("temperature", temperature), array("p", p)
    if not ((p >= 0).all() and (p.max(axis=-1) > 0).all()):
        raise ValueError(f"p must be non-negative with a positive sum in each row, got {p}")
    return _raised(p, 1 / temperature)


def _raised(p: Floats, power: float) -> Floats:
    """Return p^power with each row normalised, without checks."""
    raised = (p / p.max(axis=-1, keepdims=True)) ** power
    normed: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return normed


def tempered(truth: ArrayLike, temperature: float, generations: int) -> Floats:
    """Return the loop without chance and without real data, p_t ∝ p₀^{θ^{−t}}.

    Parameters
    ----------
    truth : array_like, (words,)
    temperature : float
    generations : int

    Returns
    -------
    ndarray, (generations + 1, words)

    Examples
    --------
    >>> tempered([0.5, 0.3, 0.2], 0.5, 2).round(3)
    array([[0.5  , 0.3  , 0.2  ],
           [0.658, 0.237, 0.105],
           [0.866, 0.112, 0.022]])
    """
    truth = probabilities("truth", truth)
    temperature = positive("temperature", temperature)
    t = np.arange(whole_number("generations", generations) + 1.0)
    with np.errstate(divide="ignore", over="ignore"):
        logs = np.log(truth / truth.max())
        power = np.exp(np.minimum(-t * np.log(temperature), 700.0))
    raised = np.zeros((len(t), len(truth)))
    alive = truth > 0
    raised[:, alive] = np.exp(power[:, None] * logs[alive])
    models: Floats = raised / raised.sum(axis=1, keepdims=True)
    return models


def iterate(
    truth: ArrayLike,
    generations: int,
    *,
    temperature: float,
    real_fraction: ArrayLike = 0.0,
    start: ArrayLike | None = None,
) -> Floats:
    """Run the loop without chance, p' = (1 − f) B(p) + f p₀.

    Parameters
    ----------
    truth : array_like, (words,)
        p₀.
    generations : int
    temperature : float
    real_fraction : float or array_like, (generations,)
        f, one for all generations or one for each.
    start : array_like, (words,), optional
        The first model; by default the truth.

    Returns
    -------
    ndarray, (generations + 1, words)

    Examples
    --------
    >>> iterate([0.5, 0.5], 3, temperature=0.5, real_fraction=0.6, start=[0.7, 0.3]).round(3)[-1]
    array([0.579, 0.421])
    """
    truth, model = _truth_and_start(truth, start)
    power = 1 / positive("temperature", temperature)
    generations = whole_number("generations", generations)
    models = [model]
    for f in shares("real_fraction", real_fraction, (generations,)):
        models.append((1 - f) * _raised(models[-1], power) + f * truth)
    return np.array(models)


def _truth_and_start(truth: ArrayLike, start: ArrayLike | None) -> tuple[Floats, Floats]:
    """Return both as probabilities of the same words; without a start, the truth is the start."""
    truth = probabilities("truth", truth)
    first = truth if start is None else probabilities("start", start)
    if len(first) != len(truth):
        raise ValueError(f"start must have {len(truth)} words like truth, got {len(first)}")
    return truth, first


@dataclass(frozen=True)
class TemperatureTrajectory:
    """What a run of the categorical loop at a temperature leaves behind.

    Attributes
    ----------
    top : ndarray, (replicates, generations + 1)
        Share of the most frequent word; index 0 is the start.
    heterozygosity : ndarray, (replicates, generations + 1)
        1 − Σ p².
    drift : ndarray, (replicates, generations + 1)
        ‖p_t − p₀‖².
    survivors : ndarray of int, (replicates, generations + 1)
        Number of words in the training set.
    counts : ndarray of int, (replicates, words)
        Counts of the last training set; 0 where none was drawn.
    n : int
    """

    top: Floats
    heterozygosity: Floats
    drift: Floats
    survivors: Ints
    counts: Ints
    n: int


def simulate_temperature(
    truth: ArrayLike,
    generations: int,
    replicates: int = 1,
    *,
    n: int,
    temperature: float,
    real_fraction: ArrayLike = 0.0,
    start: ArrayLike | None = None,
    rng: Rng = None,
) -> TemperatureTrajectory:
    """Simulate the categorical loop at a temperature, exactly in law.

    Each of the n tokens of a generation is real with probability f (drawn from p₀) and
    otherwise drawn from B(p), p the frequencies of the generation before: together one
    multinomial draw from (1 − f) B(p) + f p₀, never a list of tokens.

    Parameters
    ----------
    truth : array_like, (words,)
        p₀.
    generations, replicates : int
    n : int
        Draws per generation, at least 2.
    temperature : float
        1 samples the model as it is.
    real_fraction : float or array_like
        f, of a shape that fits (replicates, generations).
    start : array_like, (words,), optional
        The first model; by default the truth.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    TemperatureTrajectory

    References
    ----------
    Marchi et al., arXiv 2404.02325 (the loop); the sampler is of this book.

    Examples
    --------
    >>> run = simulate_temperature([0.6, 0.4], 60, 500, n=1000, temperature=0.8, rng=1)
    >>> run.top.shape, int(run.survivors[:, -1].max())
    ((500, 61), 1)
    """
    truth, first = _truth_and_start(truth, start)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    n = whole_number("n", n, minimum=2)
    power = 1 / positive("temperature", temperature)
    f = shares("real_fraction", real_fraction, (replicates, generations))
    rng = as_generator(rng)

    record = np.empty((4, replicates, generations + 1))
    counts = np.zeros((replicates, len(truth)), dtype=np.int64)
    for part in chunks(replicates, max(len(truth), 16), at_once=2**16):  # stays in cache
        p = np.broadcast_to(first, (part.stop - part.start, len(truth)))
        record[:, part, 0] = _summary(p, truth)
        for t in range(generations):
            real = f[part, t, None]
            drawn_from = (1 - real) * _raised(p, power) + real * truth
            drawn_from /= drawn_from.sum(axis=1, keepdims=True)
            counts[part] = multinomial(n, drawn_from, rng)
            p = counts[part] / n
            record[:, part, t + 1] = _summary(p, truth)
    top, heterozygosity, drift, survivors = record
    return TemperatureTrajectory(top, heterozygosity, drift, survivors.astype(int), counts, n)


def _summary(p: Floats, truth: Floats) -> tuple[Floats, Floats, Floats, Ints]:
    away = p - truth
    squares, drift = np.einsum("ij,ij->i", p, p), np.einsum("ij,ij->i", away, away)
    return p.max(axis=1), 1 - squares, drift, np.count_nonzero(p, axis=1)


def temperature_threshold(temperature: float) -> float:
    """Real fraction above which the uniform distribution is stable: 1 − θ.

    Negative for θ > 1: then it is stable without real data.

    Parameters
    ----------
    temperature : float

    Returns
    -------
    float

    References
    ----------
    Derived in the chapter *Closed loops*: a small deviation is multiplied by (1 − f)/θ.

    Examples
    --------
    >>> round(temperature_threshold(0.9), 3)
    0.1
    """
    return 1 - positive("temperature", temperature)


def temperature_spinodal(temperature: float, words: int) -> float:
    """Real fraction above which no collapsed state is left, for a uniform truth.

    Parameters
    ----------
    temperature : float
        Below 1: from 1 on nothing collapses to one word.
    words : int
        At least 2.

    Returns
    -------
    float
        The supremum of F(y) over y > 1: 1 − θ for two words, more for three or more.

    Examples
    --------
    >>> round(temperature_spinodal(0.9, 50_000), 3)
    0.558
    """
    temperature = probability("temperature", temperature)
    words = whole_number("words", words, minimum=2)
    return float(_balance(_peak(temperature, words), 1 / temperature, words))


def _balance(log_ratio: float | Floats, power: float, words: int) -> FloatOrArray:
    """F, the real fraction that holds a word at exp(log_ratio) times each other's share."""
    down = -np.abs(log_ratio)
    with np.errstate(invalid="ignore"):
        up_side = np.expm1((power - 1) * down) / np.expm1(power * down)
        gain = np.where(log_ratio > 0, up_side, np.exp(down) * up_side)
    gain = np.where(log_ratio == 0, 1 - 1 / power, gain)
    return words / (np.exp(log_ratio) + words - 1) * gain


def _peak(temperature: float, words: int) -> float:
    """Log ratio at which F is largest; beyond log(s/(1 − θ)) it is below its value at 0."""
    if words == 2:
        return 0.0
    furthest = np.log(words / (1 - temperature))
    found = minimize_scalar(
        lambda log_ratio: -_balance(log_ratio, 1 / temperature, words),
        bounds=(0, furthest),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(found.x)


@dataclass(frozen=True)
class FixedPoints:
    """States "one word with share x, the others equal" that the loop reproduces.

    Attributes
    ----------
    share : ndarray, (states,)
        x, increasing.
    stable : ndarray of bool, (states,)
        Whether small deviations of any kind die out.
    """

    share: Floats
    stable: Bools


def fixed_points(temperature: float, real_fraction: float, words: int) -> FixedPoints:
    """Find every fixed point with one distinguished word, for a uniform truth.

    Parameters
    ----------
    temperature : float
    real_fraction : float
        f, above 0.
    words : int
        At least 2.

    Returns
    -------
    FixedPoints

    Notes
    -----
    At f = 1 − θ a small deviation from uniform neither grows nor dies out in first order. With
    y = e^η, F is 1 − θ + (1 − θ)(1/2 − 1/s)η + O(η²). For three words or more a small lead
    needs more real data than there are, and grows; for two the linear term vanishes, F is
    largest at η = 0, and the lead dies out, though only like 1/√t.

    Examples
    --------
    >>> states = fixed_points(0.7, 0.4, words=50)
    >>> for x, stable in zip(states.share, states.stable, strict=True):
    ...     print(f"{x:.4f}", "stable" if stable else "unstable")
    0.0200 stable
    0.0390 unstable
    0.5227 stable
    """
    temperature = positive("temperature", temperature)
    f = share("real_fraction", real_fraction, zero=False)
    words = whole_number("words", words, minimum=2)
    above = f - (1 - temperature)
    is_critical = temperature < 1 and abs(above) < 1e-12  # equal, but for rounding
    stable = {0.0: words == 2 if is_critical else above > 0}  # by log ratio
    has_collapsed = temperature < 1 and f < temperature_spinodal(temperature, words)
    if has_collapsed and not (is_critical and words == 2):
        top = _peak(temperature, words)

        def root(low: float, high: float) -> float:
            power = 1 / temperature
            return float(brentq(lambda x: _balance(x, power, words) - f, low, high, xtol=1e-14))

        stable[root(top, np.log(words / f) + 1)] = True
        if not is_critical and above > 0:
            stable[root(0.0, top)] = False
        elif not is_critical:
            stable[root(np.log(f / words), 0.0)] = words == 2
    logs = sorted(stable)
    ratio = np.exp(logs)
    return FixedPoints(ratio / (ratio + words - 1), np.array([stable[log] for log in logs]))


@dataclass(frozen=True)
class Branches:
    """The curve of fixed points with one favoured word, from uniform to collapsed.

    Attributes
    ----------
    share : ndarray, (points,)
        x, increasing from 1/s towards 1.
    real_fraction : ndarray, (points,)
        The f at which the state is a fixed point.
    stable : ndarray of bool, (points,)
    """

    share: Floats
    real_fraction: Floats
    stable: Bools


def branches(temperature: float, words: int, points: int = 400) -> Branches:
    """Trace the collapsed states of the bifurcation diagram, for a uniform truth.

    Parameters
    ----------
    temperature : float
        Below 1.
    words, points : int
        At least 2.

    Returns
    -------
    Branches

    Examples
    --------
    >>> curve = branches(0.7, 50)
    >>> bool(abs(curve.real_fraction.max() - temperature_spinodal(0.7, 50)) < 1e-3)
    True
    """
    temperature = probability("temperature", temperature)
    words = whole_number("words", words, minimum=2)
    points = whole_number("points", points, minimum=2)
    logs = np.linspace(1e-6, np.log(words) + 12, points)
    ratio, stable = np.exp(logs), logs > _peak(temperature, words)
    fraction = np.asarray(_balance(logs, 1 / temperature, words))
    return Branches(ratio / (ratio + words - 1), fraction, stable)
