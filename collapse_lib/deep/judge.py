"""A classifier that judges made images: how far they are from real ones, and a sheet by class."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

from collapse_lib import checks
from collapse_lib._types import ArrayLike, Floats, Ints
from collapse_lib.deep.stack import Stack, Streams

__all__ = [
    "ClassSheet",
    "Judge",
    "by_class",
    "frechet_distance",
    "mosaic",
    "precision_and_recall",
]

NEIGHBOUR = 3  # to which the balls of `precision_and_recall` reach


@dataclass(frozen=True)
class Judge:
    """A fixed classifier, trained once on real images.

    Attributes
    ----------
    network : sklearn.neural_network.MLPClassifier
    """

    network: Any

    @classmethod
    def train(cls, images: Floats, labels: Ints, *, hidden: tuple[int, ...] = (128, 32)) -> Judge:
        """Train on real images, (n, pixels), and their labels."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        network = MLPClassifier(hidden, learning_rate_init=2e-3, max_iter=60, random_state=0)
        with warnings.catch_warnings():  # sixty epochs are meant, converged or not
            warnings.simplefilter("ignore", ConvergenceWarning)
            return cls(network.fit(images, labels))

    @property
    def labels(self) -> Ints:
        """All classes, in order."""
        labels: Ints = self.network.classes_
        return labels

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

    It is ‖m_a − m_b‖² + tr(A + B − 2 (A^½ B A^½)^½).

    Parameters
    ----------
    a, b : array_like, (n, features)
        At least two rows each.

    Returns
    -------
    float

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
    a, b = checks.array("a", a, ndim=2), checks.array("b", b, ndim=2)
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"a and b must be at least two rows of as many features, got {a.shape} and {b.shape}"
        )
    cov_a, cov_b = (np.atleast_2d(np.cov(x.T, ddof=1)) for x in (a, b))
    values, axes = np.linalg.eigh(cov_a)
    root = (axes * np.sqrt(values.clip(0))) @ axes.T
    mixed = np.linalg.eigvalsh(root @ cov_b @ root).clip(0)
    shift = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return float(shift + np.trace(cov_a + cov_b) - 2 * np.sqrt(mixed).sum())


def precision_and_recall(real: ArrayLike, made: ArrayLike) -> tuple[float, float]:
    """Share of made points near real ones, and of real points near made ones.

    *Near* means inside the ball around some point that reaches to its third neighbour.

    Parameters
    ----------
    real, made : array_like, (n, features)
        At least four points each.

    Returns
    -------
    precision, recall : float

    References
    ----------
    Kynkäänniemi et al., arXiv 1904.06991.

    Examples
    --------
    >>> line = np.arange(20.0)[:, None]
    >>> precision_and_recall(line, line[:10])
    (1.0, 0.65)
    """
    real, made = checks.array("real", real, ndim=2), checks.array("made", made, ndim=2)
    if min(len(real), len(made)) <= NEIGHBOUR:
        raise ValueError(
            f"real and made must be more than {NEIGHBOUR} points each, "
            f"got {len(real)} and {len(made)}"
        )
    distance = cdist(real, made)
    near_real = distance <= _radius(real)[:, None]
    near_made = distance <= _radius(made)[None]
    return float(near_real.any(axis=0).mean()), float(near_made.any(axis=1).mean())


def _radius(points: Floats) -> Floats:
    return np.partition(cdist(points, points), NEIGHBOUR, axis=1)[:, NEIGHBOUR]


def by_class(images: Floats, classes: Ints, labels: Sequence[int] | Ints, each: int) -> Floats:
    """The first few images of every class, NaN where a class has too few.

    Parameters
    ----------
    images : ndarray, (n, pixels)
    classes : ndarray, (n,)
    labels : sequence
        All classes, in the order of the result.
    each : int
        Images per class.

    Returns
    -------
    ndarray, (classes, each, pixels)

    Examples
    --------
    >>> by_class(np.array([[0.25], [0.5]]), np.array([1, 1]), [0, 1], 1).ravel().tolist()
    [nan, 0.25]
    """
    each = checks.whole_number("each", each, minimum=1)
    sheet = np.full((len(labels), each, images.shape[1]), np.nan, dtype=np.float32)
    for place, label in enumerate(labels):
        chosen = images[classes == label][:each]
        sheet[place, : len(chosen)] = chosen
    return sheet


def mosaic(sheet: Floats, side: int, *, nothing: float = 0.5) -> Floats:
    """Lay a sheet out as one picture: a column per class, white lines between the images.

    Parameters
    ----------
    sheet : ndarray, (classes, each, side²)
        As from `by_class`: 0 is paper, 1 is ink.
    side : int
        Height and width of an image.
    nothing : float
        Brightness where there is no image.

    Returns
    -------
    ndarray, (height, width)
        Brightness: 1 is white.

    Examples
    --------
    >>> mosaic(np.full((3, 2, 16), np.nan), side=4).shape
    (9, 14)
    """
    columns, rows = sheet.shape[:2]
    bright = np.where(np.isnan(sheet), nothing, 1 - sheet.clip(0, 1))
    cells = np.ones((columns, rows, side + 1, side + 1))
    cells[:, :, :side, :side] = bright.reshape(columns, rows, side, side)
    return cells.transpose(1, 2, 0, 3).reshape(rows * (side + 1), columns * (side + 1))[:-1, :-1]


class ClassSheet:
    """Passed to an `Experiment` as ``show``: decoder means, sorted by the class seen in them.

    The streams go on as if nothing had been drawn: what is shown changes no number.

    Parameters
    ----------
    judge : Judge
    each : int
        Images per class.
    draws : int
        Images made, of which the first of each class are kept.

    Examples
    --------
    >>> from collapse_lib.deep.vae import VAE
    >>> rng = np.random.default_rng(1)
    >>> judge = Judge.train(rng.random((60, 4)), rng.integers(2, size=60), hidden=(8,))
    >>> vae = VAE(Streams([1]), pixels=4, hidden=4, latent=2)
    >>> ClassSheet(judge, each=3, draws=50)(vae, torch.zeros(1), Streams([2])).shape
    (1, 2, 3, 4)
    """

    def __init__(self, judge: Judge, *, each: int = 4, draws: int = 1000) -> None:
        self.judge, self.each, self.draws = judge, each, draws

    def __call__(self, model: Stack, samples: Tensor, streams: Streams) -> Floats:
        state = streams.state()
        means = model.sample(self.draws, streams, torch.zeros(model.members, device=samples.device))
        streams.restore(state)
        sheets = [
            by_class(images, self.judge.classes(images), self.judge.labels, self.each)
            for images in means.float().cpu().numpy()
        ]
        return np.stack(sheets)
