"""Differences between arms of an experiment, seed by seed, with t intervals.

The interval: Student, "The probable error of a mean", Biometrika 6 (1908).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from collapse_lib._types import ArrayLike, FloatOrArray
from collapse_lib.checks import probability

__all__ = ["Paired", "mean_interval", "paired_difference"]


@dataclass(frozen=True)
class Paired:
    """A difference over paired seeds.

    Attributes
    ----------
    mean, stderr : float
    low, high : float
        Ends of the t interval.
    wins, seeds : int
        Seeds with a positive difference; all seeds.
    p : float
        Two-sided p-value of no difference.
    """

    mean: float
    stderr: float
    low: float
    high: float
    wins: int
    seeds: int
    p: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def mean_interval(
    values: ArrayLike, *, level: float = 0.95, axis: int = 0
) -> tuple[FloatOrArray, FloatOrArray]:
    """Mean and half-width of its t interval over one axis.

    With three or four seeds a bootstrap interval covers far too seldom; the t interval
    assumes roughly normal means and is honest about how few seeds there are.

    Parameters
    ----------
    values : array_like, (…, seeds, …)
        At least two along ``axis``.
    level : float
    axis : int

    Returns
    -------
    mean, half_width : float or ndarray
        Without that axis.

    Raises
    ------
    ValueError
        If there are fewer than two values, or ``level`` is out of range.

    Examples
    --------
    >>> mean, half = mean_interval([1.0, 2.0, 3.0])
    >>> round(float(mean), 2), round(float(half), 2)
    (2.0, 2.48)
    """
    values = np.asarray(values, dtype=float)
    level = probability("level", level)
    count = values.shape[axis] if values.ndim else 0
    if count < 2:
        raise ValueError(f"values must be at least two seeds, got {count}")
    half = stats.t.ppf((1 + level) / 2, count - 1) * stats.sem(values, axis=axis)
    return values.mean(axis=axis), half


def paired_difference(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> Paired:
    """Compare two arms by the differences of their paired seeds.

    Parameters
    ----------
    a, b : array_like, (seeds,)
    level : float
        Of the t interval.

    Returns
    -------
    Paired

    Raises
    ------
    ValueError
        If the shapes differ or there are fewer than two seeds.

    Examples
    --------
    >>> result = paired_difference([2.0, 3.0, 4.1], [1.0, 2.1, 3.0])
    >>> round(result.mean, 2), result.wins, result.excludes_zero
    (1.0, 3, True)
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"a and b must be one value a seed each, got {a.shape} and {b.shape}")
    difference = a - b
    mean, half = mean_interval(difference, level=level)
    return Paired(
        float(mean),
        float(stats.sem(difference)),
        float(mean - half),
        float(mean + half),
        int((difference > 0).sum()),
        len(difference),
        float(stats.ttest_1samp(difference, 0).pvalue),
    )
