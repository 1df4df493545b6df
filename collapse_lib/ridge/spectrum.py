"""Ridge regression on synthetic labels: its setting, and its error from the spectrum alone.

Inputs are Gaussian with covariance Σ, labels are linear in them plus noise. In the closed forms
the random matrices of a ridge fit are replaced by functions of the eigenvalues of Σ and of one
number, the effective penalty κ. These deterministic equivalents are limits for large dimension
and sample size, in use at finite size; they are not exact.

Conventions. T rows, penalty λ in (Σ̂ + λ)⁻¹XᵀY/T with Σ̂ = XᵀX/T, so λ goes with T
(scikit-learn's ``alpha`` is λT). Everything is written in the eigenbasis of Σ.

The equivalents are those of Dohmatob, Feng and Kempe, arXiv 2402.07712.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats
from collapse_lib.checks import array, one_of, positive, whole_number, whole_numbers

__all__ = [
    "Ridge",
    "RidgeRisk",
    "RidgeTerms",
    "Teacher",
    "kappa",
    "mixed_toll",
    "ridge_loop_risk",
    "ridge_risk",
]

STEPS = 200  # Newton steps before giving up; a dozen are usual


@dataclass(frozen=True)
class Ridge:
    """The student: a ridge fit, and the world that it is fitted in.

    Parameters
    ----------
    spectrum : array_like, (d,)
        Eigenvalues λ_j of Σ, above 0, in any order.
    truth : array_like, (d,)
        Coordinates of the true weights w₀ in the eigenbasis.
    rows : float or array_like
        Rows T of the fit; a simulation wants one whole number.
    penalty : float or array_like
        λ, at least 0; with 0 it is least squares, and with T < d the least-norm interpolant.
        A simulation fits every penalty to the same data.
    noise : float
        Standard deviation σ of the label noise.
    shrink : float
        The fitted vector is multiplied by it.
    multiplicities : array_like, (d,), optional
        How often each eigenvalue occurs, by default once; need not be whole. Formulas only.

    Examples
    --------
    >>> Ridge([1.0, 0.5], [1.0, 1.0], rows=20, penalty=-1)
    Traceback (most recent call last):
        ...
    ValueError: penalty must be a finite number at least 0, got -1
    """

    spectrum: Floats
    truth: Floats
    rows: FloatOrArray | float
    penalty: FloatOrArray | float = 0.0
    _: KW_ONLY
    noise: float = 1.0
    shrink: float = 1.0
    multiplicities: Floats | None = None

    def __post_init__(self) -> None:
        spectrum = _spectrum(self.spectrum)
        checked = {
            "spectrum": spectrum,
            "truth": like_spectrum("truth", self.truth, spectrum),
            "rows": _positive("rows", self.rows),
            "penalty": _positive("penalty", self.penalty, zero=True),
            "noise": positive("noise", self.noise, zero=True),
            "shrink": float(array("shrink", self.shrink, ndim=0)),
        }
        if self.multiplicities is not None:
            checked["multiplicities"] = like_spectrum(
                "multiplicities", self.multiplicities, spectrum, minimum=0
            )
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def often(self) -> Floats:
        """How often each eigenvalue occurs, (d,)."""
        return np.ones_like(self.spectrum) if self.multiplicities is None else self.multiplicities

    @property
    def dimension(self) -> float:
        """d: the eigenvalues, counted as often as they occur."""
        return float(self.often.sum())


@dataclass(frozen=True)
class Teacher:
    """The chain of least-squares fits that labels the student's rows.

    Generator 0 is the truth; generator m is fitted by ordinary least squares to rows that
    generator m − 1 labelled. The last one is the teacher.

    Parameters
    ----------
    generations : float or array_like
        Fits in the chain, n; 0 for real labels. A simulation wants one whole number.
    rows : float
        Rows T₀ of each, above d + 1 unless there are no generations.
    noise : float
        Standard deviation σ₀ of the noise in their labels.
    design : {"fresh", "frozen"}
        Whether each generation draws new inputs, or all use the same ones; the student's
        inputs are fresh. The mean risk is the same.

    Examples
    --------
    >>> Teacher(generations=5, rows=600)
    Teacher(generations=5.0, rows=600.0, noise=1.0, design='fresh')
    """

    generations: FloatOrArray | float
    rows: float
    noise: float = 1.0
    design: str = "fresh"

    def __post_init__(self) -> None:
        object.__setattr__(self, "generations", _positive("generations", self.generations, True))
        object.__setattr__(self, "rows", positive("rows", self.rows))
        object.__setattr__(self, "noise", positive("noise", self.noise, zero=True))
        one_of("design", self.design, ("fresh", "frozen"))

    def error(self, d: float) -> FloatOrArray:
        """nσ₀²/(T₀ − d − 1): the mean square of the teacher's error in each direction of Σ^{1/2}.

        Exact for d dimensions, at every size.
        """
        generations = np.asarray(self.generations)
        if not generations.any():
            return np.zeros(generations.shape)
        if not self.rows > d + 1:
            raise ValueError(f"the teacher's rows must be above d + 1 = {d + 1:g}, got {self.rows}")
        return generations * (self.noise**2 / (self.rows - d - 1))


def _positive(name: str, values: ArrayLike, zero: bool = False) -> FloatOrArray | float:
    """One number or an array of them, each as `positive` wants it."""
    if np.ndim(values) == 0:
        return positive(name, values, zero=zero)
    numbers = array(name, values)
    positive(name, float(numbers.min()), zero=zero)
    return numbers


def _spectrum(values: ArrayLike) -> Floats:
    spectrum = array("spectrum", values, ndim=1)
    if not (spectrum > 0).all():
        raise ValueError(f"spectrum must be above 0, got {spectrum.min()}")
    return spectrum


def like_spectrum(
    name: str, values: ArrayLike, spectrum: Floats, *, minimum: float = -np.inf
) -> Floats:
    """Return the values as an array of the shape of the spectrum, none below the minimum."""
    numbers = array(name, values, ndim=1)
    if numbers.shape != spectrum.shape:
        raise ValueError(
            f"{name} must have the shape of spectrum, {spectrum.shape}, got {numbers.shape}"
        )
    if not (numbers >= minimum).all():
        raise ValueError(f"{name} must be at least {minimum}, got {numbers.min()}")
    return numbers


REAL_LABELS = Teacher(generations=0, rows=1)


def kappa(spectrum: ArrayLike, penalty: float, rows: float) -> float:
    """Return the effective penalty: the largest κ with κ − λ = κ df₁(κ)/T.

    κ is the only positive solution. There is none if λ = 0 and T ≥ d; then κ = 0.

    Parameters
    ----------
    spectrum : array_like, (d,)
        Eigenvalues of Σ, above 0.
    penalty : float
        λ, at least 0.
    rows : float
        T, above 0; fewer than d are allowed.

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
    spectrum = _spectrum(spectrum)
    penalty, rows = positive("penalty", penalty, zero=True), positive("rows", rows)
    return _kappa(spectrum, np.ones_like(spectrum), penalty, rows)


def _kappa(spectrum: Floats, often: Floats, penalty: float, T: float) -> float:
    if penalty == 0 and T >= often.sum():
        return 0.0
    value = penalty + often @ spectrum / T
    for _ in range(STEPS):
        share = spectrum / (spectrum + value)
        excess = value * (1 - often @ share / T) - penalty
        slope = 1 - often @ share**2 / T
        lower = value - excess / slope if slope > 0 else value
        if not 0 < lower < value * (1 - 1e-15):
            return float(value)
        value = lower
    return float(value)


@dataclass(frozen=True)
class RidgeTerms:
    """What a ridge fit on synthetic labels is expected to lose, term by term.

    Attributes
    ----------
    bias : float or ndarray
        Loss of a fit on real labels without noise.
    variance : float or ndarray
        What the noise of the student's labels adds.
    toll : float or ndarray
        What the teacher's error adds.
    """

    bias: FloatOrArray
    variance: FloatOrArray
    toll: FloatOrArray

    @property
    def total(self) -> FloatOrArray:
        """Expected excess risk: the sum of the three terms."""
        return self.bias + self.variance + self.toll


@dataclass(frozen=True)
class RidgeRisk(RidgeTerms):
    """The terms by their deterministic equivalents.

    Attributes
    ----------
    bias, variance, toll : float or ndarray
        Of the shape that rows, penalty and generations have together, as all that follow.
    kappa, df1, df2 : float or ndarray
        The effective penalty and its degrees of freedom, df_m = tr Σᵐ(Σ + κ)⁻ᵐ.
    """

    kappa: FloatOrArray
    df1: FloatOrArray
    df2: FloatOrArray


def ridge_risk(student: Ridge, teacher: Teacher = REAL_LABELS) -> RidgeRisk:
    """Return the expected excess risk of a ridge fit to a teacher's labels.

    Parameters
    ----------
    student : Ridge
        λ = 0 and T = d is an error: there the risk is infinite.
    teacher : Teacher
        By default the labels are real.

    Returns
    -------
    RidgeRisk

    Notes
    -----
    With u = df₂/(T − df₂): bias κ² Σ λ_j w_j²/(λ_j + κ)² · (1 + u), variance σ²u, toll
    nσ₀²/(T₀ − d − 1) · [df₂ + u κ² tr(Σ + κ)⁻²]. The factor 1/(T₀ − d − 1) is exact. A shrink s
    makes of ‖sŵ − w₀‖² a quadratic in s, with the mean Σ(Σ + κ)⁻¹w₀ of a fit on real labels.

    References
    ----------
    Dohmatob, Feng, Kempe, arXiv 2402.07712.

    Examples
    --------
    >>> student = Ridge(np.ones(300), np.full(300, 300**-0.5), 1000, 1e-3, noise=0.2)
    >>> risk = ridge_risk(student, Teacher(generations=5, rows=600, noise=0.2))
    >>> round(float(risk.total), 4), round(float(risk.toll), 4)
    (0.2172, 0.2001)
    """
    error = teacher.error(student.dimension)
    T, penalty, error = np.broadcast_arrays(student.rows, student.penalty, error)
    parts = [_terms(student, *pair) for pair in zip(T.flat, penalty.flat, strict=True)]
    bias, spread, fake, effective, df1, df2 = np.array(parts).T.reshape(6, *T.shape)
    kept = student.shrink**2
    terms = bias, kept * student.noise**2 * spread, kept * error * fake
    return RidgeRisk(*terms, effective, df1, df2)


def _terms(
    student: Ridge, T: float, penalty: float
) -> tuple[float, float, float, float, float, float]:
    """Bias, variance over (sσ)², toll over s² and the teacher's error; κ, df₁ and df₂."""
    spectrum, often = student.spectrum, student.often
    effective = _kappa(spectrum, often, penalty, T)
    share = spectrum / (spectrum + effective)
    df1, df2 = float(often @ share), float(often @ share**2)
    if not T > df2 * (1 + 1e-12):
        raise ValueError(f"rows = {T:g} and penalty = {penalty:g} make the risk infinite")
    u = df2 / (T - df2)
    lost, energy = 1 - share, often * spectrum * student.truth**2
    kept, cut = student.shrink, 1 - student.shrink
    bias = kept**2 * (energy @ lost**2) * (1 + u)
    bias += cut * (cut * energy.sum() + 2 * kept * (energy @ lost))
    return bias, u, df2 + u * (often @ lost**2), effective, df1, df2


def mixed_toll(student: Ridge, synthetic: int, *, error: ArrayLike) -> float:
    """Return what wrong labels add if only some of the rows are synthetic.

    The synthetic labels come from w₀ + δ; δ is centred and independent of all else. Without a
    penalty `regression.fresh_real_contraction` has the exact value.

    Parameters
    ----------
    student : Ridge
        With one penalty; its rows are the real and the synthetic ones together.
    synthetic : int
        Synthetic rows.
    error : array_like, (d,)
        Diagonal of the covariance Δ of δ.

    Returns
    -------
    float

    Notes
    -----
    p₁, p₂ are the shares of real and synthetic rows, u = df₂/(T − df₂):
    ζ = p₂²(1 + p₁u) tr ΔΣ³(Σ+κ)⁻² + p₂u tr ΔΣ(p₁Σ+κ)²(Σ+κ)⁻².

    References
    ----------
    Dohmatob et al., arXiv 2410.04840.

    Examples
    --------
    >>> round(mixed_toll(Ridge(np.ones(10), np.ones(10), 100), 50, error=[0.1] * 10), 4)
    0.2778
    """
    spectrum, rows = student.spectrum, whole_number("rows", student.rows)
    error = like_spectrum("error", error, spectrum, minimum=0)
    positive("penalty", student.penalty, zero=True)
    risk = ridge_risk(student)
    effective, df2 = float(risk.kappa), float(risk.df2)
    p2, u = int(whole_numbers("synthetic", synthetic, maximum=rows)) / rows, df2 / (rows - df2)
    p1 = 1 - p2
    weight = student.often * error * spectrum / (spectrum + effective) ** 2
    straight = p2**2 * (1 + p1 * u) * weight @ spectrum**2
    noisy = p2 * u * weight @ (p1 * spectrum + effective) ** 2
    return float(student.shrink**2 * (straight + noisy))


def ridge_loop_risk(student: Ridge, generations: int) -> Floats:
    """Return the expected excess risk of a loop that fits by ridge in every generation.

    Each generation labels fresh rows, and the next one is a ridge fit to them.

    Parameters
    ----------
    student : Ridge
        Every fit, with one number of rows and one penalty.
    generations : int
        Number of fits.

    Returns
    -------
    ndarray, (generations + 1,)
        Entry 0, the truth, is 0.

    Notes
    -----
    Follows S_j = E w_j² and C_j = E w_j w₀_j, in O(d) per generation. With D_j = λ_j/(λ_j + κ):
    C' = DC and S' = D²S + [κ² Σ_i S_iλ_i/(λ_i + κ)² + σ²]/(T − df₂) · λ_j/(λ_j + κ)².

    Examples
    --------
    >>> student = Ridge(np.ones(30), np.full(30, 30**-0.5), 15)
    >>> ridge_loop_risk(student, 2).round(3)
    array([0.  , 1.5 , 2.25])
    """
    generations = whole_number("generations", generations)
    rows = positive("rows", student.rows)
    positive("penalty", student.penalty, zero=True)
    one = ridge_risk(student)
    spectrum, often, shrink = student.spectrum, student.often, student.shrink
    share = spectrum / (spectrum + one.kappa)
    spread = spectrum / (spectrum + one.kappa) ** 2 / (rows - one.df2)
    start = student.truth**2
    square, cross = start, start
    risk = [0.0]
    for _ in range(generations):
        lost = often @ (spectrum * square * (1 - share) ** 2)
        square = shrink**2 * (share**2 * square + (lost + student.noise**2) * spread)
        cross = shrink * share * cross
        risk.append(float(often @ (spectrum * (square - 2 * cross + start))))
    return np.array(risk)
