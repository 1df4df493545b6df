"""Calculators for whoever fits labels that earlier fits have made.

How many rows a generation needs, how to weigh real rows, how much to regularise: each turns
a theorem of the chapters on regression into one number or two.
"""

from __future__ import annotations

from dataclasses import dataclass

from collapse_lib import scaling
from collapse_lib.checks import positive, whole_number
from collapse_lib.regression_mixed import optimal_real_weight
from collapse_lib.regression_theory import effective_rows

__all__ = [
    "LabelSettings",
    "best_row_weight",
    "effective_rows",
    "label_settings",
    "rows_needed",
]


def rows_needed(d: int, real: int, generations: int) -> int:
    """Rows each generation needs, so that the last fit is as good as one fit to real rows.

    Parameters
    ----------
    d : int
        Features.
    real : int
        Real rows whose single least-squares fit is to be matched, at least d + 2.
    generations : int
        Fits under replace, the last one included, at least 1.

    Returns
    -------
    int
        d + 1 + generations · (real − d − 1): `effective_rows` turned around.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    The toll of the chapter *Error degradation*, after Dohmatob, Feng & Kempe, arXiv 2402.07712.

    Examples
    --------
    >>> rows_needed(10, real=31, generations=5), effective_rows(10, 111, 5)
    (111, 31.0)
    """
    d = whole_number("d", d, minimum=1)
    real = whole_number("real", real, minimum=d + 2)
    return d + 1 + whole_number("generations", generations, minimum=1) * (real - d - 1)


def best_row_weight(d: int, real: int, synthetic: int) -> float:
    """Weight of the fit to fresh real rows, when it is mixed with a fit to synthetic rows.

    Each generation fits its real rows and its synthetic rows separately by least squares, and
    takes w × (the real fit) + (1 − w) × (the synthetic fit).

    Parameters
    ----------
    d : int
        Features.
    real, synthetic : int
        Rows of each kind in a generation, at least d + 2.

    Returns
    -------
    float
        The weight with the least excess risk in the long run. That risk is w times the risk
        of the real rows alone.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Proved in the chapter *Accumulation*; He, Xu & Cheng, arXiv 2502.18049, for many rows.

    Examples
    --------
    >>> round(best_row_weight(3, real=12, synthetic=12), 4)
    0.618
    >>> round(best_row_weight(3, real=12, synthetic=1200), 4)  # synthetic rows almost for free
    0.0785
    """
    d = whole_number("d", d, minimum=1)
    spare = whole_number("real", real, minimum=d + 2) - d - 1
    other = whole_number("synthetic", synthetic, minimum=d + 2) - d - 1
    return optimal_real_weight(spare / (spare + other))


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
    generator_rows: int,
    noise: float = 1.0,
    generator_noise: float | None = None,
    signal: float = 1.0,
) -> LabelSettings:
    """Ridge and shrink for labels that come from a chain of least-squares fits.

    The first generator was fitted to real labels, each later one to labels of the one before.
    The last one labels your rows. The inputs are standard normal, Σ = I.

    Parameters
    ----------
    d : int
        Features.
    rows : int
        Your rows T, at least 1.
    generations : int
        Generators in the chain, n; with 0 your labels are real.
    generator_rows : int
        Rows T₀ of each generator, at least d + 2.
    noise : float
        Standard deviation σ of the noise in your labels, above 0.
    generator_noise : float, optional
        The same in the generators' training labels, σ₀ ≥ 0; by default ``noise``.
    signal : float
        Length of the true weights ‖w₀‖, above 0.

    Returns
    -------
    LabelSettings
        Penalties λ are per row: the fit minimises the mean squared residual + λ‖w‖².

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    With a = ‖w₀‖²/d, b = σ²/T, c = nσ₀²/(T₀ − d − 1): λ = b/(a + c) and shrink a/(a + c), exactly
    optimal among spectral fits at every size. The risks and the best ridge are deterministic
    equivalents, for large d and T.

    References
    ----------
    Proved in the chapter *Scaling laws*; the model is that of Dohmatob, Feng & Kempe, arXiv
    2402.07712.

    Examples
    --------
    >>> best = label_settings(300, 1000, generations=25, generator_rows=600, noise=0.2)
    >>> round(best.penalty, 4), round(best.shrink, 4), round(best.risk, 3)
    (0.006, 0.4992, 0.505)
    >>> round(best.ridge_penalty, 2), round(best.ridge_risk, 3), round(best.clean_risk, 3)
    (0.88, 0.545, 0.987)
    """
    d, T = whole_number("d", d, minimum=1), whole_number("rows", rows, minimum=1)
    n = whole_number("generations", generations)
    T0 = whole_number("generator_rows", generator_rows, minimum=d + 2)
    sigma, norm = positive("noise", noise), positive("signal", signal)
    sigma0 = sigma
    if generator_noise is not None:
        sigma0 = positive("generator_noise", generator_noise, zero=True)
    a, b, c = norm**2 / d, sigma**2 / T, n * sigma0**2 / (T0 - d - 1)

    def risk(penalty: float, shrink: float = 1.0, labels: int = n) -> float:
        return scaling.shrunk_ridge_risk(
            [1.0], [a], T, penalty, shrink=shrink, counts=[d], n=labels, **fakes
        )

    fakes = {"T0": T0, "sigma": sigma, "sigma0": sigma0}
    clean, both, shrink = b / a, b / (a + c), a / (a + c)
    ridge, ridge_risk = clean, risk(clean)
    if c:
        reach = (both, max(1e3, 1e3 * (a + c) / a) * clean)
        ridge, ridge_risk = scaling.best_penalty(
            [1.0], [a], T, counts=[d], bounds=reach, n=n, **fakes
        )
    return LabelSettings(
        both,
        shrink,
        risk(both, shrink),
        ridge,
        ridge_risk,
        clean,
        risk(clean),
        risk(clean, labels=0),
    )
