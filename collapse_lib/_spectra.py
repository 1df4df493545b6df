"""Checks of spectra, for the rooms on regression."""

from __future__ import annotations

import numpy as np

from collapse_lib.checks import positive


def checked_spectrum(spectrum, counts=None):
    """Return eigenvalues, all above 0, and their multiplicities, by default 1."""
    spectrum = numbers("spectrum", spectrum)
    if not (spectrum > 0).all():
        raise ValueError(f"spectrum must be above 0, got {spectrum.min()}")
    if counts is None:
        return spectrum, np.ones_like(spectrum)
    return spectrum, matching("counts", counts, spectrum)


def matching(name, values, spectrum):
    """Return values, none below 0, of the shape of the spectrum."""
    values = numbers(name, values)
    if values.shape != spectrum.shape:
        raise ValueError(
            f"{name} must have the shape of spectrum, {spectrum.shape}, got {values.shape}"
        )
    if not (values >= 0).all():
        raise ValueError(f"{name} must be at least 0, got {values.min()}")
    return values


def numbers(name, values):
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


def at_least_zero(name, value):
    """Return value as a finite float, at least 0."""
    return 0.0 if np.ndim(value) == 0 and value == 0 else positive(name, value)
