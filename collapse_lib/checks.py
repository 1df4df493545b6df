"""Checks of what callers pass in: each error names the argument, the value and what is allowed.

``name`` is always what the error calls the argument.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection
from typing import Any, TypeVar

import numpy as np

from collapse_lib._types import ArrayLike, Floats, Ints, Rng

T = TypeVar("T")


def as_generator(rng: Rng) -> np.random.Generator:
    """Return a random generator from an int seed, a generator, or None for fresh entropy."""
    if isinstance(rng, np.random.Generator):
        return rng
    is_seed = isinstance(rng, numbers.Integral) and not isinstance(rng, bool) and rng >= 0
    if rng is None or is_seed:
        return np.random.default_rng(rng)
    raise ValueError(
        f"rng must be a non-negative int, a numpy.random.Generator or None, got {rng!r}"
    )


def whole_number(name: str, value: Any, *, minimum: int = 0) -> int:
    """Return ``value`` as an int, at least ``minimum``.

    >>> whole_number("n", 10.0, minimum=2)
    10
    >>> whole_number("n", 1, minimum=2)
    Traceback (most recent call last):
        ...
    ValueError: n must be a whole number, at least 2, got 1
    """
    problem = f"{name} must be a whole number, at least {minimum}, got {value!r}"
    try:
        number = int(value)
        is_whole = bool(number == value) and not isinstance(value, (bool, np.bool_, str))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(problem) from None
    if not is_whole or number < minimum:
        raise ValueError(problem)
    return number


def whole_numbers(
    name: str, values: ArrayLike, *, minimum: int = 0, maximum: float = math.inf
) -> Ints:
    """Return ``values`` as an array of ints of the same shape, each from minimum to maximum.

    >>> whole_numbers("generation", [1, 9.0], minimum=1, maximum=8)
    Traceback (most recent call last):
        ...
    ValueError: generation must be a whole number, at most 8, got 9
    """
    whole = np.asarray(values)
    if whole.dtype.kind not in "iu":
        rounded = [whole_number(name, value, minimum=minimum) for value in whole.ravel()]
        whole = np.array(rounded, dtype=int).reshape(whole.shape)
    if whole.size and whole.min() < minimum:
        raise ValueError(f"{name} must be a whole number, at least {minimum}, got {whole.min()}")
    if whole.size and whole.max() > maximum:
        raise ValueError(f"{name} must be a whole number, at most {maximum}, got {whole.max()}")
    return whole.astype(np.int64)


def array(
    name: str, values: ArrayLike, *, ndim: int | None = None, minimum: float = -math.inf
) -> Floats:
    """Return ``values`` as a non-empty array of finite floats of the same shape.

    It must have ``ndim`` axes if that is given, and each number be at least ``minimum``.

    >>> array("truth", [1, 2], ndim=1)
    array([1., 2.])
    >>> array("truth", 3.0, ndim=1)
    Traceback (most recent call last):
        ...
    ValueError: truth must be a non-empty array with 1 axis, got shape ()
    """
    try:
        floats = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got {values!r}") from None
    if floats.size == 0 or ndim not in (None, floats.ndim):
        axes = "" if ndim is None else f" with {ndim} {'axis' if ndim == 1 else 'axes'}"
        raise ValueError(f"{name} must be a non-empty array{axes}, got shape {floats.shape}")
    if not np.isfinite(floats).all():
        raise ValueError(f"{name} must be finite, got {floats[~np.isfinite(floats)][0]}")
    if floats.min() < minimum:
        raise ValueError(f"{name} must be at least {minimum:g}, got {floats.min()}")
    return floats


def weights(name: str, values: ArrayLike, *, all_zero: bool = False) -> Floats:
    """Return a one-dimensional array of finite, non-negative numbers with a positive sum.

    A sum of 0 is allowed only if ``all_zero``.

    >>> weights("counts", [3, 0, 1])
    array([3., 0., 1.])
    """
    floats = array(name, values, ndim=1)
    if (floats < 0).any():
        where = int(np.argmax(floats < 0))
        raise ValueError(f"{name} must be at least 0, got {name}[{where}] = {floats[where]}")
    with np.errstate(over="ignore"):
        total = floats.sum()
    if not np.isfinite(total):
        raise ValueError(f"{name} must have a finite sum, got {total}")
    if total == 0 and not all_zero:
        raise ValueError(f"{name} must have a positive sum, got all zeros")
    return floats


def probabilities(name: str, values: ArrayLike) -> Floats:
    """Return ``values``, (n,), as a probability vector, with a sum of 1 to the last digit.

    >>> probabilities("p", [0.5, 0.4])
    Traceback (most recent call last):
        ...
    ValueError: p must sum to 1, got a sum of 0.9
    """
    floats = weights(name, values)
    if abs(floats.sum() - 1) > 1e-9:
        raise ValueError(f"{name} must sum to 1, got a sum of {floats.sum():.10g}")
    normed: Floats = floats / floats.sum()
    return normed


def positive(name: str, value: Any, *, zero: bool = False) -> float:
    """Return ``value`` as a finite float above 0, or 0 itself if ``zero``.

    >>> positive("temperature", 0)
    Traceback (most recent call last):
        ...
    ValueError: temperature must be a finite number above 0, got 0
    """
    number = _as_float(value)
    if not 0 <= number < math.inf or (number == 0 and not zero):
        allowed = "at least 0" if zero else "above 0"
        raise ValueError(f"{name} must be a finite number {allowed}, got {value!r}")
    return number


def probability(name: str, value: Any) -> float:
    """Return ``value`` as a float strictly between 0 and 1.

    >>> probability("alpha", 0.5)
    0.5
    """
    number = _as_float(value)
    if not 0 < number < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value!r}")
    return number


def share(name: str, value: Any, *, zero: bool = True) -> float:
    """Return ``value`` as a float from 0 to 1; 0 itself only if ``zero``.

    >>> share("fraction", 1)
    1.0
    """
    number = _as_float(value)
    if not 0 <= number <= 1 or (number == 0 and not zero):
        interval = "between 0 and 1" if zero else "above 0 up to 1"
        raise ValueError(f"{name} must lie {interval}, got {value!r}")
    return number


def shares(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Return ``values``, each from 0 to 1, broadcast to ``shape``: replicates and generations.

    >>> shares("real_fraction", [0.0, 0.5], (3, 2)).shape
    (3, 2)
    """
    floats = np.asarray(values, dtype=float)
    outside = ~((floats >= 0) & (floats <= 1))
    if outside.any():
        raise ValueError(f"{name} must lie between 0 and 1, got {floats[outside].flat[0]}")
    try:
        return np.broadcast_to(floats, shape)
    except ValueError:
        raise ValueError(
            f"{name} must have a shape that fits (replicates, generations) = {shape}, "
            f"got {floats.shape}"
        ) from None


def one_of(name: str, value: T, allowed: Collection[T]) -> T:
    """Return ``value`` if it is among ``allowed``.

    >>> one_of("sampling", "poisson", ("multinomial", "poisson"))
    'poisson'
    """
    if value in allowed:
        return value
    raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def ddof(estimator: str) -> int:
    """Return by how much an estimator of a variance divides by less than the number of items.

    >>> ddof("ml"), ddof("unbiased")
    (0, 1)
    """
    return {"ml": 0, "unbiased": 1}[one_of("estimator", estimator, ("ml", "unbiased"))]


def _as_float(value: Any) -> float:
    """The value as a float; NaN, which no range admits, if it is not a number."""
    if isinstance(value, (bool, np.bool_, str)):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
