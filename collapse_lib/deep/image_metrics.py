"""How far made images are from real ones: Fréchet distance, precision and recall, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collapse_lib._types import ArrayLike, Floats, Ints

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from collapse_lib.checks import whole_number

__all__ = ["Judge", "frechet_distance", "precision_and_recall"]


@dataclass(frozen=True)
class Judge:
    """A fixed classifier, trained once on real images.

    Attributes
    ----------
    network : sklearn.neural_network.MLPClassifier
    """

    network: MLPClassifier

    @classmethod
    def train(
        cls, images: Floats, labels: Ints, *, hidden: tuple[int, ...] = (128, 32), seed: int = 0
    ) -> Judge:
        """Train on real images, (n, pixels), and their labels."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        network = MLPClassifier(hidden, learning_rate_init=2e-3, max_iter=60, random_state=seed)
        with warnings.catch_warnings():  # sixty epochs are meant, converged or not
            warnings.simplefilter("ignore", ConvergenceWarning)
            return cls(network.fit(images, labels))

    def features(self, images: ArrayLike) -> Floats:
        """The activations of the last hidden layer, (n, width)."""
        layer = np.asarray(images, dtype=float)
        for weight, bias in zip(self.network.coefs_[:-1], self.network.intercepts_, strict=False):
            layer = np.maximum(layer @ weight + bias, 0)
        return layer

    def classes(self, images: ArrayLike) -> Ints:
        """The class it sees in each image, (n,)."""
        classes: Ints = self.network.predict(np.asarray(images, dtype=float))
        return classes


def frechet_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Squared Wasserstein-2 distance between the Gaussians fitted to two samples.

    Parameters
    ----------
    a, b : array_like, (n, features)
        At least two rows each.

    Returns
    -------
    float
        ‖m_a − m_b‖² + tr(A + B − 2 (A^½ B A^½)^½).

    Raises
    ------
    ValueError
        If the features differ in number, or there are too few rows.

    References
    ----------
    Heusel et al., arXiv 1706.08500; Dowson & Landau, J. Multivariate Anal. 12 (1982).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.standard_normal((1000, 3))
    >>> round(frechet_distance(x, 2 * x + 1) - frechet_distance(x, 2 * x), 1)
    3.0
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"a and b must be at least two rows of as many features, got {a.shape} and {b.shape}"
        )
    cov_a, cov_b = np.cov(a.T, ddof=1), np.cov(b.T, ddof=1)
    values, axes = np.linalg.eigh(np.atleast_2d(cov_a))
    root = (axes * np.sqrt(values.clip(0))) @ axes.T
    mixed = np.linalg.eigvalsh(root @ np.atleast_2d(cov_b) @ root).clip(0)
    shift = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return float(shift + np.trace(np.atleast_2d(cov_a + cov_b)) - 2 * np.sqrt(mixed).sum())


def precision_and_recall(
    real: ArrayLike, made: ArrayLike, *, neighbours: int = 3
) -> tuple[float, float]:
    """Share of made points near real ones, and of real points near made ones.

    *Near* means inside the ball around some point that reaches to its k-th neighbour.

    Parameters
    ----------
    real, made : array_like, (n, features)
    neighbours : int

    Returns
    -------
    precision, recall : float

    Raises
    ------
    ValueError
        If a sample has no k-th neighbour.

    References
    ----------
    Kynkäänniemi et al., arXiv 1904.06991.

    Examples
    --------
    >>> line = np.arange(20.0)[:, None]
    >>> precision_and_recall(line, line[:10])
    (1.0, 0.65)
    """
    real, made = np.asarray(real, dtype=float), np.asarray(made, dtype=float)
    neighbours = whole_number("neighbours", neighbours, minimum=1)
    if min(len(real), len(made)) <= neighbours:
        raise ValueError(
            f"neighbours must be below the sample sizes {len(real)} and {len(made)}, "
            f"got {neighbours}"
        )
    distance = cdist(real, made)
    near_real = distance <= _radius(real, neighbours)[:, None]
    near_made = distance <= _radius(made, neighbours)[None]
    return float(near_real.any(axis=0).mean()), float(near_made.any(axis=1).mean())


def _radius(points: Floats, neighbours: int) -> Floats:
    return np.partition(cdist(points, points), neighbours, axis=1)[:, neighbours]
