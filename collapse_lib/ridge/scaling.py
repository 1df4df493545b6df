"""Scaling laws: spectra that are power laws, their exponents, and how much to regularise.

The spectrum is λ_k = k^−β and the truth has w_k² = k^−δ with δ = 1 + β(2r − 1), for k = 1 … d
or without end. Long sums are taken term by term at first and by quadrature from there on, so
that a spectrum of 10⁸ eigenvalues is an array of a few hundred.

The proofs are in the chapter *Scaling laws*.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, log
from typing import Any

import numpy as np
from scipy import optimize, special

from collapse_lib._types import ArrayLike, Floats
from collapse_lib.checks import positive, whole_number
from collapse_lib.ridge.spectrum import RidgeRisk, checked_spectrum, matching, ridge_risk

__all__ = [
    "LabelSettings",
    "PowerLaw",
    "best_penalty",
    "best_shrunk_ridge",
    "clean_rate",
    "critical_exponent",
    "label_settings",
    "optimal_exponent",
    "rates",
    "shrunk_ridge_risk",
]

EXACT = 2000  # terms taken one by one
NODES = 12  # Gauss–Legendre nodes for each factor of e after them
END = 1e30  # where a sum without end is cut


@dataclass(frozen=True)
class PowerLaw:
    """A power-law spectrum and a truth of given smoothness.

    Parameters
    ----------
    beta : float
        Eigenvalue k is k^−beta; above 1.
    r : float
        Smoothness of the truth, above 0: w_k² = k^−(1 + beta(2r − 1)).
    d : int, optional
        Number of eigenvalues; without it there is no end.

    Examples
    --------
    >>> law = PowerLaw(2, 0.375, d=50_000_000)
    >>> round(law.counts.sum()), len(law.spectrum) < 3000
    (50000000, True)
    >>> risk = law.risk(10**8, 1e-6, n=5, T0=10**8)
    >>> round(float(risk.total), 6)
    0.000143
    """

    beta: float
    r: float
    d: int | None = None

    def __post_init__(self) -> None:
        if not positive("beta", self.beta) > 1:
            raise ValueError(f"beta must be above 1, got {self.beta}")
        positive("r", self.r)
        if self.d is not None:
            whole_number("d", self.d, minimum=1)

    @cached_property
    def _nodes(self) -> tuple[Floats, Floats]:
        """Indices k, some of them fractional, and how many terms each stands for."""
        end = inf if self.d is None else self.d
        first = min(EXACT, end)
        k, counts = np.arange(1.0, first + 1), np.ones(int(first))
        if end <= EXACT:
            return k, counts
        low, high = log(first + 0.5), log(min(end, END) + 0.5)  # midpoint rule
        edges = np.linspace(low, high, int(np.ceil(high - low)) + 1)
        x, w = special.roots_legendre(NODES)
        half = np.diff(edges)[:, None] / 2
        tail = np.exp((edges[:-1, None] + half) + half * x)
        return np.append(k, tail.ravel()), np.append(counts, (half * w * tail).ravel())

    @property
    def spectrum(self) -> Floats:
        """Eigenvalues, one for each block of terms."""
        return self._nodes[0] ** -self.beta

    @property
    def w0_squared(self) -> Floats:
        """Squared coordinates of the truth, one for each block."""
        return self._nodes[0] ** -(1 + self.beta * (2 * self.r - 1))

    @property
    def counts(self) -> Floats:
        """Terms in each block."""
        return self._nodes[1]

    def risk(self, T: float, penalty: float, **options: Any) -> RidgeRisk:
        """`spectrum.ridge_risk` for this spectrum and truth."""
        return ridge_risk(self.spectrum, self.w0_squared, T, penalty, counts=self.counts, **options)

    def best_penalty(self, T: float, **options: Any) -> tuple[float, float]:
        """`best_penalty` for this spectrum and truth."""
        return best_penalty(self.spectrum, self.w0_squared, T, counts=self.counts, **options)


def critical_exponent(beta: float, r: float) -> float:
    """Return ℓ_crit = β/(2β min(r, 1) + 1): on real labels λ = T^−ℓ_crit is best.

    Parameters
    ----------
    beta, r : float
        Of the spectrum k^−β and the source condition r, above 0.

    Returns
    -------
    float

    Examples
    --------
    >>> critical_exponent(2, 0.375)
    0.8
    """
    beta, r = positive("beta", beta), positive("r", r)
    return beta / (2 * beta * min(r, 1.0) + 1)


def clean_rate(beta: float, r: float) -> float:
    """Return c = 2β min(r, 1)/(2β min(r, 1) + 1): the best error on real labels is T^−c.

    Parameters
    ----------
    beta, r : float
        Of the spectrum k^−β and the source condition r, above 0.

    Returns
    -------
    float

    Examples
    --------
    >>> clean_rate(2, 0.375)
    0.6
    """
    beta, r = positive("beta", beta), positive("r", r)
    return 1 - 1 / (2 * beta * min(r, 1.0) + 1)


def optimal_exponent(beta: float, r: float, *, a: float = 0.0, b: float = 1.0) -> float:
    """Return ℓ*, the best ℓ in λ = T^−ℓ when nσ₀² = T^a, T₀ = T^b and d = φ₀T₀.

    Parameters
    ----------
    beta, r : float
    a : float
        Growth of the generations' noise.
    b : float
        Growth of the generators' data, above a and at most 1.

    Returns
    -------
    float
        ℓ_crit · min(b − a, 1), for label noise σ² above 0.

    Raises
    ------
    ValueError
        If b ≤ a: then no ridge makes the error vanish; or if b > 1.

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv 2402.07712, Corollary 5.2 (without label noise downstream
    the factor is b − a, as long as ℓ stays below β).

    Examples
    --------
    >>> round(optimal_exponent(2, 0.375, b=0.7), 10)
    0.56
    """
    if not a < b <= 1:
        raise ValueError(f"b must be above a = {a} and at most 1, got {b}")
    return critical_exponent(beta, r) * min(b - a, 1.0)


def rates(
    beta: float, r: float, ell: float, *, a: float = 0.0, b: float = 1.0
) -> tuple[float, float, float]:
    """Return the exponents of T in bias, variance and toll under λ = T^−ℓ.

    nσ₀² = T^a, T₀ = T^b with b ≤ 1, and d = φ₀T₀, with d beyond the reach of the penalty: ℓ < βb.

    Parameters
    ----------
    beta, r : float
        Of the spectrum k^−β and the source condition r, above 0.
    ell : float
        ℓ, above 0.
    a, b : float

    Returns
    -------
    bias, variance, toll : float

    Examples
    --------
    >>> [round(float(x), 3) for x in rates(2, 0.375, 0.8, b=0.7)]
    [-0.6, -0.6, -0.3]
    """
    beta, r, ell = positive("beta", beta), positive("r", r), positive("ell", ell)
    if not 0 < b <= 1:
        raise ValueError(f"b must be above 0 and at most 1, got {b}")
    if not ell < beta * b:
        raise ValueError(f"ell must be below beta·b = {beta * b:g}, got {ell:g}")
    variance = ell / beta - 1
    return -2 * min(r, 1.0) * ell, variance, a + 1 - b + variance


def best_penalty(
    spectrum: ArrayLike,
    w0_squared: ArrayLike,
    T: float,
    *,
    counts: ArrayLike | None = None,
    shrink: float = 1.0,
    bounds: tuple[float, float] = (1e-12, 1e3),
    **options: Any,
) -> tuple[float, float]:
    """Return the penalty with the least expected excess risk, and that risk.

    Parameters
    ----------
    spectrum, w0_squared, T, counts, **options
        As in `spectrum.ridge_risk`.
    shrink : float
        As in `shrunk_ridge_risk`.
    bounds : tuple of float
        Where to look.

    Returns
    -------
    penalty, risk : float

    Examples
    --------
    >>> ones, w0 = np.ones(300), np.full(300, 1 / 300)
    >>> penalty, risk = best_penalty(ones, w0, 1000, sigma=0.2)
    >>> round(penalty, 4)  # σ²d/(T‖w₀‖²)
    0.012
    """

    def risk(x: float) -> float:
        return shrunk_ridge_risk(
            spectrum, w0_squared, T, np.exp(x), shrink=shrink, counts=counts, **options
        )

    low, high = np.log([positive("bounds", bound) for bound in bounds])
    grid = np.linspace(low, high, 36)
    k = int(np.argmin([risk(x) for x in grid]))
    nearby = (grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)])
    found = optimize.minimize_scalar(risk, bounds=nearby, method="bounded", options={"xatol": 1e-9})
    return float(np.exp(found.x)), float(found.fun)


def shrunk_ridge_risk(
    spectrum: ArrayLike,
    w0_squared: ArrayLike,
    T: float,
    penalty: float,
    *,
    shrink: float = 1.0,
    counts: ArrayLike | None = None,
    **options: Any,
) -> float:
    """Return the expected excess risk of a ridge fit whose vector is multiplied by ``shrink``.

    Parameters
    ----------
    spectrum, w0_squared, T, penalty, counts, **options
        As in `spectrum.ridge_risk`, with one T, one penalty and one n.
    shrink : float

    Returns
    -------
    float

    Notes
    -----
    The mean of the fit on real labels is Σ(Σ + κ)⁻¹w₀, and its second moment follows from the
    bias; ‖sŵ − w₀‖² is a quadratic in s with these coefficients.

    Examples
    --------
    >>> round(shrunk_ridge_risk(np.ones(300), np.full(300, 1 / 300), 1000, 1.0, shrink=0.0), 10)
    1.0
    """
    plain = ridge_risk(spectrum, w0_squared, T, penalty, counts=counts, **options)
    spectrum, counts = checked_spectrum(spectrum, counts)
    weight = counts * spectrum * matching("w0_squared", w0_squared, spectrum)
    signal = weight.sum()
    cross = weight @ (spectrum / (spectrum + plain.kappa))
    moment = plain.bias - signal + 2 * cross
    noise = plain.variance + plain.toll
    return float(signal - 2 * shrink * cross + shrink**2 * (moment + noise))


def best_shrunk_ridge(
    d: int, T: float, *, n: int, T0: int, sigma: float = 1.0, sigma0: float = 1.0, norm: float = 1.0
) -> tuple[float, float]:
    """Return the best penalty and the best shrink for white inputs, Σ = I.

    Parameters
    ----------
    d, T, n, T0, sigma, sigma0
        As in `spectrum.ridge_risk`.
    norm : float
        Length of w₀.

    Returns
    -------
    penalty, shrink : float
        With a = ‖w₀‖²/d, b = σ²/T and c = nσ₀²/(T₀ − d − 1): b/(a + c) and a/(a + c).

    Examples
    --------
    >>> [round(x, 4) for x in best_shrunk_ridge(300, 1000, n=25, T0=600, sigma=0.2, sigma0=0.2)]
    [0.006, 0.4992]
    """
    d, T = whole_number("d", d, minimum=1), positive("T", T)
    if not T0 > d + 1:
        raise ValueError(f"T0 must be above d + 1 = {d + 1}, got {T0!r}")
    a, b = positive("norm", norm) ** 2 / d, positive("sigma", sigma) ** 2 / T
    c = whole_number("n", n) * positive("sigma0", sigma0) ** 2 / (T0 - d - 1)
    return b / (a + c), a / (a + c)


@dataclass(frozen=True)
class LabelSettings:
    """How much to regularise a fit to synthetic labels; made by `label_settings`.

    Attributes
    ----------
    penalty, shrink : float
        Ridge penalty of the fit, and the factor for the fitted vector: the best pair.
    risk : float
        Expected excess risk with both.
    ridge_penalty, ridge_risk : float
        The best ridge without a shrink, and its risk.
    clean_penalty, clean_risk : float
        The penalty that would be best if the labels were real, and its risk on these labels.
    real_risk : float
        Risk of that penalty if the labels were real.
    """

    penalty: float
    shrink: float
    risk: float
    ridge_penalty: float
    ridge_risk: float
    clean_penalty: float
    clean_risk: float
    real_risk: float


def label_settings(
    d: int,
    T: int,
    *,
    generations: int,
    teacher_rows: int,
    noise: float = 1.0,
    teacher_noise: float | None = None,
    signal: float = 1.0,
) -> LabelSettings:
    """Ridge and shrink for labels that come from a chain of least-squares fits.

    The first teacher was fitted to real labels, each later one to labels of the one before.
    The last one labels your rows. The inputs are standard normal, Σ = I.

    Parameters
    ----------
    d, T : int
        Features, your rows.
    generations : int
        Teachers in the chain, n; with 0 your labels are real.
    teacher_rows : int
        Rows T₀ of each teacher, at least d + 2.
    noise : float
        Standard deviation σ of the noise in your labels, above 0.
    teacher_noise : float, optional
        The same in the teachers' training labels, σ₀ ≥ 0; by default ``noise``.
    signal : float
        ‖w₀‖² of the true weights, above 0.

    Returns
    -------
    LabelSettings
        Penalties λ are per row: the fit minimises the mean squared residual + λ‖w‖².

    Notes
    -----
    With a = signal/d, b = σ²/T, c = nσ₀²/(T₀ − d − 1): λ = b/(a + c) and shrink a/(a + c), exactly
    optimal among spectral fits at every size. The risks and the best ridge are deterministic
    equivalents, for large d and T.

    References
    ----------
    Proved in the chapter *Scaling laws*; the model is that of Dohmatob, Feng & Kempe, arXiv
    2402.07712.

    Examples
    --------
    >>> best = label_settings(300, 1000, generations=25, teacher_rows=600, noise=0.2)
    >>> round(best.penalty, 4), round(best.shrink, 4), round(best.risk, 3)
    (0.006, 0.4992, 0.505)
    >>> round(best.ridge_penalty, 2), round(best.ridge_risk, 3), round(best.clean_risk, 3)
    (0.88, 0.545, 0.987)
    """
    d, T = whole_number("d", d, minimum=1), whole_number("T", T, minimum=1)
    n = whole_number("generations", generations)
    T0 = whole_number("teacher_rows", teacher_rows, minimum=d + 2)
    noise = positive("noise", noise)
    if teacher_noise is None:
        teacher_noise = noise
    teacher_noise = positive("teacher_noise", teacher_noise, zero=True)
    a, b, c = positive("signal", signal) / d, noise**2 / T, n * teacher_noise**2 / (T0 - d - 1)
    chain = {"T0": T0, "sigma": noise, "sigma0": teacher_noise}

    def risk(penalty: float, shrink: float = 1.0, labels: int = n) -> float:
        return shrunk_ridge_risk(
            [1.0], [a], T, penalty, shrink=shrink, counts=[d], n=labels, **chain
        )

    clean, both, shrink = b / a, b / (a + c), a / (a + c)
    ridge, ridge_risk = clean, risk(clean)
    if c:
        reach = (both, max(1e3, 1e3 * (a + c) / a) * clean)
        ridge, ridge_risk = best_penalty([1.0], [a], T, counts=[d], bounds=reach, n=n, **chain)
    return LabelSettings(
        penalty=both,
        shrink=shrink,
        risk=risk(both, shrink),
        ridge_penalty=ridge,
        ridge_risk=ridge_risk,
        clean_penalty=clean,
        clean_risk=risk(clean),
        real_risk=risk(clean, labels=0),
    )
