"""Check that real numbers lie where the mathematics needs them."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["fraction", "fractions", "positive"]


def positive(name: str, value) -> float:
    """Return ``value`` as a finite float above 0.

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> positive("temperature", 0)
    Traceback (most recent call last):
        ...
    ValueError: temperature must be a finite number above 0, got 0
    """
    number = _number(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    return number


def fraction(name: str, value, *, zero: bool = True) -> float:
    """Return ``value`` as a float from 0 to 1; 0 itself only if ``zero``.

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> fraction("real_fraction", 0.25)
    0.25
    """
    number = _number(value)
    if not 0 <= number <= 1 or (number == 0 and not zero):
        lowest = "from 0" if zero else "above 0 and"
        raise ValueError(f"{name} must lie {lowest} to 1, got {value!r}".replace("and to", "up to"))
    return number


def fractions(name: str, values, shape) -> np.ndarray:
    """Return ``values`` broadcast to ``shape``, each from 0 to 1.

    Raises
    ------
    ValueError
        If one is not, or the shapes do not fit.

    Examples
    --------
    >>> fractions("real_fraction", [0.0, 0.5], (3, 2)).shape
    (3, 2)
    """
    array = np.asarray(values, dtype=float)
    outside = ~((array >= 0) & (array <= 1))
    if outside.any():
        raise ValueError(f"{name} must lie from 0 to 1, got {array[outside].flat[0]}")
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(
            f"{name} must have a shape that fits (replicates, generations) = {shape}, "
            f"got {array.shape}"
        ) from None


def _number(value) -> float:
    if isinstance(value, (bool, np.bool_, str)):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
