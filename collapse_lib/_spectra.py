"""Checks of spectra, for the rooms on regression."""

from __future__ import annotations

import numpy as np

from collapse_lib._types import ArrayLike, Floats


def checked_spectrum(spectrum: ArrayLike, counts: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Return eigenvalues, all above 0, and their multiplicities, by default 1."""
    spectrum = numbers("spectrum", spectrum)
    if not (spectrum > 0).all():
        raise ValueError(f"spectrum must be above 0, got {spectrum.min()}")
    if counts is None:
        return spectrum, np.ones_like(spectrum)
    return spectrum, matching("counts", counts, spectrum)


def matching(name: str, values: ArrayLike, spectrum: Floats) -> Floats:
    """Return values, none below 0, of the shape of the spectrum."""
    values = aligned(name, values, spectrum)
    if not (values >= 0).all():
        raise ValueError(f"{name} must be at least 0, got {values.min()}")
    return values


def aligned(name: str, values: ArrayLike, spectrum: Floats) -> Floats:
    """Return values, of either sign, of the shape of the spectrum."""
    values = numbers(name, values)
    if values.shape != spectrum.shape:
        raise ValueError(
            f"{name} must have the shape of spectrum, {spectrum.shape}, got {values.shape}"
        )
    return values


def numbers(name: str, values: ArrayLike) -> Floats:
    """Return values as a one-dimensional array of finite floats."""
    try:
        values = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got {values!r}") from None
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError(
            f"{name} must be a one-dimensional, non-empty array of finite numbers, got {values}"
        )
    return values
