"""Checks of spectra, for the rooms on regression.

Deterministic equivalents: the error of ridge regression from its spectrum alone.

Inputs are Gaussian with covariance Σ, labels are linear in them plus noise. The random
matrices of a ridge fit are replaced by functions of the eigenvalues of Σ and of one number,
the effective penalty κ. The results are limits for large dimension and sample size, in use
at finite size; they are not exact.

Conventions. T rows, penalty λ in (Σ̂ + λ)⁻¹XᵀY/T with Σ̂ = XᵀX/T, so λ goes with T
(scikit-learn's ``alpha`` is λT). Everything is written in the eigenbasis of Σ.

The equivalents are those of Dohmatob, Feng and Kempe, arXiv 2402.07712.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats
from collapse_lib.checks import positive, whole_number

__all__ = ["RidgeRisk", "degrees_of_freedom", "kappa", "ridge_loop_risk", "ridge_risk"]


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


STEPS = 200  # Newton steps before giving up; a dozen are usual


def degrees_of_freedom(
    spectrum: ArrayLike, kappa: float, m: int = 1, *, counts: ArrayLike | None = None
) -> float:
    """Return df_m(κ) = tr Σᵐ(Σ + κ)⁻ᵐ.

    Parameters
    ----------
    spectrum : array_like, (d,)
        Eigenvalues of Σ, above 0, in any order.
    kappa : float
        At least 0.
    m : int
        At least 1.
    counts : array_like, (d,), optional
        How often each eigenvalue occurs, by default once; need not be whole.

    Returns
    -------
    float

    Examples
    --------
    >>> degrees_of_freedom([1.0, 1.0, 0.5], 0.5)
    1.8333333333333333
    """
    spectrum, counts = checked_spectrum(spectrum, counts)
    share = spectrum / (spectrum + positive("kappa", kappa, zero=True))
    return float(counts @ share ** whole_number("m", m, minimum=1))


def kappa(
    spectrum: ArrayLike, penalty: float, T: float, *, counts: ArrayLike | None = None
) -> float:
    """Return the effective penalty: the largest κ with κ − λ = κ df₁(κ)/T.

    κ is the only positive solution. There is none if λ = 0 and T ≥ d; then κ = 0.

    Parameters
    ----------
    spectrum : array_like, (d,)
        Eigenvalues of Σ, above 0.
    penalty : float
        λ, at least 0.
    T : float
        Rows, above 0; fewer than d are allowed.
    counts : array_like, (d,), optional
        Multiplicities, as in `degrees_of_freedom`.

    Returns
    -------
    float

    Notes
    -----
    f(κ) = κ − λ − (1/T) Σ κλ_j/(κ + λ_j) is convex and f(0) ≤ 0 ≤ f(λ + tr Σ/T). So Newton's
    method from the right end falls to the root and cannot overshoot.

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv 2402.07712 (the equation).

    Examples
    --------
    >>> round(kappa([1.0] * 300, 0.001, 1000), 6)
    0.001428
    >>> kappa([1.0] * 3, 0.0, 2), kappa([1.0] * 3, 0.0, 4)
    (0.5, 0.0)
    """
    spectrum, counts = checked_spectrum(spectrum, counts)
    return _kappa(spectrum, counts, positive("penalty", penalty, zero=True), positive("T", T))


def _kappa(spectrum: Floats, counts: Floats, penalty: float, T: float) -> float:
    if penalty == 0 and T >= counts.sum():
        return 0.0
    value = penalty + counts @ spectrum / T
    for _ in range(STEPS):
        share = spectrum / (spectrum + value)
        excess = value * (1 - counts @ share / T) - penalty
        slope = 1 - counts @ share**2 / T
        lower = value - excess / slope if slope > 0 else value
        if not 0 < lower < value * (1 - 1e-15):
            return float(value)
        value = lower
    return float(value)


@dataclass(frozen=True)
class RidgeRisk:
    """What a ridge fit on synthetic labels is expected to lose, term by term.

    All are floats, or arrays of the shape that penalty, T and n have together.

    Attributes
    ----------
    bias : float or ndarray
        Loss of a fit on real labels without noise.
    variance : float or ndarray
        What the noise σ² of the downstream labels adds.
    toll : float or ndarray
        What n generations of synthetic labels add.
    kappa, df1, df2 : float or ndarray
        The effective penalty and its degrees of freedom.
    """

    bias: FloatOrArray
    variance: FloatOrArray
    toll: FloatOrArray
    kappa: FloatOrArray
    df1: FloatOrArray
    df2: FloatOrArray

    @property
    def total(self) -> FloatOrArray:
        """Expected excess risk: the sum of the three terms."""
        return self.bias + self.variance + self.toll


def ridge_risk(
    spectrum: ArrayLike,
    w0_squared: ArrayLike,
    T: ArrayLike,
    penalty: ArrayLike,
    *,
    n: ArrayLike = 0,
    T0: float | None = None,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    counts: ArrayLike | None = None,
) -> RidgeRisk:
    """Return the expected excess risk of ridge on labels made by the n-th OLS generator.

    Generator 0 is the truth w₀; generator m is fitted by ordinary least squares to T0 fresh
    rows that generator m − 1 labelled, with noise variance sigma0². The last one labels the
    T rows of the downstream fit, with noise variance sigma². n = 0 is training on real labels.

    Parameters
    ----------
    spectrum : array_like, (d,)
        Eigenvalues λ_j of Σ, above 0.
    w0_squared : array_like, (d,)
        Squares of w₀'s coordinates in the eigenbasis.
    T : float or array_like
        Rows of the downstream fit.
    penalty : float or array_like
        λ, at least 0; with 0 and T < d the fit is the least-norm interpolant.
    n : float or array_like
        Generations of synthetic labels.
    T0 : float, optional
        Rows of each generator, above d + 1; needed if n is not 0.
    sigma, sigma0 : float
        Standard deviations of the label noise, downstream and in the generators.
    counts : array_like, (d,), optional
        Multiplicities of the eigenvalues.

    Returns
    -------
    RidgeRisk

    Raises
    ------
    ValueError
        If an argument is out of range, or if λ = 0 and T = d, where the risk is infinite.

    Notes
    -----
    With u = df₂/(T − df₂): bias κ² Σ λ_j w_j²/(λ_j + κ)² · (1 + u), variance σ²u, toll
    nσ₀²/(T₀ − d − 1) · [df₂ + u κ² tr(Σ + κ)⁻²]. The factor 1/(T₀ − d − 1) is exact.

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv 2402.07712.

    Examples
    --------
    >>> ones, w0 = np.ones(300), np.full(300, 1 / 300)
    >>> risk = ridge_risk(ones, w0, 1000, 1e-3, n=5, T0=600, sigma=0.2, sigma0=0.2)
    >>> round(float(risk.total), 4), round(float(risk.toll), 4)
    (0.2172, 0.2001)
    """
    spectrum, counts = checked_spectrum(spectrum, counts)
    w0_squared = matching("w0_squared", w0_squared, spectrum)
    sigma, sigma0 = positive("sigma", sigma, zero=True), positive("sigma0", sigma0, zero=True)
    n = np.asarray(n, dtype=float)
    if not (np.isfinite(n) & (n >= 0)).all():
        raise ValueError(f"n must be at least 0, got {n}")
    error = 0.0
    if n.any():
        d = counts.sum()
        if T0 is None or not T0 > d + 1:
            raise ValueError(f"T0 must be above d + 1 = {d + 1:g} for generators, got {T0!r}")
        error = sigma0**2 / (T0 - d - 1)
    T, penalty, n = np.broadcast_arrays(np.asarray(T, float), np.asarray(penalty, float), n)
    parts = [
        _terms(
            spectrum, w0_squared, positive("T", rows), positive("penalty", lam, zero=True), counts
        )
        for rows, lam in zip(T.flat, penalty.flat, strict=True)
    ]
    bias, spread, fake, effective, df1, df2 = np.array(parts).T.reshape(6, *T.shape)
    return RidgeRisk(bias, sigma**2 * spread, n * error * fake, effective, df1, df2)


def _terms(
    spectrum: Floats, w0_squared: Floats, T: float, penalty: float, counts: Floats
) -> tuple[float, float, float, float, float, float]:
    """Bias, variance over σ², toll over the generators' error; κ, df₁ and df₂."""
    effective = _kappa(spectrum, counts, penalty, T)
    share = spectrum / (spectrum + effective)
    df1, df2 = float(counts @ share), float(counts @ share**2)
    if not T > df2 * (1 + 1e-12):
        raise ValueError(f"T = {T:g} and penalty = {penalty:g} make the risk infinite")
    u = df2 / (T - df2)
    lost = (1 - share) ** 2
    bias = counts @ (spectrum * w0_squared * lost) * (1 + u)
    return bias, u, df2 + u * (counts @ lost), effective, df1, df2


def ridge_loop_risk(
    spectrum: ArrayLike,
    w0_squared: ArrayLike,
    T: float,
    penalty: float,
    generations: int,
    *,
    sigma: float = 1.0,
    counts: ArrayLike | None = None,
) -> Floats:
    """Return the expected excess risk of a loop that fits by ridge in every generation.

    Each generation labels T fresh rows, with noise variance sigma², and the next one is a
    ridge fit to them. Penalty 0 is OLS, or the least-norm interpolant if T < d.

    Parameters
    ----------
    spectrum, w0_squared, T, penalty, counts
        As in `ridge_risk`, with one T and one penalty.
    generations : int
        Number of fits.
    sigma : float
        Standard deviation of the label noise.

    Returns
    -------
    ndarray, (generations + 1,)
        Entry 0, the truth, is 0.

    Notes
    -----
    Follows S_j = E w_j² and C_j = E w_j w₀_j, O(d) a generation. With D_j = λ_j/(λ_j + κ):
    C' = DC and S' = D²S + [κ² Σ_i S_iλ_i/(λ_i + κ)² + σ²]/(T − df₂) · λ_j/(λ_j + κ)².

    Examples
    --------
    >>> ones, w0 = np.ones(30), np.full(30, 1 / 30)
    >>> ridge_loop_risk(ones, w0, 15, 0.0, 2).round(3)
    array([0.  , 1.5 , 2.25])
    """
    spectrum, counts = checked_spectrum(spectrum, counts)
    w0_squared = matching("w0_squared", w0_squared, spectrum)
    T, penalty = positive("T", T), positive("penalty", penalty, zero=True)
    sigma = positive("sigma", sigma, zero=True)
    generations = whole_number("generations", generations)
    effective = _kappa(spectrum, counts, penalty, T)
    share = spectrum / (spectrum + effective)
    df2 = counts @ share**2
    if not T > df2 * (1 + 1e-12):
        raise ValueError(f"T = {T:g} and penalty = {penalty:g} make the risk infinite")
    spread = spectrum / (spectrum + effective) ** 2 / (T - df2)
    square, cross = w0_squared.copy(), w0_squared.copy()
    risk = [0.0]
    for _ in range(generations):
        lost = counts @ (spectrum * square * (1 - share) ** 2)
        square = share**2 * square + (lost + sigma**2) * spread
        cross = share * cross
        risk.append(counts @ (spectrum * (square - 2 * cross + w0_squared)))
    return np.array(risk)
