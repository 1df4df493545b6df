"""Real and synthetic rows in one ridge fit.

The synthetic labels come from w₀ + δ, where δ is the labeller's error, centred and independent
of everything else. What δ adds to the excess risk is the toll ζ. It is known to the same
degree as the other deterministic equivalents; for least squares
`regression.fresh_real_contraction` has it exactly.

Conventions as in `spectrum` and `ridge`: eigenbasis of Σ, penalty λ that goes with all rows.
"""

from __future__ import annotations

import numpy as np

from collapse_lib._draws import bartlett_factor
from collapse_lib._types import ArrayLike, Rng
from collapse_lib.checks import whole_number
from collapse_lib.ridge.simulation import RidgeRun, checked, chunks
from collapse_lib.ridge.spectrum import checked_spectrum, degrees_of_freedom, kappa, matching

__all__ = ["simulate", "toll"]


def toll(
    spectrum: ArrayLike, real: int, synthetic: int, penalty: float, *, error: ArrayLike
) -> float:
    """Return the deterministic equivalent of what wrong synthetic labels add.

    Parameters
    ----------
    spectrum : array_like, (d,)
        Eigenvalues of Σ, above 0.
    real, synthetic : int
        Rows of each kind.
    penalty : float
        λ, at least 0.
    error : array_like, (d,)
        Diagonal of the covariance Δ of δ.

    Returns
    -------
    float

    Notes
    -----
    p₁, p₂ are the shares of real and synthetic rows, u = df₂/(n − df₂):
    ζ = p₂²(1 + p₁u) tr ΔΣ³(Σ+κ)⁻² + p₂u tr ΔΣ(p₁Σ+κ)²(Σ+κ)⁻².

    References
    ----------
    Dohmatob et al., arXiv 2410.04840.

    Examples
    --------
    >>> round(toll([1.0] * 10, 50, 50, 0.0, error=[0.1] * 10), 4)
    0.2778
    """
    spectrum, _ = checked_spectrum(spectrum)
    error = matching("error", error, spectrum)
    real, synthetic = whole_number("real", real), whole_number("synthetic", synthetic)
    n = real + synthetic
    effective = kappa(spectrum, penalty, n)
    df2 = degrees_of_freedom(spectrum, effective, 2)
    if not n > df2 * (1 + 1e-12):
        raise ValueError(f"{n} rows and penalty = {penalty!r} make the risk infinite")
    p1, p2, u = real / n, synthetic / n, df2 / (n - df2)
    weight = error * spectrum / (spectrum + effective) ** 2
    straight = p2**2 * (1 + p1 * u) * weight @ spectrum**2
    return float(straight + p2 * u * weight @ (p1 * spectrum + effective) ** 2)


def simulate(
    spectrum: ArrayLike,
    w0: ArrayLike,
    real: int,
    synthetic: int,
    penalty: float,
    *,
    error: ArrayLike,
    sigma: float = 1.0,
    replicates: int = 1,
    rng: Rng = None,
) -> RidgeRun:
    """Ridge on real and synthetic rows together: the expected excess risk given the designs.

    Parameters
    ----------
    spectrum, w0, sigma, replicates, rng
        As in `ridge.simulate_ridge`. Real and synthetic labels have the same noise.
    real, synthetic : int
        Rows of each kind, at least 1. Synthetic labels come from w₀ + δ, δ centred.
    penalty : float
        λ, at least 0; above 0 unless there are d rows. It goes with all rows together.
    error : array_like, (d,)
        Diagonal of the covariance of δ, which must be diagonal.

    Returns
    -------
    RidgeRun

    Examples
    --------
    >>> simulate([1, 0.5], [1, 1], 5, 5, 0.1, error=[1, 1], replicates=3, rng=1).toll.shape
    (3,)
    """
    real = whole_number("real", real, minimum=1)
    synthetic = whole_number("synthetic", synthetic, minimum=1)
    spectrum, w0, total, penalties, _, _, sigma, _, replicates, rng = checked(
        spectrum, w0, real + synthetic, penalty, 0, None, sigma, 1.0, replicates, rng
    )
    error, d = matching("error", error, spectrum), len(spectrum)
    if penalties[0] == 0 and total < d:
        raise ValueError(f"penalty must be above 0 with fewer than d = {d} rows, got {penalty!r}")
    root, terms = np.sqrt(spectrum), np.empty((3, replicates))
    for rows in chunks(replicates, d):
        size = rows.stop - rows.start
        a1, a2 = (bartlett_factor(T, d, size, rng=rng) * root for T in (real, synthetic))
        gram2 = a2.transpose(0, 2, 1) @ a2
        gram = a1.transpose(0, 2, 1) @ a1 + gram2
        h = root[:, None] * np.linalg.inv(gram + penalties[0] * total * np.eye(d))
        lost = penalties[0] * total * (h @ w0)
        variance = sigma**2 * ((h @ gram) * h).sum(axis=(1, 2))
        fake = ((h @ gram2) ** 2 @ error).sum(axis=1)
        terms[:, rows] = (lost**2).sum(axis=1), variance, fake
    return RidgeRun(*terms)
