"""What the experiments on images share: their results, and the checks of what they are given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from collapse_lib._types import ArrayLike, Floats
from collapse_lib.checks import whole_number


@dataclass(frozen=True)
class Repeats:
    """Errors of an experiment that was repeated; the repeats are the first axis."""

    errors: Floats

    @property
    def mean(self) -> Floats:
        """Mean over the repeats."""
        mean: Floats = self.errors.mean(axis=0)
        return mean

    @property
    def stderr(self) -> Floats:
        """Its standard error, as if the repeats were independent."""
        stderr: Floats = self.errors.std(axis=0, ddof=1) / np.sqrt(len(self.errors))
        return stderr


def design_checked(
    T: Iterable[int], T0: int, test: int, repeats: int, images: int, *, least: int = 1
) -> tuple[tuple[int, ...], int, int, int]:
    """Return T as a tuple, T0, test and repeats, all whole and possible with so many images."""
    T = tuple(whole_number("T", value, minimum=1) for value in T)
    T0, test = whole_number("T0", T0, minimum=least), whole_number("test", test, minimum=1)
    if max(*T, T0) > images - test:
        raise ValueError(
            f"T and T0 must be at most images − test = {images - test}, got {max(*T, T0)}"
        )
    return T, T0, test, whole_number("repeats", repeats, minimum=2)


def matrix(name: str, values: ArrayLike) -> Floats:
    """Return values as a matrix of finite floats."""
    try:
        values = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers") from None
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"{name} must be a matrix of finite numbers, got shape {values.shape}")
    return values


def matched(features: ArrayLike, targets: ArrayLike) -> tuple[Floats, Floats]:
    """Return a matrix and as many finite targets as it has rows."""
    features, targets = matrix("features", features), np.asarray(targets, dtype=float)
    if targets.shape != (len(features),) or not np.isfinite(targets).all():
        raise ValueError(
            f"targets must be {len(features)} finite numbers, one an image, got {targets.shape}"
        )
    return features, targets
