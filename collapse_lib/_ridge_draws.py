"""The draws and the linear algebra behind the simulators of ridge regression."""

from __future__ import annotations

import numpy as np

from collapse_lib._spectra import aligned, checked_spectrum
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, positive, whole_number

Checked = tuple[Floats, Floats, int, list[float], int, int, float, float, int, np.random.Generator]

CHUNK = 2**21  # numbers in the factors drawn together: 16 megabytes


def errors(
    spectrum: Floats,
    n: int,
    T0: int,
    replicates: int,
    sigma0: float,
    design: str,
    rng: np.random.Generator,
) -> Floats:
    """What n OLS generators add up to, (replicates, d); see `ridge.labeller_errors`."""
    draws = n if design == "fresh" else min(n, 1)
    inverse = (1 / rng.chisquare(T0 - len(spectrum) + 1, size=(replicates, draws))).sum(axis=1)
    if design == "frozen":
        inverse *= n
    g = rng.standard_normal((replicates, len(spectrum)))
    total: Floats = sigma0 * np.sqrt(inverse)[:, None] * g / np.sqrt(spectrum)
    return total


def fit(a: Floats, labeller: Floats, g: Floats, ridge: float) -> Floats:
    """Ridge fit to the labels a·labeller + g, (replicates, d); ``ridge`` is λT."""
    target = np.einsum("rij,rj->ri", a, labeller) + g
    if ridge == 0 and a.shape[1] == a.shape[2]:
        return labeller + np.linalg.solve(a, g[..., None])[..., 0]
    solved = np.linalg.solve(_gram(a, ridge), target[..., None])[..., 0]
    weights: Floats = np.einsum("rij,ri->rj", a, solved)
    return weights


def label_filter(a: Floats, ridge: float) -> Floats:
    """What maps labels to the fit: Aᵀ(AAᵀ + λT)⁻¹, (replicates, d, rank)."""
    if ridge == 0 and a.shape[1] == a.shape[2]:
        return np.linalg.inv(a)
    return np.linalg.solve(_gram(a, ridge), a).transpose(0, 2, 1)


def _gram(a: Floats, ridge: float) -> Floats:
    return a @ a.transpose(0, 2, 1) + ridge * np.eye(a.shape[1])


def chunks(replicates: int, d: int) -> list[slice]:
    """Slices of the replicates, few enough at a time to fit in memory."""
    size = max(1, CHUNK // d**2)
    return [slice(k, min(k + size, replicates)) for k in range(0, replicates, size)]


def checked(
    spectrum: ArrayLike,
    w0: ArrayLike,
    T: int,
    penalty: ArrayLike,
    n: int,
    T0: int | None,
    sigma: float,
    sigma0: float,
    replicates: int,
    rng: Rng,
) -> Checked:
    """The arguments that the simulators share, checked."""
    spectrum, _ = checked_spectrum(spectrum)
    w0 = aligned("w0", w0, spectrum)
    T = whole_number("T", T, minimum=1)
    penalties = [positive("penalty", value, zero=True) for value in np.ravel(penalty)]
    n = whole_number("n", n)
    T0 = whole_number("T0", T0, minimum=len(spectrum)) if n else len(spectrum)
    sigma, sigma0 = positive("sigma", sigma, zero=True), positive("sigma0", sigma0, zero=True)
    replicates = whole_number("replicates", replicates, minimum=1)
    return spectrum, w0, T, penalties, n, T0, sigma, sigma0, replicates, as_generator(rng)
