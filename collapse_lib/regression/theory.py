"""Linear regression on labels that earlier fits made up: the closed forms.

Rows x are Gaussian with d features; each generation has T rows whose labels are x·w plus noise,
w the newest fit. The error is the excess risk ‖w − w₀‖² in the metric of the covariance.

A design is *fresh* when every generation draws its rows anew, and *frozen* when the rows are
drawn once and only the labels' noise is new. With T < d the fit is the one of least norm, and
the features have covariance I; only there does the signal ‖w₀‖² matter.

The proofs are in the chapters *Error degradation* and *Accumulation*.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Ints
from collapse_lib.checks import one_of, positive, whole_number, whole_numbers

__all__ = [
    "accumulate_limit",
    "accumulate_risk",
    "effective_rows",
    "geometric_sum",
    "one_fit_risk",
    "replace_risk",
    "replace_sd",
    "rows_needed",
]

DESIGNS = ("fresh", "frozen")


def geometric_sum(ratio: float, t: Ints) -> Floats:
    """Return 1 + ratio + … + ratio^(t−1), which does not cancel near ratio 1.

    Parameters
    ----------
    ratio : float
        At least 0.
    t : ndarray of int, (…)

    Returns
    -------
    ndarray, the shape of ``t``

    Examples
    --------
    >>> geometric_sum(1.0, np.array([0, 1, 5]))
    array([0., 1., 5.])
    """
    if ratio == 1:
        return t.astype(float)
    total: Floats = np.expm1(special.xlogy(t, ratio)) / (ratio - 1)
    return total


def one_fit_risk(d: int, T: int, *, noise: float = 1.0) -> float:
    """Expected excess risk of one least-squares fit, beyond that of its teacher.

    Parameters
    ----------
    d, T : int
    noise : float

    Returns
    -------
    float
        noise² d / (T − d − 1) if T > d + 1; noise² T / (d − T − 1) if T < d − 1; else inf.

    References
    ----------
    The mean of an inverse Wishart matrix; Gerstgrasser, Schaeffer et al., arXiv 2404.01413.

    Examples
    --------
    >>> one_fit_risk(10, 21), one_fit_risk(21, 10), one_fit_risk(10, 11)
    (1.0, 1.0, inf)
    """
    return float(_toll(*_checked(d, T, noise)))


def replace_risk(
    d: int, T: int, t: ArrayLike, *, noise: float = 1.0, signal: float = 0.0, design: str = "fresh"
) -> FloatOrArray:
    """Expected excess risk when every generation replaces the data.

    Parameters
    ----------
    d, T : int
    t : int or array_like of int
    noise, signal : float
    design : {"fresh", "frozen"}

    Returns
    -------
    float or ndarray

    References
    ----------
    For T > d Gerstgrasser, Schaeffer et al., arXiv 2404.01413; Dohmatob, Feng & Kempe, arXiv
    2402.07712, with the asymptotic form noise² φ/(1 − φ) per generation, φ = d/T. For T < d
    the latter treat a frozen design; with fresh ones the noise saturates.

    Examples
    --------
    >>> float(replace_risk(10, 21, 3)), float(replace_risk(30, 15, 10, signal=1.0).round(4))
    (3.0, 3.1398)
    """
    d, T, variance = _checked(d, T, noise)
    one_of("design", design, DESIGNS)
    t = whole_numbers("t", t)
    signal = positive("signal", signal, zero=True)
    kept = min(T / d, 1.0)
    lost, tolls = np.full(t.shape, 1 - kept), 1.0 * t
    if design == "fresh" and kept < 1:
        lost = 1 - kept**t
        tolls = lost / (1 - kept)
    with np.errstate(invalid="ignore"):  # no toll before any fit, even an infinite one
        return np.where(t > 0, signal * lost + tolls * _toll(d, T, variance), 0.0)[()]


def replace_sd(
    d: int, T: int, t: ArrayLike, *, noise: float = 1.0, design: str = "fresh"
) -> FloatOrArray:
    """Standard deviation of the excess risk under replace, between runs.

    The mean is the same for fresh and frozen designs, the spread is not.

    Parameters
    ----------
    d, T : int
        T ≥ d + 4 for a finite answer.
    t : int or array_like of int
    noise : float
    design : {"fresh", "frozen"}

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> for design in ("fresh", "frozen"):
    ...     print(round(float(replace_sd(10, 24, 10, design=design) / replace_risk(10, 24, 10)), 2))
    0.47
    0.65
    """
    d, T, variance = _checked(d, T, noise)
    one_of("design", design, DESIGNS)
    t = whole_numbers("t", t)
    dof = T - d + 1  # of the chi-square that divides every increment
    if dof <= 4:
        return np.where(t > 0, np.inf, 0.0)[()]
    first = variance / (dof - 2)
    second = variance**2 / ((dof - 2) * (dof - 4))
    if design == "frozen":
        square = t**2 * second
    else:
        square = t * (t - 1) * first**2 + t * second
    return np.sqrt(d * (d + 2) * square - (t * d * first) ** 2)


def effective_rows(d: int, T: int, generations: int) -> float:
    """Rows of real data that one fit would need to be as bad as many synthetic generations.

    Parameters
    ----------
    d, T : int
        T ≥ d + 2.
    generations : int
        Fits under replace, at least 1.

    Returns
    -------
    float
        d + 1 + (T − d − 1) / generations.

    Examples
    --------
    >>> effective_rows(10, 111, 5)
    31.0
    """
    d = whole_number("d", d, minimum=1)
    T = whole_number("T", T, minimum=d + 2)
    return d + 1 + (T - d - 1) / whole_number("generations", generations, minimum=1)


def rows_needed(d: int, real: int, generations: int) -> int:
    """Rows each generation needs, so that the last fit is as good as one fit to real rows.

    Parameters
    ----------
    d, real : int
        Features; real rows whose single fit is to be matched, at least d + 2.
    generations : int
        Fits under replace, the last one included, at least 1.

    Returns
    -------
    int
        d + 1 + generations · (real − d − 1): `effective_rows` turned around.

    Examples
    --------
    >>> rows_needed(10, real=31, generations=5), effective_rows(10, 111, 5)
    (111, 31.0)
    """
    d = whole_number("d", d, minimum=1)
    real = whole_number("real", real, minimum=d + 2)
    return d + 1 + whole_number("generations", generations, minimum=1) * (real - d - 1)


def accumulate_risk(
    d: int, T: int, t: ArrayLike, *, noise: float = 1.0, signal: float = 0.0, design: str = "fresh"
) -> FloatOrArray:
    """Expected excess risk when every generation keeps all the rows before it.

    Parameters
    ----------
    d, T : int
        T new rows in each generation. Infinite once the number of independent rows has been
        from d − 1 to d + 1.
    t : int or array_like of int
    noise, signal : float
    design : {"fresh", "frozen"}

    Returns
    -------
    float or ndarray

    References
    ----------
    For a frozen design the equality behind the bound of Gerstgrasser, Schaeffer et al.,
    arXiv 2404.01413; for fresh designs the normal equations and exchangeability give the sum
    exactly.

    Examples
    --------
    >>> accumulate_risk(5, 20, [1, 5, 20]).round(5)
    array([0.35714, 0.48907, 0.52339])
    """
    d, T, variance = _checked(d, T, noise)
    one_of("design", design, DESIGNS)
    t = whole_numbers("t", t)
    signal = positive("signal", signal, zero=True)
    i = np.arange(1, t.max(initial=0) + 1)
    if design == "frozen":
        steps = _toll(d, T, variance) / i**2
    else:
        steps = _toll(d, i * float(T), variance) / i
    total = np.concatenate([[0.0], np.cumsum(steps)])
    risk: FloatOrArray = signal * max(1 - T / d, 0) * (t > 0) + total[t]
    return risk


def accumulate_limit(d: int, T: int, *, noise: float = 1.0, design: str = "fresh") -> float:
    """What the risk under accumulate grows to, T ≥ d + 2.

    Parameters
    ----------
    d, T : int
    noise : float
    design : {"fresh", "frozen"}

    Returns
    -------
    float
        noise² d/(d+1) [ψ(1) − ψ(1 − a)] with a = (d+1)/T and ψ the digamma function for
        fresh designs; π²/6 times the first generation's risk, the bound, for a frozen one.

    Examples
    --------
    >>> round(accumulate_limit(5, 20), 5), round(accumulate_limit(5, 20, design="frozen"), 5)
    (0.53567, 0.58748)
    """
    d, T, variance = _checked(d, T, noise)
    whole_number("T", T, minimum=d + 2)
    if one_of("design", design, DESIGNS) == "frozen":
        return float(np.pi**2 / 6 * _toll(d, T, variance))
    ratio = (d + 1) / T
    return float(variance * d / (d + 1) * (special.psi(1) - special.psi(1 - ratio)))


def _toll(d: int, T: ArrayLike, variance: float) -> Floats:
    """What one fit adds to the risk: variance · min(T, d) / (|T − d| − 1)."""
    T = np.asarray(T, dtype=float)
    if variance == 0:
        return np.zeros(T.shape)
    with np.errstate(divide="ignore"):
        toll: Floats = variance * np.minimum(T, d) / np.maximum(abs(T - d) - 1, 0)
    return toll


def _checked(d: int, T: int, noise: float) -> tuple[int, int, float]:
    d, T = whole_number("d", d, minimum=1), whole_number("T", T, minimum=1)
    return d, T, positive("noise", noise, zero=True) ** 2
