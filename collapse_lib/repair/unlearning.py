"""Bayesian linear regression that forgets a batch: exactly, and with a mean-field posterior.

A Gaussian posterior is a precision and a precision times mean. Data add to both, so taking
data away is a subtraction. A mean-field posterior keeps only the diagonal of the precision;
what it cannot keep, it cannot give back.

The proofs are in the chapter *Repair*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from collapse_lib._types import ArrayLike, FloatOrArray, Floats
from collapse_lib.checks import positive, whole_number

__all__ = [
    "MeanField",
    "Posterior",
    "expected_gap",
    "kl_gaussian",
    "mean_field",
    "mean_field_gap",
    "posterior",
    "unlearn",
    "unlearn_mean_field",
]


@dataclass(frozen=True)
class Posterior:
    """A Gaussian belief about the weights, by its natural parameters.

    Attributes
    ----------
    precision : ndarray, (..., d, d)
        Inverse of the covariance.
    weighted : ndarray, (..., d)
        Precision times mean.
    """

    precision: Floats
    weighted: Floats

    @property
    def mean(self) -> Floats:
        return np.linalg.solve(self.precision, self.weighted[..., None])[..., 0]

    @property
    def covariance(self) -> Floats:
        return np.linalg.inv(self.precision)


@dataclass(frozen=True)
class MeanField:
    """A Gaussian with independent weights.

    Attributes
    ----------
    mean, variance : ndarray, (..., d)
    """

    mean: Floats
    variance: Floats


def posterior(
    gram: ArrayLike, moment: ArrayLike, *, prior_precision: float = 1.0, noise: float = 1.0
) -> Posterior:
    """The posterior of the weights given data, under a normal prior with mean zero.

    Parameters
    ----------
    gram, moment : array_like, (..., d, d) and (..., d)
        XᵀX and Xᵀy of all rows.
    prior_precision : float
        One over the prior variance of each weight.
    noise : float
        Standard deviation of the labels' noise, known.

    Returns
    -------
    Posterior

    Examples
    --------
    >>> posterior(np.eye(2), [2.0, 4.0]).mean
    array([1., 2.])
    """
    gram, moment = _statistics(gram, moment)
    ridge = positive("prior_precision", prior_precision, zero=True)
    variance = positive("noise", noise) ** 2
    return Posterior(gram / variance + ridge * np.eye(gram.shape[-1]), moment / variance)


def unlearn(
    belief: Posterior, gram: ArrayLike, moment: ArrayLike, *, noise: float = 1.0
) -> Posterior:
    """Take rows back out of a posterior: the posterior without them, exactly.

    Parameters
    ----------
    belief : Posterior
    gram, moment : array_like, (..., d, d) and (..., d)
        XᵀX and Xᵀy of the rows to forget; leading axes forget one batch each.
    noise : float

    Returns
    -------
    Posterior

    Raises
    ------
    ValueError
        If the rows cannot have been part of what made the posterior.

    References
    ----------
    The problem is that of Nguyen, Low & Jaillet, arXiv 2010.12883.

    Examples
    --------
    >>> both = posterior(3 * np.eye(1), [5.0])
    >>> unlearn(both, 2 * np.eye(1), [1.0]).mean
    array([2.])
    """
    gram, moment = _statistics(gram, moment)
    variance = positive("noise", noise) ** 2
    precision = belief.precision - gram / variance
    _check_precision(precision)
    return Posterior(precision, belief.weighted - moment / variance)


def mean_field(belief: Posterior) -> MeanField:
    """The Gaussian with independent weights that is closest to a posterior, KL(q‖p).

    Parameters
    ----------
    belief : Posterior

    Returns
    -------
    MeanField

    Examples
    --------
    >>> mean_field(Posterior(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([3.0, 3.0]))).variance
    array([0.5, 0.5])
    """
    return MeanField(belief.mean, 1 / _diagonal(belief.precision))


def mean_field_gap(belief: Posterior) -> FloatOrArray:
    """The divergence KL(q‖p) of the best mean-field Gaussian q from the posterior p.

    Parameters
    ----------
    belief : Posterior

    Returns
    -------
    float or ndarray, (...)
        ½ (Σ ln Λ_jj − ln det Λ), at least 0 by Hadamard's inequality.

    Examples
    --------
    >>> gap = mean_field_gap(Posterior(np.array([[2.0, 1.0], [1.0, 2.0]]), np.zeros(2)))
    >>> round(float(gap), 6), round(float(np.log(4 / 3) / 2), 6)
    (0.143841, 0.143841)
    """
    logs = np.log(_diagonal(belief.precision)).sum(axis=-1)
    gap: FloatOrArray = (logs - np.linalg.slogdet(belief.precision)[1]) / 2
    return gap


def expected_gap(correlation: ArrayLike, rows: int) -> float:
    """Expected mean-field gap after N normal rows, with a flat prior.

    Parameters
    ----------
    correlation : array_like, (d, d)
        Correlation matrix of the features, positive definite.
    rows : int
        N ≥ d.

    Returns
    -------
    float
        −½ ln det C + ½ Σ_j [ψ(N/2) − ψ((N − j + 1)/2)].

    References
    ----------
    M. S. Bartlett, Proc. R. Soc. Edinburgh 53 (1933): the determinant of a Wishart matrix.

    Examples
    --------
    >>> round(expected_gap(np.eye(2), 10), 4)
    0.0586
    """
    correlation = np.asarray(correlation, dtype=float)
    if correlation.ndim != 2 or not np.allclose(np.diag(correlation), 1):
        raise ValueError(f"correlation must be a matrix with unit diagonal, got {correlation}")
    _check_precision(correlation, name="correlation")
    d = len(correlation)
    rows = whole_number("rows", rows, minimum=d)
    lost = special.psi(rows / 2) - special.psi((rows - np.arange(d)) / 2)
    return float((lost.sum() - np.linalg.slogdet(correlation)[1]) / 2)


def unlearn_mean_field(
    belief: MeanField, gram: ArrayLike, moment: ArrayLike, *, noise: float = 1.0
) -> MeanField:
    """Take rows back out of a stored mean-field posterior.

    The stored Gaussian stands in for the posterior it approximates: the result is the
    mean-field Gaussian closest to (stored Gaussian / likelihood of the rows).

    Parameters
    ----------
    belief : MeanField
    gram, moment : array_like, (..., d, d) and (..., d)
        XᵀX and Xᵀy of the rows to forget.
    noise : float

    Returns
    -------
    MeanField

    Raises
    ------
    ValueError
        If the stored Gaussian divided by the likelihood is no Gaussian.

    References
    ----------
    In the spirit of Nguyen, Low & Jaillet, arXiv 2010.12883.

    Examples
    --------
    >>> q = mean_field(posterior(3 * np.eye(1), [5.0]))
    >>> unlearn_mean_field(q, 2 * np.eye(1), [1.0]).mean
    array([2.])
    """
    gram, moment = _statistics(gram, moment)
    d = gram.shape[-1]
    precision = np.eye(d) / belief.variance[..., None]
    return mean_field(
        unlearn(Posterior(precision, belief.mean / belief.variance), gram, moment, noise=noise)
    )


def kl_gaussian(mean: Floats, covariance: Floats, belief: Posterior) -> FloatOrArray:
    """KL(q‖p) of a Gaussian q, given by mean and covariance, from a posterior p.

    Parameters
    ----------
    mean : ndarray, (..., d)
    covariance : ndarray, (..., d, d)
    belief : Posterior

    Returns
    -------
    float or ndarray, (...)

    Examples
    --------
    >>> float(kl_gaussian(np.ones(1), np.eye(1), Posterior(np.eye(1), np.zeros(1))))
    0.5
    """
    off = mean - belief.mean
    square = (off * (belief.precision @ off[..., None])[..., 0]).sum(axis=-1)
    trace = (belief.precision * covariance).sum(axis=(-2, -1))  # both are symmetric
    logs = np.linalg.slogdet(belief.precision)[1] + np.linalg.slogdet(covariance)[1]
    divergence: FloatOrArray = (trace - off.shape[-1] + square - logs) / 2
    return divergence


def _diagonal(matrix: Floats) -> Floats:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _statistics(gram: ArrayLike, moment: ArrayLike) -> tuple[Floats, Floats]:
    gram, moment = np.asarray(gram, dtype=float), np.asarray(moment, dtype=float)
    if gram.ndim < 2 or gram.shape[-1] != gram.shape[-2] or moment.shape != gram.shape[:-1]:
        raise ValueError(
            "gram and moment must have shapes (..., d, d) and (..., d), "
            f"got {gram.shape} and {moment.shape}"
        )
    return gram, moment


def _check_precision(precision: Floats, name: str = "the precision that is left") -> None:
    try:
        np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        raise ValueError(f"{name} must be positive definite, and is not") from None
