"""What each generation's data contribute to the risk of a loop that keeps everything.

Closed forms for least squares; a frozen design labels the same rows again in every generation.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats
from collapse_lib.checks import one_of, whole_number, whole_numbers
from collapse_lib.regression_theory import DESIGNS, one_fit_risk

__all__ = ["erased_risk", "inherited_share", "noise_contribution"]


def noise_contribution(
    d: int, T: int, generation: ArrayLike, *, design: str = "fresh", noise: float = 1.0
) -> Floats:
    """Expected part of today's risk that is due to the noise in one generation's labels.

    The parts of the generations 1 … t add up to the risk of generation t.

    Parameters
    ----------
    d, T : int
        Features, rows a generation, T ≥ d + 2.
    generation : int or array_like of int, at least 1
    design : {"fresh", "frozen"}
    noise : float

    Returns
    -------
    float or ndarray
        noise² d / (i (iT − d − 1)) fresh, noise² d / (i² (T − d − 1)) frozen.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> noise_contribution(5, 16, [1, 2], design="frozen").round(3)
    array([0.5  , 0.125])
    """
    first = one_fit_risk(d, whole_number("T", T, minimum=d + 2), noise=noise)
    i = whole_numbers("generation", generation, minimum=1)
    if one_of("design", design, DESIGNS) == "frozen":
        return first / i**2
    return noise**2 * d / (i * (i * T - d - 1))


def erased_risk(
    d: int, T: int, generations: int, generation: ArrayLike, *, noise: float = 1.0
) -> FloatOrArray:
    """Expected risk of today's fit after the rows of one generation are erased; frozen design.

    Parameters
    ----------
    d, T : int
        Features, rows a generation, T ≥ d + 2.
    generations : int
        Number of generations t ≥ 2 before the erasure.
    generation : int or array_like of int
        The erased one, from 1 to t.
    noise : float

    Returns
    -------
    float or ndarray

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> float(erased_risk(1, 3, 2, 2)), float(erased_risk(1, 3, 2, 1))
    (1.0, 2.0)
    """
    first = one_fit_risk(d, whole_number("T", T, minimum=d + 2), noise=noise)
    t = whole_number("generations", generations, minimum=2)
    i = whole_numbers("generation", generation, minimum=1, maximum=t)
    squares = np.concatenate([[0], np.cumsum(1 / np.arange(1, t + 1.0) ** 2)])
    own, later = (t - i) / ((t - 1) * i), t / (t - 1)
    risk: FloatOrArray = first * (squares[i - 1] + own**2 + later**2 * (squares[t] - squares[i]))
    return risk


def inherited_share(generations: int, generation: ArrayLike) -> FloatOrArray:
    """Share of a shift in one generation's labels that outlives the erasure of its rows.

    Parameters
    ----------
    generations : int
        Number of generations t ≥ 2 of a frozen design.
    generation : int or array_like of int
        The shifted and then erased one, from 1 to t.

    Returns
    -------
    float or ndarray
        (t − c) / (t − 1). Designs drawn afresh keep more, unless c is 1 or t.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> float(inherited_share(11, 2)), float(inherited_share(11, 11))
    (0.9, 0.0)
    """
    t = whole_number("generations", generations, minimum=2)
    return (t - whole_numbers("generation", generation, minimum=1, maximum=t)) / (t - 1)
