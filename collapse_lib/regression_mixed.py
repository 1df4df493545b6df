"""Linear regression with new real rows in every generation: the closed forms.

Each fit sees rows labelled by the newest fit and rows labelled by the truth. The designs are
fresh: every generation draws its rows anew.

The proofs are in the chapter *Accumulation*.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray
from collapse_lib.checks import positive, share, whole_number, whole_numbers
from collapse_lib.regression_theory import _checked, _toll

__all__ = ["fresh_real_contraction", "fresh_real_risk", "optimal_real_weight"]


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

    Raises
    ------
    ValueError
        If an argument is out of range.

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

    Raises
    ------
    ValueError
        If an argument is out of range.

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

    Raises
    ------
    ValueError
        If ``fraction`` is out of range.

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
