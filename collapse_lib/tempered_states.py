"""Where the loop at a temperature can rest, when the truth is uniform on s words.

One word has the share x, y times that of each other word. It keeps its share at the real
fraction F(y) = s/(y + s − 1) · (y^a − y)/(y^a − 1), a = 1/θ: everything here is read off F.

The proofs are in the chapter *Closed loops*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from collapse_lib._types import Bools, FloatOrArray, Floats
from collapse_lib.checks import positive, share, whole_number

__all__ = ["Branches", "FixedPoints", "branches", "fixed_points", "temperature_spinodal"]


def temperature_spinodal(temperature: float, words: int) -> float:
    """Real fraction f_sp above which no collapsed state is left, for a uniform truth.

    Parameters
    ----------
    temperature : float
        Above 0 and below 1.
    words : int
        s, at least 2.

    Returns
    -------
    float
        The supremum over y > 1 of F(y) = s/(y + s − 1) · (y^a − y)/(y^a − 1), a = 1/θ:
        1 − θ for two words, more for three or more.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(temperature_spinodal(0.9, 50_000), 3)
    0.558
    """
    temperature, words = _sharpening(temperature), whole_number("words", words, minimum=2)
    return float(_balance(_peak(temperature, words), 1 / temperature, words))


def _sharpening(temperature: float) -> float:
    number = positive("temperature", temperature)
    if number >= 1:
        raise ValueError(
            f"temperature must lie strictly between 0 and 1: from 1 on nothing collapses "
            f"to one word, got {temperature!r}"
        )
    return number


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
        Above 0.
    real_fraction : float
        f, above 0 and up to 1.
    words : int
        s, at least 2.

    Returns
    -------
    FixedPoints

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Derived in the chapter *Closed loops*.

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
    logs, stable = [0.0], [f > 1 - temperature]
    if temperature < 1 and f < temperature_spinodal(temperature, words):
        power = 1 / temperature

        def excess(log_ratio: float) -> float:
            return float(_balance(log_ratio, power, words)) - f

        top = _peak(temperature, words)
        logs.append(brentq(excess, top, np.log(words / f) + 1, xtol=1e-14))
        stable.append(True)
        if excess(0.0) < 0:
            logs.append(brentq(excess, 0.0, top, xtol=1e-14))
            stable.append(False)
        elif excess(0.0) > 0:
            low = -1.0
            while excess(low) > 0:
                low *= 2
            logs.append(brentq(excess, low, 0.0, xtol=1e-14))
            stable.append(words == 2)
    order = np.argsort(logs)
    ratio = np.exp(np.array(logs)[order])
    return FixedPoints(ratio / (ratio + words - 1), np.array(stable)[order])


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
        Above 0 and below 1.
    words : int
        s, at least 2.
    points : int
        At least 2.

    Returns
    -------
    Branches

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> curve = branches(0.7, 50)
    >>> bool(abs(curve.real_fraction.max() - temperature_spinodal(0.7, 50)) < 1e-3)
    True
    """
    temperature, words = _sharpening(temperature), whole_number("words", words, minimum=2)
    points = whole_number("points", points, minimum=2)
    logs = np.linspace(1e-6, np.log(words) + 12, points)
    ratio = np.exp(logs)
    stable = logs > _peak(temperature, words)
    return Branches(
        ratio / (ratio + words - 1), np.asarray(_balance(logs, 1 / temperature, words)), stable
    )
