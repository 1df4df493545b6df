"""The families of models that the loop is run with.

They fit and sample by definition, item by item; the fast simulators draw the same
laws from sufficient statistics and are tested against these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collapse_lib._types import Floats, Ints
from collapse_lib.checks import ddof, positive

__all__ = ["Categorical", "Gaussian", "LinearRegression"]


@dataclass(frozen=True)
class Categorical:
    """Words 0 … size−1 with probabilities p; data are word numbers; fitted by frequencies.

    Parameters
    ----------
    size : int
        Number of words.

    Examples
    --------
    >>> Categorical(3).fit(np.array([[0, 0, 2, 1]]))
    array([[0.5 , 0.25, 0.25]])
    """

    size: int

    def fit(self, data: Ints) -> Floats:
        frequencies: Floats = (data[:, :, None] == np.arange(self.size)).mean(axis=1)
        return frequencies

    def sample(self, params: Floats, size: int, rng: np.random.Generator) -> Ints:
        if (
            params.shape[1] != self.size
            or (params < 0).any()
            or not np.allclose(params.sum(axis=1), 1)
        ):
            raise ValueError(
                f"truth must be {self.size} probabilities that sum to 1, got {params[0]}"
            )
        cumulative = np.cumsum(params, axis=1)
        cumulative /= cumulative[:, -1:]
        uniform = rng.random((len(params), size))
        words: Ints = (uniform[:, :, None] >= cumulative[:, None, :-1]).sum(axis=2)
        return words


@dataclass(frozen=True)
class Gaussian:
    """Normal distribution; parameters are (mean, standard deviation).

    Parameters
    ----------
    estimator : {"ml", "unbiased"}
        Whether the variance is the sum of squares over n or over n − 1.

    Examples
    --------
    >>> Gaussian("unbiased").fit(np.array([[1.0, 3.0]]))
    array([[2.        , 1.41421356]])
    """

    estimator: str = "ml"

    def __post_init__(self) -> None:
        ddof(self.estimator)  # refuses other names

    def fit(self, data: Floats) -> Floats:
        sd = data.std(axis=1, ddof=ddof(self.estimator))
        return np.stack([data.mean(axis=1), sd], axis=1)

    def sample(self, params: Floats, size: int, rng: np.random.Generator) -> Floats:
        mean, sd = params[:, :1], params[:, 1:]
        if params.shape[1] != 2 or (sd < 0).any():
            raise ValueError(f"truth must be (mean, standard deviation ≥ 0), got {params[0]}")
        return mean + sd * rng.standard_normal((len(params), size))


@dataclass(frozen=True)
class LinearRegression:
    """Labels y = x·w + noise on standard normal x; fitted by least squares of least norm.

    The parameters are w, (replicates, d); an item is the row (x, y) of d + 1 numbers.

    Parameters
    ----------
    noise : float
        Standard deviation of the labels' noise.

    Examples
    --------
    >>> rows = np.array([[[1.0, 0.0, 3.0], [0.0, 2.0, 4.0]]])
    >>> LinearRegression().fit(rows).round(9)
    array([[3., 2.]])
    """

    noise: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "noise", positive("noise", self.noise, zero=True))

    def fit(self, data: Floats) -> Floats:
        x, y = data[..., :-1], data[..., -1:]
        return (np.linalg.pinv(x) @ y)[..., 0]

    def sample(self, params: Floats, size: int, rng: np.random.Generator) -> Floats:
        x = rng.standard_normal((len(params), size, params.shape[1]))
        noise = self.noise * rng.standard_normal((len(params), size, 1))
        return np.concatenate([x, x @ params[..., None] + noise], axis=2)
