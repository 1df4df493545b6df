"""Kernel ridge on real images that trains on its own labels, and theory from their spectrum.

Features are kernel principal components, one row an image: linear regression on p of them is
kernel regression cut at rank p. Nothing in the theory is fitted: spectrum and truth are read
off all images at once. `mnist_curves` uses whole kernels, and has no theory beside it.

The theory is that of `spectrum`. The components: Schölkopf, Smola and Müller, "Nonlinear
component analysis as a kernel eigenvalue problem", Neural Computation 10 (1998). The fits of
whole kernels are scikit-learn's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray, Floats, Ints, Rng
from collapse_lib.checks import array, as_generator, one_of, positive, whole_number
from collapse_lib.ridge.spectrum import REAL_LABELS, Ridge, Teacher, ridge_risk

__all__ = [
    "MNIST_ROWS",
    "KernelExperiment",
    "Population",
    "kernel_experiment",
    "kernel_features",
    "kernel_risk",
    "mnist_curves",
    "parity",
    "stored_mnist",
]

#: The sizes of the training set in `mnist_curves`.
MNIST_ROWS = (1, 3, 10, 30, 100, 300, 1000)

# The two kernels of the published experiment, for pixels from 0 to 1, as scikit-learn's
# arguments; the widths are this book's choice, and the exponents ℓ are read off their spectra.
KERNELS: dict[str, tuple[dict[str, Any], float]] = {
    "RBF": ({"kernel": "rbf", "gamma": 0.01}, 0.77),
    "polynomial": ({"kernel": "polynomial", "degree": 5, "gamma": 1 / 784, "coef0": 1}, 1.0),
}
TEACHER_PENALTY = 1e-4  # small: the noise of the generators is to get through


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


def kernel_features(
    images: ArrayLike, p: int, *, kernel: str = "rbf", **parameters: float
) -> Floats:
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
    >>> kernel_features(images, 3, gamma=1.0).shape
    (50, 3)
    """
    from sklearn.decomposition import KernelPCA

    images = array("images", images, ndim=2)
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
    truth : ndarray, (p,)
        The best linear predictor of the target.
    residual : float
        Mean square of the part of the target that no linear predictor reaches.
    """

    spectrum: Floats
    truth: Floats
    residual: float

    @classmethod
    def of(cls, features: ArrayLike, targets: ArrayLike) -> Population:
        """Measure it on all images; the features must be orthogonal.

        Examples
        --------
        >>> Population.of([[1, 0], [-1, 0], [0, 2], [0, -2]], [3, -1, 1, -3]).residual
        1.0
        """
        features, targets = _matched(features, targets)
        gram = features.T @ features / len(features)
        spectrum = gram.diagonal()
        if not (spectrum > 0).all():
            raise ValueError("features must not have a column of zeros")
        scale = np.sqrt(np.outer(spectrum, spectrum))
        if abs(gram - np.diag(spectrum)).max() > 1e-6 * scale.max():
            raise ValueError("features must be orthogonal, such as those of `kernel_features`")
        truth = features.T @ targets / len(features) / spectrum
        return cls(spectrum.copy(), truth, float(np.mean((targets - features @ truth) ** 2)))

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
        energy = self.spectrum * self.truth**2
        missed = self.residual + energy.sum() - np.cumsum(energy)
        used = slice(first - 1, last)
        beta = -np.polyfit(np.log(k[used]), np.log(self.spectrum[used]), 1)[0]
        slope = -np.polyfit(np.log(k[used]), np.log(missed[used]), 1)[0]
        return float(beta), float(slope / (2 * beta))


def kernel_risk(
    population: Population,
    rows: FloatOrArray | float,
    penalty: FloatOrArray | float,
    teacher: Teacher = REAL_LABELS,
    *,
    noise: float = 1.0,
) -> FloatOrArray:
    """Return the expected test error that `kernel_experiment` measures; nothing is fitted to it.

    Parameters
    ----------
    population : Population
    rows, penalty, noise
        The student's, as in `Ridge`.
    teacher : Teacher
        With one number of generations.

    Returns
    -------
    float or ndarray, the shape that rows and penalty have together
        Mean squared distance from the noiseless target.

    Notes
    -----
    The part of the target that no linear predictor reaches is counted as label noise
    wherever real labels are used: in the first generator, or in the student's rows if there
    is none. It also stays in the test error.

    Examples
    --------
    >>> population = Population(np.array([1.0, 0.1]), np.array([1.0, 1.0]), 0.2)
    >>> teacher = Teacher(generations=5, rows=50)
    >>> kernel_risk(population, 100, np.array([0.01, 0.1]), teacher).round(3)
    array([0.419, 0.364])
    """
    student = Ridge(population.spectrum, population.truth, rows, penalty, noise=noise)
    rest = positive("residual", population.residual, zero=True)
    if whole_number("generations", teacher.generations):
        first = Teacher(generations=1, rows=teacher.rows, noise=np.sqrt(rest))
        return ridge_risk(student, teacher).total + ridge_risk(student, first).toll + rest
    return ridge_risk(replace(student, noise=np.sqrt(noise**2 + rest))).total + rest


@dataclass(frozen=True)
class KernelExperiment:
    """Test errors of students, each trained on the labels of a teacher.

    Attributes
    ----------
    errors : ndarray, (repeats, generations, rows, penalties)
        Mean squared distance from the noiseless target on held-out images.
    generations, rows, penalties : tuple
        What the last three axes of ``errors`` stand for.
    """

    errors: Floats
    generations: tuple[int, ...]
    rows: tuple[int, ...]
    penalties: tuple[float, ...]

    @property
    def mean(self) -> Floats:
        """Mean over the repeats, (generations, rows, penalties)."""
        mean: Floats = self.errors.mean(axis=0)
        return mean

    @property
    def stderr(self) -> Floats:
        """Its standard error, as if the repeats were independent."""
        return _stderr(self.errors)


def kernel_experiment(
    features: ArrayLike,
    targets: ArrayLike,
    teacher: Teacher,
    *,
    rows: Iterable[int],
    penalties: Iterable[float],
    noise: float = 1.0,
    test: int = 500,
    repeats: int = 40,
    rng: Rng = None,
) -> KernelExperiment:
    """Train a chain of OLS generators on images, and ridge fits on the labels of some of them.

    Parameters
    ----------
    features : array_like, (images, p)
    targets : array_like, (images,)
        Noiseless targets.
    teacher : Teacher
        Of fresh design. Its generations are the ones to learn from, 0 for real labels. Each of them sees
        ``teacher.rows`` images, more than p + 1, drawn without replacement.
    rows : list of int
        Images of the student, nested: a smaller set is part of a larger one.
    penalties : list of float
        λ above 0.
    noise : float
        Standard deviation of the noise in the student's labels.
    test : int
        Images held out at random in each repeat.
    repeats : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    KernelExperiment

    Examples
    --------
    >>> x = np.random.default_rng(1).standard_normal((200, 3))
    >>> run = kernel_experiment(x, x.sum(axis=1), Teacher([0, 3], 40), rows=[50, 100],
    ...                         penalties=[0.1], test=50, repeats=4, rng=2)
    >>> run.errors.shape, run.mean.shape
    ((4, 2, 2, 1), (2, 2, 1))
    """
    x, targets = _matched(features, targets)
    rng, noise = as_generator(rng), positive("noise", noise, zero=True)
    generations = tuple(whole_number("generations", m) for m in np.ravel(teacher.generations))
    penalties = tuple(positive("penalties", value) for value in penalties)
    rows, test, repeats = _sizes(rows, teacher, test, repeats, len(x), least=x.shape[1] + 2)
    errors = np.empty((repeats, len(generations), len(rows), len(penalties)))
    for repeat in range(repeats):
        order = rng.permutation(len(x))
        held, train = order[:test], order[test:]
        made = _generators(x[train], targets[train], teacher, max(generations), rng)
        own = noise * rng.standard_normal(len(train))
        labels = [x[train] @ made[m - 1] if m else targets[train] for m in generations]
        noisy = np.stack(labels, axis=1) + own[:, None]  # the same images and noise for all
        for j, size in enumerate(rows):
            seen = x[train[:size]]
            values, vectors = np.linalg.eigh(seen.T @ seen / size)
            turned = vectors.T @ (seen.T @ noisy[:size]) / size
            asked = x[held] @ vectors
            for k, penalty in enumerate(penalties):
                guess = asked @ (turned / (np.maximum(values, 0) + penalty)[:, None])
                errors[repeat, :, j, k] = ((guess - targets[held, None]) ** 2).mean(axis=0)
    return KernelExperiment(errors, generations, rows, penalties)


def mnist_curves(
    images: ArrayLike, labels: ArrayLike, *, repeats: int = 24, rng: Rng = None
) -> dict[str, Any]:
    """Compute learning curves of two kernels on MNIST: the experiment behind `stored_mnist`.

    Five kernel models are fitted in a row, each to 500 images that the one before labelled,
    with noise of variance 1; a last one is fitted to T images that the fifth labelled.

    Parameters
    ----------
    images : array_like, (images, 784)
        Pixels from 0 to 1.
    labels : array_like of int, (images,)
        Digits; the target is the digit mod 2.
    repeats : int
    rng : int, numpy.random.Generator or None

    Returns
    -------
    dict
        For each kernel ``mean`` and ``stderr`` of the mean squared distance from the noiseless
        target, each a list of pairs (λ = T^−ℓ, λ = (T₀/n)^−ℓ), one for each of `MNIST_ROWS`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> run = mnist_curves(rng.random((2100, 784)), rng.integers(10, size=2100), repeats=2)
    >>> len(run["RBF"]["mean"])
    7
    """
    targets, teacher = (parity(labels) + 1) / 2, Teacher(generations=5, rows=500)
    found = {}
    for name, (kernel, ell) in KERNELS.items():
        errors = _learning_curves(
            images, targets, kernel, ell, teacher, rows=MNIST_ROWS, repeats=repeats, rng=rng
        )
        mean, stderr = errors.mean(axis=0), _stderr(errors)
        found[name] = {"mean": mean.round(4).tolist(), "stderr": stderr.round(4).tolist()}
    return found


def stored_mnist() -> dict[str, Any]:
    """Return what `mnist_curves` gave with seed 1 on the 10 000 test images of MNIST.

    Returns
    -------
    dict
        As from `mnist_curves`.

    References
    ----------
    The theorem that it illustrates is in the chapter *Scaling laws*.

    Examples
    --------
    >>> sorted(stored_mnist())
    ['RBF', 'polynomial']
    """
    stored = files("collapse_lib.ridge").joinpath("mnist_curves.json")
    curves: dict[str, Any] = json.loads(stored.read_text("utf-8"))
    return curves


def _learning_curves(
    images: ArrayLike,
    targets: ArrayLike,
    kernel: dict[str, Any],
    ell: float,
    teacher: Teacher,
    *,
    rows: Iterable[int],
    test: int = 1000,
    repeats: int,
    rng: Rng,
) -> Floats:
    """Test errors of the last of a chain of kernel models, (repeats, rows, 2).

    The last axis: λ = T^−ℓ, and λ = (T₀/n)^−ℓ for every T. The student's labels are as noisy
    as the teacher's.
    """
    from sklearn.kernel_ridge import KernelRidge

    images, targets = _matched(images, targets)
    rows, test, repeats = _sizes(rows, teacher, test, repeats, len(images))
    rng, T0 = as_generator(rng), int(teacher.rows)
    n = whole_number("generations", teacher.generations, minimum=1)

    def fitted(seen: Floats, labels: Floats, penalty: float) -> KernelRidge:
        return KernelRidge(alpha=penalty * len(seen), **kernel).fit(seen, labels)

    def labelled(train: Ints, size: int, model: KernelRidge | None) -> tuple[Floats, Floats]:
        chosen = rng.choice(train, size, replace=False)
        seen = images[chosen]
        clean = targets[chosen] if model is None else model.predict(seen)
        return seen, clean + teacher.noise * rng.standard_normal(size)

    errors = np.empty((repeats, len(rows), 2))
    for repeat in range(repeats):
        order = rng.permutation(len(images))
        held, train = order[:test], order[test:]
        model = None
        for _ in range(n):
            model = fitted(*labelled(train, T0, model), TEACHER_PENALTY)
        seen, labels = labelled(train, max(rows), model)
        for j, size in enumerate(rows):
            for k, base in enumerate((size, T0 / n)):
                last = fitted(seen[:size], labels[:size], base**-ell)
                errors[repeat, j, k] = np.mean((last.predict(images[held]) - targets[held]) ** 2)
    return errors


def _generators(
    x: Floats, targets: Floats, teacher: Teacher, generations: int, rng: np.random.Generator
) -> list[Floats]:
    """The vectors of the first OLS generators, each (p,), each of other images."""
    made: list[Floats] = []
    for _ in range(generations):
        chosen = rng.choice(len(x), int(teacher.rows), replace=False)
        clean = x[chosen] @ made[-1] if made else targets[chosen]
        noisy = clean + teacher.noise * rng.standard_normal(len(chosen))
        made.append(np.linalg.lstsq(x[chosen], noisy, rcond=None)[0])
    return made


def _matched(features: ArrayLike, targets: ArrayLike) -> tuple[Floats, Floats]:
    """A matrix and as many finite targets as it has rows."""
    features, targets = array("features", features, ndim=2), array("targets", targets, ndim=1)
    if len(targets) != len(features):
        raise ValueError(
            f"targets must be {len(features)} numbers, one for each image, got {len(targets)}"
        )
    return features, targets


def _sizes(
    rows: Iterable[int], teacher: Teacher, test: int, repeats: int, images: int, *, least: int = 1
) -> tuple[tuple[int, ...], int, int]:
    """Rows, test and repeats as whole numbers, possible with so many images."""
    one_of("design", teacher.design, ("fresh",))
    rows = tuple(whole_number("rows", size, minimum=1) for size in rows)
    theirs = whole_number("the teacher's rows", teacher.rows, minimum=least)
    test = whole_number("test", test, minimum=1)
    if max(*rows, theirs) > images - test:
        raise ValueError(
            f"rows must be at most images − test = {images - test}, also the teacher's, "
            f"got {max(*rows, theirs)}"
        )
    return rows, test, whole_number("repeats", repeats, minimum=2)


def _stderr(errors: Floats) -> Floats:
    stderr: Floats = errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
    return stderr
