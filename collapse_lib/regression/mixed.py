"""Linear regression with new real rows in every generation: the closed forms.

Each fit sees rows labelled by the newest fit and rows labelled by the truth. The designs are
fresh: every generation draws its rows anew.

The proofs are in the chapter *Accumulation*.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray
from collapse_lib.checks import positive, share, whole_number, whole_numbers
from collapse_lib.regression.theory import _checked, _toll

__all__ = [
    "best_row_weight",
    "fresh_real_contraction",
    "fresh_real_risk",
    "optimal_real_weight",
    "rows_needed",
]


def fresh_real_contraction(d: int, synthetic: int, real: int) -> float:
    """The factor by which a mix of fresh real rows shrinks the teacher's error.

    Parameters
    ----------
    d, synthetic, real : int
        Features; rows labelled by the teacher, at least 0; rows labelled by the truth, at
        least 0; together at least d + 2.

    Returns
    -------
    float
        E‖(A + B)⁻¹A e‖²/‖e‖² for independent Wishart matrices A and B of ``synthetic`` and
        ``real`` degrees of freedom.

    Examples
    --------
    >>> round(fresh_real_contraction(10, 12, 8), 4), fresh_real_contraction(10, 20, 0)
    (0.623, 1.0)
    """
    d = whole_number("d", d, minimum=1)
    synthetic = whole_number("synthetic", synthetic)
    real = whole_number("real", real)
    total = synthetic + real
    whole_number("synthetic + real", total, minimum=d + 2)
    cross = synthetic * real / (total * (total - 1) * (total + 2))
    own = (synthetic**2 - 2 * total * cross) / total**2
    return own + cross + cross * (total * d - 2) / (total - d - 1)


def fresh_real_risk(
    d: int,
    synthetic: int,
    real: int,
    generations: ArrayLike,
    *,
    noise: float = 1.0,
    first: float | None = None,
) -> FloatOrArray:
    """Expected excess risk when each generation has new real rows beside synthetic ones.

    Parameters
    ----------
    d, synthetic, real : int
        Features; rows labelled by the newest fit; rows labelled by the truth. Together at
        least d + 2.
    generations : int or array_like of int
        Number of fits.
    noise : float
    first : float, optional
        Expected risk of the first fit, which sees the real rows alone; it must be given if
        ``real`` is below d + 2.

    Returns
    -------
    float or ndarray, the shape of ``generations``

    Examples
    --------
    The 28 real rows alone would give 10 / (28 − 11) = 0.588.

    >>> float(fresh_real_risk(10, 12, 28, 15).round(4))
    0.4131
    """
    contraction = fresh_real_contraction(d, synthetic, real)
    d, total, variance = _checked(d, synthetic + real, noise)
    t = whole_numbers("generations", generations)
    if first is None:
        first = _toll(d, whole_number("real", real, minimum=d + 2), variance)
    first = positive("first", first, zero=True)
    if contraction == 1:
        raise ValueError(f"real must be at least 1, got {real}")
    limit = _toll(d, total, variance) / (1 - contraction)
    later = limit + (first - limit) * contraction ** np.maximum(t - 1, 0)
    return np.where(t > 0, later, 0.0)[()]


def optimal_real_weight(fraction: float) -> float:
    """The weight on fresh real rows that makes the resting error least, for T much above d.

    Parameters
    ----------
    fraction : float
        Real rows as a share of all rows, above 0 up to 1.

    Returns
    -------
    float
        [−α + √(4α − 3α²)] / (2(1 − α)), the steady-state Kalman gain; at α = ½ the
        reciprocal of the golden ratio.

    References
    ----------
    He, Xu & Cheng, arXiv 2502.18049.

    Examples
    --------
    >>> round(optimal_real_weight(0.5), 6), round(optimal_real_weight(0.01), 3)
    (0.618034, 0.096)
    """
    fraction = share("fraction", fraction, zero=False)
    if fraction == 1:
        return 1.0
    root = np.sqrt(4 * fraction - 3 * fraction**2)
    return float((root - fraction) / (2 * (1 - fraction)))


def rows_needed(d: int, real: int, generations: int) -> int:
    """Rows each generation needs, so that the last fit is as good as one fit to real rows.

    Parameters
    ----------
    d : int
        Features.
    real : int
        Real rows whose single least-squares fit is to be matched, at least d + 2.
    generations : int
        Fits under replace, the last one included, at least 1.

    Returns
    -------
    int
        d + 1 + generations · (real − d − 1): `effective_rows` turned around.

    References
    ----------
    The toll of the chapter *Error degradation*, after Dohmatob, Feng & Kempe, arXiv 2402.07712.

    Examples
    --------
    >>> from collapse_lib.regression.theory import effective_rows
    >>> rows_needed(10, real=31, generations=5), effective_rows(10, 111, 5)
    (111, 31.0)
    """
    d = whole_number("d", d, minimum=1)
    real = whole_number("real", real, minimum=d + 2)
    return d + 1 + whole_number("generations", generations, minimum=1) * (real - d - 1)


def best_row_weight(d: int, real: int, synthetic: int) -> float:
    """Weight of the fit to fresh real rows, when it is mixed with a fit to synthetic rows.

    Each generation fits its real rows and its synthetic rows separately by least squares, and
    takes w × (the real fit) + (1 − w) × (the synthetic fit).

    Parameters
    ----------
    d : int
        Features.
    real, synthetic : int
        Rows of each kind in a generation, at least d + 2.

    Returns
    -------
    float
        The weight with the least excess risk in the long run. That risk is w times the risk
        of the real rows alone.

    References
    ----------
    Proved in the chapter *Accumulation*; He, Xu & Cheng, arXiv 2502.18049, for many rows.

    Examples
    --------
    >>> round(best_row_weight(3, real=12, synthetic=12), 4)
    0.618
    >>> round(best_row_weight(3, real=12, synthetic=1200), 4)  # synthetic rows almost for free
    0.0785
    """
    d = whole_number("d", d, minimum=1)
    spare = whole_number("real", real, minimum=d + 2) - d - 1
    other = whole_number("synthetic", synthetic, minimum=d + 2) - d - 1
    return optimal_real_weight(spare / (spare + other))
