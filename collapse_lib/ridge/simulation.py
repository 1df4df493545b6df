"""The draws and the linear algebra behind the simulators of ridge regression.

Ridge regression on synthetic labels: simulators that are exact in law.

A T × d Gaussian design X = ZΣ^{1/2} enters a ridge fit only through XᵀX and XᵀE. Write
Z = QR with orthonormal columns in Q. The Bartlett factor R, of min(T, d) rows, has known
entries, and g = QᵀE is standard normal. So XᵀX = Σ^{1/2}RᵀRΣ^{1/2} and XᵀE = Σ^{1/2}Rᵀg, and
no design is ever drawn: the cost does not depend on T.

Conventions. Everything is written in the eigenbasis of Σ. The penalty λ is that of
(Σ̂ + λ)⁻¹XᵀY/T. Replicates are the first axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import bartlett_factor
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, one_of, positive, whole_number
from collapse_lib.ridge.spectrum import aligned, checked_spectrum

__all__ = [
    "RidgeRun",
    "bartlett_factor",
    "labeller_errors",
    "simulate_ridge",
    "simulate_ridge_loop",
    "simulate_terms",
]

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


@dataclass(frozen=True)
class RidgeRun:
    """Expected loss of a ridge fit given its design, term by term.

    The mean over label noise and labellers is taken exactly; only the designs are drawn.

    Attributes
    ----------
    bias, variance, toll : ndarray, (replicates,) or (replicates, penalties)
        As in `spectrum.RidgeRisk`.
    """

    bias: Floats
    variance: Floats
    toll: Floats

    @property
    def total(self) -> Floats:
        return self.bias + self.variance + self.toll


def labeller_errors(
    spectrum: ArrayLike,
    n: int,
    T0: int,
    replicates: int,
    *,
    sigma0: float = 1.0,
    design: str = "fresh",
    rng: Rng = None,
) -> Floats:
    """Draw ŵ_n − w₀ of the n-th OLS generator, each fitted to T0 rows of the one before.

    Parameters
    ----------
    spectrum : array_like, (d,)
        Eigenvalues of Σ, above 0.
    n : int
        Generations; 0 gives zeros.
    T0 : int
        Rows, at least d.
    replicates : int
    sigma0 : float
        Standard deviation of the label noise.
    design : {"fresh", "frozen"}
        Whether each generation draws new inputs, or all use the same ones.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    ndarray, (replicates, d)

    Notes
    -----
    One fit adds σ₀Σ^{-1/2}g/√χ²_{T₀−d+1}. Given the χ² a sum of such terms is Gaussian.

    Examples
    --------
    >>> e = labeller_errors([1.0, 0.5], 4, 10, 100_000, rng=1)
    >>> bool(abs((e**2).mean(axis=0) - 4 / 7 * np.array([1, 2])).max() < 0.03)
    True
    """
    spectrum, _ = checked_spectrum(spectrum)
    n, d = whole_number("n", n), len(spectrum)
    T0 = whole_number("T0", T0, minimum=d)
    replicates = whole_number("replicates", replicates, minimum=1)
    sigma0 = positive("sigma0", sigma0, zero=True)
    one_of("design", design, ("fresh", "frozen"))
    return errors(spectrum, n, T0, replicates, sigma0, design, as_generator(rng))


def simulate_ridge(
    spectrum: ArrayLike,
    w0: ArrayLike,
    T: int,
    penalty: ArrayLike,
    *,
    n: int = 0,
    T0: int | None = None,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    shrink: float = 1.0,
    design: str = "fresh",
    replicates: int = 1,
    rng: Rng = None,
) -> Floats:
    """Draw the excess risk of one ridge fit to labels made by the n-th OLS generator.

    Parameters
    ----------
    spectrum, w0 : array_like, (d,)
        Eigenvalues of Σ, above 0, and the coordinates of the truth.
    T : int
        Rows of the fit.
    penalty : float or array_like, (penalties,)
        λ, at least 0; 0 with T < d is the least-norm interpolant.
    n, T0, sigma0, design
        As in `labeller_errors`; T0 is needed if n is not 0.
    sigma : float
        Standard deviation of the label noise of the fit.
    shrink : float
        The fitted vector is multiplied by it.
    replicates : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    ndarray, (replicates,) or (replicates, penalties)
        The penalties of one replicate see the same data.

    Examples
    --------
    >>> risk = simulate_ridge([1, 0.5], [1, 1], 20, [0.01, 0.1], n=3, T0=10, replicates=5, rng=1)
    >>> risk.shape
    (5, 2)
    """
    spectrum, w0, T, penalties, n, T0, sigma, sigma0, replicates, rng = checked(
        spectrum, w0, T, penalty, n, T0, sigma, sigma0, replicates, rng
    )
    one_of("design", design, ("fresh", "frozen"))
    risk = np.empty((replicates, len(penalties)))
    for rows in chunks(replicates, len(spectrum)):
        size = rows.stop - rows.start
        labeller = w0 + errors(spectrum, n, T0, size, sigma0, design, rng)
        factor = bartlett_factor(T, len(spectrum), size, rng=rng)
        g = sigma * rng.standard_normal(factor.shape[:2])
        for k, lam in enumerate(penalties):
            w = shrink * fit(factor * np.sqrt(spectrum), labeller, g, lam * T)
            risk[rows, k] = (w - w0) ** 2 @ spectrum
    return risk[:, 0] if np.ndim(penalty) == 0 else risk


def simulate_terms(
    spectrum: ArrayLike,
    w0: ArrayLike,
    T: int,
    penalty: float,
    *,
    n: int = 0,
    T0: int | None = None,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    shrink: float = 1.0,
    replicates: int = 1,
    rng: Rng = None,
) -> RidgeRun:
    """Draw designs, and return the expected excess risk given each, term by term.

    Averaging over noise and labellers exactly leaves little spread, so that few replicates
    measure the risk well. Parameters and errors are those of `simulate_ridge`; T0 must be
    above d + 1. Fresh or frozen generators have the same means.

    Parameters
    ----------
    spectrum, w0, T, penalty, n, T0, sigma, sigma0, shrink, replicates, rng
        As in `simulate_ridge`.

    Returns
    -------
    RidgeRun

    Raises
    ------
    ValueError
        If an argument is out of range, or ``T0`` is below d + 2.

    Examples
    --------
    >>> terms = simulate_terms([1, 0.5], [1, 1], 200, 0.0, n=3, T0=10, replicates=2, rng=1)
    >>> terms.toll.round(3), terms.bias.round(3)
    (array([0.857, 0.857]), array([0., 0.]))
    """
    spectrum, w0, T, penalties, n, T0, sigma, sigma0, replicates, rng = checked(
        spectrum, w0, T, penalty, n, T0, sigma, sigma0, replicates, rng
    )
    d = len(spectrum)
    if n and T0 < d + 2:
        raise ValueError(f"T0 must be at least d + 2 = {d + 2}, got {T0}")
    root = np.sqrt(spectrum)
    terms = np.empty((3, replicates, len(penalties)))
    for rows in chunks(replicates, d):
        factor = bartlett_factor(T, d, rows.stop - rows.start, rng=rng)
        for k, lam in enumerate(penalties):
            a = factor * root
            h = shrink * root[:, None] * label_filter(a, lam * T)  # labels to Σ^{1/2}ŵ
            lost = root * w0 - np.einsum("rij,rj->ri", h, a @ w0)
            bias, variance = (lost**2).sum(axis=1), sigma**2 * (h**2).sum(axis=(1, 2))
            fake = ((h @ factor) ** 2).sum(axis=(1, 2))
            error = n * sigma0**2 / (T0 - d - 1) if n else 0.0
            terms[:, rows, k] = bias, variance, error * fake
    return RidgeRun(*(terms[..., 0] if np.ndim(penalty) == 0 else terms))


def simulate_ridge_loop(
    spectrum: ArrayLike,
    w0: ArrayLike,
    T: int,
    penalty: float,
    generations: int,
    *,
    sigma: float = 1.0,
    replicates: int = 1,
    rng: Rng = None,
) -> Floats:
    """Draw a loop that fits by ridge in every generation, each to T fresh rows.

    Parameters
    ----------
    spectrum, w0, T, sigma, replicates, rng
        As in `simulate_ridge`.
    penalty : float
        λ, at least 0; with 0 the fits are OLS, or least-norm interpolants if T < d.
    generations : int

    Returns
    -------
    ndarray, (replicates, generations + 1)
        Excess risk; entry 0, the truth, is 0.

    Examples
    --------
    >>> simulate_ridge_loop([1, 0.5], [1, 1], 20, 0.1, 4, replicates=5, rng=1).shape
    (5, 5)
    """
    spectrum, w0, T, penalties, _, _, sigma, _, replicates, rng = checked(
        spectrum, w0, T, penalty, 0, None, sigma, 1.0, replicates, rng
    )
    if np.ndim(penalty):
        raise ValueError(f"penalty must be one number, got {penalty!r}")
    generations = whole_number("generations", generations)
    risk = np.zeros((replicates, generations + 1))
    for rows in chunks(replicates, len(spectrum)):
        size = rows.stop - rows.start
        w = np.broadcast_to(w0, (size, len(w0)))
        for t in range(1, generations + 1):
            factor = bartlett_factor(T, len(spectrum), size, rng=rng)
            g = sigma * rng.standard_normal(factor.shape[:2])
            w = fit(factor * np.sqrt(spectrum), w, g, penalties[0] * T)
            risk[rows, t] = (w - w0) ** 2 @ spectrum
    return risk
