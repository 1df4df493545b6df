"""A Gaussian that trains on its own samples: an exact-in-law simulator.

Mean and sum of squares say everything a Gaussian fit asks of its sample, and they are
independent: one normal and one chi-square draw replace n draws. In several dimensions the
sum of squares is a Wishart matrix, drawn as its triangular Bartlett factor.

The closed forms it is compared with live in `gaussian_theory` and can be had from here too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import multinomial
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, probabilities, whole_number
from collapse_lib.gaussian.theory import (
    _checked,
    _dimension,
    chernoff_bound,
    expected_log_det,
    expected_sd,
    expected_squared_distance,
    expected_variance,
    hitting_probability,
    limit_of_mean,
    log_sd_mean,
    log_sd_variance,
    lyapunov_exponents,
    mean_variance,
    median_hitting_time,
    moment_factor,
    probability_above,
    typical_rate,
)
from collapse_lib.loop import Accumulate, Policy, Replace, policy_named

__all__ = [
    "GaussianTrajectory",
    "MixtureTrajectory",
    "chernoff_bound",
    "expected_log_det",
    "expected_sd",
    "expected_squared_distance",
    "expected_variance",
    "hitting_probability",
    "limit_of_mean",
    "log_sd_mean",
    "log_sd_variance",
    "lyapunov_exponents",
    "mean_variance",
    "median_hitting_time",
    "moment_factor",
    "probability_above",
    "simulate",
    "simulate_mixture",
    "typical_rate",
]

CHUNK = 2**14  # numbers drawn together: 128 kilobytes an array, which stays in cache


@dataclass(frozen=True)
class GaussianTrajectory:
    """The fitted Gaussians of every replicate in every generation; index 0 is the truth.

    With ``history=False`` the second axis has only two entries, the truth and the last fit.

    Attributes
    ----------
    means : ndarray, (replicates, generations + 1) or (replicates, generations + 1, dim)
    factors : ndarray, (replicates, generations + 1) or (replicates, generations + 1, dim, dim)
        The standard deviation if ``dim`` is 1, else the lower triangular Cholesky factor L
        of the covariance L Lᵀ.
    policy : Policy
    estimator : str
    n : int
        Draws a generation.
    """

    means: Floats
    factors: Floats
    policy: Policy
    estimator: str
    n: int

    @property
    def replicates(self) -> int:
        return self.means.shape[0]

    @property
    def sds(self) -> Floats:
        """Standard deviations, or those of each coordinate; the shape of ``means``."""
        if self.factors.ndim == 2:
            return self.factors
        sds: Floats = np.sqrt((self.factors**2).sum(axis=-1))
        return sds

    @property
    def log_det(self) -> Floats:
        """ln det of the covariance, (replicates, generations + 1)."""
        diagonal = self.factors[..., None]
        if self.factors.ndim == 4:
            diagonal = np.diagonal(self.factors, axis1=-2, axis2=-1)
        log_det: Floats = 2 * np.log(diagonal).sum(axis=-1)
        return log_det


def simulate(
    n: int,
    generations: int,
    replicates: int = 1,
    *,
    dim: int = 1,
    estimator: str = "ml",
    policy: Policy | str = "replace",
    history: bool = True,
    rng: Rng = None,
) -> GaussianTrajectory:
    """Simulate the Gaussian loop from the standard normal truth, exactly in law.

    Parameters
    ----------
    n : int
        Draws a generation, more than ``dim``.
    generations : int
        Number of fits.
    replicates : int
        Independent runs.
    dim : int
    estimator : {"ml", "unbiased"}
        Whether the sum of squares is divided by the number of items or by one less.
    policy : Policy or str
        Replace, or (``dim`` 1) Accumulate, or their names.
    history : bool
        Whether to keep every generation, or only the truth and the last one.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    GaussianTrajectory

    Raises
    ------
    ValueError
        If an argument is out of range, or no exact simulator is known for the policy.

    Notes
    -----
    A standard deviation below about 1e-154 is stored as 0: with the unbiased estimator and
    Replace that takes about 700 n generations.

    References
    ----------
    Suresh et al., arXiv 2412.17646 (the loop); M. S. Bartlett, "On the theory of statistical
    regression", Proc. R. Soc. Edinburgh 53 (1933) (the factor of a Wishart matrix).

    Examples
    --------
    >>> run = simulate(100, generations=1000, replicates=500, estimator="unbiased", rng=1)
    >>> run.sds.shape, round(float(np.median(run.sds[:, -1])), 3)
    ((500, 1001), 0.006)
    """
    dim = _dimension(dim, whole_number("n", n, minimum=2))
    n, divisor = _checked(n, estimator)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    policy = policy_named(policy)
    if isinstance(policy, Replace):
        advance, numbers = (_replace, generations) if dim == 1 else (_bartlett, dim * dim)
    elif isinstance(policy, Accumulate) and dim == 1:
        advance, numbers = _accumulate, 1
    else:
        raise ValueError(
            f"policy must be Replace, or Accumulate with dim 1, got {policy!r}, dim {dim}"
        )
    rng = as_generator(rng)
    columns = generations + 1 if history else min(generations, 1) + 1
    vector, matrix = ((), ()) if dim == 1 else ((dim,), (dim, dim))
    means = np.empty((replicates, columns, *vector))
    factors = np.empty((replicates, columns, *matrix))
    rows = max(1, CHUNK // max(numbers, 1))
    for start in range(0, replicates, rows):
        chunk = slice(start, start + rows)
        means[chunk, 0] = 0
        factors[chunk, 0] = 1 if dim == 1 else np.eye(dim)
        advance(means[chunk], factors[chunk], n, divisor, generations, rng)
    return GaussianTrajectory(means, factors, policy, estimator, n)


def _replace(
    means: Floats, sds: Floats, n: int, divisor: int, generations: int, rng: np.random.Generator
) -> None:
    """All generations of one chunk at once: a running product and a running sum."""
    if generations == 0:
        return
    factor = rng.standard_gamma((n - 1) / 2, size=(len(means), generations))  # χ²/2
    noise = rng.standard_normal(factor.shape)
    factor *= 2 / divisor
    np.sqrt(factor, out=factor)
    np.multiply.accumulate(factor, axis=1, out=factor)
    noise[:, 1:] *= factor[:, :-1]
    noise *= 1 / np.sqrt(n)
    if means.shape[1] == generations + 1:
        np.add.accumulate(noise, axis=1, out=means[:, 1:])
        sds[:, 1:] = factor
    else:
        noise.sum(axis=1, out=means[:, -1])
        sds[:, -1] = factor[:, -1]


def _accumulate(
    means: Floats, sds: Floats, n: int, divisor: int, generations: int, rng: np.random.Generator
) -> None:
    """The pool's size, mean and sum of squares, updated by those of each new batch."""
    mean, sd, squares = means[:, 0].copy(), sds[:, 0].copy(), np.zeros(len(means))
    for t in range(1, generations + 1):
        step = sd * rng.standard_normal(len(mean)) / np.sqrt(n)  # batch mean − pool mean
        squares += 2 * sd**2 * rng.standard_gamma((n - 1) / 2, size=len(mean))
        squares += step**2 * (n * (t - 1) / t)
        mean += step / t
        np.sqrt(squares / (t * n - (n - divisor)), out=sd)
        now = min(t, means.shape[1] - 1)
        means[:, now], sds[:, now] = mean, sd


def _bartlett(
    means: Floats, factors: Floats, n: int, divisor: int, generations: int, rng: np.random.Generator
) -> None:
    """Each covariance factor is the last one times an independent triangular factor."""
    replicates, _, dim = means.shape
    below = np.tril_indices(dim, -1)
    half = np.broadcast_to((n - np.arange(1, dim + 1)) / 2, (replicates, dim))
    bartlett = np.zeros((replicates, dim, dim))
    diagonal = np.einsum("rii->ri", bartlett)  # a view
    mean, factor = means[:, 0].copy(), factors[:, 0].copy()
    spare = np.empty_like(factor)
    for t in range(1, generations + 1):
        noise = rng.standard_normal((replicates, dim + len(below[0])))
        mean += (factor @ noise[:, :dim, None])[..., 0] / np.sqrt(n)
        bartlett[:, *below] = noise[:, dim:]
        np.sqrt(2 * rng.standard_gamma(half), out=diagonal)
        bartlett /= np.sqrt(divisor)
        factor, spare = np.matmul(factor, bartlett, out=spare), factor
        now = min(t, means.shape[1] - 1)
        means[:, now], factors[:, now] = mean, factor


@dataclass(frozen=True)
class MixtureTrajectory:
    """The fitted mixtures of every replicate in every generation; index 0 is the truth.

    Attributes
    ----------
    weights, means, sds : ndarray, (replicates, generations + 1, components)
        A component without items keeps weight 0, its last mean, and standard deviation 0.
    n : int
    """

    weights: Floats
    means: Floats
    sds: Floats
    n: int


def simulate_mixture(
    weights: ArrayLike,
    n: int,
    generations: int,
    replicates: int = 1,
    *,
    means: ArrayLike = 0.0,
    estimator: str = "ml",
    rng: Rng = None,
) -> MixtureTrajectory:
    """Simulate the loop of a mixture of Gaussians with labelled items, under Replace.

    Each item carries the number of the component that made it, so a component with j items
    is fitted to those j alone: a Gaussian loop whose sample size is random.

    Parameters
    ----------
    weights : array_like, (components,)
        True weights, which sum to 1. True standard deviations are 1.
    n : int
        Draws a generation, at least 2.
    generations, replicates : int
    means : array_like, (components,)
        True means.
    estimator : {"ml", "unbiased"}
        A component with a single item is fitted with standard deviation 0 by either.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    MixtureTrajectory

    Examples
    --------
    >>> run = simulate_mixture([0.9, 0.1], n=100, generations=50, replicates=2000, rng=1)
    >>> (run.sds[:, -1] ** 2).mean(axis=0).round(1)
    array([0.6, 0. ])
    """
    truth = probabilities("weights", weights)
    n, divisor = _checked(n, estimator)
    rng = as_generator(rng)
    generations = whole_number("generations", generations)
    shape = (whole_number("replicates", replicates, minimum=1), generations + 1, truth.size)
    run = MixtureTrajectory(np.empty(shape), np.empty(shape), np.empty(shape), n)
    run.weights[:, 0], run.means[:, 0], run.sds[:, 0] = truth, means, 1.0
    for t in range(1, generations + 1):
        sd = run.sds[:, t - 1]
        count = multinomial(n, run.weights[:, t - 1], rng)
        noise = rng.standard_normal(sd.shape)
        squares = 2 * rng.standard_gamma(np.maximum(count - 1, 0) / 2)  # 0 if count ≤ 1
        run.weights[:, t] = count / n
        run.means[:, t] = run.means[:, t - 1] + (count > 0) * sd * noise / np.sqrt(
            np.maximum(count, 1)
        )
        run.sds[:, t] = sd * np.sqrt(squares / np.maximum(count - (n - divisor), 1))
    return run
