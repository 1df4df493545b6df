"""A Gaussian that trains on its own samples: an exact-in-law simulator.

Mean and sum of squares say everything a Gaussian fit asks of its sample, and they are
independent: one normal and one chi-square draw replace n draws. In several dimensions the
sum of squares is a Wishart matrix, drawn as its triangular Bartlett factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._draws import chunks, multinomial
from collapse_lib._types import ArrayLike, Floats, Rng
from collapse_lib.checks import as_generator, probabilities, whole_number
from collapse_lib.gaussian.theory import _divisor
from collapse_lib.loop import Accumulate, Policy, Replace, policy_named

__all__ = ["GaussianTrajectory", "MixtureTrajectory", "simulate", "simulate_mixture"]

CHUNK = 2**14  # numbers drawn together: 128 kilobytes an array, which stays in cache


@dataclass(frozen=True)
class GaussianTrajectory:
    """The fitted Gaussians of every replicate in every generation; index 0 is the truth.

    With ``history=False`` the second axis has only two entries, the truth and the last fit.

    Attributes
    ----------
    mean : ndarray, (replicates, generations + 1) or (replicates, generations + 1, dim)
    factor : ndarray, (replicates, generations + 1) or (replicates, generations + 1, dim, dim)
        The standard deviation if ``dim`` is 1, else the lower triangular Cholesky factor L
        of the covariance L Lᵀ.
    """

    mean: Floats
    factor: Floats

    @property
    def sd(self) -> Floats:
        """Standard deviation, or those of the coordinates; the shape of ``mean``."""
        if self.factor.ndim == 2:
            return self.factor
        sd: Floats = np.sqrt((self.factor**2).sum(axis=-1))
        return sd


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
        Draws per generation, more than ``dim``.
    generations, replicates, dim : int
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
    >>> run.sd.shape, round(float(np.median(run.sd[:, -1])), 3)
    ((500, 1001), 0.006)
    """
    dim = whole_number("dim", dim, minimum=1)
    n, divisor = _divisor(n, estimator, dim)
    generations = whole_number("generations", generations)
    replicates = whole_number("replicates", replicates, minimum=1)
    match policy_named(policy), dim:
        case Replace(), 1:
            advance, numbers = _replace, generations
        case Replace(), _:
            advance, numbers = _bartlett, dim * dim
        case Accumulate(), 1:
            advance, numbers = _accumulate, 1
        case _:
            raise ValueError(
                f"policy must be Replace, or Accumulate with dim 1, got {policy!r}, dim {dim}"
            )
    rng = as_generator(rng)
    columns = generations + 1 if history else min(generations, 1) + 1
    vector, matrix = ((), ()) if dim == 1 else ((dim,), (dim, dim))
    mean = np.zeros((replicates, columns, *vector))
    factor = np.empty((replicates, columns, *matrix))
    factor[:, 0] = 1 if dim == 1 else np.eye(dim)
    for part in chunks(replicates, numbers, at_once=CHUNK):
        advance(mean[part], factor[part], n, divisor, generations, rng)
    return GaussianTrajectory(mean, factor)


def _replace(
    means: Floats, factors: Floats, n: int, divisor: int, generations: int, rng: np.random.Generator
) -> None:
    """Fill in all generations of one chunk at once: a running product and a running sum."""
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
        factors[:, 1:] = factor
    else:
        noise.sum(axis=1, out=means[:, -1])
        factors[:, -1] = factor[:, -1]


def _accumulate(
    means: Floats, factors: Floats, n: int, divisor: int, generations: int, rng: np.random.Generator
) -> None:
    """The pool's size, mean and sum of squares, updated by those of each new batch."""
    mean, sd, squares = means[:, 0].copy(), factors[:, 0].copy(), np.zeros(len(means))
    for t in range(1, generations + 1):
        step = sd * rng.standard_normal(len(mean)) / np.sqrt(n)  # batch mean − pool mean
        squares += 2 * sd**2 * rng.standard_gamma((n - 1) / 2, size=len(mean))
        squares += step**2 * (n * (t - 1) / t)
        mean += step / t
        np.sqrt(squares / (t * n - (n - divisor)), out=sd)
        now = min(t, means.shape[1] - 1)
        means[:, now], factors[:, now] = mean, sd


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
    weight, mean, sd : ndarray, (replicates, generations + 1, components)
        A component without items keeps weight 0, its last mean, and standard deviation 0.
    """

    weight: Floats
    mean: Floats
    sd: Floats


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
    weights, means : array_like, (components,)
        Of the truth. Weights sum to 1; true standard deviations are 1.
    n : int
        Draws per generation, at least 2.
    generations, replicates : int
    estimator : {"ml", "unbiased"}
        A component with a single item is fitted with standard deviation 0 by either.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    MixtureTrajectory

    Examples
    --------
    >>> run = simulate_mixture([0.9, 0.1], n=100, generations=50, replicates=2000, rng=1)
    >>> (run.sd[:, -1] ** 2).mean(axis=0).round(1)
    array([0.6, 0. ])
    """
    truth = probabilities("weights", weights)
    n, divisor = _divisor(n, estimator)
    rng = as_generator(rng)
    generations = whole_number("generations", generations)
    shape = (whole_number("replicates", replicates, minimum=1), generations + 1, truth.size)
    weight, mean, sd = np.empty(shape), np.empty(shape), np.empty(shape)
    weight[:, 0], mean[:, 0], sd[:, 0] = truth, means, 1.0
    for t in range(1, generations + 1):
        count = multinomial(n, weight[:, t - 1], rng)
        noise = sd[:, t - 1] * rng.standard_normal(count.shape)
        squares = 2 * rng.standard_gamma(np.maximum(count - 1, 0) / 2)  # 0 if count ≤ 1
        weight[:, t] = count / n
        mean[:, t] = mean[:, t - 1] + (count > 0) * noise / np.sqrt(np.maximum(count, 1))
        sd[:, t] = sd[:, t - 1] * np.sqrt(squares / np.maximum(count - (n - divisor), 1))
    return MixtureTrajectory(weight, mean, sd)
