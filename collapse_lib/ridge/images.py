"""What the experiments on images share: their results, and the checks of what they are given.

Kernel ridge on real images that trains on its own labels, and theory from their spectrum.

Every function takes features, one row an image, and targets, one number an image. Features
are kernel principal components: linear regression on p of them is kernel regression cut at
rank p. Nothing in the theory is fitted: spectrum and truth are read off all images at once.

The theory is that of `spectrum`. The components: Schölkopf, Smola and Müller, "Nonlinear
component analysis as a kernel eigenvalue problem", Neural Computation 10 (1998).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Rng
from collapse_lib.checks import as_generator, positive, whole_number
from collapse_lib.ridge.spectrum import ridge_risk

__all__ = ["Experiment", "Population", "features", "generations", "measure", "parity", "theory"]


@dataclass(frozen=True)
class Repeats:
    """Errors of an experiment that was repeated; the repeats are the first axis."""

    errors: Floats

    @property
    def mean(self) -> Floats:
        """Mean over the repeats."""
        mean: Floats = self.errors.mean(axis=0)
        return mean

    @property
    def stderr(self) -> Floats:
        """Its standard error, as if the repeats were independent."""
        stderr: Floats = self.errors.std(axis=0, ddof=1) / np.sqrt(len(self.errors))
        return stderr


def design_checked(
    T: Iterable[int], T0: int, test: int, repeats: int, images: int, *, least: int = 1
) -> tuple[tuple[int, ...], int, int, int]:
    """Return T as a tuple, T0, test and repeats, all whole and possible with so many images."""
    T = tuple(whole_number("T", value, minimum=1) for value in T)
    T0, test = whole_number("T0", T0, minimum=least), whole_number("test", test, minimum=1)
    if max(*T, T0) > images - test:
        raise ValueError(
            f"T and T0 must be at most images − test = {images - test}, got {max(*T, T0)}"
        )
    return T, T0, test, whole_number("repeats", repeats, minimum=2)


def matrix(name: str, values: ArrayLike) -> Floats:
    """Return values as a matrix of finite floats."""
    try:
        values = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers") from None
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"{name} must be a matrix of finite numbers, got shape {values.shape}")
    return values


def matched(features: ArrayLike, targets: ArrayLike) -> tuple[Floats, Floats]:
    """Return a matrix and as many finite targets as it has rows."""
    features, targets = matrix("features", features), np.asarray(targets, dtype=float)
    if targets.shape != (len(features),) or not np.isfinite(targets).all():
        raise ValueError(
            f"targets must be {len(features)} finite numbers, one an image, got {targets.shape}"
        )
    return features, targets


def parity(labels: ArrayLike) -> Floats:
    """Return −1 for even digits and 1 for odd ones.

    Parameters
    ----------
    labels : int or array_like of int

    Returns
    -------
    float or ndarray, the shape of ``labels``

    Examples
    --------
    >>> parity([0, 3, 8])
    array([-1.,  1., -1.])
    """
    return 2.0 * (np.asarray(labels) % 2) - 1


def features(images: ArrayLike, p: int, *, kernel: str = "rbf", **parameters: float) -> Floats:
    """Return the first p kernel principal components of the images, without labels.

    Parameters
    ----------
    images : array_like, (images, pixels)
    p : int
        Components, fewer than images.
    kernel, **parameters
        As in ``sklearn.decomposition.KernelPCA``, such as ``gamma=0.1``.

    Returns
    -------
    ndarray, (images, p)
        Centred; the columns are orthogonal, the first has the largest variance.

    Examples
    --------
    >>> images = np.random.default_rng(1).random((50, 4))
    >>> features(images, 3, gamma=1.0).shape
    (50, 3)
    """
    from sklearn.decomposition import KernelPCA

    images = matrix("images", images)
    p = whole_number("p", p, minimum=1)
    if p >= len(images):
        raise ValueError(f"p must be below the number of images, {len(images)}, got {p}")
    pca = KernelPCA(p, kernel=kernel, eigen_solver="arpack", random_state=0, **parameters)
    components: Floats = pca.fit_transform(images)
    return components


@dataclass(frozen=True)
class Population:
    """What the theory needs to know about a set of images.

    Attributes
    ----------
    spectrum : ndarray, (p,)
        Variance of each feature.
    w0 : ndarray, (p,)
        The best linear predictor of the target.
    residual : float
        Mean square of the part of the target that no linear predictor reaches.
    """

    spectrum: Floats
    w0: Floats
    residual: float

    @classmethod
    def of(cls, features: ArrayLike, targets: ArrayLike) -> Population:
        """Measure it on all images; the features must be orthogonal.

        Examples
        --------
        >>> Population.of([[1, 0], [-1, 0], [0, 2], [0, -2]], [3, -1, 1, -3]).residual
        1.0
        """
        features, targets = matched(features, targets)
        gram = features.T @ features / len(features)
        spectrum = gram.diagonal()
        if not (spectrum > 0).all():
            raise ValueError("features must not have a column of zeros")
        scale = np.sqrt(np.outer(spectrum, spectrum))
        if abs(gram - np.diag(spectrum)).max() > 1e-6 * scale.max():
            raise ValueError("features must be orthogonal, such as those of `features`")
        w0 = features.T @ targets / len(features) / spectrum
        return cls(spectrum.copy(), w0, float(np.mean((targets - features @ w0) ** 2)))

    def exponents(self, first: int = 10, last: int | None = None) -> tuple[float, float]:
        """Return beta and r of the power laws that spectrum and truth come closest to.

        beta is minus the slope of ln λ_k in ln k. 2βr is minus the slope of the logarithm of
        what is missed if only k components are known, Σ_{j>k} λ_j w_j² (features beyond the
        last one count with the residual).

        Parameters
        ----------
        first, last : int
            The range of k that is used.
        """
        k = np.arange(1, len(self.spectrum) + 1)
        energy = self.spectrum * self.w0**2
        missed = self.residual + energy.sum() - np.cumsum(energy)
        rows = slice(first - 1, last)
        beta = -np.polyfit(np.log(k[rows]), np.log(self.spectrum[rows]), 1)[0]
        slope = -np.polyfit(np.log(k[rows]), np.log(missed[rows]), 1)[0]
        return float(beta), float(slope / (2 * beta))


def theory(
    population: Population,
    T: int,
    penalty: ArrayLike,
    *,
    n: int = 0,
    T0: int | None = None,
    sigma: float = 1.0,
    sigma0: float = 1.0,
) -> FloatOrArray:
    """Return the expected test error that `measure` measures, without a fitted constant.

    Parameters
    ----------
    population : Population
    T, penalty, T0, sigma, sigma0
        As in `spectrum.ridge_risk`.
    n : int

    Returns
    -------
    float or ndarray, the shape of ``penalty``
        Mean squared distance from the noiseless target.

    Notes
    -----
    The part of the target that no linear predictor reaches is counted as label noise
    wherever real labels are used: in the first generator, or downstream if n = 0.
    It also stays in the test error.

    Examples
    --------
    >>> images = Population(np.array([1.0, 0.1]), np.array([1.0, 1.0]), 0.2)
    >>> theory(images, 100, [0.01, 0.1], n=5, T0=50).round(3)
    array([0.419, 0.364])
    """
    n = whole_number("n", n)
    rest = population.residual
    first = {"sigma": np.sqrt(sigma**2 + rest * (n == 0))}
    given = (population.spectrum, population.w0**2, T, penalty)
    risk = ridge_risk(*given, n=n, T0=T0, sigma0=sigma0, **first)
    extra: float | FloatOrArray = 0.0
    if n:
        extra = rest * ridge_risk(*given, n=1, T0=T0, sigma0=1.0).toll
    return risk.total + extra + rest


def generations(
    x: Floats, targets: Floats, n: int, T0: int, *, sigma0: float = 1.0, rng: Rng = None
) -> list[Floats]:
    """Return the vectors of n OLS generators; each sees T0 images drawn without replacement.

    Parameters
    ----------
    x : ndarray, (images, p)
    targets : ndarray, (images,)
        Without noise; the first generator learns from them plus noise.
    n, T0 : int
    sigma0 : float
    rng : int, numpy.random.Generator or None

    Returns
    -------
    list of ndarray, (p,)

    Raises
    ------
    ValueError
        If ``rng`` is none, or T0 is above the number of images.

    Examples
    --------
    >>> x = np.random.default_rng(1).standard_normal((50, 3))
    >>> len(generations(x, x.sum(axis=1), 4, 20, rng=2))
    4
    """
    rng = as_generator(rng)
    made: list[Floats] = []
    for _ in range(n):
        rows = rng.choice(len(x), T0, replace=False)
        clean = x[rows] @ made[-1] if made else targets[rows]
        noisy = clean + sigma0 * rng.standard_normal(T0)
        made.append(np.linalg.lstsq(x[rows], noisy, rcond=None)[0])
    return made


@dataclass(frozen=True)
class Experiment(Repeats):
    """Test errors of downstream fits.

    Attributes
    ----------
    errors : ndarray, (repeats, generations, sizes, penalties)
        Mean squared distance from the noiseless target on held-out images.
    mean, stderr : ndarray, (generations, sizes, penalties)
        Their mean over the repeats and its standard error.
    n, T, penalties : tuple
        What the last three axes of ``errors`` stand for.
    """

    n: tuple[int, ...]
    T: tuple[int, ...]
    penalties: tuple[float, ...]


def measure(
    x: ArrayLike,
    targets: ArrayLike,
    *,
    n: Iterable[int],
    T: Iterable[int],
    penalties: Iterable[float],
    T0: int,
    test: int = 500,
    repeats: int = 40,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    rng: Rng = None,
) -> Experiment:
    """Train OLS generators on images, then a ridge fit on the labels of the n-th.

    Parameters
    ----------
    x : array_like, (images, p)
        Features.
    targets : array_like, (images,)
        Noiseless targets.
    n : list of int
        Generations of synthetic labels; 0 is real labels.
    T : list of int
        Images of the downstream fit, nested: a smaller set is part of a larger one.
    penalties : list of float
        λ above 0.
    T0 : int
        Images of each generator, more than p.
    test : int
        Images held out at random in each repeat.
    repeats : int
    sigma, sigma0 : float
        Standard deviations of the label noise, downstream and in the generators.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Experiment

    Examples
    --------
    >>> x = np.random.default_rng(1).standard_normal((200, 3))
    >>> run = measure(x, x.sum(axis=1), n=[0, 3], T=[50, 100], penalties=[0.1], T0=40,
    ...               test=50, repeats=4, rng=2)
    >>> run.errors.shape, run.mean.shape
    ((4, 2, 2, 1), (2, 2, 1))
    """
    x, targets = matched(x, targets)
    p, rng = x.shape[1], as_generator(rng)
    n = tuple(whole_number("n", value) for value in n)
    penalties = tuple(positive("penalties", value) for value in penalties)
    T, T0, test, repeats = design_checked(T, T0, test, repeats, len(x), least=p + 2)
    sigma, sigma0 = (
        positive(name, value, zero=True) for name, value in (("sigma", sigma), ("sigma0", sigma0))
    )
    errors = np.empty((repeats, len(n), len(T), len(penalties)))
    for repeat in range(repeats):
        order = rng.permutation(len(x))
        held, train = order[:test], order[test:]
        made = generations(x[train], targets[train], max(n), T0, sigma0=sigma0, rng=rng)
        noise = sigma * rng.standard_normal(len(train))
        labels = [x[train] @ made[m - 1] if m else targets[train] for m in n]
        noisy = np.stack(labels, axis=1) + noise[:, None]  # the same images and noise for every n
        for j, rows in enumerate(T):
            gram = x[train[:rows]].T @ x[train[:rows]] / rows
            values, vectors = np.linalg.eigh(gram)
            turned = vectors.T @ (x[train[:rows]].T @ noisy[:rows]) / rows
            seen = x[held] @ vectors
            for k, lam in enumerate(penalties):
                guess = seen @ (turned / (np.maximum(values, 0) + lam)[:, None])
                errors[repeat, :, j, k] = ((guess - targets[held, None]) ** 2).mean(axis=0)
    return Experiment(errors, n, T, penalties)
