"""What the closed forms of the linear model share."""

from __future__ import annotations

from collapse_lib._types import FloatOrArray, Ints
from collapse_lib.checks import whole_number
from collapse_lib.regression.theory import geometric_sum, one_fit_risk


def toll(d: int, T: int, *, noise: float = 1.0) -> float:
    """What one fit adds to the risk, with T ≥ d + 2 rows, where the mean exists."""
    d = whole_number("d", d, minimum=1)
    return one_fit_risk(d, whole_number("T", T, minimum=d + 2), noise=noise)


def pulled_risk(
    t: Ints, *, kept: float, growth: float, added: float, distance: float
) -> FloatOrArray:
    """Expected excess risk after t generations, each pulled towards one fixed point.

    The mean of the model's offset from the point shrinks by ``kept`` per generation. The mean
    square of the offset is multiplied by ``growth``, and ``added`` to it; it starts with
    ``distance``, that of the truth.
    """
    square = growth**t * distance + added * geometric_sum(growth, t)
    risk: FloatOrArray = square + (1 - 2 * kept**t) * distance
    return risk
