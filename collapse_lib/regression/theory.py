"""Linear regression on labels that earlier fits made up: the closed forms.

Rows x are Gaussian with d features; a generation has T rows whose labels are x·w plus noise,
w the newest fit. The error is the excess risk ‖w − w₀‖² in the metric of the covariance.

A design is *fresh* when every generation draws its rows anew, and *frozen* when the rows are
drawn once and only the labels' noise is new.

The proofs are in the chapters *Error degradation* and *Accumulation*.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Ints
from collapse_lib.checks import one_of, positive, whole_number, whole_numbers

__all__ = [
    "accumulate_bound",
    "accumulate_limit",
    "accumulate_risk",
    "accumulate_subsample_risk",
    "effective_rows",
    "one_fit_risk",
    "replace_risk",
    "replace_sd",
]

DESIGNS = ("fresh", "frozen")


def one_fit_risk(d: int, T: int, *, noise: float = 1.0) -> float:
    """Expected excess risk of one least-squares fit, beyond that of its teacher.

    Parameters
    ----------
    d, T : int
        Features and rows; with T from d − 1 to d + 1 the expectation is infinite.
    noise : float
        Standard deviation of the labels' noise.

    Returns
    -------
    float
        noise² d / (T − d − 1) if T > d + 1; noise² T / (d − T − 1) if T < d − 1, of the
        least-norm fit with covariance I.

    References
    ----------
    The mean of an inverse Wishart matrix; Dohmatob, Feng & Kempe, arXiv 2402.07712.

    Examples
    --------
    >>> one_fit_risk(10, 21), one_fit_risk(21, 10), one_fit_risk(10, 11)
    (1.0, 1.0, inf)
    """
    d, T, variance = _checked(d, T, noise)
    return float(_toll(d, T, variance))


def replace_risk(
    d: int,
    T: int,
    generations: ArrayLike,
    *,
    noise: float = 1.0,
    signal: float = 0.0,
    design: str = "fresh",
) -> FloatOrArray:
    """Expected excess risk when every generation replaces the data.

    Parameters
    ----------
    d, T : int
        Features, rows a generation.
    generations : int or array_like of int
        Number of fits.
    noise : float
        Standard deviation of the labels' noise.
    signal : float
        ‖w₀‖². It matters only below the interpolation threshold, T < d, where the fit of
        least norm and covariance I are assumed.
    design : {"fresh", "frozen"}

    Returns
    -------
    float or ndarray, the shape of ``generations``

    References
    ----------
    Dohmatob, Feng & Kempe, arXiv 2402.07712, whose asymptotic form is noise² φ/(1 − φ) a
    generation, φ = d/T. For T < d they treat a frozen design; with fresh designs the noise
    term saturates.

    Examples
    --------
    >>> float(replace_risk(10, 21, 3)), float(replace_risk(30, 15, 10, signal=1.0).round(4))
    (3.0, 3.1398)
    """
    d, T, variance = _checked(d, T, noise)
    one_of("design", design, DESIGNS)
    t = whole_numbers("generations", generations)
    signal = positive("signal", signal, zero=True)
    toll = _toll(d, T, variance)
    if T >= d:
        return _times(t, toll)
    kept = T / d
    if design == "frozen":
        return signal * (1 - kept) * (t > 0) + _times(t, toll)
    lost = 1 - kept**t
    return signal * lost + _times(lost, toll) / (1 - kept)


def replace_sd(
    d: int, T: int, generations: ArrayLike, *, noise: float = 1.0, design: str = "fresh"
) -> FloatOrArray:
    """Standard deviation of the excess risk under replace, between runs.

    The mean is the same for fresh and frozen designs, the spread is not.

    Parameters
    ----------
    d, T : int
        Features and rows, T ≥ d + 4 for a finite answer.
    generations : int or array_like of int
    noise : float
    design : {"fresh", "frozen"}

    Returns
    -------
    float or ndarray, the shape of ``generations``

    Examples
    --------
    >>> for design in ("fresh", "frozen"):
    ...     print(round(float(replace_sd(10, 24, 10, design=design) / replace_risk(10, 24, 10)), 2))
    0.47
    0.65
    """
    d, T, variance = _checked(d, T, noise)
    one_of("design", design, DESIGNS)
    t = whole_numbers("generations", generations)
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
        Features, rows a generation, T ≥ d + 2.
    generations : int
        Number of fits under replace, at least 1.

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


def accumulate_risk(
    d: int,
    T: int,
    generations: ArrayLike,
    *,
    noise: float = 1.0,
    signal: float = 0.0,
    design: str = "fresh",
) -> FloatOrArray:
    """Expected excess risk when every generation keeps all the rows before it.

    Parameters
    ----------
    d, T : int
        Features, new rows a generation. Infinite once the number of independent rows has
        been from d − 1 to d + 1.
    generations : int or array_like of int
        Number of fits.
    noise : float
        Standard deviation of the labels' noise.
    signal : float
        ‖w₀‖². It matters only for T < d, where the fit of least norm and covariance I are
        assumed.
    design : {"fresh", "frozen"}

    Returns
    -------
    float or ndarray, the shape of ``generations``

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
    t = whole_numbers("generations", generations)
    signal = positive("signal", signal, zero=True)
    i = np.arange(1, int(t.max(initial=0)) + 1)
    if design == "frozen":
        steps = _times(1 / i**2.0, _toll(d, T, variance))
    else:
        steps = np.array([_toll(d, int(k) * T, variance) for k in i]) / i
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
        fresh designs; π²/6 times the first generation's risk for a frozen one.

    Examples
    --------
    >>> round(accumulate_limit(5, 20), 5), round(accumulate_limit(5, 20, design="frozen"), 5)
    (0.53567, 0.58748)
    """
    d, T, variance = _checked(d, T, noise)
    whole_number("T", T, minimum=d + 2)
    if one_of("design", design, DESIGNS) == "frozen":
        return accumulate_bound(d, T, noise=noise)
    ratio = (d + 1) / T
    return float(variance * d / (d + 1) * (special.psi(1) - special.psi(1 - ratio)))


def accumulate_bound(d: int, T: int, *, noise: float = 1.0) -> float:
    """The bound π²/6 · noise² d/(T − d − 1) on the risk under accumulate, T ≥ d + 2.

    Parameters
    ----------
    d, T : int
    noise : float

    Returns
    -------
    float

    References
    ----------
    Gerstgrasser, Schaeffer et al., arXiv 2404.01413.

    Examples
    --------
    >>> round(accumulate_bound(5, 20), 5)
    0.58748
    """
    d, T, variance = _checked(d, T, noise)
    whole_number("T", T, minimum=d + 2)
    return float(np.pi**2 / 6 * _toll(d, T, variance))


def accumulate_subsample_risk(
    d: int, T: int, generations: ArrayLike, *, noise: float = 1.0
) -> FloatOrArray:
    """Excess risk under accumulate-subsample, for T much larger than d.

    Each fit uses T rows drawn without replacement from the pool, which keeps their labels.

    Parameters
    ----------
    d, T : int
    generations : int or array_like of int
    noise : float

    Returns
    -------
    float or ndarray, the shape of ``generations``
        noise² d/T (3 Σ_{i ≤ t} 1/i² − 2): the limit of small d/T.

    References
    ----------
    The policy is that of Kazdan, Schaeffer et al., arXiv 2410.16713.

    Examples
    --------
    >>> accumulate_subsample_risk(1, 1000, [1, 2, 6]).round(6)
    array([0.001   , 0.00175 , 0.002474])
    """
    d, T, variance = _checked(d, T, noise)
    t = whole_numbers("generations", generations)
    basel = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, t.max(initial=0) + 1) ** 2.0)])
    return variance * d / T * (3 * basel[t] - 2) * (t > 0)


def _toll(d: int, T: int, variance: float) -> float:
    """What one fit adds to the risk."""
    if T > d + 1:
        return variance * d / (T - d - 1)
    if T < d - 1:
        return variance * T / (d - T - 1)
    return np.inf if variance else 0.0


def _times(count: Floats | Ints, toll: float) -> FloatOrArray:
    """count · toll, where no toll at all is 0 even if one toll is infinite."""
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, count * toll, 0.0)[()]


def _checked(d: int, T: int, noise: float) -> tuple[int, int, float]:
    d, T = whole_number("d", d, minimum=1), whole_number("T", T, minimum=1)
    return d, T, positive("noise", noise, zero=True) ** 2
