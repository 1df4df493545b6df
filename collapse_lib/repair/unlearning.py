"""Bayesian linear regression that forgets a batch: exactly, and with a mean-field posterior.

A Gaussian posterior is a precision and a precision times mean. Data add to both, so taking
data away is a subtraction. A mean-field posterior keeps only the diagonal of the precision;
what it cannot keep, it cannot give back.

Data enter as gram = XᵀX, (..., d, d), and moment = Xᵀy, (..., d), of their rows. The proofs are
in the chapter *Repair*; the problem is that of Nguyen, Low & Jaillet, arXiv 2010.12883.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from collapse_lib._types import ArrayLike, FloatOrArray, Floats
from collapse_lib.checks import array, positive, whole_number

__all__ = ["Posterior", "expected_gap", "posterior"]


@dataclass(frozen=True)
class Posterior:
    """A Gaussian belief about the weights, by its natural parameters.

    Attributes
    ----------
    precision : ndarray, (..., d, d)
        Inverse of the covariance.
    weighted : ndarray, (..., d)
        Precision times mean.
    noise : float
        Standard deviation of the labels' noise in the data it has seen.

    Examples
    --------
    >>> both = posterior(3 * np.eye(1), [5.0])
    >>> both.unlearn(2 * np.eye(1), [1.0]).mean
    array([2.])
    >>> belief = Posterior(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([3.0, 3.0]))
    >>> belief.mean_field().covariance.diagonal()
    array([0.5, 0.5])
    >>> bool(np.isclose(belief.mean_field_gap(), np.log(4 / 3) / 2))
    True
    """

    precision: Floats
    weighted: Floats
    noise: float = 1.0

    @property
    def mean(self) -> Floats:
        return np.linalg.solve(self.precision, self.weighted[..., None])[..., 0]

    @property
    def covariance(self) -> Floats:
        return np.linalg.inv(self.precision)

    def unlearn(self, gram: ArrayLike, moment: ArrayLike) -> Posterior:
        """The posterior without these rows, exactly; leading axes forget one batch each."""
        gram, moment = _statistics(gram, moment)
        precision = self.precision - gram / self.noise**2
        _check_definite("the precision that is left", precision)
        return Posterior(precision, self.weighted - moment / self.noise**2, self.noise)

    def mean_field(self) -> Posterior:
        """The Gaussian q with independent weights that is closest to this one, p, in KL(q‖p)."""
        diagonal = self.precision * np.eye(self.precision.shape[-1])
        return Posterior(diagonal, _diagonal(diagonal) * self.mean, self.noise)

    def mean_field_gap(self) -> FloatOrArray:
        """KL(q‖p) of `mean_field`: ½ (Σ ln Λ_jj − ln det Λ), at least 0 (Hadamard)."""
        logs = np.log(_diagonal(self.precision)).sum(axis=-1)
        gap: FloatOrArray = (logs - np.linalg.slogdet(self.precision)[1]) / 2
        return gap


def posterior(
    gram: ArrayLike, moment: ArrayLike, *, prior_precision: float = 1.0, noise: float = 1.0
) -> Posterior:
    """The posterior of the weights given data, under a normal prior with mean zero.

    Parameters
    ----------
    gram, moment : array_like, (..., d, d) and (..., d)
        Of all rows.
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
    ridge = positive("prior_precision", prior_precision, zero=True) * np.eye(gram.shape[-1])
    noise = positive("noise", noise)
    return Posterior(gram / noise**2 + ridge, moment / noise**2, noise)


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
    correlation = array("correlation", correlation, ndim=2)
    if not np.allclose(np.diag(correlation), 1):
        raise ValueError(f"correlation must be a matrix with unit diagonal, got {correlation}")
    _check_definite("correlation", correlation)
    d = len(correlation)
    rows = whole_number("rows", rows, minimum=d)
    lost = special.psi(rows / 2) - special.psi((rows - np.arange(d)) / 2)
    return float((lost.sum() - np.linalg.slogdet(correlation)[1]) / 2)


def _diagonal(matrix: Floats) -> Floats:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _statistics(gram: ArrayLike, moment: ArrayLike) -> tuple[Floats, Floats]:
    gram, moment = array("gram", gram), array("moment", moment)
    if gram.ndim < 2 or gram.shape[-1] != gram.shape[-2] or moment.shape != gram.shape[:-1]:
        raise ValueError(
            "gram and moment must have shapes (..., d, d) and (..., d), "
            f"got {gram.shape} and {moment.shape}"
        )
    return gram, moment


def _check_definite(name: str, matrix: Floats) -> None:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        raise ValueError(f"{name} must be positive definite, and is not") from None
