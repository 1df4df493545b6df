"""Remedies in the linear model: the expected excess risk of a loop that fits with care.

The setting is replace: in each generation T fresh isotropic Gaussian rows with d features,
T ≥ d + 2, are labelled by the model before, with noise. What differs is the fit. A fit from
zero with weight decay or early stopping multiplies least squares by a function of XᵀX/T, a
*filter*; three of its averages say everything.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import bartlett_factor
from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Rng
from collapse_lib.checks import array, one_of, positive, shares, whole_number, whole_numbers
from collapse_lib.regression.theory import one_fit_risk
from collapse_lib.repair._risks import pulled_risk, toll

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
"""Takes and returns an array of eigenvalues of A = XᵀX/T."""


def ridge_filter(penalty: float) -> Filter:
    """Weight decay: the filter a/(a + λ) of a ridge fit with penalty λ.

    Parameters
    ----------
    penalty : float

    Returns
    -------
    Filter

    Examples
    --------
    >>> float(ridge_filter(1.0)(np.array(3.0)))
    0.75
    """
    penalty = positive("penalty", penalty, zero=True)
    return lambda a: a / (a + penalty)


def descent_filter(steps: int, rate: float) -> Filter:
    """Early stopping: the filter 1 − (1 − γa)^steps of gradient descent from zero.

    Parameters
    ----------
    steps : int
    rate : float
        The learning rate γ.

    Returns
    -------
    Filter

    Examples
    --------
    >>> float(descent_filter(2, 0.5)(np.array(1.0)))
    0.75
    """
    steps, rate = whole_number("steps", steps, minimum=1), positive("rate", rate)
    return lambda a: 1 - (1 - rate * a) ** steps


@dataclass(frozen=True)
class FilterConstants:
    """Averages of a filter F.

    Attributes
    ----------
    kept : float
        E tr F(A) / d: the share of the labeller's weights that a fit from zero keeps.
    kept_squared : float
        E tr F(A)² / d.
    toll : float
        E tr F(A)²(XᵀX)⁻¹: what label noise of variance 1 adds to the risk.
    stderr : ndarray, (3,)
        Standard errors of the three, from the finite number of draws.
    """

    kept: float
    kept_squared: float
    toll: float
    stderr: Floats


def filter_constants(
    filter: Filter, d: int, T: int, *, draws: int = 100_000, rng: Rng = None
) -> FilterConstants:
    """Average a filter over the Wishart law by Monte Carlo; no loop is run.

    Parameters
    ----------
    filter : Filter
    d, T, draws : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    FilterConstants

    Examples
    --------
    >>> least_squares = filter_constants(lambda a: np.ones_like(a), 5, 20, rng=0)
    >>> least_squares.kept, round(least_squares.toll, 2), round(5 / 14, 2)
    (1.0, 0.36, 0.36)
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d + 2)
    factor = bartlett_factor(T, d, whole_number("draws", draws, minimum=2), rng=rng)
    a = np.linalg.eigvalsh(factor.mT @ factor) / T
    f = filter(a)
    values = np.stack([f.mean(axis=1), (f**2).mean(axis=1), (f**2 / a).sum(axis=1) / T])
    kept, kept_squared, toll = values.mean(axis=1).tolist()
    return FilterConstants(kept, kept_squared, toll, values.std(axis=1) / np.sqrt(draws))


def filtered_risk(
    constants: FilterConstants,
    t: ArrayLike,
    *,
    signal: float,
    noise: float = 1.0,
    start: str = "zero",
) -> FloatOrArray:
    """Expected excess risk after t generations of filtered fits.

    Parameters
    ----------
    constants : FilterConstants
    t : int or array_like of int
    signal : float
        ‖w₀‖².
    noise : float
        Standard deviation of the labels' noise.
    start : {"zero", "last"}
        Where each fit starts: from zero, or from the model before it (fine-tuning).

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> halves = FilterConstants(0.5, 0.25, 0.1, np.zeros(3))
    >>> filtered_risk(halves, [1, 2, 50], signal=4.0).round(3)
    array([1.1  , 2.375, 4.133])
    >>> filtered_risk(halves, [1, 2, 50], signal=4.0, start="last").round(3)
    array([0.1, 0.2, 5. ])
    """
    t, signal = whole_numbers("t", t), positive("signal", signal, zero=True)
    added = positive("noise", noise, zero=True) ** 2 * constants.toll
    if one_of("start", start, ("zero", "last")) == "last":
        return added * t
    kept, growth = constants.kept, constants.kept_squared
    return pulled_risk(t, kept=kept, growth=growth, added=added, distance=signal)


def input_noise_risk(
    d: int, T: int, t: ArrayLike, *, jitter: float, signal: float, noise: float = 1.0
) -> FloatOrArray:
    """Expected excess risk when each least-squares fit sees its inputs with added noise.

    Parameters
    ----------
    d, T : int
    t : int or array_like of int
    jitter : float
        Standard deviation of the noise added to each feature.
    signal, noise : float
        As in `filtered_risk`.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> input_noise_risk(5, 20, [1, 10], jitter=0.0, signal=4.0).round(3)
    array([0.357, 3.571])
    """
    t, signal = whole_numbers("t", t), positive("signal", signal, zero=True)
    kept = 1 / (1 + positive("jitter", jitter, zero=True) ** 2)
    growth = kept**2 + kept * (1 - kept) * toll(d, T)
    added = kept * toll(d, T, noise=noise)
    return pulled_risk(t, kept=kept, growth=growth, added=added, distance=signal)


def split_ensemble_risk(
    d: int, T: int, t: ArrayLike, *, members: int, noise: float = 1.0
) -> FloatOrArray:
    """Expected excess risk of the mean of several fits, each to its own part of the T rows.

    Parameters
    ----------
    d, T : int
    t : int or array_like of int
    members : int
        Divides T, with T/members ≥ d + 2.
    noise : float

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> float(split_ensemble_risk(5, 20, 1, members=2).round(3)), round(5 / 14, 3)
    (0.625, 0.357)
    """
    d, members = whole_number("d", d, minimum=1), whole_number("members", members, minimum=1)
    rows, rest = divmod(whole_number("T", T), members)
    if rest:
        raise ValueError(f"members must divide T = {T}, got {members}")
    whole_number("T / members", rows, minimum=d + 2)
    return whole_numbers("t", t) * one_fit_risk(d, rows, noise=noise) / members


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
    steps = array("steps", steps, ndim=1)
    shares("steps", steps, steps.shape)
    return toll(d, T, noise=noise) * np.cumsum(steps**2)
