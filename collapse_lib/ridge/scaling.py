"""Scaling laws: spectra that are power laws, their exponents, and how much to regularise.

The spectrum is λ_k = k^−β and the truth has w_k² = k^−δ with δ = 1 + β(2r − 1), for k = 1 … d
or without end. Long sums are taken term by term at first and by quadrature from there on, so
that a spectrum of 10⁸ eigenvalues is an array of a few hundred.

The proofs are in the chapter *Scaling laws*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, log

import numpy as np
from scipy import optimize, special

from collapse_lib._types import FloatOrArray, Floats
from collapse_lib.checks import positive, whole_number
from collapse_lib.ridge.spectrum import REAL_LABELS, Ridge, Teacher, ridge_risk

__all__ = [
    "LabelSettings",
    "PowerLaw",
    "best_penalty",
    "best_shrunk_ridge",
    "label_settings",
    "optimal_exponent",
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
    >>> round(law.multiplicities.sum()), len(law.spectrum) < 3000
    (50000000, True)
    >>> risk = ridge_risk(law.student(10**8, 1e-6), Teacher(generations=5, rows=10**8))
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
    def truth(self) -> Floats:
        """Coordinates of the truth, none below 0, one for each block."""
        root: Floats = np.sqrt(self._nodes[0] ** -(1 + self.beta * (2 * self.r - 1)))
        return root

    @property
    def multiplicities(self) -> Floats:
        """Terms in each block."""
        return self._nodes[1]

    def student(
        self, rows: FloatOrArray | float, penalty: FloatOrArray | float = 0.0, *, noise: float = 1.0
    ) -> Ridge:
        """A ridge fit in this world, of so many rows and with this penalty and label noise."""
        world, often = (self.spectrum, self.truth), self.multiplicities
        return Ridge(*world, rows, penalty, noise=noise, multiplicities=often)


def optimal_exponent(beta: float, r: float, *, a: float = 0.0, b: float = 1.0) -> float:
    """Return ℓ*, the best ℓ in λ = T^−ℓ when nσ₀² = T^a, T₀ = T^b and d = φ₀T₀.

    Parameters
    ----------
    beta, r : float
        Of the spectrum k^−β and the source condition r, above 0.
    a : float
        Growth of the generations' noise.
    b : float
        Growth of the generators' data, above a and at most 1; if b ≤ a no ridge makes the
        error vanish.

    Returns
    -------
    float
        ℓ_crit · min(b − a, 1), for label noise σ² above 0, with the best exponent on real
        labels ℓ_crit = β/(2β min(r, 1) + 1).

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv 2402.07712, Corollary 5.2 (without label noise downstream
    the factor is b − a, as long as ℓ stays below β).

    Examples
    --------
    >>> round(optimal_exponent(2, 0.375, b=0.7), 10)
    0.56
    """
    beta, r = positive("beta", beta), positive("r", r)
    if not a < b <= 1:
        raise ValueError(f"b must be above a = {a} and at most 1, got {b}")
    return beta / (2 * beta * min(r, 1.0) + 1) * min(b - a, 1.0)


def best_penalty(
    student: Ridge, teacher: Teacher = REAL_LABELS, *, bounds: tuple[float, float] = (1e-12, 1e3)
) -> tuple[float, float]:
    """Return the penalty with the least expected excess risk, and that risk.

    Parameters
    ----------
    student : Ridge
        Its own penalty does not matter.
    teacher : Teacher
    bounds : tuple of float
        Where to look.

    Returns
    -------
    penalty, risk : float

    Examples
    --------
    >>> student = Ridge(np.ones(300), np.full(300, 300**-0.5), 1000, noise=0.2)
    >>> round(best_penalty(student)[0], 4)  # σ²d/(T‖w₀‖²)
    0.012
    """

    def risk(log_penalty: FloatOrArray) -> FloatOrArray:
        return ridge_risk(replace(student, penalty=np.exp(log_penalty)), teacher).total

    positive("rows", student.rows)
    positive("generations", teacher.generations, zero=True)
    low, high = np.log([positive("bounds", bound) for bound in bounds])
    grid = np.linspace(low, high, 36)
    k = int(np.argmin(risk(grid)))
    nearby = (grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)])
    found = optimize.minimize_scalar(risk, bounds=nearby, method="bounded", options={"xatol": 1e-9})
    return float(np.exp(found.x)), float(found.fun)


def best_shrunk_ridge(student: Ridge, teacher: Teacher) -> Ridge:
    """Return the student with the best penalty and the best shrink, for white inputs, Σ = I.

    Parameters
    ----------
    student : Ridge
        Its own penalty and shrink do not matter; every eigenvalue is 1.
    teacher : Teacher

    Returns
    -------
    Ridge
        With a = ‖w₀‖²/d, b = σ²/T and c = nσ₀²/(T₀ − d − 1): penalty b/(a + c) and shrink
        a/(a + c).

    References
    ----------
    Proved in the chapter *Scaling laws*.

    Examples
    --------
    >>> student = Ridge(np.ones(300), np.full(300, 300**-0.5), 1000, noise=0.2)
    >>> best = best_shrunk_ridge(student, Teacher(generations=25, rows=600, noise=0.2))
    >>> round(best.penalty, 4), round(best.shrink, 4)
    (0.006, 0.4992)
    """
    if not (student.spectrum == 1).all():
        raise ValueError(f"spectrum must be 1 throughout, got {student.spectrum}")
    a = positive("truth's squared norm", student.often @ student.truth**2) / student.dimension
    b = student.noise**2 / positive("rows", student.rows)
    c = positive("the teacher's error", teacher.error(student.dimension), zero=True)
    return replace(student, penalty=b / (a + c), shrink=a / (a + c))


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
    rows: int,
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
    d, rows : int
        Features; your rows, T.
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
    d, T = whole_number("d", d, minimum=1), whole_number("rows", rows, minimum=1)
    n = whole_number("generations", generations)
    T0 = whole_number("teacher_rows", teacher_rows, minimum=d + 2)
    noise = positive("noise", noise)
    if teacher_noise is None:
        teacher_noise = noise
    teacher_noise = positive("teacher_noise", teacher_noise, zero=True)
    a, b, c = positive("signal", signal) / d, noise**2 / T, n * teacher_noise**2 / (T0 - d - 1)

    one = np.ones(1)
    student = Ridge(one, np.sqrt(a) * one, T, noise=noise, multiplicities=d * one)

    def risk(penalty: float, shrink: float = 1.0, labels: int = n) -> float:
        fit = replace(student, penalty=penalty, shrink=shrink)
        return float(ridge_risk(fit, Teacher(labels, T0, teacher_noise)).total)

    clean, both, shrink = b / a, b / (a + c), a / (a + c)
    alone, alone_risk = clean, risk(clean)
    if c:
        reach = (both, max(1e3, 1e3 * (a + c) / a) * clean)
        teacher = Teacher(n, T0, teacher_noise)
        alone, alone_risk = best_penalty(student, teacher, bounds=reach)
    return LabelSettings(
        penalty=both,
        shrink=shrink,
        risk=risk(both, shrink),
        ridge_penalty=alone,
        ridge_risk=alone_risk,
        clean_penalty=clean,
        clean_risk=risk(clean),
        real_risk=risk(clean, labels=0),
    )
