"""Closed forms for the Gaussian loop under Replace: what happens to the spread and the mean.

Each generation multiplies the variance by an independent χ²_{n−1}/D and moves the mean by
(standard deviation)·Z/√n, where D = n for maximum likelihood and D = n − 1 for the unbiased
estimator. Everything here follows from that. The truth is the standard normal; other truths
are a change of origin and unit. `simulation` simulates the same loop.

The proofs are in the chapter *Variance collapse*, but where a function names another source.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import integrate, special, stats

from collapse_lib._types import ArrayLike, FloatOrArray, Floats
from collapse_lib.checks import array, ddof, positive, probability, whole_number

if TYPE_CHECKING:
    from scipy.stats.distributions import rv_frozen

__all__ = [
    "GaussianMoments",
    "chernoff_bound",
    "hitting_probability",
    "limit_of_mean",
    "lyapunov_exponents",
    "median_hitting_time",
    "moment_factor",
    "moments",
    "probability_above",
    "typical_rate",
]

OVERSHOOT = 0.5825971579  # −ζ(½)/√(2π): how far a normal random walk jumps past a level, in sd


def moment_factor(n: int, power: ArrayLike, estimator: str = "ml") -> FloatOrArray:
    """Factor by which E σ^power changes in one generation, E (χ²_{n−1}/D)^{power/2}.

    Parameters
    ----------
    n : int
        Draws per generation, at least 2.
    power : float or array_like
        More than −(n − 1).
    estimator : {"ml", "unbiased"}
        Whether the sum of squares is divided by D = n or by D = n − 1.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> round(float(moment_factor(10, 2, "ml")), 12), round(float(moment_factor(10, 1, "unbiased")), 5)
    (0.9, 0.97266)
    """
    n, divisor = _divisor(n, estimator)
    power = array("power", power)
    if (power <= 1 - n).any():
        raise ValueError(f"power must be more than 1 − n = {1 - n}, got {power.min()}")
    half = (n - 1) / 2
    logs = special.gammaln(half + power / 2) - special.gammaln(half)
    factor: FloatOrArray = np.exp(logs + power / 2 * np.log(2 / divisor))
    return factor


def typical_rate(n: int, estimator: str = "ml") -> float:
    """Mean change of ln σ in one generation; e to its t-th multiple is the typical σ_t.

    Parameters
    ----------
    n, estimator
        As in `moment_factor`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(typical_rate(100, "unbiased"), 6), round(typical_rate(100, "ml"), 6)
    (-0.005068, -0.010093)
    """
    n, divisor = _divisor(n, estimator)
    return float(special.digamma((n - 1) / 2) + np.log(2 / divisor)) / 2


@dataclass(frozen=True)
class GaussianMoments:
    """Expected values after each number of generations, of the shape of ``t``.

    Attributes
    ----------
    variance, sd, log_sd : float or ndarray
        E σ_t², E σ_t and E ln σ_t.
    log_sd_variance : float or ndarray
        Var ln σ_t, the same for both estimators.
    drift : float or ndarray
        E m_t², the variance of the fitted mean.
    """

    variance: FloatOrArray
    sd: FloatOrArray
    log_sd: FloatOrArray
    log_sd_variance: FloatOrArray
    drift: FloatOrArray

    @property
    def squared_distance(self) -> FloatOrArray:
        """E W₂² to the truth: (difference of means)² + (difference of standard deviations)²."""
        return self.drift + self.variance - 2 * self.sd + 1


def moments(n: int, t: ArrayLike, estimator: str = "ml") -> GaussianMoments:
    """Moments of the model after t generations.

    Parameters
    ----------
    n, estimator
        As in `moment_factor`.
    t : int or array_like

    Returns
    -------
    GaussianMoments

    Examples
    --------
    >>> moments(10, [0, 1, 2]).variance.round(3), float(moments(10, 20, "unbiased").drift)
    (array([1.  , 0.9 , 0.81]), 2.0)
    """
    n, divisor = _divisor(n, estimator)
    t = _generations(t)
    variance = moment_factor(n, 2, estimator) ** t
    return GaussianMoments(
        variance,
        sd=moment_factor(n, 1, estimator) ** t,
        log_sd=typical_rate(n, estimator) * t,
        log_sd_variance=_step_variance(n) * t,
        drift=1 - variance if divisor == n else t / n,
    )


def probability_above(n: int, ratio: float, t: int, estimator: str = "ml") -> float:
    """P(σ_t > ratio · σ₀), by inverting the characteristic function of ln σ_t.

    The absolute error is about 1e-11, so smaller probabilities are not resolved.

    Parameters
    ----------
    n, estimator
        As in `moment_factor`.
    ratio : float
        Above 0.
    t : int
        Generations, at least 1, with (n − 1)·t at least 4.

    Returns
    -------
    float

    References
    ----------
    J. Gil-Pelaez, "Note on the inversion theorem", Biometrika 38 (1951).

    Examples
    --------
    >>> round(probability_above(10, 0.1, 40, "unbiased"), 3)
    0.505
    """
    n, divisor = _divisor(n, estimator)
    t = whole_number("t", t, minimum=-(-4 // (n - 1)))
    half, level = (n - 1) / 2, np.log(positive("ratio", ratio)) - t / 2 * np.log(2 / divisor)

    def wave(u: float) -> float:
        log_transform = t * (special.loggamma(half + 0.5j * u) - special.loggamma(half))
        height: float = np.exp(log_transform - 1j * u * level).imag / u
        return height

    end = 1.0
    while t * (special.loggamma(half + 0.5j * end) - special.loggamma(half)).real > -40:
        end *= 1.5
    edges = np.linspace(0, end, 33)
    area = sum(integrate.quad(wave, a, b)[0] for a, b in pairwise(edges))
    return float(np.clip(0.5 + area / np.pi, 0, 1))


def chernoff_bound(
    n: int, ratio: float, t: ArrayLike, power: float = 1.0, estimator: str = "ml"
) -> FloatOrArray:
    """Bound on P(σ_t > ratio · σ₀) by Markov's inequality for σ^power, at most 1.

    Parameters
    ----------
    n, t, estimator
        As in `moments`.
    ratio : float
        Above 0.
    power : float
        Above 1 − n, and above 0 for a bound.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> round(float(chernoff_bound(10, 0.1, 200, 1.0, "unbiased")), 4)
    0.0391
    """
    growth = moment_factor(n, power, estimator) ** _generations(t)
    return np.minimum(1, growth / positive("ratio", ratio) ** np.asarray(power, dtype=float))


def hitting_probability(n: int, ratio: float, t: ArrayLike, estimator: str = "ml") -> FloatOrArray:
    """P(σ has been at or below ratio · σ₀ by generation t).

    ln σ_t is a random walk. The density of the walks that have stayed above the level is
    carried from generation to generation by Gauss–Legendre quadrature, up to 10 above ln σ₀,
    where a walk arrives with a chance of at most e^{−20}. The error is about 1e-9.

    Parameters
    ----------
    n, t, estimator
        As in `moments`; t whole.
    ratio : float
        Between 0 and 1.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> hitting_probability(100, 0.1, [200, 383], "unbiased").round(4)
    array([0.1412, 0.5005])
    """
    n, divisor = _divisor(n, estimator)
    level, t = np.log(probability("ratio", ratio)), _generations(t)
    if (t % 1).any():
        raise ValueError(f"t must be whole, got {t}")
    half_width = (10 - level) / 2
    nodes = 150 + int(6 * half_width / np.sqrt(_step_variance(n)))
    x, weight = np.polynomial.legendre.leggauss(nodes)
    x, weight = level + half_width * (1 + x), half_width * weight

    def step(rise: Floats) -> Floats:  # density of the change of ln σ
        squares = divisor * np.exp(2 * rise)
        density: Floats = 2 * squares * stats.chi2.pdf(squares, n - 1)
        return density

    onwards, walks = step(x[:, None] - x) * weight, step(x)
    hit = np.zeros(int(t.max(initial=0)) + 1)
    for generation in range(1, len(hit)):
        hit[generation] = 1 - weight @ walks
        walks = onwards @ walks
    chance: FloatOrArray = hit[t.astype(int)]
    return chance


def median_hitting_time(n: int, ratio: float, estimator: str = "ml") -> int:
    """Median of the first generation whose standard deviation is at most ratio · σ₀.

    An approximation for large n: the first passage of a Brownian motion with drift, an inverse
    Gaussian time, with the level moved by the walk's mean overshoot. Against
    `hitting_probability` at ratios .1 and .01 it is at most one generation late and never early
    for n from 3 to 100. The mean hitting time is longer, about ln(1/ratio)/|`typical_rate`|.

    Parameters
    ----------
    n, ratio, estimator
        As in `hitting_probability`.

    Returns
    -------
    int

    References
    ----------
    D. Siegmund, *Sequential Analysis*, Springer 1985 (overshoot).

    Examples
    --------
    >>> median_hitting_time(100, 0.1, "unbiased"), median_hitting_time(100, 0.1, "ml")
    (383, 211)
    """
    return int(np.ceil(_hitting_law(n, ratio, estimator).median()))


def _hitting_law(n: int, ratio: float, estimator: str) -> rv_frozen:
    rate, step = typical_rate(n, estimator), _step_variance(n)
    skew = -special.polygamma(2, (n - 1) / 2) / 8
    distance = -np.log(probability("ratio", ratio)) + OVERSHOOT * np.sqrt(step) + skew / (6 * step)
    shape = distance**2 / step
    return stats.invgauss(distance / -rate / shape, scale=shape)


def limit_of_mean(estimator: str = "ml") -> rv_frozen:
    """Law of (final mean − true mean)/σ₀ as n → ∞: t₄/√2 with ML, t₂ with the unbiased estimator.

    Parameters
    ----------
    estimator : {"ml", "unbiased"}

    Returns
    -------
    scipy.stats frozen distribution

    References
    ----------
    Proved in the chapter *Variance collapse*; also D. Dufresne, Scand. Actuarial J. 1990.

    Examples
    --------
    >>> round(float(limit_of_mean("unbiased").ppf(0.75)), 4), round(float(limit_of_mean("ml").std()), 6)
    (0.8165, 1.0)
    """
    return stats.t(2) if ddof(estimator) else stats.t(4, scale=np.sqrt(0.5))


def lyapunov_exponents(n: int, dim: int, estimator: str = "ml") -> Floats:
    """Typical change per generation of the log lengths of the covariance ellipsoid's axes.

    Parameters
    ----------
    n : int
        Draws per generation, more than ``dim``.
    dim : int
    estimator : {"ml", "unbiased"}

    Returns
    -------
    ndarray, (dim,)
        In decreasing order: ½[ψ((n − i)/2) + ln(2/D)], i = 1 … dim.

    Examples
    --------
    >>> lyapunov_exponents(20, 4, "unbiased")[[0, 3]].round(5)
    array([-0.02678, -0.11783])
    """
    n, divisor = _divisor(n, estimator, dim)
    exponents: Floats = (special.digamma((n - np.arange(1, dim + 1)) / 2) + np.log(2 / divisor)) / 2
    return exponents


def _step_variance(n: int) -> float:
    """Variance of the change of ln σ in one generation."""
    return float(special.polygamma(1, (n - 1) / 2)) / 4


def _divisor(n: int, estimator: str, dim: int = 1) -> tuple[int, int]:
    """Return n and the divisor D of the sum of squares, for a covariance that is not singular."""
    n, dim = whole_number("n", n, minimum=2), whole_number("dim", dim, minimum=1)
    if dim >= n:
        raise ValueError(
            f"dim must be less than n = {n}, got {dim}: the covariance would be singular"
        )
    return n, n - ddof(estimator)


def _generations(t: ArrayLike) -> Floats:
    return array("t", t, minimum=0)
