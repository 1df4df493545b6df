"""Remedies in the linear model: the risk of a loop that fits with care, in closed form.

The setting is replace: T fresh isotropic Gaussian rows a generation, labelled by the model
before with noise, d features. What differs is the fit. A fit from zero with weight decay or
early stopping multiplies least squares by a function of XᵀX/T, a *filter*; three of its
averages say everything.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import bartlett_factor
from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Ints, Rng
from collapse_lib.checks import one_of, positive, whole_number, whole_numbers
from collapse_lib.regression.theory import one_fit_risk

__all__ = [
    "FilterConstants",
    "descent_filter",
    "filter_constants",
    "filtered_risk",
    "input_noise_risk",
    "ridge_filter",
    "split_ensemble_risk",
    "stepped_risk",
]

Filter = Callable[[Floats], Floats]
"""Takes and returns an array of eigenvalues."""


def ridge_filter(penalty: float) -> Filter:
    """Weight decay: the filter a/(a + λ) of a ridge fit with penalty λ.

    Parameters
    ----------
    penalty : float
        λ, at least 0.

    Returns
    -------
    callable
        Takes and returns an array of eigenvalues.

    Examples
    --------
    >>> float(ridge_filter(1.0)(np.array(3.0)))
    0.75
    """
    penalty = positive("penalty", penalty, zero=True)
    return lambda a: a / (a + penalty)


def descent_filter(steps: int, rate: ArrayLike = 0.1) -> Filter:
    """Early stopping: the filter 1 − Π(1 − γ_k a) of gradient descent from zero.

    Parameters
    ----------
    steps : int
    rate : float or array_like, (steps,)
        The learning rate γ, or its schedule.

    Returns
    -------
    callable
        Takes and returns an array of eigenvalues.

    Examples
    --------
    >>> float(descent_filter(2, 0.5)(np.array(1.0)))
    0.75
    """
    steps = whole_number("steps", steps, minimum=1)
    rates = np.broadcast_to([positive("rate", each) for each in np.ravel(rate)], steps)
    return lambda a: 1 - np.prod([1 - each * a for each in rates], axis=0)


@dataclass(frozen=True)
class FilterConstants:
    """Averages of a filter F over A = XᵀX/T.

    Attributes
    ----------
    kept : float
        E tr F / d: the share of the labeller's weights that a fit from zero keeps.
    kept_squared : float
        E tr F² / d.
    noise : float
        E tr F²(XᵀX)⁻¹: what unit label noise adds to the risk.
    stderr : ndarray, (3,)
        Standard errors of the three, from the finite number of draws.
    """

    kept: float
    kept_squared: float
    noise: float
    stderr: Floats


def filter_constants(
    filter: Filter, d: int, T: int, *, draws: int = 100_000, rng: Rng = 0
) -> FilterConstants:
    """Average a filter over the Wishart law by Monte Carlo; no loop is run.

    Parameters
    ----------
    filter : callable
        Takes and returns an array of eigenvalues of A.
    d, T : int
        Features, rows, T ≥ d + 2.
    draws : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    FilterConstants

    Examples
    --------
    >>> least_squares = filter_constants(lambda a: np.ones_like(a), 5, 20)
    >>> least_squares.kept, round(least_squares.noise, 2), round(5 / 14, 2)
    (1.0, 0.36, 0.36)
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d + 2)
    factor = bartlett_factor(T, d, whole_number("draws", draws, minimum=2), rng=rng)
    a = np.linalg.eigvalsh(factor.transpose(0, 2, 1) @ factor) / T
    f = filter(a)
    values = np.stack([f.mean(axis=1), (f**2).mean(axis=1), (f**2 / a).sum(axis=1) / T])
    means, errors = values.mean(axis=1), values.std(axis=1) / np.sqrt(draws)
    kept, kept_squared, noise = (float(each) for each in means)
    return FilterConstants(kept, kept_squared, noise, errors)


def filtered_risk(
    constants: FilterConstants,
    generations: ArrayLike,
    *,
    signal: float,
    noise: float = 1.0,
    start: str = "zero",
) -> FloatOrArray:
    """Expected excess risk of a loop whose every fit is filtered.

    Parameters
    ----------
    constants : FilterConstants
    generations : int or array_like of int
    signal : float
        ‖w₀‖².
    noise : float
        Standard deviation of the label noise.
    start : {"zero", "last"}
        Where each fit starts: from zero, or from the model before it (fine-tuning).

    Returns
    -------
    float or ndarray, the shape of ``generations``

    References
    ----------
    Proved in the chapter *Repair*.

    Examples
    --------
    >>> halves = FilterConstants(0.5, 0.25, 0.1, np.zeros(3))
    >>> filtered_risk(halves, [1, 2, 50], signal=4.0).round(3)
    array([1.1  , 2.375, 4.133])
    >>> filtered_risk(halves, [1, 2, 50], signal=4.0, start="last").round(3)
    array([0.1, 0.2, 5. ])
    """
    t = whole_numbers("generations", generations)
    signal, variance = positive("signal", signal, zero=True), positive("noise", noise) ** 2
    toll = variance * constants.noise
    if one_of("start", start, ("zero", "last")) == "last":
        return toll * t
    size = constants.kept_squared**t * signal + toll * _geometric(constants.kept_squared, t)
    risk: FloatOrArray = size - 2 * constants.kept**t * signal + signal
    return risk


def input_noise_risk(
    d: int, T: int, generations: ArrayLike, *, jitter: float, signal: float, noise: float = 1.0
) -> FloatOrArray:
    """Expected excess risk when each fit sees its inputs with added noise, least squares.

    Parameters
    ----------
    d, T : int
        T ≥ d + 2.
    generations : int or array_like of int
    jitter : float
        Standard deviation of the noise added to each feature.
    signal, noise
        As in `filtered_risk`.

    Returns
    -------
    float or ndarray, the shape of ``generations``

    Examples
    --------
    >>> input_noise_risk(5, 20, [1, 10], jitter=0.0, signal=4.0).round(3)
    array([0.357, 3.571])
    """
    toll, t = _toll(d, T), whole_numbers("generations", generations)
    signal, variance = positive("signal", signal, zero=True), positive("noise", noise) ** 2
    kept = 1 / (1 + positive("jitter", jitter, zero=True) ** 2)
    growth = kept**2 + kept * (1 - kept) * toll
    size = growth**t * signal + kept * toll * variance * _geometric(growth, t)
    risk: FloatOrArray = size - 2 * kept**t * signal + signal
    return risk


def split_ensemble_risk(
    d: int, T: int, generations: ArrayLike, *, members: int, noise: float = 1.0
) -> FloatOrArray:
    """Expected excess risk of the mean of several fits, each to its own part of the T rows.

    Parameters
    ----------
    d, T : int
    generations : int or array_like of int
    members : int
        Divides T, with T/members ≥ d + 2.
    noise : float

    Returns
    -------
    float or ndarray, the shape of ``generations``

    Examples
    --------
    >>> float(split_ensemble_risk(5, 20, 1, members=2).round(3)), round(5 / 14, 3)
    (0.625, 0.357)
    """
    d, members = whole_number("d", d, minimum=1), whole_number("members", members, minimum=1)
    rows, rest = divmod(whole_number("T", T), members)
    if rest:
        raise ValueError(f"members must divide T = {T}, got {members}")
    toll = one_fit_risk(d, whole_number("T / members", rows, minimum=d + 2), noise=noise) / members
    return toll * whole_numbers("generations", generations)


def stepped_risk(d: int, T: int, steps: ArrayLike, *, noise: float = 1.0) -> Floats:
    """Expected excess risk when generation i moves the share γ_i of the way to its fit.

    γ_i = 1/i is the mean of all models so far.

    Parameters
    ----------
    d, T : int
    steps : array_like, (generations,)
        γ_i, each from 0 to 1.
    noise : float

    Returns
    -------
    ndarray, (generations,)
        After each generation.

    Examples
    --------
    >>> stepped_risk(5, 20, [1, 1 / 2, 1 / 3]).round(3)
    array([0.357, 0.446, 0.486])
    """
    steps = np.asarray(steps, dtype=float)
    if steps.ndim != 1 or not ((steps >= 0) & (steps <= 1)).all():
        raise ValueError(f"steps must be a list of numbers from 0 to 1, got {steps}")
    return positive("noise", noise) ** 2 * _toll(d, T) * np.cumsum(steps**2)


def _toll(d: int, T: int) -> float:
    d = whole_number("d", d, minimum=1)
    return one_fit_risk(d, whole_number("T", T, minimum=d + 2))


def _geometric(ratio: float, t: Ints) -> Floats:
    """1 + ratio + … + ratio^(t−1)."""
    return t.astype(float) if ratio == 1 else (1 - ratio**t) / (1 - ratio)
