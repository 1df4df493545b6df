"""Linear regression with new real rows in every generation: the closed forms.

Each fit sees rows labelled by the newest fit and rows labelled by the truth. The designs are
fresh: every generation draws its rows anew.

The proofs are in the chapter *Accumulation*.
"""

from __future__ import annotations

import math

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray
from collapse_lib.checks import positive, share, whole_number, whole_numbers
from collapse_lib.regression.theory import geometric_sum, one_fit_risk

__all__ = ["best_fresh_weight", "best_row_weight", "fresh_real_contraction", "fresh_real_risk"]


def fresh_real_contraction(d: int, synthetic: int, real: int) -> float:
    """The factor by which a mix of fresh real rows shrinks the teacher's error.

    Parameters
    ----------
    d, synthetic, real : int
        Features; rows labelled by the teacher and by the truth, together at least d + 2.

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
    total = whole_number("synthetic + real", synthetic + real, minimum=d + 2)
    own = synthetic * (synthetic + 2) / (total * (total + 2))
    cross = synthetic * real / (total * (total - 1) * (total + 2))
    return own + cross * (total + 1) * (d - 1) / (total - d - 1)


def fresh_real_risk(
    d: int,
    synthetic: int,
    real: int,
    t: ArrayLike,
    *,
    noise: float = 1.0,
    first: float | None = None,
) -> FloatOrArray:
    """Expected excess risk when each generation has new real rows beside synthetic ones.

    Parameters
    ----------
    d, synthetic, real : int
        As in `fresh_real_contraction`, with at least one real row.
    t : int or array_like of int
    noise : float
    first : float, optional
        Expected risk of the first fit, which sees the real rows alone; it must be given if
        ``real`` is below d + 2.

    Returns
    -------
    float or ndarray

    Examples
    --------
    The 28 real rows alone would give 10 / (28 − 11) = 0.588.

    >>> float(fresh_real_risk(10, 12, 28, 15).round(4))
    0.4131
    """
    contraction = fresh_real_contraction(d, synthetic, real)
    toll = one_fit_risk(d, synthetic + real, noise=noise)
    t = whole_numbers("t", t)
    whole_number("real", real, minimum=1 if first is not None else d + 2)
    if first is None:
        first = one_fit_risk(d, real, noise=noise)
    first = positive("first", first, zero=True)
    later = np.maximum(t - 1, 0)
    risk = contraction**later * first + toll * geometric_sum(contraction, later)
    return np.where(t > 0, risk, 0.0)[()]


def best_fresh_weight(fraction: float) -> float:
    """The weight on fresh real rows that makes the resting error least, for T much above d.

    Parameters
    ----------
    fraction : float
        Real rows as a share of all rows, above 0 up to 1.

    Returns
    -------
    float
        2/(1 + √(4/α − 3)) for a share α, the steady-state Kalman gain.

    References
    ----------
    He, Xu & Cheng, arXiv 2502.18049.

    Examples
    --------
    >>> round(best_fresh_weight(0.5), 6), round(best_fresh_weight(0.01), 3)
    (0.618034, 0.096)
    """
    fraction = share("fraction", fraction, zero=False)
    root = math.sqrt(fraction)  # 1/fraction overflows for a tiny one
    return 2 * root / (root + math.sqrt(4 - 3 * fraction))


def best_row_weight(d: int, real: int, synthetic: int) -> float:
    """Weight of the fit to fresh real rows, when it is mixed with a fit to synthetic rows.

    Each generation fits its real rows and its synthetic rows separately by least squares, and
    takes w × (the real fit) + (1 − w) × (the synthetic fit).

    Parameters
    ----------
    d, real, synthetic : int
        Features; rows of each kind in each generation, at least d + 2.

    Returns
    -------
    float
        The w with the least risk in the long run, which is w times that of the real rows alone.

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
    return best_fresh_weight(spare / (spare + other))
